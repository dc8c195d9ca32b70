#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Every error that iommud can send has a code in the library, and is told of in the man page of iommuctl."""

import re
import sys
from pathlib import Path

names, header, page = (Path(argument).read_text() for argument in sys.argv[1:])

errors = dict(re.findall(r'#define IOMMUD_ERROR_(\w+) IOMMUD_ERROR_PREFIX "(\w+)"', names))
codes = set(re.findall(r'\bIOMMUD_E_(\w+) = \d+', header))
missing = []

assert errors and codes
for constant, name in errors.items():
    if constant not in codes:
        missing.append(f'{name} has no IOMMUD_E_{constant} in iommud.h')
    if f'**{name}**' not in page:
        missing.append(f'{name} is not in the man page of iommuctl')

print('\n'.join(missing))
sys.exit(bool(missing))
