#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sits at a terminal and uses `tests/lab shell`, as its user would."""

import os
import pty
import re
import select
import signal
import sys
import termios
import time

LAB = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'lab')

# To build, and to boot, on a machine that is busy
PATIENCE = 900
ROWS, COLUMNS = 37, 111


class Terminal:
    def __init__(self, *command):
        self.said = ''
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            # Nobody sees the program before the terminal is as the test wants it
            termios.tcsetwinsize(0, (ROWS, COLUMNS))
            os.environ['TERM'] = 'vt100'
            os.execv(command[0], command)
        self.settings = termios.tcgetattr(self.fd)

    def type(self, line):
        os.write(self.fd, line.encode() + b'\r')

    def read(self, deadline):
        ready, _, _ = select.select([self.fd], [], [], max(0, deadline - time.monotonic()))
        if not ready:
            raise TimeoutError
        # At its end, Linux says EIO
        try:
            text = os.read(self.fd, 4096)
        except OSError:
            text = b''
        self.said += text.decode(errors='replace')
        return bool(text)

    def wait_for(self, pattern):
        """Leaves in said what came after it."""
        deadline = time.monotonic() + PATIENCE
        while not (match := re.search(pattern, self.said)):
            if not self.read(deadline):
                raise EOFError
        before, self.said = self.said[:match.end()], self.said[match.end():]
        return before
