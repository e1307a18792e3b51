# SPDX-License-Identifier: MIT
"""What tests of the command share: running it, also where there is no /dev/kvm, and judging what it said."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

SKIP = 77
TIMEOUT_S = 120
SEABIOS = '/usr/share/seabios/bios-microvm.bin'
NOBODY = 65534

# The arguments of the program, before the name of the test class: the command, the golden recordings.
VMRIG, CORPORA = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])


def beside(name):
    """A program in the command's build folder."""
    return os.path.join(os.path.dirname(VMRIG), name)


def kvm_problem():
    """Why no guest can be run here; None if one can."""
    if not os.access('/dev/kvm', os.R_OK | os.W_OK):
        return 'there is no /dev/kvm that this user may open'
    if not os.path.exists(SEABIOS):
        return f'there is no {SEABIOS}: install seabios'
    return None


def hiding_problem():
    """Why /dev/kvm cannot be hidden from a child; None if it can."""
    if shutil.which('unshare') is None:
        return 'there is no unshare to hide /dev/kvm with'
    done = subprocess.run(['unshare', '-m', 'mount', '-t', 'tmpfs', 'none', '/mnt'], capture_output=True, check=False)
    return None if done.returncode == 0 else 'this user may not hide /dev/kvm'


class Command(unittest.TestCase):
    """Runs the command in an empty folder of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        os.chmod(self.folder, 0o755)

    def path(self, name):
        return os.path.join(self.folder, name)

    def file(self, name, content=b''):
        with open(self.path(name), 'wb') as file:
            file.write(content)
        return self.path(name)

    def golden(self, name):
        with open(os.path.join(CORPORA, name), 'rb') as file:
            return file.read()

    def run_it(self, *arguments, prefix=(), **options):
        return subprocess.run([*prefix, VMRIG, *arguments], cwd=self.folder, timeout=TIMEOUT_S, check=False,
                              **{'stdin': subprocess.DEVNULL, 'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE,
                                 **options})

    def refuses(self, status, piece, *arguments, **options):
        """One line on stderr that holds `piece`, nothing on stdout, the status."""
        done = self.run_it(*arguments, **options)
        said = done.stderr.decode()
        self.assertEqual(done.returncode, status, (arguments, said))
        self.assertRegex(said, r'\Avmrig[^\n]*: [^\n]*\n\Z', arguments)
        self.assertIn(piece, said, arguments)
        self.assertEqual(done.stdout or b'', b'', arguments)

    def succeeds(self, *arguments, **options):
        """Status 0; what it printed."""
        done = self.run_it(*arguments, **options)
        self.assertEqual(done.returncode, 0, (arguments, done.stderr))
        return done.stdout

    def without_kvm(self):
        """The words before a command that hide every device from it."""
        problem = hiding_problem()
        if problem:
            self.skipTest(problem)
        return ('unshare', '-m', 'sh', '-c', 'mount -t tmpfs none /dev && exec "$@"', 'sh')


def main():
    """Runs the class named last; skipped as a whole counts as skipped."""
    result = unittest.main(argv=[sys.argv[0], *sys.argv[3:]], exit=False).result
    for test, reason in result.skipped:
        print(f'SKIP {test}: {reason}', file=sys.stderr)
    if not result.wasSuccessful():
        sys.exit(1)
    sys.exit(SKIP if result.testsRun > 0 and len(result.skipped) == result.testsRun else 0)
