#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later

"""The contract is XML that other languages' tools can read: well-formed, one interface per file of its name."""

import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

ANNOTATION = 'org.freedesktop.DBus.Property.EmitsChangedSignal'
TYPE = re.compile(r'([ybnqiuxtdsoghv]|a|\(|\)|\{|\})+')
faults = []


def check_interface(interface, where):
    for element in interface.iter():
        kind = element.get('type')
        if element.tag in ('arg', 'property') and not (kind and TYPE.fullmatch(kind)):
            faults.append(f'{where}: {element.get("name")} has no valid type')
        if element.tag != 'annotation' and not element.get('name'):
            faults.append(f'{where}: a {element.tag} has no name')
        if element.tag == 'arg' and element.get('direction', 'in') not in ('in', 'out'):
            faults.append(f'{where}: {element.get("name")} has no valid direction')

    for element in interface.iter('property'):
        values = [a.get('value') for a in element.iter('annotation') if a.get('name') == ANNOTATION]
        if len(values) != 1 or values[0] not in ('true', 'false', 'const', 'invalidates'):
            faults.append(f'{where}: {element.get("name")} does not say whether it emits changes')


for argument in sys.argv[1:]:
    path = Path(argument)
    interfaces = ElementTree.parse(path).getroot().findall('interface')
    if [i.get('name') for i in interfaces] != [path.stem]:
        faults.append(f'{path.name}: it is not for the interface {path.stem} alone')
    for interface in interfaces:
        check_interface(interface, path.name)

print('\n'.join(faults))
sys.exit(bool(faults))
