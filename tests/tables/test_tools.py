# SPDX-License-Identifier: MIT
"""Tables of the machines with a name, before the eyes of others.

Bytes are those of the golden files (golden/tables.txt has a hash of each table,
golden/MACHINE.hex all bytes of small ones). iasl takes each ACPI table apart and
makes the same bytes of what it found, without a warning; what it found in AML is
held against the machine. dtc does the same to device trees. CEDT, which iasl of
Debian 12 does not know, is decoded here.

    test_tools.py DUMP GOLDEN [--update]
"""

import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

WHOLE = ('pc-one', 'pc-amd-vi', 'pc-vtd', 'pc-cxl', 'arm-one', 'arm-smmu', 'arm-tree-v2')
NOT_FOR_IASL = ('CEDT', 'DTB', 'E820', 'RSDP', 'SMBIOS', 'SMBIOS3')
CREATOR = slice(28, 36)  # the compiler puts itself there
CHECKSUM = slice(9, 10)

failures = []


def claim(condition, message):
    if not condition:
        failures.append(message)
        print(f'FAILED: {message}')


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False)


# --- golden files ---

def hex_of(folder, lines):
    """All tables of one machine, 16 bytes a line."""
    text = []
    for machine, table, gpa, size, _ in lines:
        with open(os.path.join(folder, f'{machine}.{table}'), 'rb') as file:
            data = file.read()
        text.append(f'{table} {gpa} {size}')
        text.extend(data[at:at + 16].hex(' ') for at in range(0, len(data), 16))
    return '\n'.join(text) + '\n'


def check_golden(golden, name, text, update):
    path = os.path.join(golden, name)
    if update:
        with open(path, 'w', encoding='ascii') as file:
            file.write(text)
        return
    with open(path, encoding='ascii') as file:
        expected = file.read().splitlines()
    for number, (old, new) in enumerate(zip(expected, text.splitlines()), 1):
        if old != new:
            claim(False, f'{name}:{number}: {old!r} has become {new!r}')
            return
    claim(len(expected) == len(text.splitlines()), f'{name}: another number of lines')


# --- iasl ---

def comparable(data):
    data = bytearray(data)
    data[CREATOR] = bytes(8)
    data[CHECKSUM] = bytes(1)
    return bytes(data)


def recompile(folder, machine, table):
    """The table once more from its disassembly; returns that, or None."""
    stem = os.path.join(folder, f'{machine}-{table}')
    shutil.copy(os.path.join(folder, f'{machine}.{table}'), stem + '.aml')
    taken_apart = run('iasl', '-p', stem, '-d', stem + '.aml')
    if taken_apart.returncode != 0 or not os.path.exists(stem + '.dsl'):
        claim(False, f'{machine} {table}: iasl -d: {taken_apart.stdout}{taken_apart.stderr}')
        return None
    with open(stem + '.dsl', encoding='ascii', errors='replace') as file:
        source = file.read()
    claim('Invalid' not in source and 'ncorrect' not in source and '**** Unknown' not in source,
          f'{machine} {table}: iasl says in its disassembly that something is wrong')
    compiled = run('iasl', '-we', '-p', stem + '-new', stem + '.dsl')
    output = compiled.stdout + compiled.stderr
    claim(compiled.returncode == 0 and '0 Errors, 0 Warnings' in output, f'{machine} {table}: iasl: {output}')
    if not os.path.exists(stem + '-new.aml'):
        return None
    with open(stem + '.aml', 'rb') as old, open(stem + '-new.aml', 'rb') as new:
        before, after = old.read(), new.read()
    # A FACS has no header: nothing in it is the compiler's.
    same = before == after if table == 'FACS' else comparable(before) == comparable(after)
    claim(same, f'{machine} {table}: iasl makes other bytes of it')
    return source


