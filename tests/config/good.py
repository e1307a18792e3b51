# SPDX-License-Identifier: MIT
"""Good configurations, from the smallest to the limits: what each step of the way must take.

usage: good.py FOLDER

Writes FOLDER/NAME.json for each. tests/config/good holds what it writes; test_good.py compares.
"""

import json
import os
import sys

WIDTH = 100
GUID = '{:08x}-{:04x}-{:04x}-8899-aabbccddeeff'


def node(size='1GiB', **more):
    return {'mem': {'mem_size': size}, **more}


def machine(*nodes, vps=1, **more):
    """A machine with these nodes, or one of a gigabyte."""
    cpus = {'processor_topology': {'proc_count': vps}} if vps != 1 else {}
    return {**cpus, 'numa': {'nodes': list(nodes) or [node()]}, **more}


def arm64(topology=None, vps=1, **more):
    processors = {'proc_count': vps, **({'arm64': topology} if topology is not None else {})}
    return {'arch': 'arm64', 'numa': {'nodes': [node()]}, 'processor_topology': processors, **more}


def device(kind, **parameters):
    return {'id': kind, **({'parameters': parameters} if parameters else {})}


def disk(path):
    return device('disk-file', path=path)


def root_complex(index, ports=(), **more):
    return {'index': index, 'name': f'rc{index}', 'segment': index, 'end_bus': 255,
            'ports': [{'name': port} for port in ports], **more}


def vtl2(**more):
    return {'with_hv': True, 'with_vtl2': more}


def igvm(**more):
    return {'load_mode': {'igvm': {'file': 'paravisor.igvm', **more}}}


def smallest():
    yield 'minimal', machine()
    yield 'minimal-arm64', arm64()
    yield 'memory-one-page', machine(node(4096))
    yield 'clock-ahead', machine(rtc_delta_milliseconds=3600000)
    yield 'clock-behind', machine(rtc_delta_milliseconds=-86400000)
    yield 'resets-by-itself', machine(automatic_guest_reset=True)


def load_modes():
    yield 'linux', machine(vps=2, load_mode={'linux': {'kernel': 'bzImage', 'initrd': 'initrd.img',
                                                       'cmdline': 'console=ttyS0', 'enable_serial': True}})
    yield 'linux-dsdt', machine(load_mode={'linux': {'kernel': 'bzImage', 'custom_dsdt': 'dsdt.aml'}})
    yield 'linux-arm64-acpi', arm64(vps=2, load_mode={'linux': {'kernel': 'Image'}})
    yield 'linux-arm64-device-tree', arm64({}, vps=4, load_mode={'linux': {'kernel': 'Image',
                                                                           'boot_mode': 'device_tree'}})
    yield 'uefi', machine(vps=2, load_mode={'uefi': {
        'firmware': 'uefi.fd', 'enable_debugging': True, 'enable_memory_protections': True,
        'disable_frontpage': True, 'enable_tpm': True, 'enable_battery': True, 'enable_serial': True,
        'enable_vpci_boot': True, 'default_boot_always_attempt': True, 'enable_vmbus': True, 'force_dma_bounce': True,
        'uefi_console_mode': 'com1', 'bios_guid': GUID.format(1, 2, 3)}}, hypervisor={'with_hv': True}, vmbus={},
        chipset={'hyperv_firmware_uefi': True, 'hyperv_power_management': True}, efi_diagnostics_log_level='full')
    yield 'uefi-arm64', arm64({'gic_config': {'version': 'v3'}}, load_mode={'uefi': {'firmware': 'uefi.fd'}})
    yield 'secure-boot', machine(
        load_mode={'uefi': {'firmware': 'uefi.fd'}}, hypervisor={'with_hv': True}, secure_boot_enabled=True,
        custom_uefi_vars={'signatures': {'pk': [{'x509': '3003020101'}], 'kek': [{'x509': '3003020102'}],
                                         'db': [{'x509': '3003020103'}, {'sha256': '5a' * 32}],
                                         'dbx': [{'sha256': 'a5' * 32}]},
                          'custom_vars': [{'name': 'Greeting', 'guid': GUID.format(9, 8, 7), 'attr': '0x7',
                                           'value': '68656c6c6f'}]},
        vmgs={'disk': disk('guest.vmgs')})
    yield 'pcat', machine(load_mode={'pcat': {'firmware': 'bios.bin',
                                              'boot_order': ['hard_drive', 'optical', 'network', 'floppy']}},
                          chipset={'hyperv_firmware_pcat': True})
    yield 'firmware', machine(load_mode={'firmware': {'image': 'bios-microvm.bin'}}, vps=2)
    yield 'igvm', machine(**igvm(cmdline='quiet', com_serial={'io_port': '0x3f8', 'irq': 4}))
    yield 'igvm-vtl2-file', machine(**igvm(), hypervisor=vtl2(late_map_vtl0_memory='halt'))
    yield 'igvm-vtl2-absolute', machine(**igvm(vtl2_base_address={'absolute': '0x10000000'}),
                                        hypervisor=vtl2(vtl0_alias_map=True))
    yield 'igvm-vtl2-layout', machine(**igvm(vtl2_base_address={'memory_layout': {'size': '64MiB'}}),
                                      hypervisor=vtl2(late_map_vtl0_memory='inject_exception'),
                                      layout={'vtl2_chipset_mmio_size': '2GiB'})
    yield 'igvm-vtl2-allocate', machine(**igvm(vtl2_base_address={'vtl2_allocate': {'size': '64MiB'}}),
                                        hypervisor=vtl2())
    yield 'vbs', machine(**igvm(), hypervisor={**vtl2(), 'with_isolation': 'vbs'})
    yield 'snp', machine(**igvm(), hypervisor={'with_isolation': 'snp'})


