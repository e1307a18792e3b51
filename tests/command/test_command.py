# SPDX-License-Identifier: MIT
"""The command refuses what is wrong with one clear line and the right status, and prints what it promises.

usage: test_command.py VMRIG CORPORA CLASS
"""

import json
import os
import pty
import re
import shutil
import signal
import stat
import subprocess
import time

import command
from command import Command, SEABIOS

BOOT = 'trace/seabios-microvm-boot.vmt'
COMMANDS = ['version', 'probe', 'run', 'replay', 'trace', 'trace info', 'trace print', 'trace pack', 'trace diff',
            'trace stat', 'trace cut', 'certify', 'bench', 'restore', 'snapshot', 'snapshot info', 'snapshot diff',
            'inspect', 'config', 'config check', 'config print', 'config schema', 'config rules',
            'config resolve', 'config tables', 'certify page']
MIB = 1 << 20
# Sends back what comes in on the serial port, up to the end of a line, and powers off:
# next: mov dx,0x3fd; in al,dx; test al,1; jz next; mov dx,0x3f8; in al,dx; out dx,al; cmp al,10; jne next; out 0xf4,al
ECHO = bytes.fromhex('ba fd 03 ec a8 01 74 f8 ba f8 03 ec ee 3c 0a 75 ef e6 f4 f4')

# Counts its starts in a byte of RAM, prints the count, and resets until it is '3'; then it powers off.
RESTART = bytes.fromhex('31 c0 8e d8 fe 06 00 05 a0 00 05 04 30 ba f8 03 ee 3c 33 74 07 b0 06 ba f9 0c ee f4 e6 f4 f4')


def firmware_of(code):
    """An image whose first instruction is the first of this sixteen-bit code."""
    image = bytearray(b'\xf4' * 65536)
    image[0xff00:0xff00 + len(code)] = code
    image[0xfff0:0xfff3] = bytes.fromhex('e9 0d ff')  # jmp 0xff00
    return bytes(image)


