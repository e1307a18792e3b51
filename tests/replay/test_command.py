# SPDX-License-Identifier: MIT
"""The vmrig command with recordings: golden, damaged, made now on KVM, and replayed where there is no KVM.

usage: test_command.py VMRIG HELPER CORPUS FIRMWARE CASE
A case that cannot run here exits with 77 and says why.
"""

import os
import random
import shutil
import subprocess
import sys
import tempfile
import unittest

SKIP = 77
SEABIOS = '/usr/share/seabios/bios-microvm.bin'
GOLDENS = ('seabios-microvm-boot', 'seabios-pc-boot', 'devices')
READERS = (('replay',), ('trace', 'info'), ('trace', 'print'), ('trace', 'stat'))
FLIPS = 40
PLAYS = 10

VMRIG, HELPER, CORPUS, FIRMWARE = sys.argv[1:5]


def run(*command, **options):
    return subprocess.run(command, capture_output=True, check=False, timeout=240, **options)


def vmrig(*arguments, **options):
    return run(VMRIG, *arguments, **options)


def golden(name):
    return os.path.join(CORPUS, name)


def contents(path):
    with open(path, 'rb') as file:
        return file.read()


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def file(self, name, data=None):
        path = os.path.join(self.folder, name)
        if data is not None:
            with open(path, 'wb') as file:
                file.write(data)
        return path

    def succeed(self, *arguments):
        done = vmrig(*arguments)
        self.assertEqual((done.returncode, done.stderr.count(b'\n')), (0, done.stderr.count(b'\n')), done.stderr)
        return done.stdout

    def assert_one_line(self, done, what):
        """Good or failed, never a crash, and a failure is one sentence that names the command."""
        self.assertIn(done.returncode, (0, 1), (what, done.stderr))
        if done.returncode == 1:
            self.assertEqual(done.stderr.count(b'\n'), 1, (what, done.stderr))
            self.assertTrue(done.stderr.startswith(b'vmrig '), (what, done.stderr))


class Golden(Case):
    def test_replays_print_the_expected_console_ten_times(self):
        for name in GOLDENS:
            done = vmrig('replay', golden(name + '.vmt'), '--console', '--repeat', str(PLAYS))
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(b'0 divergences, %d times' % PLAYS, done.stderr)
            self.assertEqual(done.stdout, PLAYS * contents(golden(name + '.txt')))

    def test_text_twin_is_what_the_command_cuts_and_prints(self):
        beginning = self.file('beginning.vmt')
        self.succeed('trace', 'cut', '--exits', '2000', '-o', beginning, golden('seabios-microvm-boot.vmt'))
        self.assertEqual(self.succeed('trace', 'print', beginning), contents(golden('seabios-microvm-boot.vmtx')))

    def test_text_packs_to_the_same_bytes(self):
        for name in GOLDENS:
            text = self.file('text.vmtx', self.succeed('trace', 'print', golden(name + '.vmt')))
            self.assertEqual(self.succeed('trace', 'pack', text), contents(golden(name + '.vmt')))

    def test_inputs_alone_print_the_same_console(self):
        for name in GOLDENS:
            inputs = self.file('inputs.vmt', self.succeed('trace', 'cut', '--inputs-only', golden(name + '.vmt')))
            self.assertIn(b'reactions cut', self.succeed('trace', 'info', inputs))
            self.assertEqual(self.succeed('replay', inputs, '--console'), contents(golden(name + '.txt')))

    def test_a_trace_equals_itself_and_no_other(self):
        name = golden('devices.vmt')
        self.succeed('trace', 'diff', name, name)
        self.assertEqual(vmrig('trace', 'diff', name, golden('seabios-pc-boot.vmt')).returncode, 1)


class Hidden(Case):
    """Nothing of KVM is there: in a mount namespace of its own, /dev/kvm is /dev/null."""

    def test_replay_needs_no_kvm(self):
        cover = ['unshare', '-m', 'sh', '-c', 'mount --bind /dev/null /dev/kvm && exec "$@"', 'sh']
        if not os.path.exists('/dev/kvm'):
            cover = []  # then all of this run is without
        elif shutil.which('unshare') is None or run(*cover, 'true').returncode != 0:
            self.skipTest('no right to cover /dev/kvm in a mount namespace')
        probe = run(*cover, VMRIG, 'run', '--firmware', FIRMWARE, '--hypervisor', 'kvm')
        self.assertEqual(probe.returncode, 1, 'KVM is still there')
        for name in GOLDENS:
            done = run(*cover, VMRIG, 'replay', golden(name + '.vmt'), '--console', '--repeat', str(PLAYS))
            self.assertEqual((done.returncode, done.stdout), (0, PLAYS * contents(golden(name + '.txt'))), done.stderr)