def processors():
    yield 'sockets-and-threads', machine(vps=16, processor_topology={
        'proc_count': 16, 'vps_per_socket': 4, 'enable_smt': True, 'x86': {'apic_id_offset': 8, 'x2apic': 'enabled'}})
    yield 'without-x2apic', machine(processor_topology={'proc_count': 255, 'x86': {'x2apic': 'unsupported'}})
    yield 'most-processors', machine(vps=1024)
    yield 'nested-virtualization', machine(hypervisor={'with_hv': True, 'nested_virt': True})
    yield 'gic-v2', arm64({'gic_config': {'version': 'v2', 'gic_distributor_base': '0xffff0000',
                                          'cpu_interface_base': '0xeff90000'}, 'gic_msi': {'v2m': {'spi_count': 32}}},
                          vps=8)
    yield 'gic-v3-its', arm64({'gic_config': {'version': 'v3'}, 'gic_msi': 'its', 'pmu_gsiv': {'gsiv': 23}}, vps=64)
    yield 'gic-v3-v2m', arm64({'gic_config': {'version': 'v3', 'gic_redistributors_base': '0xefff0000'},
                               'gic_msi': 'v2m', 'pmu_gsiv': 'disabled', 'gic_nr_irqs': 256, 'virt_timer_ppi': 27})


def memory():
    yield 'memory-private', machine({'mem': {'mem_size': '2GiB', 'private_memory': True, 'prefetch_memory': True,
                                             'transparent_hugepages': True, 'host_numa_node': 0}})
    yield 'memory-hugepages', machine({'mem': {'mem_size': '2GiB', 'hugepages': True, 'hugepage_size': '1GiB'}})
    yield 'memory-of-terabytes', machine(node('4TiB'))
    yield 'numa-from-topology', machine(node(), node(), node(vps='empty'), {'vps': 'empty'},
                                        processor_topology={'proc_count': 8, 'vps_per_socket': 2})
    two = machine(node(vps={'explicit': [0, 2]}), node('512MiB', vps={'explicit': [1, 3]}), vps=4)
    two['numa']['distances'] = [{'src': 0, 'dst': 1, 'distance': 21}, {'src': 1, 'dst': 0, 'distance': 255}]
    yield 'numa-explicit', two
    most = machine(*(node('64MiB', vps={'explicit': list(range(first, 1024, 64))}) for first in range(64)), vps=1024)
    most['numa']['distances'] = [{'src': src, 'dst': dst, 'distance': 10 + abs(src - dst)}
                                 for src in range(64) for dst in range(64)]
    yield 'most-nodes', most


def pcie():
    yield 'pcie', machine(pcie_root_complexes=[root_complex(0, ['rp0', 'rp1'], low_mmio={'size': '128MiB'},
                                                            high_mmio={'size': '4GiB'})],
                          pcie_devices=[{'port_name': 'rp0', 'resource': device('nvme', disk=disk('a.img'))}])
    yield 'pcie-fixed-windows', machine(pcie_root_complexes=[root_complex(
        0, ['rp0'], low_mmio={'fixed': '0xc0000000-0xcfffffff'}, high_mmio={'fixed': '0x10000000000-0x100ffffffff'},
        preserve_bars=True)])
    yield 'pcie-ecam-below', machine(pcie_root_complexes=[root_complex(0, ['rp0'], end_bus=31)],
                                     layout={'pcie_ecam_below_4gb': True, 'chipset_low_mmio_size': '256MiB',
                                             'chipset_high_mmio_size': 0})
    shared = [root_complex(index, [f'rp{index}'], segment=0, start_bus=64 * index, end_bus=64 * index + 63)
              for index in range(4)]
    yield 'pcie-shared-segment', machine(pcie_root_complexes=shared)
    yield 'pcie-functions', machine(pcie_root_complexes=[{**root_complex(0), 'ports': [
        {'name': 'a', 'devfn': 8, 'hotplug': True, 'acs_capabilities_supported': '0x5f', 'pasid': True},
        {'name': 'b', 'devfn': 9}, {'name': 'c'}]}])
    chain = [{'name': f'sw{level}', 'parent_port': f'sw{level - 1}-p0' if level else 'rp0',
              'ports': [{'name': f'sw{level}-p{port}'} for port in range(4)]} for level in range(8)]
    yield 'pcie-nested-switches', machine(
        pcie_root_complexes=[root_complex(0, ['rp0', 'rp1'])], pcie_switches=chain,
        pcie_devices=[{'port_name': 'sw7-p3', 'resource': device('virtio-net')},
                      {'port_name': 'sw3-p2', 'resource': device('nvme', disk=disk('b.img'), queues=4)}])
    yield 'pcie-initiators', machine(
        node(), {'vps': 'empty'}, pcie_root_complexes=[root_complex(0, ['rp0'], vnode=1)],
        pcie_devices=[{'port_name': 'rp0', 'resource': device('accelerator')}],
        pcie_generic_initiators=[{'port_name': 'rp0', 'node': 1}])
    yield 'iommu-amd', machine(pcie_root_complexes=[root_complex(0, ['rp0'], iommu='amd_vi')])
    yield 'iommu-intel', machine(pcie_root_complexes=[root_complex(i, [f'rp{i}'], iommu='intel_vtd') for i in (0, 1)])
    yield 'iommu-smmu', arm64({'gic_config': {'version': 'v3'}}, pcie_root_complexes=[
        root_complex(0, ['rp0'], iommu='smmu'), root_complex(1, ['rp1'], iommu='smmu')])
    yield 'cxl', machine(pcie_root_complexes=[{**root_complex(0), 'ports': [{'name': 'mem0', 'cxl': True}],
                                               'cxl': {'hdm_size': '4GiB', 'hdm_window_restrictions': '0x6'}}])
    most = [root_complex(i, [f'rc{i}-p{j}' for j in range(16)], low_mmio={'size': '16MiB'}, end_bus=31)
            for i in range(32)]
    yield 'most-root-complexes', machine(pcie_root_complexes=most)


