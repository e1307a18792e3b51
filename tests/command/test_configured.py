# SPDX-License-Identifier: MIT
"""Machines of configuration files: built, recorded, replayed, saved, refused; the running ones on real KVM.

usage: test_configured.py VMRIG CORPORA CLASS
"""

import json
import os
import re
import shutil

import command
from command import Command, SEABIOS

AT, END = 'Booting from', 'No bootable device'
BOARD = {
    'chipset': {'generic_pic': True, 'generic_ioapic': True, 'generic_pit': True, 'generic_cmos_rtc': True,
                'generic_pci_bus': True},
    'chipset_devices': [{'name': name, 'resource': {'id': name}} for name in ('serial', 'debug-console', 'i8042',
                                                                            'fw-cfg')],
}
KVM = ('--hypervisor', 'kvm', '--timeout', '90')


def machine(firmware, **more):
    return {'load_mode': {'firmware': {'image': firmware}},
            'numa': {'nodes': [{'mem': {'mem_size': '64MiB', 'private_memory': True}}]},
            'processor_topology': {'proc_count': 2}, **more}


class Configured(Command):
    """What is not there is refused before anything runs, in the words of the configuration."""

    def config(self, name, value):
        text = value if isinstance(value, str) else json.dumps(value)
        return self.file(name, text.encode())

    def test_options_do_not_say_again_what_the_file_says(self):
        self.config('pc.json', machine('none.bin'))
        for option in (('--firmware', 'x'), ('--memory', '64M'), ('--vps', '2'), ('--on-reset', 'restart')):
            with self.subTest(option=option):
                self.refuses(2, f'{option[0]}: CONFIG says that', 'run', 'pc.json', *option)
        self.refuses(2, "a CONFIG or option '--firmware FILE' is needed", 'run')

    def test_what_is_wrong_with_a_file_is_said_with_its_place(self):
        self.config('broken.json', '{"numa": {"nodes": [{"mem": {"mem_size": 5}}]},\n "proc_count": 2}')
        done = self.run_it('run', 'broken.json')
        self.assertEqual(done.returncode, 1)
        self.assertIn(b'broken.json:1:', done.stderr)
        self.assertIn(b'numa.nodes[0].mem.mem_size', done.stderr)
        self.assertIn(b'broken.json:2:', done.stderr)
        self.refuses(1, 'no-such-file.json', 'run', 'no-such-file.json')

    def test_what_cannot_be_saved_while_it_is_recorded_is_refused_before_it_runs(self):
        places = ('--record', 'r.vmt', '--snapshot-at', '5', '--snapshot', 's.vms')
        self.config('two.json', machine('none.bin'))
        self.refuses(2, 'one processor', 'run', 'two.json', *places)
        self.config('hv.json', machine('none.bin', processor_topology={'proc_count': 1}, hypervisor={'with_hv': True}))
        self.refuses(2, 'without the Hyper-V interface', 'run', 'hv.json', *places)
        self.assertFalse(os.path.exists(self.path('r.vmt')))

    def test_a_machine_that_restarts_is_not_recorded(self):
        self.config('again.json', machine('none.bin', automatic_guest_reset=True))
        self.refuses(2, 'automatic_guest_reset cannot be recorded', 'run', 'again.json', '--record', 'r.vmt')
        self.refuses(2, 'automatic_guest_reset goes not with --gdb', 'run', 'again.json', '--gdb', '0')


