#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What the headers declare, libiommud.sym exports and libiommud.so has: the same functions, nothing else."""

import re
import subprocess
import sys
from pathlib import Path

nm, library, symbols, *headers = sys.argv[1:]


def without_comments(path):
    return re.sub(r'/\*.*?\*/', '', Path(path).read_text(), flags=re.S)


declared = {name for header in headers for name in re.findall(r'\b(iommud_\w+)\(', without_comments(header))}
listed = set(re.findall(r'\b(iommud_\w+);', without_comments(symbols)))

lines = subprocess.run([nm, '--dynamic', '--defined-only', '--with-symbol-versions', library],
                       check=True, capture_output=True, text=True).stdout.split('\n')
names = {line.split()[-1] for line in lines if line} - {'LIBIOMMUD_1', 'LIBIOMMUD_1@@LIBIOMMUD_1'}
exported = {name.split('@@')[0] for name in names}

for name in sorted(names):
    if not re.fullmatch(r'iommud_\w+@@LIBIOMMUD_1', name):
        print(f'{name} is exported, and should not be')
for one, two, text in ((declared, listed, 'is in the header, but not in libiommud.sym'),
                       (listed, declared, 'is in libiommud.sym, but not in the header'),
                       (listed, exported, 'is in libiommud.sym, but not in the library'),
                       (exported, listed, 'is in the library, but not in libiommud.sym')):
    for name in sorted(one - two):
        print(f'{name} {text}')

sys.exit(not (declared and declared == listed == exported and len(names) == len(exported)))
