#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs shellcheck over every shell script of the tree."""

import re
import shutil
import subprocess
import sys

import source

SHEBANG = re.compile(r'#! *(?:/usr)?/bin/(?:env +)?(?:(busybox) +)?((?:ba|da)?sh)\b')


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


def check(root):
    scripts = {}
    for path in source.files(root):
        shell = shell_of(path, source.read(root, path) or '')
        if shell is not None:
            scripts.setdefault(shell, []).append(path)

    for shell, paths in scripts.items():
        yield from shellcheck(root, shell, paths)


if __name__ == '__main__':
    if not shutil.which('shellcheck'):
        print('shellcheck is not installed')
        sys.exit(77)
    source.run(check, __doc__)
