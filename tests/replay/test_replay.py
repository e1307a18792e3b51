# SPDX-License-Identifier: MIT
"""The command with recordings: golden, damaged, made now on KVM, and replayed where there is no KVM.

usage: test_replay.py VMRIG CORPORA CLASS, with REPLAY_HELPER and REPLAY_FIRMWARE in the environment
"""

import os
import random
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'command'))

# pylint: disable=wrong-import-position
import command
from command import Command, CORPORA, SEABIOS, VMRIG

SEABIOS_PC = os.path.join(os.path.dirname(SEABIOS), 'bios.bin')
BOOT_END = 'No bootable device'
GOLDENS = ('seabios-microvm-boot', 'seabios-pc-boot', 'devices')
READERS = (['replay'], ['trace', 'info'], ['trace', 'print'], ['trace', 'stat'])
DAMAGED_FILES = 8  # that the helper makes
FLIPS = 40
PLAYS = 10
KILLED_LOST = 200  # characters, each an exit of its own and an output, which a block of 2 KiB holds


def trace_of(name):
    return os.path.join(CORPORA, 'trace', name)


def helper(*arguments):
    return subprocess.run([os.environ['REPLAY_HELPER'], *arguments], capture_output=True, check=False)


class Golden(Command):
    """What the corpus holds is what the command makes of it."""

    def test_every_replay_prints_the_same_console(self):
        for name in GOLDENS:
            done = self.run_it('replay', trace_of(name + '.vmt'), '--console', '--repeat', str(PLAYS))
            self.assertEqual((done.returncode, done.stdout), (0, PLAYS * self.golden(f'trace/{name}.txt')), done.stderr)
            self.assertIn(b' exits, 0 divergences, %d times' % PLAYS, done.stderr)

    def test_no_hypervisor_is_needed(self):
        hidden = self.without_kvm()
        for name in GOLDENS:
            printed = self.succeeds('replay', trace_of(name + '.vmt'), '--console', '--repeat', str(PLAYS),
                                    prefix=hidden)
            self.assertEqual(printed, PLAYS * self.golden(f'trace/{name}.txt'))

    def test_the_console_is_not_an_echo(self):
        for name in GOLDENS:
            self.succeeds('trace', 'cut', '--inputs-only', trace_of(name + '.vmt'), '-o', 'inputs.vmt')
            self.assertNotIn(b'~ answer', self.succeeds('trace', 'print', 'inputs.vmt').split(b'\n', 5)[-1])
            self.assertEqual(self.succeeds('replay', 'inputs.vmt', '--console'), self.golden(f'trace/{name}.txt'))

    def test_the_text_twin_is_the_beginning(self):
        self.succeeds('trace', 'cut', '--exits', '2000', trace_of('seabios-microvm-boot.vmt'), '-o', 'begin.vmt')
        self.assertEqual(self.succeeds('trace', 'print', 'begin.vmt'), self.golden('trace/seabios-microvm-boot.vmtx'))
        done = self.run_it('replay', trace_of('seabios-microvm-boot.vmtx'))
        self.assertEqual((done.returncode, done.stderr), (0, b'vmrig replay: 2000 exits, 0 divergences\n'))

    def test_text_packs_to_the_same_bytes(self):
        for name in GOLDENS:
            self.succeeds('trace', 'print', trace_of(name + '.vmt'), '-o', 'text.vmtx')
            self.assertEqual(self.succeeds('trace', 'pack', 'text.vmtx'), self.golden(f'trace/{name}.vmt'))

    def test_a_changed_reaction_is_a_divergence(self):
        text = self.golden('trace/seabios-microvm-boot.vmtx').decode()
        at = text.rindex('~ answer value=')
        end = text.index('\n', at)
        self.file('changed.vmtx', (text[:at] + '~ answer value=0x1234' + text[end:]).encode())
        self.refuses(1, "'changed.vmtx': diverged at exit", 'replay', 'changed.vmtx')


