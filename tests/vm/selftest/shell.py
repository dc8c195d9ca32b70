#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sits at a terminal and uses `tests/lab shell` as its user would. The arguments are handed on to it."""

import os
import re
import select
import sys
import termios
import time

LAB = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'lab')

# It may have to build, and to boot, on a machine that is busy
PATIENCE = 1800
ROWS, COLUMNS = 37, 111
PROMPT = r'root@lab:[^ ]*# '


class Terminal:
    """Runs a command at a terminal of its own. Settings are compared from this end, which sees the same terminal."""

    def __init__(self, *command):
        self.said = ''
        self.all = ''
        ours, theirs = os.openpty()
        termios.tcsetwinsize(theirs, (ROWS, COLUMNS))
        self.fd = ours
        # Kept open: with its last user a terminal loses its settings
        self.terminal = theirs
        self.settings = termios.tcgetattr(theirs)
        self.pid = os.fork()
        if self.pid == 0:
            os.login_tty(theirs)
            os.execve(command[0], command, os.environ | {'TERM': 'vt100'})

    def type(self, line):
        os.write(self.fd, line.encode() + b'\r')

    def wait_for(self, pattern, patience=PATIENCE):
        """Returns what was said until then, the pattern included."""
        deadline = time.monotonic() + patience
        while not (match := re.search(pattern, self.said)):
            ready, _, _ = select.select([self.fd], [], [], 1)
            if ready:
                text = os.read(self.fd, 4096).decode(errors='replace')
                self.said += text
                self.all += text
            elif os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                raise AssertionError(f'it has ended, without "{pattern}"')
            elif time.monotonic() > deadline:
                raise AssertionError(f'there is no "{pattern}"')
        before, self.said = self.said[:match.end()], self.said[match.end():]
        return before

    def interrupt(self, pattern):
        """Until there is the pattern: between one command and the next, a shell may not hear it."""
        for _ in range(20):
            os.write(self.fd, b'\x03')
            try:
                return self.wait_for(pattern, patience=10)
            except AssertionError:
                pass
        raise AssertionError('nothing interrupts what runs')

    def end(self):
        """Waits for its end, and returns its status."""
        while not os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            ready, _, _ = select.select([self.fd], [], [], 0.1)
            if ready:
                self.all += os.read(self.fd, 4096).decode(errors='replace')
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def check(condition, message):
    if not condition:
        raise AssertionError(message)


def use(terminal):
    terminal.wait_for(PROMPT)

    # In three parts, so that the echo of the line is not taken for its answer
    terminal.type('echo "it is $(hostname), $(stty size), $(id -u)"')
    terminal.wait_for(f'it is lab, {ROWS} {COLUMNS}, 0')

    terminal.wait_for(PROMPT)
    terminal.type('iommuctl list; echo "status $?"')
    devices = terminal.wait_for('status [0-9]+')
    check(devices.endswith('status 0'), 'iommuctl list fails')
    check('0000:00:' in devices, 'iommuctl list shows no device')

    # What is typed is the guest's: it interrupts what runs there, and nothing here
    terminal.wait_for(PROMPT)
    terminal.type('echo "goes $((20 + 1))"; sleep 1000')
    terminal.wait_for('goes 21')
    terminal.interrupt(PROMPT)
    terminal.type('exit')
    check(terminal.end() == 0, 'it ends with a failure')
    check(termios.tcgetattr(terminal.terminal) == terminal.settings, 'the terminal is not as it was')


def main():
    terminal = Terminal(LAB, 'shell', *sys.argv[1:])
    try:
        use(terminal)
    except AssertionError as e:
        print(terminal.all.replace('\r', ''))
        print(f'--- the shell of the lab: {e}')
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