class Usage(Command):
    """Wrong words: status 2, and nothing done."""

    def test_each_command_has_help(self):
        for name in ['', *COMMANDS]:
            text = self.succeeds(*name.split(), '--help').decode()
            self.assertIn(f'usage: vmrig {name}'.rstrip(), text)

    def test_wrong_words(self):
        firmware = self.file('firmware', bytes(65536))
        rows = [
            ([], 'a command is missing'),
            (['explode'], "unknown command 'explode'"),
            (['trace'], 'a command is missing'),
            (['trace', 'explode'], "unknown command 'explode'"),
            (['version', 'now'], "unexpected argument 'now'"),
            (['probe', '--jason'], "unknown option '--jason'"),
            (['probe', '--json=1'], "option '--json' takes no value"),
            (['run'], "a CONFIG or option '--firmware FILE' is needed"),
            (['run', '--firmware'], "option '--firmware' needs a value"),
            (['run', '--firmware', firmware, '--firmware', firmware], 'given twice'),
            (['replay'], 'argument FILE is missing'),
            (['replay', 'a', 'b'], "unexpected argument 'b'"),
            (['replay', 'a', '--repeat', '0'], "--repeat '0' is not a number from 1"),
            (['replay', '-', '--repeat', '2'], 'stdin cannot be played 2 times'),
            (['trace', 'diff', 'a'], 'argument RIGHT is missing'),
            (['trace', 'diff', '-', '-'], 'only one of the two can be stdin'),
            (['trace', 'cut', 'a'], 'nothing to cut'),
            (['trace', 'cut', 'a', '--exits', 'many'], "--exits 'many' is not a number"),
            (['trace', 'pack', 'a', '--codec', 'gzip'], "--codec 'gzip' is not none or zstd"),
            (['run', '--firmware', firmware, '--memory', '0'], "--memory '0'"),
            (['run', '--firmware', firmware, '--memory', '1000000'], "--memory '1000000' is not a number of whole MiB"),
            (['run', '--firmware', firmware, '--memory', '16777216T'], "--memory '16777216T'"),
            (['run', '--firmware', firmware, '--memory', '-1M'], "--memory '-1M'"),
            (['run', '--firmware', firmware, '--memory', 'much'], "--memory 'much'"),
            (['run', '--firmware', firmware, '--vps', '0'], "--vps '0' is not a number from 1 to 1024"),
            (['run', '--firmware', firmware, '--vps', '2049'], "--vps '2049' is not"),
            (['run', '--firmware', firmware, '--vps', '4294967297'], "--vps '4294967297' is not"),
            (['run', '--firmware', firmware, '--timeout', '0'], "--timeout '0' is not"),
            (['run', '--firmware', firmware, '--gdb', 'any'], "--gdb 'any' is not a number from 0 to 65535"),
            (['run', '--firmware', firmware, '--gdb', '65536'], "--gdb '65536' is not a number from 0 to 65535"),
            (['run', '--firmware', firmware, '--gdb', '-1'], "--gdb '-1' is not a number from 0 to 65535"),
            (['run', '--firmware', firmware, '--gdb', '0', '--record', 'r.vmt'], '--gdb and --record'),
            (['run', '--firmware', firmware, '--on-reset', 'again'], "--on-reset takes 'halt' or 'restart', not 'again'"),
            (['run', '--firmware', firmware, '--on-reset', 'restart', '--record', 'r'], 'cannot be recorded'),
            (['run', '--firmware', firmware, '--on-reset', 'restart', '--gdb', '0'], 'goes not with --gdb'),
            (['run', '--firmware', firmware, '--until', ''], '--until takes 1 to 255 bytes'),
            (['run', '--firmware', firmware, '--until', 'a\nb'], '--until takes 1 to 255 bytes'),
            (['run', '--firmware', firmware, '--until', 'x' * 256], '--until takes 1 to 255 bytes'),
            (['run', '--firmware', firmware, '--record', firmware], 'would overwrite the firmware'),
            (['run', '--firmware', firmware, '--hypervisor', 'bochs'], "unknown hypervisor 'bochs'"),
            (['run', '--firmware', firmware, '--hypervisor', ''], 'hypervisor'),
            (['run', '--firmware', firmware, '--hypervisor', 'kvm:speed=9'], "unknown parameter 'speed'"),
            (['run', '--firmware', firmware, '--hypervisor', 'kvm:signal=34,signal=35'], 'signal'),
            (['run', '--firmware', firmware, '--hypervisor', 'kvm:irqchip=moon'], 'moon'),
            (['certify', '--list', '--explain', 'RUN-1'], 'two different questions'),
            (['certify', '--attempts', '11'], "--attempts '11' is not a number from 1 to 10"),
            (['certify', '--list', '--json'], '--json is for results'),
            (['bench', '--trace', '-'], '--trace needs a file'),
            (['certify', '--patience', '0'], "--patience '0' is not a number from 1 to 1000"),
        ]
        for arguments, piece in rows:
            with self.subTest(arguments=arguments):
                self.refuses(2, piece, *arguments)
        self.assertEqual(os.path.getsize(firmware), 65536)

    def test_names_cannot_break_the_line(self):
        self.refuses(2, "unknown command 'a?b'", 'a\nb')
        self.refuses(1, "cannot open 'a?b?'", 'replay', 'a\nb\x1b')