class Damaged(Case):
    def read_with_all(self, path, what):
        """The statuses of the readers on it."""
        results = []
        for reader in READERS:
            done = vmrig(*reader, path)
            self.assert_one_line(done, (*reader, what))
            results.append(done.returncode)
        return results

    def test_cut_copies(self):
        for name in ('seabios-microvm-boot.vmt', 'devices.vmt'):
            whole = contents(golden(name))
            for length in {*range(0, len(whole), 4096), 1, 63, 64, 65, 1777, len(whole) - 1}:
                statuses = self.read_with_all(self.file('cut.vmt', whole[:length]), (name, length))
                self.assertEqual(statuses, [1] * len(READERS), (name, length))

    def test_flipped_copies(self):
        choose = random.Random(20240101)
        for name in ('seabios-microvm-boot.vmt', 'seabios-microvm-boot.vmtx'):
            whole = contents(golden(name))
            for _ in range(FLIPS):
                at = choose.randrange(len(whole))
                flipped = bytearray(whole)
                flipped[at] ^= 1 << choose.randrange(8)
                statuses = self.read_with_all(self.file('flipped' + name[-5:], bytes(flipped)), (name, at))
                if name.endswith('.vmt'):  # text has no checksum: it may say something else that is right
                    self.assertNotIn(0, statuses, (name, at))

    def test_made_up_copies(self):
        self.assertEqual(run(HELPER, 'damage', golden('devices.vmt'), self.folder).returncode, 0)
        names = sorted(os.listdir(self.folder))
        self.assertEqual(len(names), 8)
        for name in names:
            self.assertEqual(self.read_with_all(self.file(name), name), [1] * len(READERS), name)
        done = vmrig('replay', self.file('version.vmt'))
        self.assertIn(b'needs a reader of 2.0', done.stderr)

    def test_what_is_no_file_at_all(self):
        for path in (self.folder, self.file('absent.vmt'), self.file('empty.vmt', b''), '/dev/null',
                     self.file('noise.vmt', random.Random(1).randbytes(100000))):
            self.assertEqual(self.read_with_all(path, path), [1] * len(READERS), path)


class FixedPoint(Case):
    """record(kvm) -> replay -> record gives the same bytes, and every console is the one that KVM showed."""

    def record(self, name, *arguments):
        if not os.access('/dev/kvm', os.R_OK | os.W_OK):
            self.skipTest('no /dev/kvm to record on')
        trace = self.file(name)
        done = vmrig('run', '--hypervisor', 'kvm', '--record', trace, '--timeout', '120', *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertGreater(len(done.stdout), 0)
        return trace, done.stdout

    def check(self, trace, console):
        again = self.file('again.vmt')
        self.assertEqual(self.succeed('replay', trace, '--console'), console)
        done = run(HELPER, 'rerecord', trace, again)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(contents(again), contents(trace))

    def test_devices(self):
        for _ in range(3):
            self.check(*self.record('devices.vmt', '--firmware', FIRMWARE))

    def test_seabios(self):
        if not os.path.exists(SEABIOS):
            self.skipTest('no ' + SEABIOS)
        self.check(*self.record('boot.vmt', '--firmware', SEABIOS, '--until', 'No bootable device'))

    def test_seabios_of_a_pc_with_two_vps(self):
        firmware = os.path.join(os.path.dirname(SEABIOS), 'bios.bin')
        if not os.path.exists(firmware):
            self.skipTest('no ' + firmware)
        self.check(*self.record('boot.vmt', '--firmware', firmware, '--vps', '2', '--until', 'No bootable device'))


def main():
    tests = unittest.defaultTestLoader.loadTestsFromTestCase(globals()[sys.argv[5]])
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(tests)
    skipped, failed = len(result.skipped), len(result.failures) + len(result.errors)
    print(f'{result.testsRun - skipped - failed} passed, {failed} failed, {skipped} skipped')
    if failed:
        sys.exit(1)
    sys.exit(SKIP if skipped == result.testsRun else 0)


if __name__ == '__main__':
    main()
