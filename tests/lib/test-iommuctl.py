#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later

"""iommuctl as its users see it, against the iommud of canned answers (fake-iommud.c)."""

import fcntl
import json
import os
import pty
import pwd
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

IOMMUCTL, FAKE = sys.argv[1:3]


def iommuctl(*arguments, scenario='ok', stdin=subprocess.DEVNULL, **options):
    environment = os.environ | {
        'DBUS_SYSTEM_BUS_ADDRESS': f'unixexec:path={FAKE},argv1={scenario}',
        'TZ': 'UTC',
        'LC_ALL': 'C',
    }
    return subprocess.run([IOMMUCTL, *arguments], env=environment, text=True, stdin=stdin,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def words(text):
    """A table without its widths, which depend on names of this host."""
    return [line.split() for line in text.split('\n') if line]


class IommuctlTest(unittest.TestCase):
    def check(self, status, *arguments, **options):
        result = iommuctl(*arguments, **options)
        self.assertEqual(result.returncode, status, result.stderr)
        if status == 0:
            self.assertEqual(result.stderr, '')
        return result

    def complaint(self, status, *arguments, **options):
        result = self.check(status, *arguments, **options)
        self.assertRegex(result.stderr, r'\Aiommuctl: [^\n]*\.\n\Z')
        return result.stderr

    def json(self, *arguments, status=0):
        return json.loads(self.check(status, *arguments, '--json').stdout)


class ListTest(IommuctlTest):
    def test_list(self):
        expected = '''\
DEVICE        GROUP  DRIVER    OWNER    ID         CLASS
0000:01:00.0     12  nvme      kernel   8086:5845  Non-Volatile memory controller
0000:02:00.0     13  vfio-pci  lease 7  8086:10d3  Ethernet controller
0000:02:00.1     13  -         lease 7  8086:10d3  Ethernet controller
'''
        self.assertEqual(self.check(0).stdout, expected)
        self.assertEqual(self.check(0, 'list').stdout, expected)

    def test_list_json(self):
        devices = self.json('list')
        self.assertEqual([d['name'] for d in devices], ['0000:01:00.0', '0000:02:00.0', '0000:02:00.1'])
        self.assertEqual(devices[1]['vendor'], '8086')
        self.assertEqual(devices[1]['lease'], 7)
        self.assertIsNone(devices[0]['lease'])

    def test_empty(self):
        result = self.check(0, 'list', '--json', scenario='empty')
        self.assertEqual(json.loads(result.stdout), [])
        self.assertIn('intel_iommu=on', iommuctl('list', scenario='empty').stderr)

    def test_groups(self):
        self.assertIn('   13  DMA     leased  yes         7  lent, persistent  0000:02:00.0 0000:02:00.1\n',
                      self.check(0, 'groups').stdout)
        group = self.json('groups')[0]
        self.assertEqual(group['blockers'], [{'device': '0000:01:00.0', 'driver': 'nvme'}])
        self.assertEqual(group['reserved_regions'][0],
                         {'first': 0xfee00000, 'last': 0xfeefffff, 'kind': 'msi'})

    def test_ps(self):
        """The processes of canned leases are not there: all that is known of them is what iommud says."""
        line = self.check(0, 'ps').stdout.splitlines()[1]
        self.assertRegex(line, r'^ +7 .*  \?  +\?  +2023-11-14 22:13:20  vmm +\?  0000:02:00.0$')
        self.assertIsNone(self.json('ps')[0]['pinned'])
        self.assertEqual(self.json('ps')[0]['command'], '')

    def test_ram_options(self):
        for verb in (["plan", "x"], ["explain", "x"], ["run", "-d", "x", "--", "true"]):
            self.assertIn("takes an amount of memory", self.complaint(2, verb[0], "--ram=8GB", *verb[1:]))
        self.assertIn("no option --ram", self.complaint(2, "acquire", "--ram=8G", "x"))

    def test_log_options(self):
        self.assertIn("'noon'", self.complaint(2, 'log', '--since=noon'))
        self.assertIn("'-1'", self.complaint(2, 'log', '--lease=-1'))
        self.assertIn("no user 'nobody at all'", self.complaint(2, 'log', '--uid=nobody at all'))
        self.assertIn('no option --since', self.complaint(2, 'list', '--since=1h'))

    def test_leases(self):
        output = self.check(0, 'leases').stdout
        self.assertIn('2023-11-14 22:13:20  0000:02:00.0\n', output)
        self.assertTrue(output.endswith('''
Lease 9 is stuck: the reset failed

Still open in:
LEASE  PID  COMMAND  UNIT        CONTROL GROUP
    7  700  qemu?    vm.service  /system.slice/vm.service
    7  701  sh       -           -
    9  900  qemu?    vm.service  /system.slice/vm.service
    9  901  sh       -           -
'''), output)
        self.assertEqual(self.json('leases')[0]['holders'][0], {
            'pid': 700, 'command': 'qemu?', 'unit': 'vm.service', 'cgroup': '/system.slice/vm.service'})
        self.assertEqual(self.json('leases')[1]['state_reason'], 'the reset failed')

    def test_domain(self):
        user = pwd.getpwuid(1000).pw_name if 1000 in (u.pw_uid for u in pwd.getpwall()) else '1000'
        self.assertEqual(words(self.check(0, 'domain', scenario='confined').stdout), words(f'''
LEASE  MODE      USER    ATTACHED  PASIDS  DOMAINS  IOASES  MAPPINGS  PINNED
    7  confined  {user}         1       1        2       2         2  2 MiB
    9  confined  {user}         ?       ?        ?       ?         ?        ?
'''))
        for what in '7', '0000:02:00.0':
            self.assertEqual(words(self.check(0, 'domain', what, scenario='confined').stdout), words(f'''
Lease 7 of {user}, mode confined

DEVICE               PASID  ATTACHED TO
0000:02:00.0             -  domain 2
0000:02:00.0             5  domain 7
0000:02:00.1 (held)      -  nothing, its DMA is blocked

DOMAIN  KIND         MADE OF   IOMMU  CAN
     2  nest-parent  IOAS 1    dmar0  dirty tracking (on), PASIDs
     7  nested       viommu 4  dmar0  fault queue

VIRTUAL  KIND     ON        IOMMU  DEVICE        TYPE  NUMBER
      4  viommu   domain 2  dmar0  0000:02:00.0  0x7   -
      5  vdevice  viommu 4  dmar0  0000:02:00.0  -     0x300

IOAS  MAPPINGS   PINNED  PAGES  WINDOWS
   1         2  2 MiB  any    0x100000 to 0xffffff
   3         0        0  small  all that the IOMMU has

IOAS   ADDRESS     BYTES
   1  0x100000  0x200000
   1  0x400000    0x1000
'''))

    def test_domain_json(self):
        shown = json.loads(self.check(0, 'domain', '--json', scenario='confined').stdout)
        self.assertEqual([s['lease'] for s in shown], [7, 9])
        self.assertIsNone(shown[1]['dma'])
        dma = shown[0]['dma']
        self.assertEqual(dma['ioases'][0]['mappings'][1], {'iova': 0x400000, 'length': 0x1000})
        self.assertEqual(dma['ioases'][0]['iova_windows'], [{'first': 0x100000, 'last': 0xffffff}])
        self.assertEqual(dma['domains'][1]['parent'], 4)
        self.assertEqual(dma['virtuals'][1]['number'], 0x300)
        self.assertIs(dma['domains'][0]['tracking'], True)
        self.assertEqual(dma['devices'][0], {
            'device': '0000:02:00.0', 'target': 2, 'pasids': [{'pasid': 5, 'domain': 7}]})

    def test_domain_refused(self):
        self.assertIn('(Denied)', self.complaint(1, 'domain', '9'))
        self.assertIn('there is no lease 8', self.complaint(1, 'domain', '8'))
        self.assertIn('it is in no lease', self.complaint(1, 'domain', '0000:01:00.0'))
        # in mode vmm the client has it all to itself
        self.assertEqual(self.check(0, 'domain').stdout.count('\n'), 1)

    def test_show(self):
        output = self.check(0, 'show', '0000:01:00.0').stdout
        self.assertIn('       Blocked by: 0000:01:00.0, which is bound to nvme\n', output)
        self.assertIn('            Lease: none\n', output)
        # nothing is known of its IOMMU, which is not the same as nothing
        self.assertIn('IOMMU: dmar0\n', output)
        self.assertIn('Not known yet: dirty tracking, nesting, page faults, virtual IOMMUs, PASIDs\n', output)
        self.assertNotIn('IOMMU has', output)
        output = self.check(0, 'show', 'group:13').stdout
        self.assertIn('IOMMU: dmar0, intel-vtd\n', output)
        self.assertIn('IOMMU has: nesting, PASIDs 1 to 1023 (execute)\n', output)
        self.assertIn('IOMMU has no: virtual IOMMUs\n', output)
        self.assertIn('Not known yet: dirty tracking, page faults\n', output)
        self.assertIn('IOMMU translates: 0x0 to 0xffffffffffff, in pages of 4 KiB, 2 MiB, 1 GiB\n', output)
        shown = self.json('show', 'group:13')
        features = shown[0]['device']['iommu_features']
        self.assertIs(features['nesting'], True)
        self.assertIs(features['viommu'], False)
        self.assertIsNone(features['dirty_tracking'])
        self.assertEqual(features['pasids'], 1023)
        self.assertEqual(features['aperture'], {'first': 0, 'last': 0xffffffffffff})
        self.assertEqual(len(shown), 2)
        self.assertEqual(shown[0]['lease']['id'], shown[0]['group']['lease'])

    def test_find(self):
        self.assertEqual(self.check(0, 'find', 'group:13').stdout, '0000:02:00.0\n0000:02:00.1\n')
        self.assertEqual(self.json('find', 'group:13'), ['0000:02:00.0', '0000:02:00.1'])
        self.assertEqual(self.complaint(1, 'find', 'x'),
                         'iommuctl: cannot find x: there is no x (NoSuchDevice).\n')

    def test_version(self):
        self.assertRegex(self.check(0, 'version').stdout, r'iommud   0\.9 \(iommufd mode:vmm\)')
        self.assertEqual(self.json('version')['iommud'], '0.9')


class DomainVerbTest(IommuctlTest):
    """What the verbs of domain ask iommud for, which this one refuses with what it was asked; and what they say."""

    def asked(self, *arguments):
        complaint = self.complaint(1, 'domain', *arguments, scenario='echo')
        return re.fullmatch(r"iommuctl: cannot .* in lease 7: (.*) \(InUse\)\.\n", complaint)[1]

    def test_asked(self):
        device = '0000:02:00.0'
        for arguments, asked in [
                (['alloc-ioas', '7'], 'AllocIoas {}'),
                (['alloc-ioas', '7', '--small-pages', '--window=0x100000-0x1fffff', '--window=4G-0xffffffffff'],
                 'AllocIoas {"huge_pages": <b false>, '
                 '"iova_windows": <a(tt) [(1048576, 2097151), (4294967296, 1099511627775)]>}'),
                (['alloc', '7', device, '1'], f'AllocDomain "{device}" 1 {{}}'),
                (['alloc', device, device, '1', '--kind=nest-parent', '--dirty-tracking', '--pasid-capable'],
                 f'AllocDomain "{device}" 1 {{"kind": <s "nest-parent">, "dirty_tracking": <b true>, '
                 '"pasid": <b true>}'),
                (['alloc', '7', device, '2', '--kind=nested', '--data=0x1:00Ff'],
                 f'AllocDomain "{device}" 2 {{"kind": <s "nested">, "data_type": <u 1>, "data": <ay [0, 255]>}}'),
                (['alloc-viommu', '7', device, '2', '--data=7'], f'AllocViommu "{device}" 2 {{"type": <u 7>}}'),
                (['alloc-viommu', '7', device, '2', '--data=7:01'],
                 f'AllocViommu "{device}" 2 {{"type": <u 7>, "data": <ay [1]>}}'),
                (['alloc-vdevice', '7', device, '4', '0x300'], f'AllocVdevice "{device}" 4 768'),
                (['attach', '7', device, '2'], f'Attach "{device}" 2 {{}}'),
                (['attach', '7', device, '2', '--pasid=5'], f'Attach "{device}" 2 {{"pasid": <u 5>}}'),
                (['attach', '7', device, '2', '--pasid=any'], f'Attach "{device}" 2 {{"any_pasid": <b true>}}'),
                (['detach', '7', device], f'Detach "{device}" {{}}'),
                (['detach', '7', device, '--pasid=0'], f'Detach "{device}" {{"pasid": <u 0>}}'),
                (['destroy', '7', '12'], 'Destroy 12'),
                (['unmap', '7', '1', '0x100000', '2M'], 'Unmap 1 1048576 2097152'),
                (['unmap', '7', '1', 'all'], f'Unmap 1 0 {2**64 - 1}'),
                (['ranges', '7', '1'], 'IovaRanges 1'),
                (['dirty', '7', '2', 'on'], 'SetDirtyTracking 2 true'),
                (['dirty', '7', '2', 'off'], 'SetDirtyTracking 2 false'),
                (['bitmap', '7', '2', '0x1000', '40960'],
                 'GetDirtyBitmap 2 4096 40960 {"page_size": <t 4096>, "clear": <b true>}'),
                (['bitmap', '7', '2', '0', '4M', '--page-size=2M', '--keep'],
                 'GetDirtyBitmap 2 0 4194304 {"page_size": <t 2097152>, "clear": <b false>}'),
                (['faults', '7', device, '1', '--pasid-capable', '--dirty-tracking'],
                 f'AllocDomain "{device}" 1 {{"dirty_tracking": <b true>, "pasid": <b true>, "fault_queue": <b true>}}'),
                (['events', '7', '4', '0x300'], 'AllocVeventq 4 {"type": <u 768>}'),
                (['events', '7', '4', '7', '--depth=16'], 'AllocVeventq 4 {"type": <u 7>, "depth": <u 16>}'),
                (['revoke', '7'], 'Revoke {}')]:
            self.assertEqual(self.asked(*arguments), asked)

    def test_asked_map(self):
        def asked(*options):
            return self.asked('map', '7', '1', file.name, '--copy', *options)

        with tempfile.NamedTemporaryFile() as file:
            file.write(b'x' * 5000)
            file.flush()
            self.assertEqual(asked(), 'MapFile 1 fd 0 8192 {"read": <b true>, "write": <b true>}')
            self.assertEqual(asked('--read-only', '--offset=4096', '--iova=0'),
                             'MapFile 1 fd 4096 4096 {"read": <b true>, "write": <b false>, "iova": <t 0>}')
            self.assertEqual(asked('--length=4K', '--offset=1G'),
                             'MapFile 1 fd 1073741824 4096 {"read": <b true>, "write": <b true>}')

    def test_map(self):
        memory = os.memfd_create('test', os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(memory, 3 * 4096)
        path = f'/proc/{os.getpid()}/fd/{memory}'
        self.assertIn('seal it with F_SEAL_SHRINK', self.complaint(1, 'domain', 'map', '7', '1', path))
        fcntl.fcntl(memory, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
        self.assertEqual(self.check(0, 'domain', 'map', '7', '1', path).stdout, '0x103000\n')
        self.assertEqual(self.json('domain', 'map', '7', '1', path, '--length=4096'),
                         {'ioas': 1, 'iova': 0x103000, 'length': 4096})
        os.close(memory)

        # as every file of a tmpfs is
        memory = os.memfd_create('test', os.MFD_CLOEXEC)
        self.assertIn('only a copy (--copy)', self.complaint(
            3, 'domain', 'map', '7', '1', f'/proc/{os.getpid()}/fd/{memory}'))
        os.close(memory)

        with tempfile.NamedTemporaryFile() as file:
            file.write(b'x')
            file.flush()
            self.assertIn('only a copy (--copy)', self.complaint(3, 'domain', 'map', '7', '1', file.name))
            self.assertEqual(self.check(0, 'domain', 'map', '7', '1', file.name, '--copy').stdout, '0x101000\n')
        self.assertIn('cannot open', self.complaint(3, 'domain', 'map', '7', '1', '/nonexistent'))
        self.assertIn('cannot copy', self.complaint(3, 'domain', 'map', '7', '1', '/', '--copy'))

    def test_answers(self):
        device = '0000:02:00.0'
        for arguments, text, answer in [
                (['alloc-ioas'], '11\n', {'ioas': 11, 'id': None}),
                (['alloc', device, '1'], '12\n', {'domain': 12, 'id': 21}),
                (['alloc-viommu', device, '2', '--data=7:01020304'], '4 00020304\n',
                 {'viommu': 4, 'id': 11, 'data': '00020304'}),
                (['alloc-vdevice', device, '4', '1'], '5\n', {'vdevice': 5, 'id': 12}),
                (['attach', device, '2'], '', {'device': device, 'target': 2, 'pasid': None}),
                (['attach', device, '2', '--pasid=any'], '3\n', {'device': device, 'target': 2, 'pasid': 3}),
                (['detach', device, '--pasid=3'], '', {'device': device, 'pasid': 3}),
                (['destroy', '12'], '', {'handle': 12}),
                (['unmap', '1', 'all'], '12288\n', {'ioas': 1, 'unmapped': 12288}),
                (['ranges', '1'], '     FIRST            LAST\n       0x0      0xfedfffff\n0xfef00000  0xffffffffffff\n',
                 {'ioas': 1, 'alignment': 4096, 'ranges': [
                     {'first': 0, 'last': 0xfedfffff}, {'first': 0xfef00000, 'last': 0xffffffffffff}]}),
                (['dirty', '2', 'on'], '', {'domain': 2, 'tracking': True}),
                (['bitmap', '2', '0x100000', '0xa000'], ' ADDRESS   BYTES\n0x100000  0x2000\n0x109000  0x1000\n',
                 {'page_size': 4096, 'dirty': [{'iova': 0x100000, 'length': 0x2000},
                                               {'iova': 0x109000, 'length': 0x1000}]}),
                (['hw-info', device], '             IOMMU: dmar0\n         IOMMU has: nesting\n'
                 '     Not known yet: dirty tracking, page faults, virtual IOMMUs, PASIDs\n'
                 '         Registers: type 1: 070809\n', None),
                (['revoke'], '', {'lease': 7, 'not_reset': []})]:
            arguments = ['domain', arguments[0], '7', *arguments[1:]]
            self.assertEqual(self.check(0, *arguments).stdout, text)
            if answer:
                self.assertEqual(self.json(*arguments), answer)
        self.assertEqual(self.check(0, 'domain', 'revoke', '7', scenario='stubborn').stdout,
                         'Not reset: 0000:02:00.0 0000:02:00.1\n')
        info = self.json('domain', 'hw-info', '7', device)
        self.assertEqual((info['device'], info['iommu'], info['type'], info['data'], info['nesting']),
                         (device, 'dmar0', 1, '070809', True))

    def test_mistakes(self):
        for status, arguments, complaint in [
                (2, ['attach', '7'], "it is 'iommuctl domain attach LEASE DEVICE DOMAIN'"),
                (2, ['attach'], "it is 'iommuctl domain attach LEASE DEVICE DOMAIN'"),
                (2, ['revoke', '7', '8'], "it is 'iommuctl domain revoke LEASE'"),
                (2, ['7', 'attach'], "domain has no verb '7'"),
                (2, ['7', '--pasid=1'], 'domain has no option --pasid'),
                (2, ['detach', '7', 'x', '--copy'], 'domain detach has no option --copy'),
                (2, ['detach', '7', 'x', '--pasid=any'], "which 'any' is not"),
                (2, ['destroy', '7', '0'], "which '0' is not"),
                (2, ['destroy', '7', 'x'], "which 'x' is not"),
                (2, ['unmap', '7', '1', '0x1000'], "or 'all' of it"),
                (2, ['unmap', '7', '1', 'all', '1'], "'all' is no number"),
                (2, ['dirty', '7', '2', 'yes'], "not 'yes'"),
                (2, ['alloc-ioas', '7', '--window=5'], 'the first and the last address'),
                (2, ['alloc-ioas', '7', '--window=0x2000-0x1000'], 'the first and the last address'),
                (2, ['alloc-ioas', '7'] + 9 * ['--window=1-2'], 'there can be 8'),
                (2, ['map', '7', '1', 'x', '--iova=here'], "which 'here' is not"),
                (2, ['alloc', '7', 'x', '1', '--data=1'], "which '1' is not"),
                (2, ['alloc', '7', 'x', '1', '--data=1:abc'], "which '1:abc' is not"),
                (2, ['alloc', '7', 'x', '1', '--data=1:' + 129 * 'ab'], 'which'),
                (2, ['alloc-viommu', '7', 'x', '1'], 'needs --data'),
                (1, ['attach', '7', 'group:13', '2'], 'not one device'),
                (1, ['attach', '7', 'x', '2'], '(NoSuchDevice)'),
                (1, ['attach', '0000:01:00.0', '0000:01:00.0', '2'], 'it is in no lease'),
                (1, ['revoke', '9'], "cannot take the memory back in lease 9: it is bob's (Denied)")]:
            self.assertIn(complaint, self.complaint(status, 'domain', *arguments))
        self.complaint(3, 'domain', 'bitmap', '7', '2', '0', '0x2000', scenario='short')


class QueueTest(IommuctlTest):
    """Those verbs of domain that stay, and show what comes out of a queue."""

    DEVICE = '0000:02:00.0'

    def begin(self, scenario, *arguments):
        environment = os.environ | {'DBUS_SYSTEM_BUS_ADDRESS': f'unixexec:path={FAKE},argv1={scenario}'}
        process = subprocess.Popen([IOMMUCTL, 'domain', *arguments], env=environment, text=True,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.__exit__, None, None, None)
        return process

    def lines(self, process, lines):
        for line in lines:
            self.assertEqual(process.stdout.readline(), line + '\n')

    def ended(self, process, stderr=''):
        process.stdin.close()
        self.assertEqual((process.stdout.read(), process.stderr.read()), ('', stderr))
        self.assertEqual(process.wait(), 0)

    FAULTS = ['7', '0000:02:00.0 0x1000 read group 3 more', '0000:02:00.0 pasid 9 0x2000 read,write group 3',
              '0000:02:00.1 0x3000 execute,privileged group 4 length 8192']

    def test_faults(self):
        # What was answered comes back, as the address of another fault, for each group
        process = self.begin('faults', 'faults', '7', self.DEVICE, '1')
        self.lines(process, self.FAULTS + ['? 0x1 - group 1', '? 0x1 - group 2'])
        process.terminate()
        self.ended(process)

    def test_faults_json(self):
        process = self.begin('faults', 'faults', '7', self.DEVICE, '1', '--json')
        made, first, second = (json.loads(process.stdout.readline()) for _ in range(3))
        self.assertEqual(made, {'domain': 7, 'id': 21})
        self.assertEqual(first, {'device': self.DEVICE, 'pasid': None, 'address': 0x1000, 'permissions': ['read'],
                                 'group': 3, 'length': 0, 'last': False})
        self.assertEqual((second['pasid'], second['permissions'], second['last']), (9, ['read', 'write'], True))
        process.send_signal(2)
        process.communicate()
        self.assertEqual(process.returncode, 0)

    def test_faults_asked(self):
        process = self.begin('faults', 'faults', '7', self.DEVICE, '1', '--answer=ask')
        self.lines(process, self.FAULTS)
        process.stdin.write('success\n' + 'x' * 300 + '\ninvalid\n')
        process.stdin.flush()
        self.lines(process, ['? 0x0 - group 1'])
        process.stdin.write('invalid\n')
        process.stdin.flush()
        self.lines(process, ['? 0x1 - group 2'])
        # a line that is too long was two
        self.ended(process, 2 * "iommuctl: the answer to a page fault is 'success' or 'invalid'.\n")

    def test_faults_answers_at_once(self):
        # More than there is to answer now stays for what comes
        process = self.begin('faults', 'faults', '7', self.DEVICE, '1', '--answer=ask')
        output, errors = process.communicate('invalid\nsuccess\n' + 'success\n' * 2)
        self.assertEqual((process.returncode, errors), (0, ''))
        self.assertEqual(output.splitlines(), self.FAULTS + ['? 0x1 - group 1', '? 0x0 - group 2'])

    def test_faults_end(self):
        process = self.begin('faults-end', 'faults', '7', self.DEVICE, '1')
        self.lines(process, self.FAULTS + ['? 0x1 - group 1', '? 0x1 - group 2'])
        self.ended(process, 'iommuctl: lease 7 has ended\n')

    def test_faults_busy(self):
        process = self.begin('faults-busy', 'faults', '7', self.DEVICE, '1')
        self.lines(process, self.FAULTS)
        process.terminate()
        self.assertIn('domain 7 is in use, and nobody answers', process.stderr.read())
        self.assertEqual(process.wait(), 0)

    def test_events(self):
        # The last two are of folders that go
        process = self.begin('vevents', 'events', '7', '4', '0x300')
        self.lines(process, ['5', '256 0000000010000000' + b'a'.hex() + 15 * '00',
                             '256 0000000020000000' + b'abcdefghijklmnopqrst'.hex() + 12 * '00',
                             '256 lost 0000000010000000' + b'x'.hex() + 15 * '00',
                             '32768 lost 0000000000000000', '32768 0000000000000000'])
        process.terminate()
        self.ended(process)
        process = self.begin('vevents', 'events', '7', '4', '0x300', '--json', '--depth=8')
        made, *events = (json.loads(process.stdout.readline()) for _ in range(6))
        self.assertEqual(made, {'queue': 5, 'id': 13})
        self.assertEqual(events[2], {'sequence': 256, 'lost': True, 'type': 0x300,
                                     'data': '0000000010000000' + b'x'.hex() + 15 * '00'})
        process.terminate()
        self.ended(process)

    def test_refused(self):
        for status, arguments, complaint in [
                (2, ['faults', '7', self.DEVICE, '1', '--answer=success'], "which 'success' is not"),
                (2, ['faults', '7', self.DEVICE], "it is 'iommuctl domain faults LEASE DEVICE PARENT'"),
                (1, ['faults', '9', self.DEVICE, '1'], '(Denied)'),
                (2, ['events', '7', '4', '0x100000000'], 'of 32 bits'),
                (2, ['events', '7', 'x', '1'], "which 'x' is not"),
                (2, ['events', '7', '4', '1', '--depth=0'], 'from 1 on'),
                (1, ['events', '9', '4', '1'], '(Denied)')]:
            self.assertIn(complaint, self.complaint(status, 'domain', *arguments))
        self.complaint(3, 'domain', 'faults', '7', self.DEVICE, '1', scenario='faults-none')


class PlanTest(IommuctlTest):
    def test_possible(self):
        self.assertTrue(self.check(0, 'plan', '0000:02:00.0').stdout.endswith('\n\nPossible.\n'))
        self.assertTrue(self.json('plan', '0000:02:00.0')['possible'])

    def test_blocked(self):
        self.assertEqual(self.check(1, 'plan', '0000:01:00.0').stdout, '''\
STEP    DEVICE        DRIVER  NEW DRIVER
rebind  0000:01:00.0  nvme    vfio-pci

Not possible:
  0000:01:00.0: /dev/nvme0n1 is mounted at / (HostInUse)
''')
        plan = self.json('plan', '0000:01:00.0', status=1)
        self.assertFalse(plan['possible'])
        self.assertEqual(plan['steps'][1]['reason'], 'HostInUse')
        self.assertEqual(plan['steps'][0]['values'], {})
        self.assertEqual(plan['steps'][1]['values'], {'use': 'disk'})


    def test_facts(self):
        self.assertEqual(self.json('plan', '0000:02:00.1')['facts'], [{
            'topic': 'memory', 'grade': 'note', 'device': '', 'driver': '', 'text': 'It may fail',
            'values': {'ram': 2**64 - 1, 'accounting': 'process', 'known': True, 'group': 2**32 - 1}}])


class AcquireTest(IommuctlTest):
    def test_end_of_input(self):
        self.assertEqual(self.check(0, 'acquire', 'group:13').stdout, '7\n')
        self.assertEqual(self.json('acquire', 'group:13')['companions'], ['0000:02:00.2'])

    def test_input_is_not_the_end(self):
        result = iommuctl('acquire', 'group:13', stdin=None, input='x' * 10000)
        self.assertEqual((result.returncode, result.stdout), (0, '7\n'))

    def test_signal(self):
        environment = os.environ | {'DBUS_SYSTEM_BUS_ADDRESS': f'unixexec:path={FAKE},argv1=ok'}
        with subprocess.Popen([IOMMUCTL, 'acquire', 'group:13'], env=environment, text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            self.assertEqual(process.stdout.readline(), '7\n')
            process.terminate()
            self.assertEqual(process.wait(), 0)

    def test_refused(self):
        self.assertEqual(self.complaint(1, 'acquire', 'group:13', scenario='refuse:Taken'),
                         'iommuctl: cannot acquire group:13: no: ?[31mbecause? (Taken).\n')


class AskTest(IommuctlTest):
    AGENT = '''#!/bin/sh
echo "$@" >"$0.arguments"
trap 'echo ended >"$0.end"; exit' TERM
while [ "$1" != --notify-fd ]; do shift; done
eval "exec $2>&-"
while :; do sleep 0.1; done
'''

    def test_ask(self):
        self.assertEqual(self.check(0, 'acquire', 'group:13', scenario='ask').stdout, '7\n')
        self.assertEqual(self.check(0, 'run', '-d', 'group:13', '--', 'true', scenario='ask').stdout, '')

    def test_no_ask_password(self):
        for verb in [['acquire', 'group:13'], ['run', '-d', 'group:13', '--', 'true']]:
            complaint = self.complaint(1, verb[0], '--no-ask-password', *verb[1:], scenario='ask')
            self.assertIn('nobody could be asked (AuthorizationRequired)', complaint)
        self.complaint(2, 'plan', '--no-ask-password', 'group:13')

    def at_terminal(self, folder, *arguments):
        """As somebody who is not root, at a terminal, with an agent. Returns the process number and the exit status."""
        agent = Path(folder, 'pkttyagent')
        agent.write_text(self.AGENT)
        agent.chmod(0o755)
        os.chmod(folder, 0o777)
        environment = os.environ | {'DBUS_SYSTEM_BUS_ADDRESS': f'unixexec:path={FAKE},argv1=ask',
                                    'PATH': f"{folder}:{os.environ['PATH']}"}
        nobody = {'user': 65534} if os.geteuid() == 0 else {}
        master, slave = pty.openpty()
        try:
            with subprocess.Popen([IOMMUCTL, *arguments], env=environment, stdin=slave, stderr=slave,
                                  stdout=subprocess.PIPE, **nobody) as process:
                self.assertEqual(process.stdout.readline(), b'7\n')
                process.terminate()
                return process.pid, process.wait()
        except PermissionError:
            self.skipTest('another user can not execute what was built here')
        finally:
            os.close(master)
            os.close(slave)

    def test_agent(self):
        with tempfile.TemporaryDirectory() as folder:
            pid, status = self.at_terminal(folder, 'acquire', 'group:13')
            self.assertEqual(status, 0)
            self.assertRegex(Path(folder, 'pkttyagent.arguments').read_text(),
                             rf'^--process {pid} --notify-fd \d+ --fallback$')
            self.assertEqual(Path(folder, 'pkttyagent.end').read_text(), 'ended\n')


class RunTest(IommuctlTest):
    def run_command(self, *command):
        return self.check(0, 'run', '-d', 'group:13', '--', *command).stdout

    def test_descriptors(self):
        self.assertEqual(self.run_command('sh', '-c', 'cat <&{iommufd}; cat <&{device:1}; cat <&{device:0}'),
                         'iommufd0000:02:00.10000:02:00.0')

    def test_environment(self):
        output = self.run_command('sh', '-c', 'echo $LISTEN_FDS $LISTEN_FDNAMES; test $LISTEN_PID = $$')
        self.assertEqual(output, '4 iommufd:device-0000-02-00.0:device-0000-02-00.1:lifeline\n')

    def test_lease(self):
        self.assertEqual(self.run_command('sh', '-c', 'echo $IOMMUD_LEASE'), '7\n')

    def test_no_other_descriptors(self):
        output = self.run_command('ls', '/proc/self/fd')
        self.assertEqual(output.split(), ['0', '1', '2', '3', '4', '5', '6', '7'])  # 7 is that of ls

    def test_arguments(self):
        self.assertEqual(self.run_command('echo', '-d', '--json', '{"fd":"{device:0}"}', '{}', '--'),
                         '-d --json {"fd":"4"} {} --\n')

    def test_status(self):
        self.check(42, 'run', '-d', 'group:13', 'sh', '-c', 'exit 42')
        self.assertIn('cannot execute /nonexistent',
                      self.complaint(127, 'run', '-d', 'group:13', '/nonexistent'))
        self.assertIn('cannot execute /', self.complaint(126, 'run', '-d', 'group:13', '/'))

    def test_mistakes(self):
        self.assertIn('{device:2} stands for nothing',
                      self.complaint(2, 'run', '-d', 'group:13', '--', 'echo', '{device:2}'))
        self.complaint(1, 'run', '-d', 'nothing', '--', 'true')
        self.complaint(2, 'run', '--', 'true')
        self.complaint(2, 'run', '-d', 'group:13')
        self.complaint(2, 'plan', '')

    def test_nothing_is_taken_for_a_mistake(self):
        # Acquire would fail with another status in this scenario
        self.complaint(2, 'run', '-d', 'group:13', '--', 'echo', '{device}', scenario='no-details')
        self.complaint(3, 'run', '-d', 'group:13', '--', 'echo', scenario='no-details')


class SuperviseTest(IommuctlTest):
    def supervise(self, status, command, **options):
        return self.check(status, 'run', '--supervise', '-d', 'group:13', '--', 'sh', '-c', command, **options)

    def test_status(self):
        self.assertEqual(self.supervise(0, 'echo $LISTEN_FDS; test $LISTEN_PID = $$').stdout, '4\n')
        self.supervise(42, 'exit 42')
        self.supervise(128 + 9, 'kill -9 $$')
        self.complaint(127, 'run', '--supervise', '-d', 'group:13', '/nonexistent')

    def test_asked(self):
        # It would go on until it is told, and is told only what iommud has said
        result = self.supervise(128 + 15, 'exec sleep 1000', scenario='events')
        self.assertEqual(result.stderr, 'iommuctl: 0000:02:00.3 has appeared in the group of a device\n'
                                        'iommuctl: 0000:02:00.1 was unplugged\n'
                                        'iommuctl: the devices are asked for: reboot ?\n')

    def test_signal(self):
        environment = os.environ | {'DBUS_SYSTEM_BUS_ADDRESS': f'unixexec:path={FAKE},argv1=ok'}
        command = 'trap "exit 7" TERM; echo ready; while :; do sleep 0.1; done'
        with subprocess.Popen([IOMMUCTL, 'run', '--supervise', '-d', 'group:13', 'sh', '-c', command],
                              env=environment, text=True, stdout=subprocess.PIPE) as process:
            self.assertEqual(process.stdout.readline(), 'ready\n')
            process.terminate()
            self.assertEqual(process.wait(), 7)


class ReleaseTest(IommuctlTest):
    def test_release(self):
        for name in '7', 'group:13', '0000:02:00.1':
            self.assertEqual(self.check(0, 'release', name).stdout, 'Lease 7 is gone.\n')
        self.assertEqual(self.check(0, 'release', '7', '--no-wait').stdout, 'Lease 7 will go.\n')
        self.assertEqual(self.json('release', '7'), [{'id': 7, 'gone': True}])

    def test_request(self):
        self.assertEqual(self.check(0, 'release', '--request', '7').stdout, 'Lease 7 is gone.\n')
        self.assertEqual(self.check(0, 'release', '7', '--request', '--no-wait', '--reason=reboot',
                                    '--deadline=60').stdout, 'Lease 7: its holder was asked.\n')
        self.assertIn('nothing was taken away', self.complaint(
            3, 'release', '--request', '7', '--timeout=1', scenario='stubborn'))
        self.assertIn('NotSupported', self.complaint(1, 'release', '--request', '7', scenario='left'))
        self.check(0, 'release', '7', scenario='left')

    def test_kill(self):
        self.assertEqual(self.check(0, 'release', '--kill', '7').stdout, 'Lease 7 is gone.\n')
        self.assertIn('Denied', self.complaint(1, 'release', '--kill', '7', scenario='no-root'))
        self.check(0, 'release', '7', scenario='no-root')

    def test_request_or_kill(self):
        for arguments in (['--kill', '--request'], ['--deadline=3'], ['--reason=x'], ['--kill', '--reason=x'],
                          ['--request', '--deadline=soon']):
            self.complaint(2, 'release', '7', *arguments)

    def test_nothing_to_release(self):
        self.assertIn('it is in no lease', self.complaint(1, 'release', '0000:01:00.0'))
        self.assertIn('NoSuchLease', self.complaint(1, 'release', '9'))
        self.complaint(1, 'release', '0')


class QuarantineTest(IommuctlTest):
    def test_list(self):
        self.assertEqual(self.check(0, 'quarantine').stdout,
                         "DEVICE        REASON\n0000:01:00.0  it can't be reset?\n"
                         "0000:09:00.0  it is unplugged\n")
        self.assertEqual(self.json('quarantine'), [
            {'device': '0000:01:00.0', 'reason': "it can't be reset?"},
            {'device': '0000:09:00.0', 'reason': 'it is unplugged'}])
        self.complaint(3, 'quarantine', scenario='bad-version')
        self.assertEqual(self.json('list')[1]['quarantine'], '')
        self.assertIn("Quarantine: it can't be reset?\n", self.check(0, 'show', '0000:01:00.0').stdout)

    def test_clear(self):
        self.assertEqual(self.check(0, 'quarantine', 'clear', '0000:01:00.0').stdout, '')
        self.assertIn('NoSuchDevice', self.complaint(1, 'quarantine', 'clear', '0000:02:00.0'))
        self.assertIn('cannot take x out of quarantine: no',
                      self.complaint(1, 'quarantine', 'clear', 'x', scenario='refuse:Denied'))

    def test_usage(self):
        for arguments in ['clear'], ['0000:01:00.0'], ['empty', 'x']:
            self.complaint(2, 'quarantine', *arguments)


class ClaimTest(IommuctlTest):
    def test_claim(self):
        self.assertIn('NotViable', self.complaint(1, 'claim', 'group:13'))
        self.assertIn('it has grown, for ever', self.complaint(1, 'claim', '--persistent', 'group:13'))
        self.assertEqual(self.check(0, 'claim', '--accept', 'group:13').stdout, '')
        self.assertEqual([g['claim'] for g in self.json('claim', '--accept', 'group:13')], ['lent'])
        self.assertIn('cannot claim the group of 0000:01:00.0: / is on it',
                      self.complaint(1, 'claim', '--accept', '0000:01:00.0'))

    def test_unclaim(self):
        self.assertEqual(self.check(0, 'unclaim', 'group:13').stdout, '')
        self.assertIn('it is not claimed', self.complaint(1, 'unclaim', '0000:01:00.0'))
        self.complaint(2, 'unclaim', '--accept', 'group:13')

    def test_shown(self):
        group = self.json('groups')[1]
        self.assertEqual((group['claim'], group['claim_persistent'], group['claim_reason']),
                         ('lent', True, 'it has grown?'))
        self.assertIn('lent, persistent', self.check(0, 'groups').stdout)
        shown = self.check(0, 'show', '0000:02:00.0').stdout
        self.assertIn('Claim: lent, persistent\n', shown)
        self.assertIn('Claim says: it has grown?\n', shown)


class FailureTest(IommuctlTest):
    def test_usage(self):
        for arguments in (['no-verb'], ['list', 'x'], ['find'], ['list', '--no-wait'], ['--mode=vmm'],
                          ['release', '7', '--timeout=soon'], ['release', '7', '--timeout=0']):
            self.complaint(2, *arguments)
        self.assertEqual(iommuctl('list', '--frobnicate').returncode, 2)
        self.assertEqual(iommuctl('list', '--frobnicate').stdout, '')

    def test_no_bus(self):
        environment = os.environ | {'DBUS_SYSTEM_BUS_ADDRESS': 'unix:path=/nonexistent/bus'}
        result = subprocess.run([IOMMUCTL], env=environment, capture_output=True, text=True)
        self.assertEqual(result.returncode, 3)
        self.assertIn('there is no system bus', result.stderr)

    def test_no_daemon(self):
        for verb in ['list'], ['groups'], ['leases'], ['show', 'x'], ['plan', 'x'], ['run', '-d', 'x', 'y']:
            self.assertIn('systemctl status iommud.service', self.complaint(
                3, *verb, scenario='error:org.freedesktop.DBus.Error.ServiceUnknown'))

    def test_lost(self):
        self.assertIn('journalctl -u iommud.service', self.complaint(3, 'reload', scenario='disconnect'))

    def test_refused(self):
        self.assertIn('(Denied)', self.complaint(1, 'reload', scenario='refuse:Denied'))

    def test_full_disk(self):
        with open('/dev/full', 'w') as full:
            result = subprocess.run([IOMMUCTL, '--help'], stdout=full, stderr=subprocess.PIPE, text=True)
        self.assertEqual(result.returncode, 3)
        self.assertIn('No space left', result.stderr)


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])