class Files(Command):
    """Files that are not what they should be: status 1, one line that names the file."""

    def test_firmware(self):
        large = self.path('large')
        with open(large, 'wb') as file:
            file.truncate(16 * MIB + 1)
        rows = [
            ('missing', "cannot open 'missing': No such file or directory"),
            (self.folder, 'Is a directory'),
            (self.file('empty'), 'is empty'),
            (large, 'is larger than 16 MiB'),
            ('/dev/zero', 'is larger than 16 MiB'),
        ]
        for name, piece in rows:
            with self.subTest(name=name):
                self.refuses(1, piece, 'run', '--firmware', name)

    def test_firmware_that_may_not_be_read(self):
        secret = self.file('secret', bytes(65536))
        os.chmod(secret, 0)
        self.refuses(1, "secret': Permission denied", 'run', '--firmware', secret, prefix=self.as_nobody())

    def as_nobody(self):
        """The words before a command that make it run without rights; the command itself is copied to where it may."""
        if os.getuid() != 0:
            return ()
        if shutil.which('setpriv') is None:
            self.skipTest('there is no setpriv to give up rights with')
        copy = self.path('vmrig')
        shutil.copy(command.VMRIG, copy)
        os.chmod(copy, 0o755)
        words = f'--reuid={command.NOBODY} --regid={command.NOBODY} --clear-groups'
        return ('setpriv', *words.split(), 'sh', '-c', f'shift; exec {copy} "$@"', 'sh')

    def test_firmware_that_never_comes_is_given_up(self):
        os.mkfifo(self.path('never'))
        with subprocess.Popen([command.VMRIG, 'run', '--firmware', 'never'], cwd=self.folder) as child:
            with self.assertRaises(subprocess.TimeoutExpired):
                child.wait(timeout=0.5)
            child.send_signal(signal.SIGINT)
            try:
                self.assertEqual(child.wait(timeout=5), -signal.SIGINT)
            finally:
                child.kill()

    def test_firmware_for_a_hypervisor_without_machine_code(self):
        firmware = self.file('firmware', bytes(65536))
        self.refuses(1, 'mock: runs no machine code', 'run', '--firmware', firmware, '--hypervisor', 'mock')

    def test_kvm_that_is_not_there(self):
        firmware = self.file('firmware', bytes(65536))
        hidden = self.without_kvm()
        run = ('run', '--firmware', firmware, '--record', 'r.vmt')
        self.refuses(1, '/dev/kvm: No such file or directory', *run, '--hypervisor', 'kvm', prefix=hidden)
        self.refuses(1, 'no hypervisor is available', *run, prefix=hidden)
        self.assertFalse(os.path.exists(self.path('r.vmt')))
        kvm = json.loads(self.succeeds('probe', '--json', prefix=hidden))['hypervisors'][1]
        self.assertEqual((kvm['name'], kvm['status']), ('kvm', 'unavailable'))

    def test_kvm_that_may_not_be_opened(self):
        if not os.path.exists('/dev/kvm'):
            self.skipTest('there is no /dev/kvm')
        if os.stat('/dev/kvm').st_mode & stat.S_IWOTH:
            self.skipTest('everybody may open /dev/kvm')
        firmware = self.file('firmware', bytes(65536))
        self.refuses(1, '/dev/kvm: Permission denied', 'run', '--firmware', firmware, prefix=self.as_nobody())

    def test_kvm_that_is_another_device(self):
        if not os.path.exists('/dev/kvm'):
            self.skipTest('there is no /dev/kvm to hide')
        self.without_kvm()
        firmware = self.file('firmware', bytes(65536))
        prefix = ('unshare', '-m', 'sh', '-c', 'mount --bind /dev/null /dev/kvm && exec "$@"', 'sh')
        self.refuses(1, 'kvm: ', 'run', '--firmware', firmware, prefix=prefix)


