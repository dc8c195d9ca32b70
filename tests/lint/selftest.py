#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Shows each check a tree that is bad in one way and sees it complain; and a good one, and sees it silent."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
SPDX = '/* SPDX-License-Identifier: LGPL-2.1-or-later */\n'
HEADER = SPDX + '#pragma once\n'

# Written in two parts, so that check-style does not find this file
REGISTRY = 'deb.debian' + '.org'
NDEBUG = 'N' + 'DEBUG'

GOOD = {
    'lib/base/fd.h': HEADER + '#include <stddef.h>\n',
    'lib/base/fd.c': SPDX + '#include <unistd.h>\n\n#include "base/fd.h"\n',
    'lib/names.h': HEADER,
    'lib/client.c': SPDX + '#include <systemd/sd-bus.h>\n\n#include "base/fd.h"\n#include "names.h"\n',
    'daemon/core/forward.h': HEADER + '#include "base/fd.h"\n',
    'daemon/core/kernel.h': HEADER + '#include "core/forward.h"\n',
    'daemon/core/policy.h': HEADER + '#include "core/forward.h"\n',
    'daemon/core/policy.c': SPDX + '#include "core/policy.h"\n\n/* time() is not called */\nint runtime(int x);\n',
    'daemon/kernel/uapi/linux/vfio.h': '#include <linux/types.h>\n#define\tTABS 1\n',
    'daemon/kernel/vfio.c': SPDX + '#include <linux/vfio.h>\n#include <sys/ioctl.h>\n\n#include "core/kernel.h"\n',
    'daemon/sys/job.h': HEADER,
    'daemon/config/json.c': SPDX + '#include <json-c/json.h>\n\n#include "core/policy.h"\n',
    'daemon/bus/server.h': HEADER,
    'daemon/bus/server.c': SPDX + '#include <systemd/sd-bus.h>\n\n#include "bus/server.h"\n#include "core/policy.h"\n'
                                  '#include "names.h"\n#include "sys/job.h"\n',
    'daemon/main.c': SPDX + '#include <systemd/sd-event.h>\n\n#include "bus/server.h"\n#include "core/policy.h"\n',
    'cli/main.c': SPDX + '#include "base/fd.h"\n#include "names.h"\n',
    'tests/test-all.c': SPDX + '#include "core/policy.h"\n#include "sys/job.h"\n',
    'tests/vm/mock-iommu/x.c': '// SPDX-License-Identifier: GPL-2.0-only\nint x(void)\n{\n\tgoto out;\n}\n',
    'tests/run.sh': '#!/bin/bash\n# SPDX-License-Identifier: LGPL-2.1-or-later\necho "$1"\n',
}


class Tree(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.root)
        for path, text in GOOD.items():
            self.write(path, text)

    def write(self, path, text):
        full = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, 'w', encoding='utf-8', newline='') as f:
            f.write(text)

    def run_check(self, name, *args):
        result = subprocess.run([sys.executable, '-B', os.path.join(HERE, name), *args], stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, check=False)
        self.assertNotIn('Traceback', result.stdout)
        return result.returncode, result.stdout

    def assert_silent(self, name):
        self.assertEqual(self.run_check(name, self.root), (0, ''))

    def assert_complains(self, name, expected):
        code, output = self.run_check(name, self.root)
        self.assertEqual(code, 1, output)
        self.assertEqual(len(output.splitlines()), 1, output)
        self.assertIn(expected, output)

    def good_but(self, check, path, text, expected):
        """One file is replaced, or added; the check says this, and nothing else."""
        self.assert_silent(check)
        self.write(path, text)
        self.assert_complains(check, expected)


