# SPDX-License-Identifier: MIT
"""The command under GDB: the real one, and one that is made up of bytes.

usage: test_gdb.py VMRIG CORPORA CLASS
"""

import os
import random
import re
import shutil
import signal
import socket
import subprocess
import threading

import command
from command import Command

FIRMWARE, ELF, MOCK = (os.environ[name] for name in ('GDB_FIRMWARE', 'GDB_ELF', 'GDB_MOCK'))
EXIT_VALUE = 0x2a
PATIENCE_S = 60
ENDLESS = bytes(0xfff0) + bytes.fromhex('eb fe') + bytes(14)  # a jump to itself


class Packets:
    """A GDB that is no more than its packets."""

    def __init__(self, port):
        self.socket = socket.create_connection(('127.0.0.1', port), timeout=PATIENCE_S)
        self.got = b''

    def close(self):
        self.socket.close()

    def send(self, payload):
        self.socket.sendall(b'$%s#%02x' % (payload, sum(payload) % 256))

    def receive(self):
        """The payload of the next packet."""
        while not (match := re.search(rb'\$([^#]*)#..', self.got, re.DOTALL)):
            piece = self.socket.recv(4096)
            if not piece:
                raise EOFError
            self.got += piece
        self.got = self.got[match.end():]
        return match.group(1)

    def ask(self, payload):
        self.send(payload)
        return self.receive()


