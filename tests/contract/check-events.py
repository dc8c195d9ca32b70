#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Every event of the journal has its own name and number, is read by iommuctl log, explained by the catalog, and is in the man page."""

import re
import sys
from pathlib import Path

names, reader, catalog, page = (Path(argument).read_text() for argument in sys.argv[1:])

ids = dict(re.findall(r'#define IOMMUD_MESSAGE_(\w+) "([0-9a-f]{32})"', names))
events = dict(re.findall(r'#define IOMMUD_EVENT_(\w+) "([a-z-]+)"', names))
wrong = []

assert ids and events
assert len(set(ids.values())) == len(ids) and len(set(events.values())) == len(events)
if ids.keys() != events.keys():
    wrong.append(f'names.h: {", ".join(sorted(ids.keys() ^ events.keys()))}: an id without an event, or an event without one')
for constant, number in ids.items():
    if not re.search(rf'\bIOMMUD_MESSAGE_{constant},', reader):
        wrong.append(f'IOMMUD_MESSAGE_{constant} is not read by iommuctl log')
    if not re.search(rf'^-- {number}$', catalog, re.MULTILINE):
        wrong.append(f'IOMMUD_MESSAGE_{constant} is not in the catalog')
for event in events.values():
    if not re.search(rf'^    \*\*{event}\*\* ', page, re.MULTILINE):
        wrong.append(f'{event} is not in the man page of iommud')

print('\n'.join(wrong))
sys.exit(bool(wrong))
