#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Holds the rules of style that a program can hold: see CONTRIBUTING.md."""

import re

import source

COLUMNS = 109
FILE_LINES = 800
FUNCTION_LINES = 80

# Where the licence is said in the file itself. Prose in *.md is covered by LICENSE alone.
LICENSED = ('.c', '.h', '.py', '.sh', '.rst', '.xml', '.json', '.in', '.conf', '.catalog', '.sym', '.dict', '.build',
            'meson_options.txt')
SPDX = 'SPDX-License-Identifier: LGPL-2.1-or-later'

# A module of the kernel: its licence, and its style, of which checkpatch.pl in the kernel's source tells the rest
MODULE = 'tests/vm/mock-iommu/'
MODULE_SPDX = 'SPDX-License-Identifier: GPL-2.0-only'

# Line 1 is taken in a script and in XML
FIRST_LINE_TAKEN = re.compile(r'#!|<\?xml')

# Parsing is strict, and in one place; nothing is as large on the stack as a client says; nothing waits for time to pass
FORBIDDEN_CALL = re.compile(r'\b(strtok(?:_r)?|alloca|ato(?:i|l|ll|f)|strto(?:l|ul|ll|ull|imax|umax|f|d|ld)|'
                            r'(?:u|nano)?sleep|clock_nanosleep)\s*\(')
PARSER = 'lib/base/parse.'
# In processes of their own, for answers of the kernel that no event follows
RETRY = 'daemon/kernel/retry.h'

# Assertions are never built out. One place says the word, to refuse it.
NDEBUG = re.compile(r'-D *NDEBUG|^\s*# *(?:define|undef|if|ifdef|ifndef|elif)\b.*\bNDEBUG\b|\bb_ndebug\s*[=:]\s*\W?(?:true|if-release)')
NDEBUG_REFUSED = 'lib/base/macro.h'

# Where packages come from is the business of the host. Written so that this file does not find itself.
REGISTRIES = re.compile('|'.join([
    r'deb[.]debian[.]org', r'(?:archive|security)[.]ubuntu[.]com', r'snapshot[.]debian[.]org', r'dl-cdn[.]alpinelinux',
    r'registry[.]npmjs', r'pypi[.]org', r'crates[.]io', r'docker[.]io', r'proxy[.]golang[.]org',
]))


def is_script(path, lines):
    return '.' not in path.rsplit('/', 1)[-1] and lines[0].startswith('#!')


def check_licence(path, lines):
    if not path.endswith(LICENSED) and not is_script(path, lines):
        return
    line = 1 if FIRST_LINE_TAKEN.match(lines[0]) else 0
    if path.startswith(MODULE) and MODULE_SPDX in lines[0]:
        return
    if len(lines) <= line or SPDX not in lines[line]:
        yield f'{path}:{line + 1}: no "{SPDX}" here'


def check_lines(path, lines):
    for number, line in enumerate(lines, 1):
        if '\t' in line and not path.startswith(MODULE):
            yield f'{path}:{number}: a tab'
        if line.endswith((' ', '\r')):
            yield f'{path}:{number}: white space at the end'
        if path.endswith(('.c', '.h')) and len(line) > COLUMNS:
            yield f'{path}:{number}: {len(line)} columns, {COLUMNS} at most'
        if REGISTRIES.search(line):
            yield f'{path}:{number}: names a registry of packages'
        if NDEBUG.search(line) and path != NDEBUG_REFUSED:
            yield f'{path}:{number}: NDEBUG: assertions are never built out'

    if lines[-1] != '':
        yield f'{path}:{len(lines)}: no newline at the end'
    elif len(lines) > 1 and lines[-2] == '':
        yield f'{path}:{len(lines)}: an empty line at the end'
    if len(lines) - 1 >= FILE_LINES:
        yield f'{path}: {len(lines) - 1} lines: split it'


def check_functions(path, code):
    """A function begins with the end of its parameters and a brace, and ends with a brace at the margin."""
    start = None
    for number, line in enumerate(code, 1):
        if not start and re.match(r'(?:[A-Za-z_]| {8}).*[)] *\{ *$', line):
            start = number
        elif line == '}' and start:
            if number - start + 1 > FUNCTION_LINES:
                yield f'{path}:{start}: a function of {number - start + 1} lines: split it'
            start = None


def check_c(path, text):
    strings_blank = source.code_of(text).split('\n')

    for number, line in enumerate(strings_blank, 1):
        m = FORBIDDEN_CALL.search(line)
        if m and not path.startswith(PARSER) and path != RETRY:
            yield f'{path}:{number}: {m.group(1)}() is not used here'
        if re.search(r'\bgoto\b', line):
            yield f'{path}:{number}: goto: use _cleanup_'

    for m in source.C_TOKEN.finditer(text):
        if m.group().startswith('//'):
            yield f'{path}:{text.count(chr(10), 0, m.start()) + 1}: comments are /* … */'

    yield from check_functions(path, strings_blank)

    if path.endswith('.h') and '#pragma once' not in text:
        yield f'{path}: no #pragma once'


def check(root):
    for path in source.files(root):
        text = source.read(root, path)
        if not text:
            continue
        lines = text.split('\n')

        yield from check_licence(path, lines)
        if path != 'LICENSE':
            yield from check_lines(path, lines)
        if path.endswith(('.c', '.h')) and not path.startswith(MODULE):
            yield from check_c(path, text)


if __name__ == '__main__':
    source.run(check, __doc__)
