# SPDX-License-Identifier: MIT
"""Machines that are saved, restored and looked into, by the command; on real KVM.

usage: test_snapshots.py VMRIG CORPORA CLASS
"""

import json
import os
import re

import command
from command import Command, SEABIOS

AT, END = 'Booting from', 'No bootable device'
RUN = ('run', '--firmware', SEABIOS, '--timeout', '90', '--hypervisor', 'kvm')


class Snapshots(Command):
    """What goes on from a snapshot prints what the machine would have printed."""

    def setUp(self):
        super().setUp()
        problem = command.kvm_problem()
        if problem:
            self.skipTest(problem)

    def save(self, *more):
        return self.succeeds(*RUN, '--snapshot-at', AT, '--snapshot', 'full', *more, '--until', END)

    def test_a_boot_goes_on_in_another_process(self):
        live = self.save('--snapshot-at', 'Boot failed', '--snapshot', 'part')
        for words, seen in ((('full',), AT), (('--parent', 'full', 'part'), 'Boot failed')):
            with self.subTest(words=words):
                rest = self.succeeds('restore', *words, '--hypervisor', 'kvm', '--timeout', '90', '--until', END)
                self.assertTrue(rest.endswith(END.encode()), rest)
                # Nothing is printed twice and nothing is left out.
                self.assertEqual(live[live.index(seen.encode()) + len(seen):], rest)
        self.assertLess(os.path.getsize(self.path('part')), os.path.getsize(self.path('full')))

    def test_two_processors_go_on(self):
        bios = SEABIOS.replace('bios-microvm', 'bios')
        if not os.path.exists(bios):
            self.skipTest(f'there is no {bios}')
        run = ('run', '--firmware', bios, '--timeout', '90', '--hypervisor', 'kvm', '--vps', '2')
        self.succeeds(*run, '--snapshot-at', 'SeaBIOS', '--snapshot', 'two', '--until', END)
        rest = self.succeeds('restore', 'two', '--hypervisor', 'kvm', '--timeout', '90', '--until', END)
        self.assertTrue(rest.endswith(END.encode()), rest)

    def test_an_exit_is_a_place_too(self):
        self.succeeds(*RUN, '--snapshot-at', '500', '--snapshot', 'early', '--until', END)
        rest = self.succeeds('restore', 'early', '--hypervisor', 'kvm', '--timeout', '90', '--until', END)
        self.assertTrue(rest.endswith(END.encode()), rest)

    def test_a_power_off_at_the_very_place_is_not_lost(self):
        code = b'\xb0\x05\xe6\xf4\xf4'  # mov al, 5; out 0xf4, al; hlt
        self.file('off.bin', b'\xf4' * 0xfff0 + code.ljust(16, b'\xf4'))
        done = self.run_it('run', '--firmware', 'off.bin', '--hypervisor', 'kvm', '--timeout', '60', '--snapshot-at', '1',
                           '--snapshot', 'off.vms')
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b'powered off, exit value 0x5', done.stderr)
        self.assertTrue(os.path.exists(self.path('off.vms')))

    def test_snapshots_are_looked_into(self):
        self.save()
        info = dict(line.split(' ', 1) for line in self.succeeds('snapshot', 'info', 'full').decode().splitlines())
        self.assertEqual((info['parent'], info['vps'], info['skipped']), ('0', '1', '0'))
        self.assertLess(int(info['pages']) * 4096, int(info['memory']) // 8)  # what is sparse stays sparse
        tree = json.loads(self.succeeds('inspect', '--json', 'full'))
        self.assertEqual((tree['vps'], len(tree['vp'])), (1, 1))
        self.assertLessEqual({'serial', 'pit', 'cmos', 'lapic', 'ioapic'}, set(tree['devices']))
        self.assertLessEqual({'registers', 'activity', 'xsave'}, set(tree['vp'][0]))
        self.assertEqual(tree['queues'], [])
        for timer in tree['timers']:
            self.assertEqual(set(timer), {'name', 'vp', 'vtl', 'index', 'clock', 'due'})
        self.assertIn(b'vp 0 registers\n  rax=', self.succeeds('inspect', 'full'))
        self.assertEqual(self.succeeds('snapshot', 'diff', 'full', 'full'), b'')

    def test_differences_are_named_and_are_status_1(self):
        self.save('--snapshot-at', 'Boot failed', '--snapshot', 'part')
        done = self.run_it('snapshot', 'diff', 'full', 'part')
        self.assertEqual(done.returncode, 1)
        self.assertIn(b'vp 0 registers rsp 0x', done.stdout)

    def test_what_cannot_be_restored_is_refused(self):
        self.save('--snapshot-at', 'Boot failed', '--snapshot', 'part')
        with open(self.path('full'), 'rb') as file:
            full = file.read()
        self.file('cut', full[:len(full) // 2])
        self.file('bad', full[:5000] + b'\xff' + full[5001:])
        kvm = ('--hypervisor', 'kvm')
        rows = [
            (('restore', 'cut', *kvm), "'cut': snapshot: "),
            (('restore', 'bad', *kvm), 'its hash is wrong'),
            (('restore', 'part', *kvm), 'chain[0] has the parent'),
            (('restore', '--parent', 'part', 'full', *kvm), 'chain[0] has the parent'),
            (('restore', 'full', '--hypervisor', 'kvm:irqchip=kernel'), "section 'machine': interrupt controllers"),
            (('restore', 'full', '--hypervisor', 'mock'), 'runs no machine code'),
            (('snapshot', 'info', 'cut'), "'cut': snapshot: "),
            (('inspect', 'bad'), 'its hash is wrong'),
        ]
        for words, piece in rows:
            with self.subTest(words=words):
                self.refuses(1, piece, *words)

    def test_a_file_that_cannot_be_written_ends_the_run(self):
        os.mkdir(self.path('there'), 0o755)
        done = self.run_it(*RUN, '--snapshot-at', AT, '--snapshot', 'nowhere/s', '--until', END)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"cannot create 'nowhere/s'", done.stderr)


class Rejoined(Command):
    """A boot that is recorded and saved: the rest of the recording is replayed from each snapshot."""

    def setUp(self):
        super().setUp()
        problem = command.kvm_problem()
        if problem:
            self.skipTest(problem)

    def record(self, *points, name='boot.vmt'):
        words = [word for point in points for word in ('--snapshot-at', point, '--snapshot', f's{point}')]
        return self.succeeds(*RUN, '--record', name, *words, '--until', END)

    def replay(self, *words):
        """What it prints, and the numbers of its last line on stderr."""
        done = self.run_it('replay', *words, '--console')
        self.assertEqual(done.returncode, 0, done.stderr)
        last = done.stderr.decode().splitlines()[-1]
        self.assertTrue(last.endswith(', 0 divergences'), last)
        return done.stdout, [int(number) for number in re.findall(r'[0-9]+', last)[:-1]]

    def test_the_rest_is_replayed_in_another_process(self):
        live = self.record(AT, 'Boot failed')
        whole, (exits,) = self.replay('boot.vmt')
        self.assertEqual(whole, live)
        for point in (AT, 'Boot failed'):
            with self.subTest(point=point):
                rest, (played, passed) = self.replay('boot.vmt', '--from', f's{point}')
                self.assertEqual(live[live.index(point.encode()) + len(point):], rest)
                self.assertEqual(played + passed, exits)
                self.assertGreater(passed, 500)

    def test_from_exits_all_over_the_boot(self):
        points = [1, 2, 30, 171, 300, 450, 700, 900, 1100, 1300, 1400, 1500, 1600, 1650, 1700, 1750]
        live = self.record(*(str(point) for point in points))
        whole, (exits,) = self.replay('boot.vmt')
        self.assertEqual(whole, live)
        for point in points:
            with self.subTest(point=point):
                rest, (played, passed) = self.replay('boot.vmt', '--from', f's{point}')
                self.assertTrue(live.endswith(rest), rest)
                self.assertEqual(played + passed, exits)
                self.assertIn(passed, (point, point + 1))

    def test_what_comes_in_is_brought_again(self):
        # Sends back what comes in on the serial port, up to the end of a line, and powers off.
        code = bytes.fromhex('ba fd 03 ec a8 01 74 f8 ba f8 03 ec ee 3c 0a 75 ef e6 f4 f4')
        image = bytearray(b'\xf4' * 65536)
        image[0xff00:0xff00 + len(code)] = code
        image[0xfff0:0xfff3] = bytes.fromhex('e9 0d ff')  # jmp 0xff00
        self.file('firmware', image)
        line = b'one two three four\n'
        with open(self.file('input', line), 'rb') as stdin:
            self.succeeds('run', '--firmware', 'firmware', '--hypervisor', 'kvm', '--timeout', '90', '--record', 'e.vmt',
                          '--snapshot-at', 'one', '--snapshot', 's1', '--snapshot-at', 'three', '--snapshot', 's3',
                          stdin=stdin)
        self.assertEqual(self.replay('e.vmt')[0], line)
        self.assertEqual(self.replay('e.vmt', '--from', 's1')[0], b' two three four\n')
        self.assertEqual(self.replay('e.vmt', '--from', 's3')[0], b' four\n')

    def test_it_goes_on_on_a_hypervisor_as_well(self):
        live = self.record(AT)
        rest = self.succeeds('restore', f's{AT}', '--hypervisor', 'kvm', '--timeout', '90', '--until', END)
        self.assertEqual(live[live.index(AT.encode()) + len(AT):], rest)

    def test_other_snapshots_and_recordings_are_refused(self):
        self.record('1000')
        self.record('900', name='other.vmt')
        self.succeeds(*RUN, '--snapshot-at', AT, '--snapshot', 'full', '--snapshot-at', 'Boot failed', '--snapshot',
                      'part', '--until', END)
        self.succeeds('trace', 'cut', '--inputs-only', '-o', 'inputs.vmt', 'boot.vmt')
        self.succeeds('replay', 'inputs.vmt')
        self.succeeds('trace', 'cut', '--exits', '500', '-o', 'short.vmt', 'boot.vmt')
        with open(self.path('s1000'), 'rb') as file:
            saved = file.read()
        self.file('bad', saved[:5000] + b'\xff' + saved[5001:])
        rows = [
            ('other.vmt', 's1000', "--from 's1000': trace: the position is of another recording"),
            ('short.vmt', 's1000', "--from 's1000': trace: the position is behind"),
            ('inputs.vmt', 's1000', "--from 's1000': trace: it holds inputs only"),
            ('boot.vmt', 'full', "section 'blob' named 'trace-place' is missing: its machine was not recorded"),
            ('boot.vmt', 'part', 'it holds only what changed since the snapshot'),
            ('boot.vmt', 'bad', 'its hash is wrong'),
            ('boot.vmt', 'absent', "cannot open 'absent'"),
        ]
        for trace, snapshot, piece in rows:
            with self.subTest(trace=trace, snapshot=snapshot):
                self.refuses(1, piece, 'replay', trace, '--from', snapshot)


class SnapshotWords(Command):
    """Wrong words and wrong files; needs no hypervisor."""

    def test_wrong_words(self):
        firmware = self.file('firmware', bytes(65536))
        run = ('run', '--firmware', firmware)
        rows = [
            (('restore',), 'argument FILE is missing'),
            (('snapshot',), 'a command is missing'),
            (('snapshot', 'diff', 'a'), 'is missing'),
            (('inspect',), 'argument FILE is missing'),
            ((*run, '--snapshot-at', '7'), 'go in pairs: there are 1 and 0'),
            ((*run, '--snapshot', 'f'), 'go in pairs: there are 0 and 1'),
            ((*run, '--snapshot-at', '0', '--snapshot', 'f'), "--snapshot-at '0' is no exit"),
            ((*run, '--snapshot-at', '7x', '--snapshot', 'f'), "--snapshot-at '7x' is no exit"),
            ((*run, '--snapshot-at', '', '--snapshot', 'f'), '--snapshot-at takes a number, or'),
            ((*run, '--snapshot-at', 'x', '--snapshot', 'f', '--gdb', '0'), '--snapshot-at goes not with --gdb'),
            ((*run, '--snapshot-at', 'x', '--snapshot', 'f', '--record', 'r', '--vps', '2'),
             '--snapshot-at goes with --record only for a machine of one processor'),
        ]
        for words, piece in rows:
            with self.subTest(words=words):
                self.refuses(2, piece, *words)

    def test_files_that_are_no_snapshots(self):
        self.file('empty')
        self.file('text', b'This is no snapshot, but it is longer than a header of one is.' * 9)
        os.mkdir(self.path('folder'))
        os.mkfifo(self.path('pipe'))
        rows = [('absent', "cannot open 'absent'"), ('folder', "cannot read 'folder'"), ('empty', "'empty': snapshot: "),
                ('text', 'this is no snapshot'), ('/dev/null', 'a snapshot is read from a file')]
        for name, piece in rows:
            for words in (('snapshot', 'info'), ('inspect',), ('restore',), ('snapshot', 'diff', 'text')):
                with self.subTest(name=name, words=words):
                    if words[-1] != 'text':
                        self.refuses(1, piece, *words, name)


if __name__ == '__main__':
    command.main()
