# SPDX-License-Identifier: MIT
"""Writes the curated inputs of ../corpora that are no plain text: golden traces cut short, and inputs of the binary targets.

    python3 fuzz/seeds.py build/vmrig

Each is named for what it shows. Inputs that a person can write (spec, script, most of replay and trace_text) are files of
their own, as are those of bugs that were found; this writes over neither.
"""

import ctypes
import ctypes.util
import os
import re
import struct
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
GOLDEN = os.path.join(TOP, 'corpora', 'trace')


def save(target, name, data):
    path = os.path.join(TOP, 'corpora', target, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as file:
        file.write(data)


def number(value):
    """As input_number reads it."""
    if value < 64:
        return bytes([value])
    if value & (value - 1) == 0:
        return bytes([0x40 | value.bit_length() - 1])
    return b'\xff' + struct.pack('<Q', value)


# --- traces ---


def vmrig(command, *arguments, data=None):
    return subprocess.run([command, 'trace', *arguments], input=data, stdout=subprocess.PIPE, check=True).stdout


def cut(command, golden, exits, codec, *options):
    return vmrig(command, 'cut', '--exits', str(exits), '--codec', codec, *options,
                 os.path.join(GOLDEN, golden + '.vmt'))


def with_minor(trace, minor):
    """Of a later minor version of the format, whose header hash fits."""
    xxh3 = ctypes.CDLL(ctypes.util.find_library('xxhash')).XXH3_64bits
    xxh3.restype, xxh3.argtypes = ctypes.c_uint64, (ctypes.c_char_p, ctypes.c_size_t)
    header = trace[:10] + struct.pack('<H', minor) + trace[12:56]
    return header + struct.pack('<Q', xxh3(header, len(header))) + trace[64:]


def small_text(text):
    """With the first two entries of its CPUID table: the rest shows nothing."""
    return re.sub(rb'(cpuid-default bytes=[0-9a-f]{112})[0-9a-f]*', rb'\1', text)


def replay_input(head, text):
    """The records behind the set-up, without their numbers; `head` is the first line of the target's inputs."""
    lines = re.findall(rb'^\d+ (.*)$', text, re.MULTILINE)
    first = next(i for i, line in enumerate(lines) if line.endswith(b' enter'))
    return b'\n'.join([head, *lines[first:], b'end', b''])


def traces(command):
    plain = cut(command, 'devices', 12, 'none')
    save('trace_reader', 'devices-start-plain.vmt', plain)
    save('trace_reader', 'cut-in-a-block.vmt', plain[:3000])
    block = plain.index(b'\x8bVMTB')
    save('trace_reader', 'wrong-block-hash.vmt', plain[:block + 60] + b'!' + plain[block + 61:])
    save('trace_reader', 'later-minor-version.vmt', with_minor(plain, 9))
    save('trace_reader', 'inputs-only.vmt', cut(command, 'devices', 12, 'none', '--inputs-only'))
    with open(os.path.join(TOP, 'corpora', 'trace_text', 'hyper-v.vmtx'), 'rb') as text:
        save('trace_reader', 'hyper-v.vmt', vmrig(command, 'pack', '--codec', 'none', '-', data=text.read()))
    save('trace_reader', 'seabios-start-zstd.vmt', cut(command, 'seabios-microvm-boot', 20, 'zstd'))
    for golden, exits in (('devices', 20), ('seabios-pc-boot', 40)):
        text = small_text(vmrig(command, 'print', '-', data=cut(command, golden, exits, 'none')))
        save('trace_text', f'{golden}-start.vmtx', text)
    for golden, exits, head in (('devices', 50, b'1c0'), ('seabios-pc-boot', 50, b'2c0')):
        text = vmrig(command, 'print', '-', data=cut(command, golden, exits, 'none'))
        save('replay', f'{golden}-start', replay_input(head, text))


# --- vp_set: format, banks, words; how many VPs there are and whether the words fit, from the back ---


def vp_sets():
    def sparse(form, banks, words, vps, fitting=1):
        return number(form) + number(banks) + b''.join(struct.pack('<Q', word) for word in words) + \
            bytes([fitting, vps])

    save('vp_set', 'all-of-64', sparse(1, 0, [], 4))
    save('vp_set', 'two-banks-of-65', sparse(0, 3, [1 << 63, 1], 5))
    save('vp_set', 'two-members-of-a-bank', sparse(0, 1, [0b101], 4))
    save('vp_set', 'two-high-banks', sparse(0, 1 << 40 | 1 << 50, [1, 2], 7))
    save('vp_set', 'last-bank-only', sparse(0, 1 << 63, [1 << 63], 7))
    save('vp_set', 'bank-without-its-word', number(0) + number(1) + bytes([0, 0, 4]))
    save('vp_set', 'all-64-banks', sparse(0, (1 << 64) - 1, [(1 << 64) - 1] * 64, 1))
    save('vp_set', 'member-right-behind-the-last-vp', sparse(0, 2, [1], 4))
    save('vp_set', 'unknown-format', sparse(2, 1, [1], 1))


# --- hypercall: rounds of control, input and output place, registers; the caller from the back ---


def hypercalls():
    def call(index, bits, extra, places, answers):
        return bytes([index, bits]) + extra + bytes(places) + b'\x03\0\0' + answers

    def caller(abi, length=3, advanced=0):
        return bytes([0, 0, advanced, length, 0, abi, 0])

    # Places in the library's table. What is behind a call is memory and answers; zeroes are enough, and succeed.
    send_ipi_ex, get_registers, post_message, signal_event = 10, 12, 15, 16
    for abi, name in enumerate(('x64', 'x86', 'arm64-hvc', 'arm64-smccc')):
        save('hypercall', f'{name}-fast', call(signal_event, 1, b'', (1, 2), b'') + caller(abi))
        save('hypercall', f'{name}-simple', call(post_message, 0, b'', (1, 2), b'\x11' * 24) + caller(abi))
        save('hypercall', f'{name}-long-list-is-continued',
             call(get_registers, 0, number(200), (1, 2), b'') + caller(abi))
    # 32 bytes of output at 8 bytes before the end of a page.
    save('hypercall', 'output-behind-its-page', call(get_registers, 0, number(2), (1, 19), b'') + caller(0))
    # Three elements of 16 bytes of output at 16 before the end; the call begins at the last.
    save('hypercall', 'elements-before-the-start-lie-behind-the-page',
         call(get_registers, 8, number(3) + number(2), (1, 32), b'') + caller(0))
    save('hypercall', 'longest-list', call(get_registers, 0, number(4095), (1, 2), b'') + caller(0))
    save('hypercall', 'set-of-64-banks', call(send_ipi_ex, 2, bytes([64]), (1, 2), b'\xff' * 600) + caller(0))
    save('hypercall', 'code-that-does-not-exist', b'\xff' + number(0x7777) + b'\x01\x02\0\0\0' + caller(0, 2, 1))


# --- synic: operations; what the embedder offers from the back ---


def synics():
    write, read, clock, poll, post, event, guest, add, remove, fill = 0, 4, 5, 7, 8, 9, 10, 11, 12, 18
    on = bytes([0, 0, 0])

    def msr(place, value, vp=0):
        return bytes([write, vp, place, 0]) + value

    def count(value):
        return msr(0x21, b'\0' + number(value))

    simp, siefp, eom, tsc = 0x45, 0x44, 0x46, 0x41
    pages = msr(simp, b'\x01') + msr(siefp, b'\x02') + msr(2, b'\x05')
    message = bytes([post, 0, 2, 1, 8])
    save('synic', 'message-waits-for-its-slot',
         pages + message * 2 + bytes([poll, 0, 18, 0, 1, 2]) + msr(eom, b'\0\0') + bytes([poll, 0]) + on)
    save('synic', 'event-is-signalled-twice', pages + (bytes([event, 0, 2]) + number(5)) * 2 + bytes([poll, 0]) + on)
    timer = msr(0x20, b'\x43') + count(1)
    save('synic', 'periodic-timer-and-a-long-sleep',
         pages + timer + bytes([poll, 0]) + (bytes([clock]) + number(1 << 61) + bytes([poll, 0])) * 2 + on)
    save('synic', 'direct-timer', msr(0x20, b'\x1b') + count(100) + bytes([poll, 0, clock]) +
         number(1 << 20) + bytes([poll, 0]) + on)
    save('synic', 'guest-posts-to-a-port', bytes([add, 4, 3, guest, 0x13, 16, guest, 0x13, 255, remove, 0]) + on)
    save('synic', 'monitor-page', bytes([add, 0x11, 3, 9, 15, 4, 16, 0x07]) + number(1 << 9) + on)
    save('synic', 'message-page-is-taken-away',
         msr(simp, b'\x04') + msr(2, b'\x05') + message + bytes([19, 0, poll, 0, 19, 0, poll, 0]) + on)
    again = bytes([poll, 0])
    save('synic', 'nobody-has-set-anything-up',
         msr(eom, b'\0\0', vp=1) + bytes([post, 1, 2, 1, 8, post, 255, 2, 1, 8, event, 2, 2]) + number(5) + again +
         bytes([poll, 1]) + on)
    save('synic', 'timer-runs-out-while-its-page-is-off',
         msr(2, b'\x05') + msr(0x20, b'\x41') + count(100) + again + bytes([clock]) + number(1 << 20) + again +
         msr(simp, b'\x01') + again + on)
    save('synic', 'slot-full-of-nonsense',
         pages + bytes([fill, 255, 1, 2]) + message * 2 + again + bytes([fill, 0, 1, 2]) + msr(eom, b'\0\0') + again +
         on)
    memory, jump = bytes([19, 0]), bytes([17, 0xf0]) + number(1 << 40)
    save('synic', 'reference-page-whose-memory-goes',
         memory + msr(tsc, b'\x04') + jump + again + memory + again + msr(tsc, b'\x04') + again + memory + jump +
         again + msr(tsc, b'\x0c') + memory + again + on)
    save('synic', 'reference-page-and-counter', msr(tsc, b'\x03') + bytes([read, 0, 0x40, 0, 17, 0, 17, 0xe1]) + on)


# --- device_state: operations; which of them is next comes from the back ---

LINES, PIC, IOAPIC, LAPIC_0, LAPIC_1, POWER, SERIAL, CMOS, PIT, KEYBOARD, PCI, FW_CFG = range(12)


def device_states():
    change, whole, same, port, page, msr, turn, other, again = 0, 8, 10, 12, 18, 22, 24, 27, 31

    def states(name, *steps):
        """Each step is (operation, its bytes); behind the choice of the APIC's mode."""
        data = b'\0' + b''.join(bytes(what) for _, what in steps)
        save('device_state', name, data + bytes(operation for operation, _ in reversed(steps)))

    def put(unit, field, element, value):
        return change, bytes([unit, 0, field, element]) + number(value)

    def later(ns):
        return other, bytes([0, 0x30, 0]) + number(ns << 9)

    look = (turn, [0, 0])
    states('timer-that-never-began', put(PIT, 3, 0, 1), put(PIT, 19, 0, 1 << 60), look)
    states('periodic-timer-due-long-ago', put(LAPIC_0, 15, 0, 1000), put(LAPIC_0, 17, 0, 1), put(LAPIC_0, 10, 0, 0x20030),
           later(1 << 40), look, look)
    states('bytes-as-a-file-has-them', (whole, bytes([PCI]) + number(5) + bytes([4, 3, 2, 0x80, 2])), look)
    states('queue-longer-than-its-room', put(SERIAL, 0, 0, 4097), put(SERIAL, 0, 0, 4096), (same, [SERIAL]), look)
    states('level-told-again', put(LINES, 0, 0, 0x800), put(IOAPIC, 2, 11, 0x8055), (other, [0, 0, 23]), look)
    states('clock-at-the-end-of-time', put(CMOS, 2, 0, 1), put(CMOS, 4, 0, (1 << 63) - 1), later(1 << 40), look,
           (port, [0, 0x0e]), look)
    states('driven-then-reset', put(KEYBOARD, 0, 0, 16), put(POWER, 0, 0, 3), (page, [0, 0xcf, 0]), (msr, [0, 0x1b, 0]),
           (again, [0]), look)


# --- exits: VPs and hypervisor from the back; {whose run}, then {what others do, the exit} ---


def exits():
    def io(port_index, write, value=0):
        return bytes([0, 0, 4 if write else 0, port_index]) + (struct.pack('<I', value << 24) if write else b'')

    def lapic(offset, value):
        return bytes([0, 4, 0x08, offset // 16]) + number(value)

    def ioapic(window, value):
        return bytes([0, 4, 0x10 if value is None else 0x18, window]) + (b'' if value is None else number(value))

    halt, run, user = bytes([0, 10, 0]), b'\0', bytes([0, 0])
    pic = b''.join(io(port, True, value)
                   for port, value in ((0, 0x11), (1, 0x20), (1, 4), (1, 1), (1, 0xfe)))
    pit = io(8, True, 0x34) + io(6, True, 0) + io(6, True, 16)
    save('exits', 'timer-wakes-a-halted-guest', run + pic + pit + halt * 3 + user)
    save('exits', 'local-timer', run + lapic(0xf0, 0x1ff) + lapic(0x320, 0x20020) + lapic(0x380, 0x1000) + halt * 2 + user)
    save('exits', 'init-and-start-up', run + lapic(0xf0, 0x1ff) + lapic(0x310, 1 << 24) + lapic(0x300, 0x4500) +
         lapic(0x300, 0x4608) + b'\x01' + io(13, False) + bytes([0, 1]))
    save('exits', 'clock-and-serial', run + io(12, True, 11) + io(13, False) + io(14, True, 65) + io(27, False) + user)
    for index, name in enumerate(('split', 'kernel', 'whp-like', 'spurious-cancels'), 1):
        save('exits', f'on-{name}', run + pic + io(14, True, 66) + halt + bytes([index, 0]))
    save('exits', 'ioapic-index-behind-its-table', run + b''.join(
        ioapic(0, index) + ioapic(1, 0xffffffff) + ioapic(1, None) for index in (0x40, 0xff)) + user)
    save('exits', 'memory-comes-and-goes', run + bytes([2, 7, 0]) + io(30, True, 1) + bytes([3, 7, 0, 7, 0]) +
         io(30, False) + user)


# --- program: steps of {operation, form, where, value}; form and hypervisor from the back ---


def programs():
    def step(operation, form=0, where=0, value=0):
        return bytes([operation, form, where]) + number(value)

    long_mode = bytes([0x06, 0])
    save('program', 'port-and-memory', step(3, 0, 0, 65) + step(5, 4, 0) + step(8, 2, 6, 7) + step(10, 2, 6) + long_mode)
    save('program', 'loop-and-expect', step(1, 0, 0, 5) + step(19, 0, 0) + step(15, 0, 0, 0) + long_mode)
    save('program', 'spins-for-ever', step(20) + long_mode)
    save('program', 'jumps-for-ever', step(17) + long_mode)
    save('program', 'string-io', step(6, 0x40, 0, 0x100000) + long_mode)
    save('program', 'start-the-other-vp', step(27, 0, 0, 1) + step(28, 0, 0, 1) + bytes([0x26, 0]))
    save('program', 'wait-in-the-kernel-chip', step(25, 0, 0, 32) + bytes([0x06, 6]))
    save('program', 'variable-that-does-not-exist', step(0xfc, 9, 0, 1) + long_mode)
    save('program', 'real-mode', step(33) + bytes([0x05, 1]))


# --- hv_guest: steps of guests, 0xff, {whose run, what the host does}; configuration, VPs and profile from the back ---


def hv_guests():
    write, call, enter, leave, wait, checkpoint = 0, 4, 8, 0x81, 10, 11
    sint3, timer_config, timer_count, simp = 3, 0x30, 0x31, 85
    self, self_vp = 0x80, 0x40
    flush_ex, enable_vtl, enable_vp_vtl, post, accept = 8, 4, 5, 15, 24
    alone, isolated = bytes([1, 0, 0]), bytes([6, 0, 0])
    run = bytes([0xff, 0])

    def any_value(value):
        return bytes([0xa0, 0]) + number(value)

    def msr(which, value):
        return bytes([write, which]) + value

    def hypercall(which, words=(), ids=0, where=0):
        return bytes([call, which, 0, where, ids | len(words)]) + b''.join(
            bytes([offset // 4]) + any_value(value) for offset, value in words)

    def host(what, which):
        return bytes([checkpoint]) + struct.pack('<I', what << 8 | which)

    save('hv_guest', 'message-goes-to-a-port',
         host(0x410, 0) + hypercall(post, [(0, 1), (8, 1 | 8 << 32)]) + host(0, 0) + run + alone)
    save('hv_guest', 'timer-fires-into-a-page',
         msr(simp, bytes([4, 1])) + msr(sint3, bytes([0x40, 1])) + msr(timer_config, bytes([0x63, 3])) +
         msr(timer_count, any_value(1000)) + host(20, 10) + bytes([wait, 2]) + run + alone)
    save('hv_guest', 'flush-of-all', hypercall(flush_ex, [(16, 1)]) + run + alone)
    save('hv_guest', 'message-page-is-taken-away',
         host(0, 5) + msr(simp, bytes([13, 1])) + msr(sint3, bytes([0x40, 1])) + host(3 << 4 | 1 << 9, 1) + host(0, 5) +
         host(3 << 4 | 1 << 9, 1) + run + alone)
    vtl1 = (hypercall(enable_vtl, [(8, 1)], self) + hypercall(enable_vp_vtl, [(12, 1)], self | self_vp, 1) +
            bytes([enter, 0xf1]))
    save('hv_guest', 'vtl1-is-entered-and-left', vtl1 + bytes([leave]) + run + alone)
    save('hv_guest', 'page-is-kept-from-the-host',
         b'\xf2' + host(7, 6) + hypercall(accept, [(16, 0x107)], self) + host(7, 6) + run + isolated)


# --- snapshot: {section, what becomes of it}; from the back: profile, form, turns and looking, then which edits ---


def snapshots():
    field, data, remove, again, swap, add, size, pages, flags, parent = 0, 6, 8, 9, 10, 11, 12, 13, 14, 15
    devices, hv, vtl2, child, raw, first, other, damaged = (1 << bit for bit in range(8))
    text, json, same, real, visit = (way << 2 for way in range(1, 6))

    def snapshot(name, form, look, *edits, profile=0, front=b''):
        save('snapshot', name, front + b''.join(bytes(what) for _, what in edits) +
             bytes(edit for edit, _ in reversed(edits)) + bytes([look, form, profile]))

    def section(kind, content=b'', flags=0):
        return struct.pack('<IIQQ', kind, flags, len(content), 0) + content

    def file(*sections):
        return b'VMRSNAP\n' + struct.pack('<HHIQ24x', 1, 0, 48, 0) + b''.join(sections)

    page = bytes([3, 3])  # of the child, and what it is filled with
    everything = devices | hv | vtl2
    snapshot('whole', everything, text | 3)
    snapshot('whole-as-json', everything, json | 3)
    snapshot('with-parent', everything | child, same | 3, front=page)
    for profile, name in enumerate(('whp-like', 'kvm-like', 'hvf-like', 'mshv-like'), 1):
        snapshot('from-' + name, devices | hv | other, real | 3, profile=profile)
    for which in range(5, 17, 3):
        snapshot(f'another-value-in-state-{which}', everything, real | 2, (field, bytes([which, 2, 0]) + number(1 << 40)))
        snapshot(f'other-bytes-in-state-{which}', everything, visit,
                 (data, bytes([which]) + number(40) + b'\x07' + b'\xff' * 8))
    snapshot('no-processor-holds-it', 0, 2, (field, [0x13]), profile=1)
    snapshot('no-processor-holds-it-elsewhere', devices | other, 1, (field, [0x30, 0, 0]), profile=3)
    snapshot('state-is-missing', everything, visit, (remove, [6]))
    snapshot('state-twice', everything, visit, (again, [6, 7]))
    snapshot('states-in-another-order', everything, visit, (swap, [6, 7]))
    snapshot('unknown-section', 0, visit, (add, [4, 0x0f, 2, 1, 2]))
    snapshot('unknown-section-instead-of-the-machine', 0, visit, (remove, [0]), (add, [0, 0x1f, 2, 1, 2]))
    snapshot('unknown-section-to-pass-over', 0, visit, (add, [4, 0x1f, 2, 1, 2]))
    snapshot('state-is-shorter', everything, visit, (size, bytes([6]) + number(20)))
    snapshot('page-in-front-of-its-regions', 0, visit, (pages, [1, 1, 1]))
    snapshot('zeros-in-a-child', child, visit, (pages, [0x1f, 1, 5]), front=page)
    snapshot('optional-state', devices, visit, (flags, [8, 0]))
    snapshot('of-another-parent', child, visit, (parent, [0, 1]), front=page)
    snapshot('parent-is-another', child | first, visit, (field, [5, 0, 0, 1]), front=page)
    snapshot('cut', damaged, visit, front=number(63) + b'\0')
    snapshot('damaged', damaged, visit, front=number(60) + b'\1')
    machine, regions = section(1, struct.pack('<II', 2, 0)), section(2, struct.pack('<QQII', 0, 0x100000, 0, 0))
    end = section(8, bytes(16))
    snapshot('bytes-of-an-empty-one', raw, text, front=file(machine, regions, end))
    snapshot('bytes-with-pages', raw, real,
             front=file(machine, regions, section(7, struct.pack('<QII', 0x3000, 2, 0)), end))
    snapshot('bytes-with-a-blob', raw, visit, front=file(machine, regions, section(5, b'\3own123'), end))
    snapshot('bytes-unsealed', raw | damaged, visit, front=file(machine, regions, end))
    snapshot('bytes-of-a-later-version', raw, visit,
             front=file(machine, end)[:8] + struct.pack('<HH', 1, 7) + file(end)[12:])


if __name__ == '__main__':
    if len(sys.argv) != 2:
        sys.exit('usage: seeds.py VMRIG')
    traces(sys.argv[1])
    for make in (vp_sets, hypercalls, synics, device_states, exits, programs, hv_guests, snapshots):
        make()