def devices():
    board = {'generic_cmos_rtc': True, 'generic_ioapic': True, 'generic_pic': True, 'generic_pit': True}
    yield 'ide', machine(chipset={**board, 'hyperv_ide': True, 'piix4_pci_bus': True}, ide_disks=[
        {'resource': disk('c.img')}, {'drive': 1, 'resource': disk('d.img'), 'read_only': True},
        {'channel': 1, 'media': 'dvd', 'resource': device('scsi-dvd', medium=disk('cd.iso'))}])
    yield 'floppy', machine(chipset={**board, 'generic_isa_dma': True, 'generic_isa_floppy': True},
                            floppy_disks=[{'disk': disk('boot.flp'), 'read_only': True}])
    yield 'board', machine(
        chipset={**board, 'generic_pci_bus': True, 'generic_psp': True, 'hyperv_guest_watchdog': True},
        chipset_capabilities={'ioapic': True, 'pic': True, 'pit': True, 'psp': True, 'guest_watchdog': True},
        chipset_devices=[{'name': 'com1', 'resource': device('serial', port='0x3f8', log='com1.log')}],
        pci_chipset_devices=[{'name': 'bridge', 'device': 3, 'resource': device('bridge')}])
    yield 'display', machine(chipset={**board, 'piix4_pci_bus': True, 'hyperv_vga': True, 'hyperv_framebuffer': True},
                             framebuffer={'size': '8MiB'}, vga_firmware='vga.bin')
    yield 'virtio', machine(virtio_devices=[{'resource': device('virtio-blk', disk=disk('e.img'))},
                                            {'resource': device('virtio-rng')}])
    bus = {'vsock_listener': 'vsock.sock', 'vsock_path': 'vsock', 'vmbus_max_version': '0x50003'}
    yield 'vmbus', machine(
        hypervisor={'with_hv': True}, vmbus=bus,
        vmbus_devices=[{'resource': device('scsi-controller', disk0=disk('f.img'), sub_channels=4)}],
        vpci_devices=[{'instance_id': GUID.format(0, 1, 2), 'resource': device('nvme', disk=disk('g.img')),
                       'vnode': 0}])
    yield 'vmbus-vtl2', machine(**igvm(), hypervisor=vtl2(), vmbus={'vtl2_redirect': True}, vtl2_vmbus={},
                                vmbus_devices=[{'vtl': 'vtl2', 'resource': device('guest-emulation-device')}])
    yield 'vmgs-ephemeral', machine(vmgs='ephemeral')
    yield 'vmgs-reprovision', machine(vmgs={'reprovision_on_failure': disk('guest.vmgs')})


def all_of_them():
    for family in (smallest, load_modes, processors, memory, pcie, devices):
        yield from family()


def dump(value, indent=0):
    """Objects and arrays on one line where they fit."""
    line = json.dumps(value, ensure_ascii=False)
    if len(line) + indent <= WIDTH or not isinstance(value, (dict, list)):
        return line
    inner = ' ' * (indent + 2)
    if isinstance(value, dict):
        items = [f'{inner}{json.dumps(key)}: {dump(one, indent + 2)}' for key, one in value.items()]
    else:
        items = [inner + dump(one, indent + 2) for one in value]
    return '{}\n{}\n{}{}'.format('[{'[isinstance(value, dict)], ',\n'.join(items), ' ' * indent,
                                 ']}'[isinstance(value, dict)])


def main():
    for name, content in all_of_them():
        with open(os.path.join(sys.argv[1], name + '.json'), 'w', encoding='utf-8') as file:
            file.write(dump(content) + '\n')


if __name__ == '__main__':
    main()