class Running(Configured):
    """On KVM, with SeaBIOS beside the configuration."""

    def setUp(self):
        super().setUp()
        problem = command.kvm_problem()
        if problem:
            self.skipTest(problem)
        os.mkdir(self.path('folder'))
        shutil.copy(SEABIOS, self.path('folder/firmware.bin'))

    def test_firmware_lies_beside_the_file_and_a_recording_tells_of_neither(self):
        self.config('folder/pc.json', machine('firmware.bin', **BOARD, rtc_delta_milliseconds=-1500))
        live = self.succeeds('run', 'folder/pc.json', *KVM, '--record', 'boot.vmt', '--until', END)
        self.assertTrue(live.endswith(END.encode()), live)
        done = self.run_it('replay', 'boot.vmt', '--console')
        self.assertEqual((done.returncode, done.stdout), (0, live), done.stderr)
        self.assertIn(b' 0 divergences', done.stderr)
        text = self.succeeds('trace', 'print', 'boot.vmt')
        self.assertNotIn(b'folder', text)
        self.assertNotIn(b'firmware.bin', text)
        self.assertIn(b'meta machine=configured', text)

    def test_a_machine_with_the_hyper_v_interface_is_played(self):
        self.config('folder/hv.json', machine('firmware.bin', hypervisor={'with_hv': True}))
        self.succeeds('run', 'folder/hv.json', *KVM, '--record', 'boot.vmt', '--until', END)
        self.succeeds('replay', 'boot.vmt')
        text = self.succeeds('trace', 'print', 'boot.vmt').decode()
        self.file('odd.vmtx', re.sub(r'meta tsc-hz=.*\n', '', text, count=1).encode())
        self.refuses(1, "its metadata has no 'tsc-hz'", 'replay', 'odd.vmtx')

    def test_a_snapshot_brings_its_configuration_along(self):
        self.config('folder/pc.json', machine('firmware.bin', **BOARD))
        live = self.succeeds('run', 'folder/pc.json', *KVM, '--snapshot-at', AT, '--snapshot', 'full', '--until', END)
        shutil.rmtree(self.path('folder'))
        rest = self.succeeds('restore', 'full', *KVM, '--until', END)
        self.assertEqual(live[live.index(AT.encode()) + len(AT):], rest)

    def test_all_that_is_not_there_is_refused_in_one_go(self):
        self.config('folder/much.json', machine(
            'nowhere.bin', pcie_root_complexes=[{'name': 'rc0', 'end_bus': 3}], hypervisor={'with_hv': True},
            vmbus={}, virtio_devices=[{'resource': {'id': 'virtio-blk'}}]))
        self.refuses(1, 'nowhere.bin', 'run', 'folder/much.json', *KVM)
        shutil.copy(SEABIOS, self.path('folder/nowhere.bin'))
        done = self.run_it('run', 'folder/much.json', *KVM)
        self.assertEqual(done.returncode, 1)
        for piece in (b'pcie_root_complexes: ', b'vmbus: ', b'virtio_devices[0].resource: ', b'[CFG-BUILD-DEVICE]',
                      b'[CFG-BUILD-RESOURCE]'):
            self.assertIn(piece, done.stderr)

    def test_memory_that_the_host_lacks_is_refused_by_name(self):
        node = {'mem': {'mem_size': '64MiB', 'private_memory': True, 'host_numa_node': 1000}}
        self.config('folder/far.json', machine('firmware.bin', numa={'nodes': [node]}))
        self.refuses(1, 'this host has no such NUMA node', 'run', 'folder/far.json', *KVM)

    def test_a_damaged_configuration_in_a_recording_is_refused(self):
        self.config('folder/pc.json', machine('firmware.bin'))
        self.succeeds('run', 'folder/pc.json', *KVM, '--record', 'boot.vmt', '--until', END)
        text = self.succeeds('trace', 'print', 'boot.vmt').decode()
        rows = [('meta config-0=', 'meta config-1=', "its metadata has no 'config-0'"),
                ('"proc_count": 2', '"proc_count": 9999', 'its configuration: processor_topology.proc_count'),
                ('meta machine=configured', 'meta machine=mainframe', "its machine is a 'mainframe'")]
        for old, new, piece in rows:
            with self.subTest(old=old):
                self.assertIn(old, text)
                self.file('odd.vmtx', text.replace(old, new, 1).encode())
                self.refuses(1, piece, 'replay', 'odd.vmtx')


if __name__ == '__main__':
    command.main()
