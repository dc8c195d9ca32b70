#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What "iommud --check-policy" says of files and directories, and with which status it ends."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

iommud = sys.argv[1]
os.umask(0o022)

GOOD = '{ "rules": [ { "uid": 1, "devices": "any", "verdict": "allow" } ] }'
BAD = '{ "rules": [ { "uid": 1,\n  "devcies": "any", "verdict": "allow" } ] }'
NAMES = '{ "devices": [ { "name": "gpu0", "match": "01:00.0" } ] }'


def check(*arguments):
    done = subprocess.run([iommud, '--check-policy', *map(str, arguments)], capture_output=True, text=True)
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout


def expect(status, says, *arguments):
    found, text = check(*arguments)
    assert found == status and says in text, (arguments, found, text)


with tempfile.TemporaryDirectory() as name:
    directory = Path(name)
    good, bad, names = directory / '50-good.json', directory / '60-bad.json', directory / 'iommud.json'
    good.write_text(GOOD)
    names.write_text(NAMES)
    good.chmod(0o666)                   # it is no more than looked at
    bad.write_text(BAD)

    expect(0, '50-good.json: no mistakes: 1 rules', good)
    expect(0, 'no mistakes: 0 rules, 0 limits, 1 names', names)
    expect(1, '60-bad.json:2:3: rules[0]: unknown key "devcies", did you mean "devices"?', bad)
    expect(1, '50-good.json: no mistakes', bad, good)
    expect(1, 'No such file', directory / 'none.json')
    expect(1, 'no regular file', '/dev/zero')

    status, text = check('--json', good, bad)
    first, second = json.loads(text)
    assert status == 1 and first == {'checked': str(good), 'ok': True, 'rules': 1}, first
    mistake, = second.pop('mistakes')
    assert second == {'checked': str(bad), 'ok': False}, second
    assert (mistake['line'], mistake['column'], mistake['path']) == (2, 3, 'rules[0]'), mistake
    assert mistake['file'] == str(bad) and mistake['text'].startswith(f'{bad}:2:3: rules[0]: '), mistake

    # All that is wrong, in all files
    bad.write_text(BAD.replace('"allow"', '"alow"'))
    worse = directory / '70-worse.json'
    worse.write_text('{ "rules": [ 7 ] }')
    status, text = check('--json', bad)
    assert status == 1 and [m['path'] for m in json.loads(text)[0]['mistakes']] == ['rules[0]', 'rules[0].verdict'], text
    good.chmod(0o644)
    names.chmod(0o644)
    names.rename(directory / 'names')
    status, text = check(directory)
    assert status == 1 and [line.split(':')[0] for line in text.splitlines()] == [str(bad), str(bad), str(worse)], text
    (directory / 'names').rename(names)
    names.chmod(0o666)
    good.chmod(0o666)
    worse.unlink()
    bad.write_text(BAD)

    # A directory is looked at as the policy would be, with modes and links
    names.unlink()
    expect(1, 'can be written by others than root', directory)
    good.chmod(0o644)
    expect(1, 'devcies', directory)
    bad.unlink()
    expect(0, 'no mistakes: 1 rules', directory)
    bad.symlink_to(good)
    expect(1, 'it is a link', directory)
    bad.unlink()
    directory.chmod(0o777)
    expect(1, 'can be written by others', directory)
    directory.chmod(0o755)

    inner = directory / 'policy.d'
    inner.mkdir()
    directory.chmod(0o777)
    expect(1, 'others than root can put another directory in its place', inner)
    directory.chmod(0o1777)
    expect(0, 'no mistakes: 0 rules', inner)