def devices_of(source):
    """{name: text} of a disassembly's devices, without those inside them."""
    devices, depth, name = {}, 0, None
    for line in source.splitlines():
        if (match := re.match(r'\s*Device \((\w+)\)', line)) is not None:
            name = match.group(1)
            devices[name] = ''
        elif name is not None:
            devices[name] += line + '\n'
        depth += line.count('{') - line.count('}')
    return devices


def number(text):
    return {'Zero': 0, 'One': 1}.get(text) if text in ('Zero', 'One') else int(text, 0)


def named(device, name):
    match = re.search(rf'Name \({name}, (?:"(\w+)"|EisaId \("(\w+)"\)|(\w+))', device)
    if match is None:
        return None
    return match.group(1) or match.group(2) or number(match.group(3))


def spaces_of(device, kind):
    """(first, last) of each address space of a kind."""
    found = []
    for block in re.findall(rf'{kind} \((.*?)\)\n', device, re.DOTALL):
        values = [number(value) for value in re.findall(r'^\s*(0x[0-9A-F]+),', block, re.MULTILINE)]
        found.append((values[1], values[2]))
        assert values[4] == values[2] - values[1] + 1, block
    return found


def windows_of(device):
    return spaces_of(device, 'DWordMemory') + spaces_of(device, 'QWordMemory')


def closed(ranges):
    return sorted((first, end - 1) for first, end in ranges if end > first)


def check_dsdt(machine, source, facts):
    devices = devices_of(source)
    processors = [named(text, '_UID') for text in devices.values() if named(text, '_HID') == 'ACPI0007']
    claim(processors == list(range(facts['vps'])), f'{machine} DSDT: processors {processors}')
    virtio = []
    for text in devices.values():
        if named(text, '_HID') == 'LNRO0005':
            registers = re.search(r'Memory32Fixed \(ReadWrite,\s*(0x[0-9A-F]+),', text)
            interrupt = re.search(r'Interrupt \(ResourceConsumer, Level.*?\{\s*(0x[0-9A-F]+),', text, re.DOTALL)
            virtio.append([int(registers.group(1), 0), int(interrupt.group(1), 0)])
    claim(virtio == facts['virtio'], f'{machine} DSDT: virtio devices {virtio}')
    claim(closed([facts['chipset']])[0] in windows_of(devices['VMOD']), f'{machine} DSDT: the addresses of the chipset')


def check_complex(machine, device, facts):
    where = f'{machine} SSDT: root complex {facts["uid"]}'
    claim(named(device, '_HID') == ('ACPI0016' if facts['cxl'] >= 0 else 'PNP0A08'), f'{where}: _HID')
    claim(named(device, '_SEG') == facts['segment'], f'{where}: _SEG')
    claim(named(device, '_BBN') == facts['buses'][0], f'{where}: _BBN')
    claim(named(device, '_PXM') == (facts['node'] if facts['node'] >= 0 else None), f'{where}: _PXM')
    claim(spaces_of(device, 'WordBusNumber') == [tuple(facts['buses'])], f'{where}: buses')
    claim(sorted(windows_of(device)) == closed([facts['low'], facts['high']]), f'{where}: windows')
    claim(('_DSM' in device) == bool(facts['preserve']), f'{where}: _DSM')
    claim('_OSC' in device, f'{where}: no _OSC')


def check_ssdt(machine, source, facts):
    devices = devices_of(source)
    complexes = {named(text, '_UID'): text for name, text in devices.items() if re.match(r'PC[0-9A-F]{2}$', name)}
    claim(sorted(complexes) == [complex['uid'] for complex in facts['complexes']], f'{machine} SSDT: {list(complexes)}')
    for complex in facts['complexes']:
        check_complex(machine, complexes.get(complex['uid'], ''), complex)
    claim(sorted(windows_of(devices['ECAM'])) == closed([complex['ecam'] for complex in facts['complexes']]),
          f'{machine} SSDT: ECAM')


# --- CEDT ---