class Includes(Tree):
    def bad(self, path, text, expected):
        self.good_but('check-includes.py', path, SPDX + text, expected)

    def test_core_uses_bus(self):
        self.bad('daemon/core/x.c', '#include <systemd/sd-bus.h>\n', 'x.c:2: daemon/core must not use <systemd/sd-bus.h>')

    def test_core_uses_kernel(self):
        self.bad('daemon/core/x.h', '#include <linux/vfio.h>\n', 'must not use <linux/vfio.h>')

    def test_core_uses_ioctl(self):
        self.bad('daemon/core/x.c', '#include <sys/ioctl.h>\n', 'must not use <sys/ioctl.h>')

    def test_core_uses_json(self):
        self.bad('daemon/core/x.c', '#  include <json-c/json.h>\n', 'must not use <json-c/json.h>')

    def test_core_uses_udev(self):
        self.bad('daemon/core/x.c', '#include <libudev.h>\n', 'must not use <libudev.h>')

    def test_core_uses_clock_header(self):
        self.bad('daemon/core/x.c', '#include <time.h>\n', 'must not use <time.h>')

    def test_core_calls_clock(self):
        self.bad('daemon/core/x.c', 'int f(void) {\n        return clock_gettime(0, 0);\n}\n', 'x.c:3: clock_gettime()')

    def test_core_uses_sys(self):
        self.bad('daemon/core/x.c', '#include "sys/job.h"\n', 'daemon/core must not use daemon/sys/job.h')

    def test_core_uses_config(self):
        self.write('daemon/config/file.h', HEADER)
        self.bad('daemon/core/x.c', '#include "config/file.h"\n', 'must not use daemon/config/file.h')

    def test_base_uses_lib(self):
        self.bad('lib/base/x.c', '#include "names.h"\n', 'lib/base must not use lib/names.h')

    def test_lib_uses_daemon(self):
        self.bad('lib/x.c', '#include "core/policy.h"\n', 'lib must not use daemon/core/policy.h')

    def test_kernel_uses_core(self):
        self.bad('daemon/kernel/x.c', '#include "core/policy.h"\n', 'daemon/kernel must not use daemon/core/policy.h')

    def test_config_uses_core(self):
        self.bad('daemon/config/x.c', '#include "core/kernel.h"\n', 'daemon/config must not use daemon/core/kernel.h')

    def test_sys_uses_bus(self):
        self.bad('daemon/sys/x.c', '#include "bus/server.h"\n', 'daemon/sys must not use daemon/bus/server.h')

    def test_sys_uses_ioctl(self):
        self.bad('daemon/sys/x.c', '#include <sys/ioctl.h>\n', 'daemon/sys must not use <sys/ioctl.h>')

    def test_bus_uses_sys(self):
        self.write('daemon/sys/scan.h', HEADER)
        self.bad('daemon/bus/x.c', '#include "sys/scan.h"\n', 'daemon/bus must not use daemon/sys/scan.h')

    def test_bus_uses_json(self):
        self.bad('daemon/bus/x.c', '#include <json-c/json.h>\n', 'daemon/bus must not use <json-c/json.h>')

    def test_cli_uses_daemon(self):
        self.bad('cli/x.c', '#include "core/policy.h"\n', 'cli must not use daemon/core/policy.h')

    def test_relative_path_is_no_way_round(self):
        self.bad('cli/x.c', '#include "../daemon/core/policy.h"\n', 'cli must not use daemon/core/policy.h')

    def test_missing(self):
        self.bad('cli/x.c', '#include "nothing.h"\n', 'there is no "nothing.h"')

    def test_circle(self):
        self.write('daemon/core/a.h', HEADER + '#include "core/b.h"\n')
        self.write('daemon/core/b.h', HEADER + '#include "core/c.h"\n')
        self.write('daemon/core/c.h', HEADER)
        self.bad('daemon/core/c.h', '#include "core/a.h"\n', 'circle: daemon/core/a.h -> daemon/core/b.h -> '
                                                             'daemon/core/c.h -> daemon/core/a.h')

    def test_circle_of_one(self):
        self.bad('daemon/core/a.h', '#include "core/a.h"\n', 'circle: daemon/core/a.h -> daemon/core/a.h')

    def test_order_of_groups(self):
        self.bad('cli/x.c', '#include "names.h"\n\n#include <stdio.h>\n', 'come before "names.h"')

    def test_order_of_systemd(self):
        self.bad('daemon/bus/x.c', '#include <systemd/sd-bus.h>\n#include <unistd.h>\n', 'come before "systemd/sd-bus.h"')

    def test_order_of_names(self):
        self.bad('cli/x.c', '#include <string.h>\n#include <stdio.h>\n', 'stdio.h comes before string.h')


