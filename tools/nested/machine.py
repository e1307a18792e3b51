# SPDX-License-Identifier: MIT
"""A machine in QEMU's software emulator, whose Linux has a KVM with everything: it runs one script and powers off.

The script's output comes over the second serial port as it is written. After it, behind a byte of 0, comes an
archive of what the script left. The first serial port is the console, kept in a file for when something went wrong.
"""

import os
import pathlib
import selectors
import signal
import subprocess
import sys
import tempfile
import time

import archive
import pieces
from problem import Problem, need_tool

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
QEMU = 'qemu-system-x86_64'
OPTIONS = [
    # No PIT: against it, on a busy machine, Linux mistakes the speed of the TSC, and so of all its time.
    '-M', 'q35,pit=off',
    # One processor: with two, the emulator now and then loses the interrupt by which one wakes the other, or its guests
    # take one twice. The VPs' threads take turns on it, in the middle of whatever they do.
    '-accel', 'tcg', '-smp', '1', '-m', '512',
    '-cpu', 'max,+svm,-la57',
    '-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot',
]
# tsc=reliable: else Linux takes another clock, and KVM then has no Hyper-V reference TSC page. panic=-1: end at once.
KERNEL_ARGUMENTS = 'console=ttyS0 quiet panic=-1 tsc=reliable mitigations=off nokaslr audit=0'

INIT = f'''#!/bin/busybox sh
b=/bin/busybox
$b mount -t devtmpfs none /dev && $b mount -t proc none /proc && $b mount -t sysfs none /sys
exec </dev/console >/dev/console 2>&1
for module in {' '.join(pieces.MODULES)}; do $b insmod /modules/$module.ko; done
exec 3>/dev/ttyS1
$b stty -F /dev/ttyS1 raw
cd /job
$b cut -d ' ' -f 1 /proc/uptime >left/booted
./command >&3 2>&1
echo $? >left/status
$b cut -d ' ' -f 1 /proc/uptime >left/done
$b printf '\\000' >&3
$b tar -c -f - left | $b gzip >&3
exec 3>&-
$b poweroff -f
'''


def boot_image(parts, program, script):
    """The whole file system of the machine. The script runs in /job; what it leaves in /job/left comes back."""
    files = {
        'init': INIT.encode(),
        'bin/busybox': (parts / 'busybox').read_bytes(),
        'bin/program': pathlib.Path(program).read_bytes(),
        'job/command': f'#!/bin/busybox sh\n{script}\n'.encode(),
    }
    files.update({f'modules/{name}.ko': (parts / f'{name}.ko').read_bytes() for name in pieces.MODULES})
    return archive.initramfs(files, ['dev', 'proc', 'sys', 'tmp', 'job/left'])


def relay(process, deadline, timeout):
    """Prints what comes before the byte of 0, as it comes, and gives what comes after it."""
    archived, is_output = [], True
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            if not selector.select(max(0, deadline - time.monotonic())):
                raise Problem(f'the emulated machine was not done after {timeout} s and was stopped; '
                              '--timeout SECONDS gives it longer')
            piece = os.read(process.stdout.fileno(), 1 << 16)
            if not piece:
                return b''.join(archived)
            if is_output:
                output, zero, piece = piece.partition(b'\0')
                is_output = not zero
                sys.stdout.buffer.write(output)
                sys.stdout.flush()
            archived.append(piece)


def console_end(console):
    """The last lines, for an error message."""
    try:
        return '\n'.join(console.read_text(errors='replace').splitlines()[-8:])
    except OSError:
        return ''


def emulate(command, console, timeout):
    """Runs the emulator to its end and gives the archive; however this function ends, the emulator has ended."""
    deadline = time.monotonic() + timeout
    console.unlink(missing_ok=True)
    # A signal that came in the middle of this call would leave an emulator behind that nobody knows.
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)) as process:
        try:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
            archived = relay(process, deadline, timeout)
            status = process.wait(max(1, deadline - time.monotonic()))
        finally:
            process.kill()
    if status != 0 or not archived:
        raise Problem(f'the emulated machine ended without a result (exit status {status} of {QEMU}); '
                      f'its console, {console}, ends:\n{console_end(console)}')
    return archived


def run(folder, program, script, timeout):
    """Runs a shell script about /bin/program, a static one, with a KVM of its own.

    Gives the files it put into the folder `left`, by name, and three more: `status`, its exit status; `booted` and
    `done`, when it began and ended, in seconds from the start of the machine."""
    need_tool(QEMU, 'qemu-system-x86')
    parts = pieces.fetch(folder)
    console = pathlib.Path(folder) / 'console.log'
    with tempfile.NamedTemporaryFile(dir=folder, suffix='.cpio') as image:
        image.write(boot_image(parts, program, script))
        image.flush()
        archived = emulate([QEMU, *OPTIONS, '-serial', f'file:{console}', '-serial', 'stdio',
                            '-kernel', str(parts / 'vmlinuz'), '-initrd', image.name,
                            '-append', KERNEL_ARGUMENTS], console, timeout)
    files = archive.files_of(archived)
    if not {'status', 'booted', 'done'} <= set(files):
        raise Problem('the emulated machine gave back no exit status')
    return files
