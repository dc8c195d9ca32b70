#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Has systemd read the unit of the daemon, and rate how much the daemon could do to the host if it were taken over.

check-unit.py UNIT [THRESHOLD]
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

# In tenths of what "systemd-analyze security" prints, 0 (good) to 100. An opening that is added to the unit raises it;
# whoever adds it changes this number as well and says why.
THRESHOLD = 30

# Newer than the oldest systemd that we run with, which says that it ignores them
NEWER = {
    'FileDescriptorStorePreserve',      # 254
}
UNKNOWN = re.compile(r"Unknown key(?: name)? '(\w+)'")


def skip(reason):
    print(reason)
    sys.exit(77)


def systemd_analyze(*args):
    return subprocess.run(['systemd-analyze', *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False)


def is_newer(line):
    unknown = UNKNOWN.search(line)
    return unknown and unknown.group(1) in NEWER


def copy_of(unit, folder):
    """The unit with a program that is there: the daemon is not installed where it is built."""
    with open(unit, encoding='utf-8') as f:
        text = f.read()

    copy = os.path.join(folder, os.path.basename(unit))
    with open(copy, 'w', encoding='utf-8') as f:
        f.write(re.sub(r'^(ExecStart=)\S+', r'\1' + shutil.which('true'), text, flags=re.MULTILINE))
    return copy


def check(unit, threshold):
    with tempfile.TemporaryDirectory() as folder:
        copy = copy_of(unit, folder)

        # Only what is said of this unit: those that it names may be missing or of another version here
        verified = systemd_analyze('verify', '--man=no', '--recursive-errors=no', copy)
        name = os.path.basename(unit)
        complaints = [line for line in verified.stdout.splitlines() if name in line and not is_newer(line)]

        rated = systemd_analyze('security', '--offline=yes', '--no-pager', f'--threshold={threshold}', copy)
        if rated.returncode != 0:
            complaints.append(rated.stdout)

    return complaints


def main():
    if len(sys.argv) not in (2, 3):
        print(__doc__.strip())
        sys.exit(2)

    unit = sys.argv[1]
    if not shutil.which('systemd-analyze'):
        skip('systemd-analyze is not installed')
    if not os.path.exists(unit):
        skip(f'{unit} does not exist')

    complaints = check(unit, int(sys.argv[2]) if len(sys.argv) == 3 else THRESHOLD)
    for complaint in complaints:
        print(complaint)
    sys.exit(1 if complaints else 0)


if __name__ == '__main__':
    main()