class Style(Tree):
    def bad(self, path, text, expected):
        self.good_but('check-style.py', path, text, expected)

    def bad_c(self, text, expected):
        self.bad('cli/x.c', SPDX + text, expected)

    def test_no_licence(self):
        self.bad('cli/x.c', 'int x;\n', 'cli/x.c:1: no "SPDX')

    def test_no_licence_in_build(self):
        self.bad('cli/meson.build', 'x = 1\n', 'cli/meson.build:1: no "SPDX')

    def test_no_licence_in_script(self):
        self.bad('tests/lab', '#!/bin/sh\n# something\n', 'tests/lab:2: no "SPDX')

    def test_licence_too_late(self):
        self.bad('cli/x.c', '\n' + SPDX, 'cli/x.c:1: no "SPDX')

    def test_no_licence_in_module(self):
        self.bad('tests/vm/mock-iommu/y.c', '/* nothing */\n', 'y.c:1: no "SPDX')

    def test_licence_of_module_elsewhere(self):
        self.bad('cli/x.c', '/* SPDX-License-Identifier: GPL-2.0-only */\n', 'cli/x.c:1: no "SPDX')

    def test_tab(self):
        self.bad_c('\tint x;\n', 'x.c:2: a tab')

    def test_space_at_end(self):
        self.bad_c('int x; \n', 'x.c:2: white space at the end')

    def test_space_at_end_of_prose(self):
        self.bad('README.md', 'Hello \n', 'README.md:1: white space')

    def test_carriage_return(self):
        self.bad_c('int x;\r\n', 'x.c:2: white space at the end')

    def test_columns(self):
        self.write('cli/y.c', SPDX + '/* ' + '…' * 103 + ' */\n')         # 109 characters, and more bytes
        self.bad_c('/* ' + 'x' * 104 + ' */\n', 'x.c:2: 110 columns')

    def test_no_newline(self):
        self.bad_c('int x;', 'x.c:2: no newline')

    def test_empty_line_at_end(self):
        self.bad_c('int x;\n\n', 'an empty line at the end')

    def test_long_file(self):
        self.write('cli/y.c', SPDX + 'int x;\n' * 798)
        self.bad_c('int x;\n' * 799, 'cli/x.c: 800 lines')

    def test_long_function(self):
        self.write('cli/y.c', SPDX + 'int f(void) {\n' + '        g();\n' * 78 + '}\n')
        self.bad_c('int f(void) {\n' + '        g();\n' * 79 + '}\n', 'x.c:2: a function of 81 lines')

    def test_long_function_with_long_head(self):
        self.bad_c('int f(int a,\n        int b) {\n' + '        g();\n' * 80 + '}\n', 'x.c:3: a function of 82 lines')

    def test_calls(self):
        for call in ('strtok', 'strtok_r', 'alloca', 'atoi', 'strtol', 'strtoul', 'sleep', 'usleep', 'nanosleep'):
            with self.subTest(call=call):
                self.write('cli/y.c', SPDX + f'/* {call}() */\nint my_{call}(int x);\nconst char *s = "{call}(";\n')
                self.write('lib/base/parse.c', SPDX + f'int x = {call}(y);\n')
                self.write('cli/x.c', SPDX)
                self.bad_c(f'int x = {call}(y);\n', f'x.c:2: {call}() is not used')
                os.unlink(os.path.join(self.root, 'cli/x.c'))

    def test_goto(self):
        self.write('cli/y.c', SPDX + '/* goto */\n')
        self.bad_c('        goto fail;\n', 'x.c:2: goto')

    def test_line_comment(self):
        self.write('cli/y.c', SPDX + 'const char *s = "http://x"; /* // */\n')
        self.bad_c('int x; // scratch\n', 'x.c:2: comments are')

    def test_ndebug(self):
        self.write('lib/base/macro.h', HEADER + '#ifdef NDEBUG\n#error "no"\n#endif\n')
        self.bad_c('#define NDEBUG 1\n', 'x.c:2: NDEBUG')

    def test_ndebug_in_build(self):
        self.bad('meson.build', f'# SPDX-License-Identifier: LGPL-2.1-or-later\nx = [\'-D{NDEBUG}\']\n', 'meson.build:2: NDEBUG')

    def test_no_pragma_once(self):
        self.bad('cli/x.h', SPDX, 'cli/x.h: no #pragma once')

    def test_registry(self):
        self.bad('README.md', f'From {REGISTRY}.\n', 'README.md:1: names a registry')