def check_cedt(machine, data, facts):
    """CXL 3.0, 9.17.1: structures of {type, reserved, length}."""
    claim(struct.unpack_from('<4sI', data) == (b'CEDT', len(data)) and sum(data) % 256 == 0, f'{machine} CEDT: header')
    at, bridges, windows = 36, [], []
    while at < len(data):
        kind, length = struct.unpack_from('<BxH', data, at)
        if kind == 0:
            uid, version, base, size = struct.unpack_from('<4xIIxxxxQQ', data, at)
            bridges.append((uid, version, length, base, base + size))
        else:
            base, size, ways, arithmetic, grain, restrictions, group, target = struct.unpack_from(
                '<8xQQBBxxIHHI', data, at)
            claim((kind, length, ways, arithmetic, grain, group) == (1, 40, 0, 0, 0, 0), f'{machine} CEDT: window')
            windows.append((target, restrictions, base, base + size))
        at += length
    claim(at == len(data), f'{machine} CEDT: the last structure is cut')
    cxl = [complex for complex in facts['complexes'] if complex['cxl'] >= 0]
    claim(bridges == [(one['uid'], 1, 32, *one['chbcr']) for one in cxl], f'{machine} CEDT: host bridges {bridges}')
    claim(windows == [(one['uid'], one['cxl'], *one['hdm']) for one in cxl], f'{machine} CEDT: windows {windows}')


# --- dtc ---

# A disassembled source has phandles as numbers, and dtc would have references there.
NUMBERS_ARE_FINE = ('-Wno-clocks_property', '-Wno-msi_parent_property')


def check_tree(folder, machine):
    """To source, to bytes, to source: the same source, and no word about it."""
    stem = os.path.join(folder, f'{machine}')
    steps = (('dtb', 'dts', stem + '.DTB', stem + '.dts'), ('dts', 'dtb', stem + '.dts', stem + '.dtb'),
             ('dtb', 'dts', stem + '.dtb', stem + '-new.dts'))
    for source, target, old, new in steps:
        options = NUMBERS_ARE_FINE if source == 'dts' else ()
        result = run('dtc', '-s', *options, '-I', source, '-O', target, '-o', new, old)
        claim(result.returncode == 0 and result.stderr == '', f'{machine} DTB: dtc: {result.stderr}')
        if result.returncode != 0:
            return
    with open(stem + '.dts', encoding='ascii') as old, open(stem + '-new.dts', encoding='ascii') as new:
        claim(old.read() == new.read(), f'{machine} DTB: dtc makes another tree of it')


def check_table(folder, machine, table, facts):
    with open(os.path.join(folder, f'{machine}.{table}'), 'rb') as file:
        data = file.read()
    if table == 'CEDT':
        check_cedt(machine, data, facts)
    elif table == 'DTB':
        check_tree(folder, machine)
    elif table not in NOT_FOR_IASL:
        source = recompile(folder, machine, table)
        if source is not None and table == 'DSDT':
            check_dsdt(machine, source, facts)
        if source is not None and table == 'SSDT':
            check_ssdt(machine, source, facts)


def check_all(folder, lines):
    for machine, table, *_ in lines:
        with open(os.path.join(folder, f'{machine}.json'), encoding='ascii') as file:
            check_table(folder, machine, table, json.load(file))


def main():
    dump, golden = sys.argv[1:3]
    update = '--update' in sys.argv
    if not update and not (shutil.which('iasl') and shutil.which('dtc')):
        print('iasl or dtc is missing')
        return 77
    with tempfile.TemporaryDirectory() as folder:
        dumped = run(dump, folder)
        if dumped.returncode != 0:
            print(dumped.stderr)
            return 1
        lines = [line.split() for line in dumped.stdout.splitlines()]
        check_golden(golden, 'tables.txt', dumped.stdout, update)
        for machine in WHOLE:
            check_golden(golden, f'{machine}.hex', hex_of(folder, [line for line in lines if line[0] == machine]), update)
        if not update:
            check_all(folder, lines)
    print(f'{max(len(lines) - len(failures), 0)} passed, {len(failures)} failed, 0 skipped')
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
