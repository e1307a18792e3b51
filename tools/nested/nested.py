# SPDX-License-Identifier: MIT
"""Certifies the kvm backend on a full-featured KVM that runs inside QEMU's software emulator: SVM, Hyper-V's
interrupt controller in the kernel and all, on any x86-64 machine, with or without a /dev/kvm of its own."""

import argparse
import json
import os
import pathlib
import re
import shlex
import signal
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
CONFORMANCE = HERE.parents[1] / 'conformance'
sys.path.insert(0, str(CONFORMANCE))

import certify  # noqa: E402
import machine  # noqa: E402
from problem import Problem  # noqa: E402

# With local APICs in KVM scenarios have it serve its part of Hyper-V's interface, unless that is taken out of sight.
SPECS = ('kvm', 'kvm:irqchip=split', 'kvm:irqchip=split,own_hyperv=false', 'kvm:irqchip=kernel',
         'kvm:irqchip=kernel,own_hyperv=false')
INTERRUPTED, NOT_JUDGED = 130, 3


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog='./dev certify --nested', description=__doc__, allow_abbrev=False,
        epilog='Further arguments go to `vmrig certify`. Exit status: that of vmrig certify; 1 also when a scenario '
               f'of {CONFORMANCE.name}/golden/nested-*.txt was skipped; {NOT_JUDGED} when nothing could be judged.')
    parser.add_argument('--build', type=pathlib.Path, required=True, help=argparse.SUPPRESS)  # ./dev's
    parser.add_argument('--hypervisor', action='append', metavar='SPEC', help=f'instead of {", ".join(SPECS)}')
    parser.add_argument('--report', type=pathlib.Path, required=True, metavar='DIR',
                        help='certificates go there (build/certificates/nested)')
    parser.add_argument('--timeout', type=int, default=1800, metavar='SECONDS', help='of the emulated machine (1800)')
    parser.add_argument('--patience', default='6', metavar='N', help='scenarios wait N times longer than usual (6)')
    parser.add_argument('--attempts', default='3', metavar='N',
                        help='a scenario that hangs is tried again, N times in all (3): see conformance/README.md')
    parser.add_argument('--update', action='store_true', help='write the golden lists instead of checking them')
    arguments, arguments.others = parser.parse_known_args()
    arguments.hypervisor = arguments.hypervisor or list(SPECS)
    if arguments.timeout < 1:
        parser.error(f"--timeout '{arguments.timeout}' is not a number of seconds")
    return arguments


def script(arguments):
    """What the emulated machine runs: what its KVM says of itself, then the suite."""
    words = ['exec', '/bin/program', 'certify', '--progress', '--report', 'left', '--patience', arguments.patience,
             '--attempts', arguments.attempts]
    for spec in arguments.hypervisor:
        words += ['--hypervisor', spec]
    return f'/bin/program probe --json >left/probe.json\n{shlex.join(words + arguments.others)}'


def write_report(folder, files):
    """Each file whole before it has its name."""
    os.makedirs(folder, exist_ok=True)
    for name, content in files.items():
        if name.endswith(('.json', '.txt', '.html')):
            path = folder / f'{name}.tmp'
            path.write_bytes(content)
            path.rename(folder / name)


def broken_promises(arguments, files):
    """What must run and did not; only asked of whole runs."""
    for spec in arguments.hypervisor:
        name = re.sub(r'\W', '-', spec)
        golden = CONFORMANCE / 'golden' / f'nested-{name}.txt'
        certificate = files.get(f'{name}.json')
        if certificate is None or not (arguments.update or golden.exists()):
            continue
        results = json.loads(certificate)['results']
        if arguments.update:
            certify.write_golden(golden, f'{spec} on the KVM of `./dev certify --nested`', results)
        for line in certify.broken_promises(results, certify.golden_names(golden)):
            yield f'{spec}: {line}'


def certify_nested(arguments):
    begin = time.monotonic()
    build = arguments.build
    files = machine.run(build / 'machine', build / 'vmrig', script(arguments), arguments.timeout)
    status = int(files['status'])
    booted, done = float(files['booted']), float(files['done'])
    print(f'nested: booted in {booted:.1f} s, certified in {done - booted:.1f} s, {time.monotonic() - begin:.1f} s in '
          'all', file=sys.stderr)
    write_report(arguments.report, files)
    broken = [] if set(arguments.others) - {'--json'} else list(broken_promises(arguments, files))
    for line in broken:
        print(line, file=sys.stderr)
    return status or (1 if broken else 0)


def main():
    arguments = parse_arguments()
    # The emulator is killed on the way out, so that way is taken for these too.
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
    try:
        sys.exit(certify_nested(arguments))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except (Problem, OSError) as problem:
        print(f'nested: {problem}', file=sys.stderr)
        sys.exit(NOT_JUDGED)


if __name__ == '__main__':
    main()