class Traces(Command):
    """Recordings that are damaged, and what the trace commands make of a good one."""

    def setUp(self):
        super().setUp()
        self.boot = self.golden(BOOT)
        self.good = self.file('good.vmt', self.boot)

    def test_damaged_recordings_are_refused(self):
        half = len(self.boot) // 2
        rows = [
            ('empty', b''),
            ('one byte', self.boot[:1]),
            ('header cut', self.boot[:40]),
            ('cut in the middle', self.boot[:half]),
            ('last byte gone', self.boot[:-1]),
            ('not a trace', b'#!/bin/sh\n' * 100),
            ('magic', b'\x88' + self.boot[1:]),
            ('a later version', self.boot[:12] + b'\xff\xff\xff\xff' + self.boot[16:]),
            ('header bit', self.boot[:25] + bytes([self.boot[25] ^ 1]) + self.boot[26:]),
            ('bit in a block', self.boot[:half] + bytes([self.boot[half] ^ 0x10]) + self.boot[half + 1:]),
            ('zeros', bytes(MIB)),
        ]
        for name, content in rows:
            self.file('bad.vmt', content)
            for words in (['replay'], ['trace', 'info'], ['trace', 'stat'], ['trace', 'print', '-o', 'out'],
                          ['bench', '--trace']):
                with self.subTest(name=name, words=words):
                    self.is_refused(*words, 'bad.vmt')

    def is_refused(self, *arguments):
        """As `refuses`, but what could be read may be printed."""
        done = self.run_it(*arguments)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stderr.decode(), r"\Avmrig[^\n]*'bad.vmt'[^\n]*\n\Z")

    def test_every_single_byte_may_be_wrong(self):
        """No flip crashes the command; each is noticed by the replay or harmless."""
        for at in range(0, len(self.boot), max(1, len(self.boot) // 60)):
            wrong = bytearray(self.boot)
            wrong[at] ^= 0xff
            self.file('bad.vmt', bytes(wrong))
            self.assertIn(self.run_it('replay', 'bad.vmt').returncode, (0, 1), at)

    def test_names_that_cannot_be_read_or_written(self):
        self.refuses(1, "cannot open 'missing'", 'trace', 'info', 'missing')
        self.refuses(1, 'Is a directory', 'replay', self.folder)
        self.refuses(1, "cannot create 'no/where'", 'trace', 'pack', 'good.vmt', '-o', 'no/where')
        self.refuses(1, "cannot open 'missing'", 'bench', '--trace', 'missing')
        self.refuses(1, 'No space left on device', 'trace', 'print', 'good.vmt', '-o', '/dev/full')
        self.refuses(1, f"cannot create '{self.folder}': Is a directory", 'trace', 'pack', 'good.vmt', '-o',
                     self.folder)

    def test_metadata_must_describe_a_machine(self):
        text = self.succeeds('trace', 'print', 'good.vmt').decode()
        rows = [
            ('meta memory=67108864', 'meta memory=1', 'numa.nodes[0].mem.mem_size: 0x1 is no multiple'),
            ('meta memory=67108864', 'meta memory=-1', "memory='-1': not a number"),
            ('meta vps=1', 'meta vps=0', "vps='0': not a number"),
            ('meta vps=1', 'meta vps=3000', "vps='3000': not a number"),
            ('meta firmware-size=131072', 'meta firmware-size=99999999', "firmware-size='99999999'"),
            ('meta rtc-epoch=1704067200\n', '', "its metadata has no 'rtc-epoch'"),
            ('meta machine=small-pc', 'meta machine=mainframe', "its machine is a 'mainframe'"),
            ('meta machine=small-pc\n', '', 'its metadata names no machine'),
        ]
        for old, new, piece in rows:
            self.assertIn(old, text)
            self.file('bad.vmtx', text.replace(old, new).encode())
            with self.subTest(new=new):
                self.refuses(1, piece, 'replay', 'bad.vmtx')

    def test_text_and_binary_are_the_same(self):
        self.succeeds('trace', 'print', 'good.vmt', '-o', 'good.vmtx')
        self.succeeds('trace', 'pack', 'good.vmtx', '-o', 'again.vmt')
        self.assertEqual(self.file_bytes('again.vmt'), self.boot)
        self.succeeds('trace', 'diff', 'good.vmtx', 'again.vmt')
        self.succeeds('trace', 'pack', '--codec', 'none', 'good.vmt', '-o', 'plain.vmt')
        self.assertGreater(os.path.getsize(self.path('plain.vmt')), len(self.boot))
        self.succeeds('replay', 'plain.vmt')

    def file_bytes(self, name):
        with open(self.path(name), 'rb') as file:
            return file.read()

    def test_difference_is_status_1(self):
        text = self.succeeds('trace', 'print', 'good.vmt').decode()
        self.file('other.vmtx', text.replace('port=0x402 size=1 value=0x53', 'port=0x402 size=1 value=0x54', 1).encode())
        done = self.run_it('trace', 'diff', 'good.vmt', 'other.vmtx')
        self.assertEqual((done.returncode, done.stderr), (1, b''))
        self.assertIn(b'value=0x54', done.stdout)

    def test_cut_is_shorter_and_whole(self):
        self.succeeds('trace', 'cut', '--exits', '100', 'good.vmt', '-o', 'short.vmt')
        done = self.run_it('replay', 'short.vmt')
        self.assertEqual((done.returncode, done.stderr), (0, b'vmrig replay: 100 exits, 0 divergences\n'))

    def test_pipes_work_in_both_directions(self):
        words = f'{command.VMRIG} trace print - < good.vmt | {command.VMRIG} trace pack - | cmp - good.vmt'
        self.assertEqual(subprocess.run(['sh', '-c', words], cwd=self.folder, check=False).returncode, 0)
        words = f'{command.VMRIG} trace cut --inputs-only good.vmt -o /dev/stdout | {command.VMRIG} replay -'
        self.assertEqual(subprocess.run(['sh', '-c', words], cwd=self.folder, stderr=subprocess.DEVNULL,
                                        check=False).returncode, 0)

    def test_outputs_are_whole_or_absent(self):
        self.file('bad.vmt', b'no trace')
        self.file('kept', b'as before')
        os.symlink('kept', self.path('link'))
        self.refuses(1, "'bad.vmt'", 'trace', 'pack', 'bad.vmt', '-o', 'link')
        self.assertEqual(self.file_bytes('kept'), b'as before')
        os.chmod(self.path('kept'), 0o640)
        self.succeeds('trace', 'pack', 'good.vmt', '-o', 'link')
        self.assertEqual(self.file_bytes('kept'), self.boot)
        self.assertTrue(os.path.islink(self.path('link')))
        self.assertEqual(os.stat(self.path('kept')).st_mode & 0o777, 0o640)
        self.assertEqual(sorted(os.listdir(self.folder)), ['bad.vmt', 'good.vmt', 'kept', 'link'])

    def test_a_closed_stdout_is_a_failed_write(self):
        for words in (['trace', 'print', 'good.vmt'], ['replay', 'good.vmt', '--console'], ['probe'],
                      ['probe', '--json'], ['version']):
            reader, writer = os.pipe()
            os.close(reader)
            with self.subTest(words=words), os.fdopen(writer, 'wb') as stdout:
                self.refuses(1, 'Broken pipe', *words, stdout=stdout)


class Answers(Command):
    """What the smaller commands print."""

    def test_version(self):
        self.assertRegex(self.succeeds('version').decode(), r'\Avmrig \d+\.\d+\.\d+\n')

    def test_probe_is_json(self):
        answer = json.loads(self.succeeds('probe', '--json'))
        names = [row['name'] for row in answer['hypervisors']]
        self.assertEqual(names, ['mshv', 'kvm', 'whp', 'hvf', 'mock'])
        for row in answer['hypervisors']:
            self.assertEqual(row['available'], row['status'] == 'ok')
            self.assertEqual('reason' in row, not row['available'])
            self.assertEqual('KVM_CAP_HYPERV_SYNIC2' in row['facts'], row['name'] == 'kvm' and row['available'])
        self.assertTrue(answer['hypervisors'][-1]['available'])
        self.assertNotEqual(answer['chosen'], 'mock')
        text = self.succeeds('probe').decode()
        for name in names:
            self.assertIn(f'\n{name} ', '\n' + text)

    def test_certify_lists_and_explains(self):
        self.assertIn(b'\n', self.succeeds('certify', '--list'))
        self.assertIn(b'RUN-1', self.succeeds('certify', '--explain', 'RUN-1'))
        done = self.run_it('certify', '--explain', 'NONE-99')
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(done.stdout, b'')

    def test_certify_refuses_before_it_runs(self):
        rows = [(['--hypervisor', 'bochs'], 2), (['--hypervisor', 'mock:speed=9'], 2),
                (['--hypervisor', 'mock', '--hypervisor', 'mock'], 2),
                (['--filter', 'no-such-scenario'], 2), (['--report', '/dev/null/x', '--hypervisor', 'mock'], 1)]
        for words, status in rows:
            with self.subTest(words=words):
                done = self.run_it('certify', *words)
                self.assertEqual((done.returncode, done.stdout), (status, b''), done.stderr)
                self.assertRegex(done.stderr.decode(), r'\Avmrig certify: [^\n]*\n\Z')

    def test_certify_json_is_json(self):
        done = self.run_it('certify', '--json', '--hypervisor', 'mock', '--filter', 'io/*')
        answer = json.loads(done.stdout)
        self.assertGreater(len(answer['results']), 0)
        self.assertEqual(done.returncode, int(any(row['verdict'] == 'fail' for row in answer['results'])))
        for row in answer['results']:
            self.assertLessEqual({'backend', 'family', 'scenario', 'verdict', 'reason', 'clauses'}, set(row))


class Run(Command):
    """Guests on real KVM: how a run ends, and what its recording is worth then."""

    def setUp(self):
        super().setUp()
        problem = command.kvm_problem()
        if problem:
            self.skipTest(problem)

    def test_until_ends_the_run_and_the_recording_replays(self):
        run = ('run', '--firmware', SEABIOS, '--timeout', '60', '--record', 'r.vmt', '--until', 'Found 1 cpu(s)')
        live = self.succeeds(*run)
        self.assertTrue(live.endswith(b'Found 1 cpu(s)'), live)
        self.assertEqual(self.succeeds('replay', 'r.vmt', '--console'), live)

    def test_timeout_is_a_failure_with_a_valid_recording(self):
        done = self.run_it('run', '--firmware', SEABIOS, '--timeout', '1', '--record', 'r.vmt', '--until', 'Windows')
        self.assertEqual((done.returncode, done.stderr), (1, b'vmrig run: timed out after 1 s\n'))
        self.assertEqual(self.succeeds('replay', 'r.vmt', '--console'), done.stdout)

    def test_signals_stop_cleanly(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number=number):
                words = [command.VMRIG, 'run', '--firmware', SEABIOS, '--record', 'r.vmt']
                # Unbuffered, because communicate does not know what a buffer holds.
                with subprocess.Popen(words, cwd=self.folder, bufsize=0, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE) as child:
                    shown = child.stdout.readline()
                    child.send_signal(number)
                    rest, said = child.communicate(timeout=command.TIMEOUT_S)
                self.assertEqual((child.returncode, said), (1, b'vmrig run: interrupted\n'))
                self.assertEqual(self.succeeds('replay', 'r.vmt', '--console'), shown + rest)

    def test_a_signal_that_arrives_twice_stops_cleanly(self):
        # timeout(1) signals its child, and then the process group that the child is in.
        words = [command.VMRIG, 'run', '--firmware', SEABIOS, '--record', 'r.vmt']
        for _ in range(5):
            with subprocess.Popen(words, cwd=self.folder, bufsize=0, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE) as child:
                child.stdout.readline()
                child.send_signal(signal.SIGINT)
                time.sleep(0.001)
                child.send_signal(signal.SIGINT)
                _, said = child.communicate(timeout=command.TIMEOUT_S)
            self.assertEqual((child.returncode, said), (1, b'vmrig run: interrupted\n'))
            self.succeeds('replay', 'r.vmt')

    def test_a_killed_run_leaves_what_was_recorded(self):
        words = [command.VMRIG, 'run', '--firmware', SEABIOS, '--record', 'r.vmt']
        with subprocess.Popen(words, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
            child.stdout.readline()
            begun = os.path.getsize(self.path('r.vmt'))
            deadline = time.monotonic() + command.TIMEOUT_S
            while os.path.getsize(self.path('r.vmt')) == begun and time.monotonic() < deadline:
                time.sleep(0.05)
            child.kill()
        self.refuses(1, 'cut short', 'replay', 'r.vmt')

    def test_a_reader_that_goes_away_ends_the_run(self):
        reader, writer = os.pipe()
        os.close(reader)
        with os.fdopen(writer, 'wb') as stdout:
            self.refuses(1, 'cannot write to stdout: Broken pipe', 'run', '--firmware', SEABIOS, '--record', 'r.vmt',
                         '--timeout', '60', stdout=stdout)
        self.succeeds('replay', 'r.vmt')

    def test_what_kvm_cannot_do_is_refused(self):
        rows = [
            (['--memory', '1048576T'], 'CFG-NUMA-MEMORY-WIDTH'),
            (['--memory', '100T'], 'memory'),
            (['--memory', '400T'], 'CFG-HOST-ADDRESS-BITS'),
            (['--record', 'r.vmt', '--hypervisor', 'kvm:irqchip=kernel'], 'irqchip=kernel'),
            (['--record', 'no/where'], "cannot create 'no/where'"),
            (['--record', '/dev/full'], 'No space left on device'),
            (['--record', self.folder], 'Is a directory'),
        ]
        for words, piece in rows:
            with self.subTest(words=words):
                self.refuses(1, piece, 'run', '--firmware', SEABIOS, '--timeout', '60', *words)
        self.assertEqual(os.listdir(self.folder), [])

    def test_a_refused_run_destroys_no_recording(self):
        self.file('r.vmt', b'precious')
        self.refuses(1, 'irqchip=kernel', 'run', '--firmware', SEABIOS, '--record', 'r.vmt', '--hypervisor',
                     'kvm:irqchip=kernel')
        with open(self.path('r.vmt'), 'rb') as file:
            self.assertEqual(file.read(), b'precious')

    def test_stdin_is_the_serial_port(self):
        """More than the port has room for; the guest ends behind a line, and what comes in later harms nothing."""
        self.file('firmware', firmware_of(ECHO))
        text = bytes(byte for byte in range(256) if byte != ord('\n')) * 40 + b'\n'
        for name, given in (('a pipe', {'input': text}), ('a pipe that goes on', {'input': text + MIB * b'x'}),
                            ('a file', {'stdin': self.open_file('text', text)})):
            with self.subTest(name=name):
                stdin = {} if 'stdin' in given else {'stdin': None}
                self.assertEqual(self.succeeds('run', '--firmware', 'firmware', '--timeout', '60', '--record', 'r.vmt',
                                               **{**stdin, **given}), text)
                self.assertEqual(self.succeeds('replay', 'r.vmt', '--console'), text)
                self.assertIn(b' vm input stream=0 ', self.succeeds('trace', 'print', 'r.vmt'))

    def open_file(self, name, content):
        file = open(self.file(name, content), 'rb')  # pylint: disable=consider-using-with
        self.addCleanup(file.close)
        return file

    def test_a_reset_ends_the_run_or_begins_it_again(self):
        self.file('firmware', firmware_of(RESTART))
        run = ('run', '--firmware', 'firmware', '--timeout', '60')
        for hypervisor in ('kvm', 'kvm:irqchip=split', 'kvm:irqchip=kernel'):
            with self.subTest(hypervisor=hypervisor):
                done = self.run_it(*run, '--hypervisor', hypervisor)
                self.assertEqual((done.returncode, done.stdout), (0, b'1'), done.stderr)
                self.assertIn(b'the guest ended by reset', done.stderr)
                done = self.run_it(*run, '--hypervisor', hypervisor, '--on-reset', 'restart')
                self.assertEqual((done.returncode, done.stdout), (0, b'123'), done.stderr)
                self.assertIn(b'powered off', done.stderr)

    def test_a_terminal_gives_lines(self):
        self.file('firmware', firmware_of(ECHO))
        ours, theirs = pty.openpty()
        words = [command.VMRIG, 'run', '--firmware', 'firmware', '--timeout', '60']
        with os.fdopen(ours, 'wb', buffering=0) as keyboard, os.fdopen(theirs, 'rb') as stdin:
            with subprocess.Popen(words, cwd=self.folder, stdin=stdin, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE) as child:
                keyboard.write(b'hellp\x7fo\x04 there\n')  # a slip; ^D sends what stands so far
                shown, said = child.communicate(timeout=command.TIMEOUT_S)
        self.assertEqual((child.returncode, shown), (0, b'hello there\n'), said)

    def test_stdin_that_cannot_be_read(self):
        """Closed, ended, a folder, or full of what nobody wants: the guest runs, and its recording replays."""
        self.file('none')
        for redirection, said in (('<&-', b''), ('<none', b''), ('</dev/zero', b''),
                                  ('<.', b'vmrig run: warning: cannot read stdin: Is a directory\n')):
            with self.subTest(redirection=redirection):
                done = self.run_it('run', '--firmware', SEABIOS, '--timeout', '60', '--record', 'r.vmt', '--until',
                                   'Found 1 cpu(s)', prefix=('sh', '-c', f'exec "$@" {redirection}', 'sh'))
                self.assertEqual((done.returncode, done.stderr), (0, said))
                self.assertEqual(self.succeeds('replay', 'r.vmt', '--console'), done.stdout)

    def test_what_finds_no_room_does_not_fill_the_recording(self):
        self.file('firmware', firmware_of(bytes.fromhex('eb fe')))
        run = ('run', '--firmware', 'firmware', '--record', 'r.vmt', '--timeout')
        with open('/dev/zero', 'rb') as stdin:
            self.refuses(1, 'timed out', *run, '1', stdin=stdin)
        offers = re.findall(rb' vm input stream=0 bytes=(\w*)', self.succeeds('trace', 'print', 'r.vmt'))
        self.assertGreater(len(offers), 20)
        self.assertLess(sum(len(offer) // 2 for offer in offers), 3 * 4096)
        self.succeeds('replay', 'r.vmt')

    def test_how_the_guest_ends_is_the_status(self):
        """Sixteen-bit code at the reset vector: what it does, what the command says, the status."""
        rows = [
            ('reset', bytes.fromhex('b0 06 ba f9 0c ee f4'), 0, b'the guest ended by reset'),
            ('power off', bytes.fromhex('b0 31 e6 f4 f4'), 0, b'the guest powered off, exit value 0x31'),
        ]
        for name, code, status, said in rows:
            self.file('firmware', firmware_of(code))
            with self.subTest(name=name):
                done = self.run_it('run', '--firmware', 'firmware', '--timeout', '60', '--record', 'r.vmt')
                self.assertEqual((done.returncode, done.stderr), (status, b'vmrig run: ' + said + b'\n'))
                self.succeeds('replay', 'r.vmt')
                done = self.run_it('run', '--firmware', 'firmware', '--timeout', '60', '--until', 'more')
                self.assertEqual(done.returncode, 1)
                self.assertIn(b"did not print 'more'", done.stderr)


class Bench(Command):
    """The program beside the command that `vmrig bench` measures a KVM exit with."""

    def prepared(self, *arguments):
        program = command.beside('vmrig-bench-prepared')
        if not os.path.exists(program):
            self.skipTest('this build has no KVM backend')
        return subprocess.run([program, *arguments], timeout=command.TIMEOUT_S, capture_output=True, check=False)

    def test_each_turn_is_two_times(self):
        done = self.prepared('3', '50')
        self.assertEqual((done.returncode, done.stderr), (0, b''))
        turns = [[float(word) for word in line.split()] for line in done.stdout.decode().splitlines()]
        self.assertEqual([len(turn) for turn in turns], [2, 2, 2])
        self.assertTrue(all(ns > 0 for turn in turns for ns in turn), turns)

    def test_wrong_words(self):
        for words in [(), ('3',), ('0', '50'), ('3', 'many'), ('3', '50', '7')]:
            done = self.prepared(*words)
            self.assertEqual((done.returncode, done.stdout), (2, b''), words)
            self.assertIn(b'usage: vmrig-bench-prepared TURNS EXITS', done.stderr)


if __name__ == '__main__':
    command.main()
