#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs shellcheck over every shell script of the tree, and looks for functions that replace one of a part that is read."""

import os
import re
import shutil
import subprocess
import sys

import source

SHEBANG = re.compile(r'#! *(?:/usr)?/bin/(?:env +)?(?:(busybox) +)?((?:ba|da)?sh)\b')

FUNCTION = re.compile(r'^([\w-]+)\(\) [({]', re.MULTILINE)
PART = re.compile(r'^ *(?:\.|source) (?:\./)?([\w./-]+\.sh)$', re.MULTILINE)


def shell_of(path, text):
    """What to check it as: None is for no script at all, '' for what it says itself."""
    shebang = SHEBANG.match(text)
    if shebang:
        return 'dash' if shebang.group(1) else ''
    if not path.endswith('.sh'):
        return None
    # A part that scripts read with ".": all of ours that do are bash
    return '' if re.search(r'^# shellcheck shell=', text, re.MULTILINE) else 'bash'


def shellcheck(root, shell, scripts):
    # Not SC1091: where a part is read from is often known at run time only
    command = ['shellcheck', '--format=gcc', '--external-sources', '--source-path=SCRIPTDIR', '--exclude=SC1091']
    command += [f'--shell={shell}'] if shell else []
    result = subprocess.run(command + ['--'] + scripts, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            text=True, check=False)
    yield from result.stdout.splitlines()
    if result.returncode != 0 and not result.stdout:
        yield f'shellcheck failed with {result.returncode}'


def parts_of(path, texts):
    """What a script reads, by itself or through others: named as seen from a directory above it. A case is read by guest/case."""
    found, todo = set(), [path]
    runner = path.rpartition('/cases/')[0] + '/guest/case'
    if runner in texts:
        todo.append(runner)
    while todo:
        script = todo.pop()
        for name in PART.findall(texts[script]):
            folder = os.path.dirname(script)
            while folder and folder + '/' + name not in texts:
                folder = os.path.dirname(folder)
            part = folder + '/' + name
            if part in texts and part not in found:
                found.add(part)
                todo.append(part)
    return found - {path}


def replaced_functions(texts):
    """Who calls the one, in a part that knows nothing of this script, gets the other."""
    for path, text in texts.items():
        own = {match.group(1): text.count('\n', 0, match.start()) + 1 for match in FUNCTION.finditer(text)}
        for part in sorted(parts_of(path, texts)):
            for name in sorted(own.keys() & set(FUNCTION.findall(texts[part]))):
                yield f'{path}:{own[name]}: {name}() is one of {part} already'


def check(root):
    scripts, texts = {}, {}
    for path in source.files(root):
        text = source.read(root, path) or ''
        shell = shell_of(path, text)
        if shell is not None:
            scripts.setdefault(shell, []).append(path)
            texts[path] = text

    for shell, paths in scripts.items():
        yield from shellcheck(root, shell, paths)
    yield from replaced_functions(texts)


if __name__ == '__main__':
    if not shutil.which('shellcheck'):
        print('shellcheck is not installed')
        sys.exit(77)
    source.run(check, __doc__)
