#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Compares the interfaces of dbus/*.xml with those of the running server, in both directions.

Usage: check-interfaces.py INTROSPECT DIRECTORY
"""

import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

PREFIX = 'org.iommud1.'
EMITS_CHANGED = 'org.freedesktop.DBus.Property.EmitsChangedSignal'


def annotations(element):
    return {a.get('name'): a.get('value') for a in element.findall('annotation')}


def describe(member):
    """All that a caller can see of a member, as one line."""
    if member.tag == 'property':
        # the specification's default, which sd-bus does not write out
        notes = {EMITS_CHANGED: 'true'} | annotations(member)
        return f'property {member.get("type")} {member.get("access")} {sorted(notes.items())}'

    default = 'out' if member.tag == 'signal' else 'in'
    args = [
        f'{arg.get("direction", default)} {arg.get("type")} {arg.get("name")}'
        for arg in member.findall('arg')
    ]
    return f'{member.tag} ({", ".join(args)}) {sorted(annotations(member).items())}'


def interfaces(node):
    return {
        interface.get('name'): {
            member.get('name'): describe(member) for member in interface if member.tag != 'annotation'
        }
        for interface in node.findall('interface')
        if interface.get('name').startswith(PREFIX)
    }


def written(directory):
    """The interfaces of the contract."""
    result = {}
    for path in sorted(pathlib.Path(directory).glob(PREFIX + '*.xml')):
        result |= interfaces(ElementTree.parse(path).getroot())
    return result


def served(program):
    """The interfaces of the server."""
    output = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    result = {}
    for document in re.split(r'(?=<!DOCTYPE)', output):
        if document.strip():
            result |= interfaces(ElementTree.fromstring(document))
    return result


def differences(contract, server):
    """Yields a sentence for each."""
    for name in sorted(contract.keys() | server.keys()):
        if name not in server:
            yield f'{name} is not served'
            continue
        if name not in contract:
            yield f'{name} is not in dbus/'
            continue

        for member in sorted(contract[name].keys() | server[name].keys()):
            ours, theirs = contract[name].get(member), server[name].get(member)
            if ours != theirs:
                yield f'{name}.{member}:\n  contract: {ours}\n  server:   {theirs}'


def main():
    program, directory = sys.argv[1:]
    contract, server = written(directory), served(program)
    found = list(differences(contract, server))
    for line in found:
        print(line)

    n = sum(len(members) for members in contract.values())
    print(f'{len(contract)} interfaces with {n} members')
    return 1 if found or n == 0 else 0


if __name__ == '__main__':
    sys.exit(main())