class Damaged(Command):
    """No byte sequence crashes a reader; what cannot be read is one line and status 1."""

    def statuses(self, path, what):
        results = []
        for reader in READERS:
            done = self.run_it(*reader, path)
            self.assertIn(done.returncode, (0, 1), (reader, what, done.stderr))
            if done.returncode == 1:
                self.assertRegex(done.stderr.decode(), r'\Avmrig[^\n]*: [^\n]*\n\Z', (reader, what))
            results.append(done.returncode)
        return results

    def all_refuse(self, path, what):
        self.assertEqual(self.statuses(path, what), [1] * len(READERS), what)

    def test_cut_copies(self):
        for name in ('seabios-microvm-boot.vmt', 'devices.vmt'):
            whole = self.golden('trace/' + name)
            for length in sorted({*range(0, len(whole), 4096), 1, 63, 64, 65, 1777, len(whole) - 1}):
                self.all_refuse(self.file('cut.vmt', whole[:length]), (name, length))

    def test_flipped_copies(self):
        choose = random.Random(20240101)
        for name in ('seabios-microvm-boot.vmt', 'seabios-microvm-boot.vmtx'):
            whole = self.golden('trace/' + name)
            for _ in range(FLIPS):
                at = choose.randrange(len(whole))
                flipped = bytearray(whole)
                flipped[at] ^= 1 << choose.randrange(8)
                results = self.statuses(self.file('flipped', bytes(flipped)), (name, at))
                if name.endswith('.vmt'):  # text has no checksum: it may say something else that is right
                    self.assertNotIn(0, results, (name, at))

    def test_numbers_out_of_bounds(self):
        self.assertEqual(helper('damage', trace_of('devices.vmt'), self.folder).returncode, 0)
        names = sorted(os.listdir(self.folder))
        self.assertEqual(len(names), DAMAGED_FILES)
        for name in names:
            self.all_refuse(name, name)
        self.refuses(1, 'needs a reader of 2.0', 'replay', 'version.vmt')

    def test_a_run_that_nobody_begins_does_not_hang(self):
        self.refuses(1, 'has no VP that could go on', 'replay', trace_of('enter-behind-a-halt.vmtx'))

    def test_what_is_no_trace_at_all(self):
        noise = random.Random(1).randbytes(100000)
        for path in (self.folder, 'absent.vmt', self.file('empty.vmt'), '/dev/null', self.file('noise.vmt', noise)):
            self.all_refuse(path, path)


class Killed(Command):
    """What a recording that was killed leaves behind is good up to shortly before."""

    def check_left(self, name, printed):
        done = self.run_it('replay', name, '--console')
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr.decode(), r"cut short: \d+ exits, 0 divergences, and no end")
        self.assertTrue(printed.startswith(done.stdout), done.stdout[-80:])
        return len(printed) - len(done.stdout)

    def kill(self, process, enough):
        printed = b''
        while not enough(printed):
            piece = os.read(process.stdout.fileno(), 4096)
            self.assertNotEqual(piece, b'', 'it ended by itself')
            printed += piece
        process.kill()
        printed += process.stdout.read()
        process.wait()
        process.stdout.close()
        return printed

    def test_on_the_mock(self):
        for least in (1000, 5000):
            with subprocess.Popen([os.environ['REPLAY_HELPER'], 'endless', self.path('killed.vmt')],
                                  stdout=subprocess.PIPE) as process:
                printed = self.kill(process, lambda so_far, least=least: len(so_far) > least)
            lost = self.check_left('killed.vmt', printed)
            self.assertLess(lost, KILLED_LOST)

    def test_on_kvm(self):
        if command.kvm_problem():
            self.skipTest(command.kvm_problem())
        with subprocess.Popen([VMRIG, 'run', '--firmware', SEABIOS, '--hypervisor', 'kvm', '--record',
                               self.path('killed.vmt')], stdout=subprocess.PIPE) as process:
            printed = self.kill(process, lambda so_far: BOOT_END.encode() in so_far)
        lost = self.check_left('killed.vmt', printed)
        self.assertLess(lost, KILLED_LOST)


class FixedPoint(Command):
    """record(kvm) -> replay -> record gives the same bytes, and each replay prints what KVM printed."""

    def check(self, firmware, *arguments):
        if not os.access('/dev/kvm', os.R_OK | os.W_OK):
            self.skipTest('there is no /dev/kvm that this user may open')
        if not os.path.exists(firmware):
            self.skipTest(f'there is no {firmware}: install seabios')
        live = self.succeeds('run', '--firmware', firmware, '--hypervisor', 'kvm', '--record', 'live.vmt',
                             '--timeout', '100', *arguments)
        self.assertGreater(len(live), 0)
        self.assertEqual(self.succeeds('replay', 'live.vmt', '--console'), live)
        done = helper('rerecord', self.path('live.vmt'), self.path('again.vmt'))
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(self.path('live.vmt'), 'rb') as first, open(self.path('again.vmt'), 'rb') as second:
            self.assertEqual(first.read(), second.read())

    def test_devices(self):
        for _ in range(3):
            self.check(os.environ['REPLAY_FIRMWARE'])

    def test_seabios(self):
        self.check(SEABIOS, '--until', BOOT_END)

    def test_seabios_of_a_pc_with_two_vps(self):
        self.check(SEABIOS_PC, '--vps', '2', '--until', BOOT_END)


if __name__ == '__main__':
    command.main()
