# SPDX-License-Identifier: MIT
"""The nested lane, with a stand-in for the emulator: what it refuses, brings back, and leaves behind.

usage: test_nested.py FOLDER-OF-THE-LANE
"""

import argparse
import io
import json
import os
import pathlib
import signal
import stat
import subprocess
import sys
import tarfile
import tempfile
import time
import unittest

LANE = pathlib.Path(sys.argv.pop(1)).resolve()
sys.path.insert(0, str(LANE))

import archive  # noqa: E402
import machine  # noqa: E402
import nested  # noqa: E402
import pieces  # noqa: E402
from problem import Problem  # noqa: E402

TIMEOUT_S = 60
SCENARIO = {'family': 'io', 'scenario': 'one', 'verdict': 'pass', 'reason': '', 'clauses': ['EXIT-1']}


def archive_of(files):
    """What the emulated machine would give back."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode='w:gz') as tar:
        for name, data in files.items():
            entry = tarfile.TarInfo(f'left/{name}')
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return content.getvalue()


def left(status, **files):
    return {'booted': b'2.5\n', 'done': b'4\n', 'status': b'%d\n' % status, **files}


def listen_to_signals():
    """Whoever runs the tests in the background may have had them ignored."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


class Lane(unittest.TestCase):
    """A folder with a build of the command, the pieces of a machine, and a program called like the emulator."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        self.pieces = self.folder / 'build' / 'machine' / 'pieces'
        self.pieces.mkdir(parents=True)
        for name in ('vmlinuz', 'busybox', *(f'{module}.ko' for module in pieces.MODULES)):
            (self.pieces / name).write_bytes(name.encode())
        (self.folder / 'build' / 'vmrig').write_bytes(b'the command')
        (self.folder / 'bin').mkdir()
        self.report = self.folder / 'certificates'

    def emulator(self, script):
        path = self.folder / 'bin' / machine.QEMU
        path.write_text(f'#!/bin/sh\n{script}\n', encoding='utf-8')
        path.chmod(0o755)

    def gives(self, content, status=0):
        (self.folder / 'content').write_bytes(content)
        self.emulator(f'cat {self.folder}/content; exit {status}')

    def start(self, *arguments, path=None):
        words = [sys.executable, str(LANE / 'nested.py'), '--build', str(self.folder / 'build'),
                 '--report', str(self.report), *arguments]
        path = f'{self.folder / "bin"}:{os.environ["PATH"]}' if path is None else path
        return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env={**os.environ, 'PATH': path}, preexec_fn=listen_to_signals)

    def run_it(self, *arguments, **options):
        process = self.start(*arguments, **options)
        output, errors = process.communicate(timeout=TIMEOUT_S)
        return process.returncode, output, errors

    def refuses(self, status, piece, *arguments, **options):
        done = self.run_it(*arguments, **options)
        self.assertEqual((done[0], done[1]), (status, ''), done)
        self.assertIn(piece, done[2])
        self.assertFalse(self.report.exists())

    def test_help_and_wrong_words(self):
        status, output, _ = self.run_it('--help')
        self.assertEqual(status, 0)
        self.assertIn('--timeout', output)
        for word in ('0', '-1', 'soon'):
            self.refuses(2, word, '--timeout', word)

    def test_a_missing_emulator_says_what_to_install(self):
        self.refuses(3, 'install qemu-system-x86', path=str(self.folder))

    def test_missing_pieces_without_apt_say_what_is_missing(self):
        self.emulator('exit 0')
        self.pieces.rename(self.folder / 'elsewhere')
        self.refuses(3, 'there is no apt-get', path=str(self.folder / 'bin'))

    def test_output_report_and_status_come_out(self):
        certificate = json.dumps({'results': [SCENARIO]}).encode()
        for number in (0, 1, 2):
            self.gives(b'a matrix\n\0' + archive_of(left(number, **{'mock.json': certificate, 'summary.txt': b'sum'})))
            status, output, errors = self.run_it('--hypervisor', 'mock')
            self.assertEqual((status, output), (number, 'a matrix\n'), errors)
            self.assertRegex(errors, r'booted in 2\.5 s, certified in 1\.5 s')
            self.assertEqual(sorted(os.listdir(self.report)), ['mock.json', 'summary.txt'])
            self.assertEqual((self.report / 'mock.json').read_bytes(), certificate)

    def test_what_must_run_and_did_not_is_a_failure(self):
        self.gives(b'\0' + archive_of(left(0, **{'kvm.json': json.dumps({'results': [SCENARIO]}).encode()})))
        status, _, errors = self.run_it()
        self.assertEqual(status, 1)
        self.assertRegex(errors, r'kvm: \S+/\S+: is on the golden list, and there is no such scenario')
        self.assertEqual(self.run_it('--filter', 'io/*')[0], 0)

    def test_a_machine_without_a_result_is_said_to_have_none(self):
        whole = b'words\0' + archive_of(left(0))
        for content, status, piece in ((b'', 0, 'without a result'), (b'words', 0, 'without a result'),
                                       (whole, 7, 'exit status 7'), (whole[:-20], 0, 'damaged'),
                                       (b'\0junk', 0, 'damaged'), (b'\0' + archive_of({}), 0, 'no exit status')):
            with self.subTest(piece=piece, content=content[:8]):
                self.gives(content, status)
                done = self.run_it()
                self.assertEqual(done[0], 3, done)
                self.assertIn(piece, done[2])
                self.assertFalse(self.report.exists())

    def pid(self):
        """Of the stand-in, once it runs."""
        for _ in range(TIMEOUT_S * 100):
            text = (self.folder / 'pid').read_text() if (self.folder / 'pid').exists() else ''
            if text.endswith('\n'):
                return int(text)
            time.sleep(0.01)
        self.fail('the emulator was not started')
        return 0

    def is_gone(self):
        self.assertRaises(ProcessLookupError, os.kill, self.pid(), 0)
        self.assertEqual(os.listdir(self.pieces.parent), ['pieces'])

    def test_what_takes_too_long_is_stopped_and_leaves_nothing(self):
        self.emulator(f'echo $$ >{self.folder}/pid; exec sleep 1000')
        self.refuses(3, 'not done after 1 s', '--timeout', '1')
        self.is_gone()

    def test_a_signal_stops_it_and_leaves_nothing(self):
        self.emulator(f'echo $$ >{self.folder}/pid; exec sleep 1000')
        for number in (signal.SIGINT, signal.SIGTERM):
            (self.folder / 'pid').unlink(missing_ok=True)
            process = self.start()
            self.pid()
            process.send_signal(number)
            _, errors = process.communicate(timeout=TIMEOUT_S)
            self.assertEqual((process.returncode, errors), (130, ''))
            self.is_gone()


class Archive(unittest.TestCase):
    """The boot archive, read back by the rules of its form."""

    def members(self, content):
        at = 0
        while True:
            self.assertEqual(content[at:at + 6], b'070701')
            fields = [int(content[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
            name_end = at + 110 + fields[11]
            name = content[at + 110:name_end - 1].decode()
            start = name_end + -name_end % 4
            if name == 'TRAILER!!!':
                self.assertEqual(start + fields[6], len(content))
                return
            yield name, fields[1], content[start:start + fields[6]]
            at = start + fields[6] + -fields[6] % 4

    def test_every_file_comes_after_its_folder(self):
        files = {'init': b'x', 'bin/a': b'12345', 'bin/b': b'', 'job/left/c': b'1234'}
        members = list(self.members(archive.initramfs(files, ['dev', 'job'])))
        names = [name for name, _, _ in members]
        self.assertEqual({name: content for name, mode, content in members if stat.S_ISREG(mode)}, files)
        self.assertEqual({name for name, mode, _ in members if stat.S_ISDIR(mode)}, {'bin', 'dev', 'job', 'job/left'})
        for name in names:
            if '/' in name:
                self.assertLess(names.index(os.path.dirname(name)), names.index(name))

    def test_arguments_reach_the_program_as_they_are(self):
        with tempfile.TemporaryDirectory() as folder:
            parts = pathlib.Path(folder)
            for name in ('busybox', 'program', *(f'{module}.ko' for module in pieces.MODULES)):
                (parts / name).write_bytes(b'')
            arguments = argparse.Namespace(hypervisor=['kvm'], patience='6', attempts='3', others=['--filter', "it's $HOME/*"])
            image = machine.boot_image(parts, parts / 'program', nested.script(arguments))
            command = next(content for name, _, content in self.members(image) if name == 'job/command').decode()
            (parts / 'left').mkdir()
            (parts / 'program').write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n', encoding='utf-8')
            (parts / 'program').chmod(0o755)
            shown = subprocess.run(['sh', '-c', command.replace('/bin/program', f'{parts}/program')], cwd=folder,
                                   stdout=subprocess.PIPE, text=True, check=True).stdout
            self.assertEqual((parts / 'left' / 'probe.json').read_text(), 'probe\n--json\n')
        self.assertEqual(shown.split('\n'), ['certify', '--progress', '--report', 'left', '--patience', '6', '--attempts',
                                             '3', '--hypervisor', 'kvm', '--filter', "it's $HOME/*", ''])

    def test_a_damaged_answer_is_a_problem(self):
        self.assertRaises(Problem, archive.files_of, b'')


if __name__ == '__main__':
    unittest.main()
