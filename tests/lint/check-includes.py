#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Holds the layers of the tree: who may include what, no circles, includes in order.

A layer is a folder. What it may use is listed beside it; what is not listed it may not use. Names of the system's
headers that it must not touch are a regular expression.
"""

import os
import posixpath
import re

import source

BUS = r'systemd/|dbus/'
EVENTS = r'systemd/sd-event'
KERNEL = r'linux/|asm/|sys/ioctl|libnl|netlink'
# The headers of what only daemon/kernel may ask of the kernel; sockets and the like have headers there as well
UAPI = r'linux/(vfio|iommufd|kvm)|sys/ioctl'
UDEV = r'libudev'
JSON = r'json-c/'
CLOCK = r'time\.h$|sys/time\.h|sys/timerfd'


def never(*patterns):
    return re.compile('|'.join(f'(?:{p})' for p in patterns))


# Layer: what it may include of ours (folders, or single files), and what of the system's it must not. The longest name
# that a path begins with is its layer.
LAYERS = {
    'lib/base': (['lib/base'], never(BUS, KERNEL, UDEV, JSON)),
    'lib': (['lib', 'lib/base'], never(r'systemd/(?!sd-bus)', KERNEL, UDEV, JSON)),
    'daemon/core': (['lib/base', 'daemon/core'], never(BUS, KERNEL, UDEV, JSON, CLOCK)),
    'daemon/kernel': (['lib/base', 'daemon/kernel', 'daemon/core/dma.h', 'daemon/core/kernel.h'], never(BUS, UDEV, JSON)),
    'daemon/sys': (['lib/base', 'daemon/core', 'daemon/sys'], never(r'systemd/sd-bus', UAPI)),
    'daemon/config': (['lib/base', 'daemon/config',
                       # what its files are turned into, and the spelling of devices that clients use as well
                       'daemon/core/account.h', 'daemon/core/catalog.h', 'daemon/core/device-match.h',
                       'daemon/core/policy.h', 'daemon/core/refusal.h', 'daemon/core/selector.h',
                       'daemon/core/subject.h'],
                      never(BUS, KERNEL, UDEV)),
    'daemon/bus': (['lib/base', 'lib/names.h', 'daemon/core', 'daemon/bus', 'daemon/sys/audit-log.h', 'daemon/sys/job.h',
                    'daemon/sys/journal.h'], never(EVENTS, KERNEL, UDEV, JSON)),
    'daemon': (['lib/base', 'lib/names.h', 'daemon', 'daemon/bus', 'daemon/config', 'daemon/core', 'daemon/kernel',
                'daemon/sys'], never(KERNEL, UDEV, JSON)),
    # What is read from queues is as linux/iommufd.h has it; the calls are daemon/kernel's alone
    'cli': (['lib', 'lib/base', 'cli'], never(r'linux/(vfio|kvm)|sys/ioctl')),
}

# Where the compiler looks, besides the file's own folder
ROOTS = ['lib', 'daemon', 'daemon/kernel/uapi']

CLOCK_CALL = re.compile(r'\b(time|clock_gettime|clock|gettimeofday|localtime(?:_r)?|timerfd_create)\s*\(')
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')


def layer_of(path):
    layers = [name for name in LAYERS if path.startswith(name + '/')]
    return max(layers, key=len, default=None)


def resolve(path, name, known):
    for folder in [posixpath.dirname(path)] + ROOTS:
        candidate = posixpath.normpath(posixpath.join(folder, name))
        if candidate in known:
            return candidate
    return None


def includes_of(root, path):
    """(line number, '<' or '"', name) of each include, with the line of each."""
    for number, line in enumerate(source.read(root, path).split('\n'), 1):
        m = INCLUDE.match(line)
        if m:
            yield number, m.group(1), m.group(2)


def check_layer(path, includes, known):
    layer = layer_of(path)
    if not layer:
        return
    ours, system = LAYERS[layer]

    for number, kind, name in includes:
        if kind == '<':
            if system.search(name):
                yield f'{path}:{number}: {layer} must not use <{name}>'
            continue

        target = resolve(path, name, known)
        if not target:
            yield f'{path}:{number}: there is no "{name}"'
        elif layer_of(target) not in ours and target not in ours:
            yield f'{path}:{number}: {layer} must not use {target}'


def group_of(kind, name):
    if kind == '"':
        return 2, 'ours'
    return (1, 'systemd\'s') if name.startswith('systemd/') else (0, 'the system\'s')


def check_order(path, includes):
    """The system's, systemd's, ours; sorted within each block of lines."""
    previous = None
    for number, kind, name in includes:
        group, called = group_of(kind, name)
        if previous:
            if group < previous[0]:
                yield f'{path}:{number}: <{name}> is one of {called} headers, which come before "{previous[1]}"'
            elif group == previous[0] and number == previous[2] + 1 and name < previous[1]:
                yield f'{path}:{number}: {name} comes before {previous[1]}'
        previous = group, name, number


def check_clock(root, path):
    if layer_of(path) != 'daemon/core':
        return
    for number, line in enumerate(source.code_of(source.read(root, path)).split('\n'), 1):
        m = CLOCK_CALL.search(line)
        if m:
            yield f'{path}:{number}: {m.group(1)}(): daemon/core gets the time as an argument'


def find_circles(graph):
    """Depth first; a file that is met again while it is open closes a circle."""
    done, complaints = set(), []

    def visit(path, chain):
        if path in chain:
            complaints.append('circle: ' + ' -> '.join(chain[chain.index(path):] + [path]))
            return
        if path in done:
            return
        for target in graph.get(path, []):
            visit(target, chain + [path])
        done.add(path)

    for path in sorted(graph):
        visit(path, [])
    return complaints


def check(root):
    known = set(source.files(root))
    uapi = os.path.join(root, 'daemon/kernel/uapi')
    for folder, _, names in os.walk(uapi):
        known |= {os.path.relpath(os.path.join(folder, n), root) for n in names}

    graph = {}
    for path in sorted(known):
        if not path.endswith(('.c', '.h')) or path.startswith('daemon/kernel/uapi/'):
            continue
        includes = list(includes_of(root, path))
        targets = [resolve(path, name, known) for _, kind, name in includes if kind == '"']
        graph[path] = [t for t in targets if t]

        yield from check_layer(path, includes, known)
        yield from check_order(path, includes)
        yield from check_clock(root, path)

    yield from find_circles(graph)


if __name__ == '__main__':
    source.run(check, __doc__)