@unittest.skipUnless(shutil.which('shellcheck'), 'shellcheck is not installed')
class Shell(Tree):
    def test_unquoted(self):
        self.good_but('check-shell.py', 'tests/run.sh', '#!/bin/bash\necho $1\n', 'SC2086')

    def test_without_suffix(self):
        self.good_but('check-shell.py', '.ci/run', '#!/bin/sh\necho $1\n', 'SC2086')

    def test_part_without_shebang(self):
        self.write('tests/good.sh', 'f() { local x=(1 2); echo "${x[@]}"; }\n')
        self.good_but('check-shell.py', 'tests/part.sh', 'f() { echo $1; }\n', 'SC2086')

    def test_function_of_a_part(self):
        self.write('tests/guest/inner.sh', 'other() {\n        true\n}\nwait_for() {\n        true\n}\n')
        self.write('tests/guest/part.sh', '. guest/inner.sh\nmore() {\n        other\n}\n')
        self.good_but('check-shell.py', 'tests/x.sh', '. guest/part.sh\n\nwait_for() {\n        more\n}\n',
                      'tests/x.sh:3: wait_for() is one of tests/guest/inner.sh already')

    def test_function_of_the_runner(self):
        self.write('tests/guest/part.sh', 'ask() {\n        true\n}\n')
        self.write('tests/guest/case', '#!/bin/bash\n. guest/part.sh\nask\n')
        self.write('tests/cases/good.sh', 'asked() {\n        ask\n}\nasked\n')
        self.good_but('check-shell.py', 'tests/cases/x.sh', 'ask() {\n        true\n}\nask\n',
                      'tests/cases/x.sh:1: ask() is one of tests/guest/part.sh already')


class Unit(Tree):
    GOOD = ('[Service]\nExecStart=/no/such/program --x\nPrivateNetwork=yes\nDynamicUser=yes\nProtectSystem=strict\n'
            'FileDescriptorStorePreserve=yes\n')

    def check(self, text, threshold='100'):
        self.write('x.service', text)
        return self.run_check('check-unit.py', os.path.join(self.root, 'x.service'), threshold)

    @unittest.skipUnless(shutil.which('systemd-analyze'), 'systemd-analyze is not installed')
    def test_unit(self):
        self.assertEqual(self.check(self.GOOD), (0, ''))

        code, output = self.check(self.GOOD + 'ProtectSytem=yes\n')
        self.assertEqual(code, 1)
        self.assertIn('ProtectSytem', output)

        code, output = self.check(self.GOOD, threshold='1')
        self.assertEqual(code, 1)
        self.assertIn('exposure level', output)

    def test_missing(self):
        code, output = self.run_check('check-unit.py', os.path.join(self.root, 'missing.service'))
        self.assertEqual(code, 77, output)


if __name__ == '__main__':
    unittest.main()
