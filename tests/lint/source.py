# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the checks share: which files are ours, and C without its comments and strings."""

import os
import re
import sys

# Others' work, data for fuzzers, and what builds leave behind
SKIP_DIRS = {'.git', '__pycache__', 'daemon/kernel/uapi', 'tests/fuzz/corpus'}

# A string, a character or a comment, whichever comes first; a string keeps its quotes
C_TOKEN = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|//[^\n]*|/\*.*?\*/', re.DOTALL)


def is_build_dir(path):
    return os.path.exists(os.path.join(path, 'meson-private')) or os.path.exists(os.path.join(path, 'build.ninja'))


def files(root):
    """The path of every file, relative to root, with slashes, in order."""
    found = []
    for folder, subdirs, names in os.walk(root):
        below = os.path.relpath(folder, root).replace(os.sep, '/')
        prefix = '' if below == '.' else below + '/'
        subdirs[:] = [d for d in subdirs if d not in SKIP_DIRS and prefix + d not in SKIP_DIRS and
                      not is_build_dir(os.path.join(folder, d))]
        found += [prefix + n for n in names if not os.path.islink(os.path.join(folder, n))]
    return sorted(found)


def read(root, path):
    """The text of a file, or None if it is none."""
    with open(os.path.join(root, path), 'rb') as f:
        data = f.read()
    if b'\0' in data:
        return None
    try:
        return data.decode('utf-8')
    except UnicodeDecodeError:
        return None


def blank(token):
    text = token.group()
    if text[0] in '"\'':
        return text[0] + ' ' * (len(text) - 2) + text[-1]
    return re.sub(r'[^\n]', ' ', text)


def code_of(text):
    """C with comments and the inside of strings made blank: lines and columns stay what they were."""
    return C_TOKEN.sub(blank, text)


def run(check, description):
    """Runs check(root), which yields complaints, for the tree that the command line names."""
    if len(sys.argv) > 2 or sys.argv[1:] in (['-h'], ['--help']):
        print(f'{sys.argv[0]} [TREE]\n\n{description.strip()}')
        sys.exit(0 if len(sys.argv) == 2 else 2)

    root = sys.argv[1] if len(sys.argv) == 2 else os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
    complaints = sorted(set(check(root)))
    for complaint in complaints:
        print(complaint)
    sys.exit(1 if complaints else 0)