class UnderGdb(Command):
    """What has a guest that waits for GDB."""

    def begin(self, *words, firmware=FIRMWARE):
        """Starts the command: the process, and the port it listens at."""
        words = [command.VMRIG, 'run', '--firmware', firmware, '--gdb', '0', *words]
        child = subprocess.Popen(words, cwd=self.folder, stdin=subprocess.DEVNULL,  # pylint: disable=consider-using-with
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(self.end, child)
        line = child.stderr.readline().decode()
        match = re.fullmatch(r'vmrig run: waiting for GDB: target remote :(\d+)\n', line)
        self.assertTrue(match, line)
        return child, int(match.group(1))

    @staticmethod
    def end(child):
        child.kill()
        child.communicate()

    def ends(self, child, status, said):
        """The command's end: its status, and what it said on stderr."""
        _, stderr = child.communicate(timeout=command.TIMEOUT_S)
        self.assertEqual((child.returncode, stderr.decode()), (status, said))

    def gdb(self, port, *commands, file=None):
        """A session of the real GDB: what it printed."""
        words = ['gdb', '--batch', '-nx', *([file] if file else []), '-ex', 'set confirm off', '-ex',
                 f'target remote 127.0.0.1:{port}']
        for text in commands:
            words += ['-ex', text]
        done = subprocess.run(words, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=command.TIMEOUT_S, check=False)
        return done.stdout.decode(errors='replace')

    def shows(self, text, *pieces):
        """The pieces, regular expressions, in this order."""
        at = 0
        for piece in pieces:
            match = re.compile(piece, re.MULTILINE).search(text, at)
            self.assertTrue(match, f'no {piece!r} from {text[at:]!r} on, in:\n{text}')
            at = match.end()


def gdb_problem():
    return None if shutil.which('gdb') else 'there is no gdb: install gdb'


class Kvm(UnderGdb):
    """The real GDB, and a guest on KVM."""

    def setUp(self):
        super().setUp()
        problem = command.kvm_problem() or gdb_problem()
        if problem:
            self.skipTest(problem)

    def test_from_the_first_instruction_to_the_last(self):
        child, port = self.begin('--vps', '2')
        text = self.gdb(port, 'p/x $pc', 'p/x $cs', 'p/x $cr0', 'x/5xb 0xffff0', 'info threads', 'hbreak long_mode',
                        'continue', 'p/x $efer', 'p/x $cr3', 'p $st0', 'stepi', 'p $pc', 'break work', 'continue',
                        'bt', 'x/i $pc', 'stepi', 'p $rcx', 'p *(int *)&counter', 'p *(int *)&counter = 40', 'p $rcx = 2',
                        'break again', 'continue', 'p *(int *)&counter', 'delete', 'continue', file=ELF)
        self.shows(text, r'= 0xfff0$', r'= 0xf000$', r'= 0x60000010$', r'0xea\s+0x00\s+0x00\s+0x00\s+0xf0',
                   r'^\* 1 .*\n  2 ', r'hit Breakpoint 1, .*long_mode', r'= 0x500$', r'= 0x1000$', '= <unavailable>',
                   r'= .*<long_mode\+5>', 'hit Breakpoint 2, .*work', r'#1 .* in long_mode', '=> .*mov .*0x3,%ecx',
                   r'= 3$', r'= 0$', r'= 40$', r'= 2$', 'hit Breakpoint 3, .*again', r'= 41$',
                   rf'exited with code 0{EXIT_VALUE:o}\]')
        self.ends(child, 0, f'vmrig run: the guest powered off, exit value {EXIT_VALUE:#x}\n')

    def test_a_watchpoint_stops_behind_the_write(self):
        probe = self.run_it('certify', '--hypervisor', 'kvm', '--filter', 'debug/a_data_breakpoint_stops_behind_its_write')
        if b'1 skipped' in probe.stdout:
            self.skipTest('breakpoints on data never fire on this KVM')
        child, port = self.begin()
        text = self.gdb(port, 'hbreak work', 'continue', 'watch *(int *)&counter', 'continue', 'p $rcx', 'delete',
                        'continue', file=ELF)
        self.shows(text, '^Breakpoint 1, ', '^Hardware watchpoint 2: ', 'Old value = 0', 'New value = 1', r'= 3$',
                   'exited with code')
        self.ends(child, 0, f'vmrig run: the guest powered off, exit value {EXIT_VALUE:#x}\n')

    def test_more_than_four_breakpoints_are_refused(self):
        child, port = self.begin()
        text = self.gdb(port, *[f'break *{0xf0000 + i}' for i in range(5)], 'continue', 'delete', 'continue', file=ELF)
        self.shows(text, 'Cannot insert breakpoint 5', 'exited with code')
        self.ends(child, 0, f'vmrig run: the guest powered off, exit value {EXIT_VALUE:#x}\n')

    def test_a_guest_that_gdb_leaves_runs_on(self):
        child, port = self.begin()
        self.shows(self.gdb(port, 'break work', 'continue', 'detach', file=ELF), '^Breakpoint 1, ', 'detached')
        self.ends(child, 0, f'vmrig run: the guest powered off, exit value {EXIT_VALUE:#x}\n')
        child, port = self.begin()
        self.shows(self.gdb(port, 'break work', 'continue', file=ELF), '^Breakpoint 1, ')  # and GDB ends
        self.ends(child, 0, f'vmrig run: the guest powered off, exit value {EXIT_VALUE:#x}\n')

    def test_a_guest_that_gdb_kills_is_gone(self):
        child, port = self.begin()
        self.shows(self.gdb(port, 'stepi', 'kill'), r'killed')
        self.ends(child, 1, 'vmrig run: killed by GDB\n')


class Mock(UnderGdb):
    """The real GDB, and a program on the mock, where breakpoints on data work everywhere."""

    def setUp(self):
        super().setUp()
        problem = gdb_problem()
        if problem:
            self.skipTest(problem)

    def test_steps_breakpoints_and_watchpoints(self):
        with subprocess.Popen([MOCK], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as child:
            port = int(child.stdout.readline())
            text = self.gdb(port, 'set architecture i386:x86-64', 'stepi', 'p/x $pc', 'info threads',
                            'hbreak *0x40000020', 'continue', 'p/x $pc', 'watch *(int *)0x100000', 'continue',
                            'p/x $pc', 'awatch *(int *)0x100008', 'continue', 'p/x $pc', 'rwatch *(int *)0x100008',
                            'p *(int *)0x100000 = 5', 'x/wx 0x100000', 'delete', 'continue')
            rest, _ = child.communicate(timeout=command.TIMEOUT_S)
        self.shows(text, r'= 0x40000010$', r'^\* 1 .*\n  2 ', 'hit Breakpoint 1', r'= 0x40000020$',
                   'hit Hardware watchpoint 2', 'Old value = 0', 'New value = 7', r'= 0x40000030$',
                   'hit Hardware access \\(read/write\\) watchpoint 3', 'Value = 0', r'= 0x40000050$', r'= 5$',
                   r'0x00000005$', rf'exited with code 0{EXIT_VALUE:o}\]')
        self.assertEqual(rest, b'halted\n')


class Server(UnderGdb):
    """The port, and whoever else finds it; on KVM, without a GDB."""

    def setUp(self):
        super().setUp()
        problem = command.kvm_problem()
        if problem:
            self.skipTest(problem)

    def test_a_port_that_is_taken_is_named(self):
        with socket.create_server(('127.0.0.1', 0)) as taken:
            port = taken.getsockname()[1]
            self.refuses(1, f'--gdb: cannot listen at port {port}: Address already in use', 'run', '--firmware',
                         FIRMWARE, '--gdb', str(port))

    def test_only_this_host_is_served(self):
        _, port = self.begin()
        with open('/proc/net/tcp', encoding='ascii') as table:
            listening = [line.split()[1] for line in table if line.split()[3] == '0A']
        self.assertIn(f'0100007F:{port:04X}', listening)
        self.assertNotIn(f'00000000:{port:04X}', listening)

    def test_ctrl_c_stops_and_a_lost_connection_waits_for_another(self):
        child, port = self.begin(firmware=self.file('firmware', ENDLESS))
        gdb = Packets(port)
        self.assertEqual(gdb.ask(b'P0=2a00000000000000'), b'OK')
        gdb.send(b'c')
        gdb.socket.sendall(b'\x03')
        self.assertEqual(gdb.receive(), b'T02thread:1;')
        gdb.send(b'vCont;c')
        gdb.close()
        other = Packets(port)
        self.assertEqual(other.ask(b'?'), b'T05thread:1;')
        self.assertEqual(other.ask(b'p0'), b'2a00000000000000')
        other.send(b'k')
        self.ends(child, 1, 'vmrig run: killed by GDB\n')
        other.close()

    def test_any_bytes_are_survived(self):
        child, port = self.begin()
        seed = random.Random(1)
        for _ in range(20):
            gdb = Packets(port)
            reader = threading.Thread(target=self.drain, args=(gdb.socket,))
            reader.start()
            for _ in range(20):
                gdb.socket.sendall(bytes(seed.choices(b'$#}*0123456789abcdef,;:mMXZzGgHpPqT\x03', k=5000)))
            gdb.socket.shutdown(socket.SHUT_WR)
            reader.join()
            gdb.close()
        gdb = Packets(port)
        self.assertEqual(gdb.ask(b'qAttached'), b'1')
        self.assertEqual(gdb.ask(b'D'), b'OK')
        gdb.close()
        self.end(child)

    @staticmethod
    def drain(connection):
        while connection.recv(65536):
            pass

    def test_a_run_that_waits_for_gdb_can_be_ended(self):
        child, _ = self.begin('--timeout', '1')
        self.ends(child, 1, 'vmrig run: timed out after 1 s\n')
        child, port = self.begin()
        child.send_signal(signal.SIGINT)
        self.ends(child, 1, 'vmrig run: interrupted\n')
        child, port = self.begin(firmware=self.file('firmware', ENDLESS))
        gdb = Packets(port)
        gdb.send(b'c')
        child.send_signal(signal.SIGTERM)
        self.ends(child, 1, 'vmrig run: interrupted\n')
        gdb.close()

    def test_a_text_that_is_waited_for_ends_a_guest_under_gdb(self):
        child, port = self.begin('--until', 'SeaBIOS (', firmware=command.SEABIOS)
        gdb = Packets(port)
        gdb.send(b'c')
        stdout, stderr = child.communicate(timeout=command.TIMEOUT_S)
        self.assertEqual((child.returncode, stderr), (0, b''))
        self.assertTrue(stdout.endswith(b'SeaBIOS ('), stdout)
        gdb.close()


if __name__ == '__main__':
    command.main()
