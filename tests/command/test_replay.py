# SPDX-License-Identifier: MIT
"""The golden boot replays: the same console each time, without a hypervisor, from inputs alone.

usage: test_replay.py VMRIG CORPORA CLASS
"""

import os

import command
from command import Command, CORPORA

BOOT = os.path.join(CORPORA, 'boot', 'seabios.vmt')
TWIN_EXITS = 2000


class Golden(Command):
    """corpora/boot: a recording of SeaBIOS on KVM, its console, the text of its beginning."""

    def setUp(self):
        super().setUp()
        self.console = self.golden('boot/seabios.txt')

    def test_the_console_is_the_recorded_one_each_time(self):
        printed = self.succeeds('replay', BOOT, '--console', '--repeat', '10')
        self.assertEqual(printed, self.console * 10)

    def test_no_hypervisor_is_needed(self):
        printed = self.succeeds('replay', BOOT, '--console', prefix=self.without_kvm())
        self.assertEqual(printed, self.console)

    def test_the_console_is_not_an_echo(self):
        self.succeeds('trace', 'cut', '--inputs-only', BOOT, '-o', 'inputs.vmt')
        self.assertNotIn(b'answer', self.succeeds('trace', 'print', 'inputs.vmt').split(b'\n', 5)[-1])
        self.assertEqual(self.succeeds('replay', 'inputs.vmt', '--console'), self.console)

    def test_the_text_twin_is_the_beginning(self):
        self.succeeds('trace', 'cut', '--exits', str(TWIN_EXITS), BOOT, '-o', 'begin.vmt')
        self.assertEqual(self.succeeds('trace', 'print', 'begin.vmt'), self.golden('boot/seabios-2000.vmtx'))
        done = self.run_it('replay', os.path.join(CORPORA, 'boot', 'seabios-2000.vmtx'))
        self.assertEqual((done.returncode, done.stderr), (0, b'vmrig replay: 2000 exits, 0 divergences\n'))

    def test_a_changed_reaction_is_a_divergence(self):
        text = self.golden('boot/seabios-2000.vmtx').decode()
        at = text.rindex('~ answer value=')
        end = text.index('\n', at)
        self.file('changed.vmtx', (text[:at] + '~ answer value=0x1234' + text[end:]).encode())
        self.refuses(1, "'changed.vmtx': diverged at exit", 'replay', 'changed.vmtx')


if __name__ == '__main__':
    command.main()
