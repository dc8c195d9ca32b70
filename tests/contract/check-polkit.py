#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What polkit is asked: the action has the name that the daemon asks for, no default of it keeps an authorization, and its message
and its comment speak of the details that are sent, each."""

import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

policy, names, message = (Path(a) for a in sys.argv[1:])
faults = []

wanted = re.search(r'#define IOMMUD_POLKIT_ACTION "([^"]+)"', names.read_text()).group(1)
sent = re.findall(r'append_detail\(m, "(\w+)"', message.read_text())
documented = re.search(r'Details, .*?: ([\w, ]+)\.\n', policy.read_text()).group(1).split(', ')
actions = ElementTree.parse(policy).getroot().findall('action')

if [a.get('id') for a in actions] != [wanted]:
    faults.append(f'the daemon asks for {wanted}, and that is not the one action of {policy.name}')
if sent != documented:
    faults.append(f'sent are the details {sent}, and {policy.name} speaks of {documented}')

for action in actions:
    defaults = {d.tag: d.text for d in action.find('defaults')}
    if sorted(defaults) != ['allow_active', 'allow_any', 'allow_inactive']:
        faults.append(f'{policy.name} has no default for everybody: {sorted(defaults)}')
    # auth_admin_keep is of the action, whatever the device: who has got one would get all
    for who, what in defaults.items():
        if what not in ('no', 'auth_admin'):
            faults.append(f'{policy.name}: {who} is {what}')
    for detail in re.findall(r'\$\((\w+)\)', action.find('message').text):
        if detail not in sent:
            faults.append(f'{policy.name}: $({detail}) is never sent')

print('\n'.join(faults))
sys.exit(bool(faults))
