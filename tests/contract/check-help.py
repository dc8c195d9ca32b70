#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What "iommuctl --help" says, its man page and its completion: the same verbs and options in all three."""

import re
import subprocess
import sys
from pathlib import Path

iommuctl, page, completion = sys.argv[1:]


def section(text, title):
    """The lines between a heading of the man page and the next heading."""
    body = re.search(rf'^{title}\n=+\n(.*?)(?=^[^\n]+\n=+\n|\Z)', text, re.M | re.S)
    return body[1].splitlines()


def page_items(text):
    lines = section(text, 'VERBS')
    verbs = {m[1] for line in lines if (m := re.match(r'\*\*([a-z]+)\*\*', line))}
    domain_verbs = {m[1] for line in lines if (m := re.match(r'\*\*domain\*\* \*\*([a-z-]+)\*\*', line))}
    options = {o for line in section(text, 'OPTIONS') if line.startswith('**-')
               for o in re.findall(r'\*\*(-[a-z-]+)\*\*', line)}
    return verbs, domain_verbs, options


def help_items(text):
    verbs, domain_verbs, options = re.split(r'^(?:Verbs of domain|Options):$', text, flags=re.M)
    left = re.sub(r'^(.{35}).*', r'\1', options, flags=re.M)   # of two columns
    return (set(re.findall(r'^  ([a-z]+)', verbs, re.M)),
            set(re.findall(r'^  ([a-z-]+) LEASE', domain_verbs, re.M)),
            set(re.findall(r'(?<![\w-])(-[a-z]\b|--[a-z][a-z-]*)', left)))


def completion_items(text):
    return (set(re.search(rf" {name}='([^']*)'", text)[1].split()) for name in ('verbs', 'domain_verbs', 'options'))


def compare(what, wanted, name, found):
    for item in sorted(wanted - found):
        print(f'{name} lacks the {what} {item}')
    for item in sorted(found - wanted):
        print(f'{name} has the {what} {item}, which --help does not know')
    return wanted == found


shown = subprocess.run([iommuctl, '--help'], check=True, capture_output=True, text=True).stdout
verbs, domain_verbs, options = help_items(shown)
assert verbs and domain_verbs and options, 'the help is not what this test can read'

page_verbs, page_domain_verbs, page_options = page_items(Path(page).read_text())
completion_verbs, completion_domain_verbs, completion_options = completion_items(Path(completion).read_text())

results = [
    compare('verb', verbs, 'the man page', page_verbs),
    compare('verb domain', domain_verbs, 'the man page', page_domain_verbs),
    compare('option', options, 'the man page', page_options),
    compare('verb', verbs, 'the completion', completion_verbs),
    compare('verb domain', domain_verbs, 'the completion', completion_domain_verbs),
    compare('option', {o for o in options if o.startswith('--')}, 'the completion', completion_options),
]
sys.exit(not all(results))
