#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Interrupts the lab in the midst of everything that takes long, in all the ways there are.

The lab is the real one; the long programs are not (see fake). Whatever it was at, and however it ended: nothing in the cache
may be half, nothing that it started may live on, and the next run has to come to where this one was, and to its end.
"""

import concurrent.futures
import fcntl
import itertools
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
VM = os.path.dirname(HERE)
LAB = os.path.join(os.path.dirname(VM), 'lab')

FAKES = ('id apt-get apt-cache apt-config dpkg dpkg-query dpkg-deb tar make mmdebstrap meson ninja as ld sync mv rm').split()

# How it ends: for whom the signal is, and which
WAYS = {
    'ctrl-c': (os.killpg, signal.SIGINT),
    'the terminal is gone': (os.killpg, signal.SIGHUP),
    'all are asked to end': (os.killpg, signal.SIGTERM),
    'all are killed': (os.killpg, signal.SIGKILL),
    'the lab alone is asked to end': (os.kill, signal.SIGTERM),
    'the lab alone is killed': (os.kill, signal.SIGKILL),
}

# One that hangs; nothing here takes long
PATIENCE = 60

# What of the cache has a final name only when it is whole
PUBLISHED = ('kernel-', 'mock-', 'rootfs-')


# What an earlier version of it has made
OLD = ('kernel-0000000000000000', 'rootfs-0000000000000000')


class Failure(Exception):
    pass


def expect(condition, message):
    if not condition:
        raise Failure(message)


def contents(directory):
    """All that is below, by path; of large files the beginning."""
    found = {}
    for path, _, names in os.walk(directory):
        for name in names:
            full = os.path.join(path, name)
            with open(full, 'rb') as f:
                found[os.path.relpath(full, directory)] = f.read(65536)
    return found


class Lab:
    """A cache of its own, and the lab run in it with the fakes."""

    def __init__(self, root):
        self.root = root
        self.cache = os.path.join(root, 'cache', 'iommud-lab')
        fakes = os.path.join(root, 'fakes')
        os.mkdir(fakes)
        for name in FAKES:
            os.symlink(os.path.join(HERE, 'fake'), os.path.join(fakes, name))
        shutil.copy(os.path.join(VM, 'kernel.config'), root)
        os.mkfifo(self.path('reached'))
        # For writing too, so that it never comes to its end
        self.reached = os.open(self.path('reached'), os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self.environment = {'HOME': root, 'XDG_CACHE_HOME': os.path.dirname(self.cache), 'PATH': os.defpath, 'TERM': 'dumb',
                            'LAB_FAKES': fakes, 'LAB_TEST': root}
        self.whole = {}

    def path(self, name):
        return os.path.join(self.root, name)

    def write(self, name, text):
        with open(self.path(name), 'w', encoding='utf-8') as f:
            f.write(text)

    def read(self, name):
        with open(self.path(name), encoding='utf-8') as f:
            return f.read()

    def reset(self):
        """A machine with nothing prepared."""
        shutil.rmtree(os.path.dirname(self.cache), ignore_errors=True)
        self.write('installed', '')
        self.age()

    def age(self):
        """There is something that was used long ago."""
        for name in OLD:
            directory = os.path.join(self.cache, name)
            if os.path.exists(directory):
                continue
            os.makedirs(directory)
            for part in ('config', 'disk.img', 'other'):
                with open(os.path.join(directory, part), 'w', encoding='utf-8') as f:
                    f.write('old')
            os.utime(directory, (0, 0))

    def run(self, command, target=''):
        """Runs it until it comes to the target. Returns the process, and whether it has come there."""
        self.write('log', '')
        self.write('target', target)
        with open(self.path('output'), 'w', encoding='utf-8') as output:
            process = subprocess.Popen([LAB, command], env=self.environment, cwd=self.root, stdin=subprocess.DEVNULL,
                                       stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
        pidfd = os.pidfd_open(process.pid)
        ready, _, _ = select.select([self.reached, pidfd], [], [], PATIENCE)
        os.close(pidfd)
        expect(ready, 'it hangs')
        if self.reached in ready:
            os.read(self.reached, 4096)
            return process, True
        return process, False

    def run_to_end(self, command):
        process, _ = self.run(command)
        expect(process.wait() == 0, 'the next run fails:\n' + self.read('output'))

    def processes(self):
        """What was started and has not ended. What installs packages may, and must, come to its end."""
        mark = f'LAB_TEST={self.root}'.encode()
        for pid in filter(str.isdigit, os.listdir('/proc')):
            try:
                with open(f'/proc/{pid}/environ', 'rb') as f:
                    environment = f.read().split(b'\0')
            except OSError:
                continue
            if mark in environment:
                yield int(pid), any(e.startswith(b'LAB_MARK=') for e in environment)

    def interrupt(self, command, way, target):
        process, reached = self.run(command, target)
        if not reached:
            process.wait()
            raise Failure('it does not come to there:\n' + self.read('output'))

        kill, number = WAYS[way]
        kill(process.pid, number)
        try:
            process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired as e:
            os.killpg(process.pid, signal.SIGKILL)
            raise Failure('it does not end') from e
        self.check_processes(target)
        self.check_cache()

    def check_processes(self, target):
        installs = target.startswith('apt-get install')
        deadline = time.monotonic() + PATIENCE
        while left := list(self.processes()):
            if installs and kill_unmarked(left):
                continue
            expect(time.monotonic() < deadline, f'processes are left: {describe(left)}')
            time.sleep(0.01)

    def check_cache(self):
        for name in os.listdir(self.cache) if os.path.isdir(self.cache) else []:
            path = os.path.join(self.cache, name)
            if name.startswith(PUBLISHED):
                expect(contents(path) == self.whole.get(name), f'{name} is not whole')
            elif name.endswith('.lock'):
                with open(path, 'rb') as f:
                    try:
                        fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    except BlockingIOError as e:
                        raise Failure(f'{name} is held') from e
            elif name.startswith('build-') and os.path.exists(os.path.join(path, 'release', 'lab-key')):
                expect(contents(os.path.join(path, 'release')) == self.whole['build'], 'a build is not whole')
        with open('/proc/self/mounts', encoding='utf-8') as f:
            expect(self.cache not in f.read(), 'a mount is left')

    def learn(self):
        """A run that nothing interrupts: which points there are, and what is whole."""
        self.reset()
        for name in OLD:
            self.whole[name] = contents(os.path.join(self.cache, name))
        self.run_to_end('demo')
        points = self.read('log').splitlines()
        for name in os.listdir(self.cache):
            path = os.path.join(self.cache, name)
            if name.startswith(PUBLISHED):
                self.whole[name] = contents(path)
            elif name.startswith('build-'):
                self.whole['build'] = contents(os.path.join(path, 'release'))
        expect(sorted({name.split('-')[0] for name in self.whole}) == ['build', 'kernel', 'mock', 'rootfs'],
               'the lab has not made what it should')
        expect(not any(name in os.listdir(self.cache) for name in OLD), 'what was used long ago is still there')
        shutil.copytree(self.cache, self.path('all'))
        self.run_to_end('clean')
        expect(not os.path.exists(self.cache), 'there is something left after clean')
        return list(dict.fromkeys(points)), list(dict.fromkeys(self.read('log').splitlines()))


def kill_unmarked(left):
    """In place of waiting for the end of what installs. False when there is nothing of that kind."""
    unmarked = [pid for pid, marked in left if not marked]
    for pid in unmarked:
        try:
            with open(f'/proc/{pid}/comm', encoding='utf-8') as f:
                if f.read() != 'sleep\n':
                    continue
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass
    return bool(unmarked)


def describe(processes):
    names = []
    for pid, _ in processes:
        try:
            with open(f'/proc/{pid}/cmdline', encoding='utf-8') as f:
                names.append(f.read().replace('\0', ' ').strip())
        except OSError:
            pass
    return '; '.join(names)


def try_ways(ways):
    """One run after the other in one cache, each of which has to come further than what the one before has left."""
    root = tempfile.mkdtemp(prefix='iommud-lab-')
    count = 0
    point = way = 'nothing'
    try:
        lab = Lab(root)
        demo, clean = lab.learn()
        expect(len(demo) > 25 and len(clean) > 5, f'there are {len(demo)} and {len(clean)} points only')
        lab.reset()
        for point, way in zip(demo, ways):
            lab.age()
            lab.interrupt('demo', way, point)
            count += 1
        for point, way in zip(clean, ways):
            shutil.rmtree(lab.cache)
            shutil.copytree(lab.path('all'), lab.cache)
            lab.interrupt('clean', way, point)
            count += 1
        point = 'the end'
        lab.run_to_end('demo')
        lab.check_cache()
    except Failure as e:
        return count, f'{way}, at "{point.replace(root, "")}": {e}'
    finally:
        for pid, _ in Lab.processes(lab):
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(root, ignore_errors=True)
    return count, None


def main():
    # Whoever has started us may have some of them ignored, as nohup does, and what is ignored stays so
    for _, number in WAYS.values():
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)

    failed = 0
    total = 0
    # The one that leaves most behind everywhere; and the others in turn, another place for each
    series = [itertools.repeat('the lab alone is killed'), itertools.cycle(WAYS)]
    if sys.argv[1:] == ['all']:
        series = map(itertools.repeat, WAYS)
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for count, failure in pool.map(try_ways, series):
            total += count
            if failure:
                failed += 1
                print(failure)
    print(f'interrupted at {total} points')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
