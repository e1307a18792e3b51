# SPDX-License-Identifier: MIT
"""Runs `vmrig certify` on one backend, and sees that nothing which must run there was skipped."""

import argparse
import hashlib
import json
import os
import pathlib
import subprocess
import sys

SKIPPED = 77  # what meson takes for "this test does not apply here"


def missing_device(path):
    """Why the device cannot be used; None if it can."""
    try:
        os.close(os.open(path, os.O_RDWR))
    except OSError as error:
        return f'{path}: {error.strerror}'
    return None


def name_of(result):
    return f'{result["family"]}/{result["scenario"]}'


def golden_names(path):
    with open(path, encoding='utf-8') as file:
        return [line.strip() for line in file if line.strip() and not line.startswith('#')]


def broken_promises(results, golden):
    """One line for each scenario of the list that did not run. A measured host quirk is no broken promise."""
    by_name = {name_of(result): result for result in results}
    for name in golden:
        result = by_name.get(name)
        if result is None:
            yield f'{name}: is on the golden list, and there is no such scenario'
        elif result['verdict'] == 'skip' and not result['reason'].startswith('host quirk: '):
            yield f'{name}: must run here, and was skipped: {result["reason"]}'


def write_golden(path, spec, results):
    names = sorted(name_of(result) for result in results if result['verdict'] != 'skip')
    with open(path, 'w', encoding='utf-8') as file:
        file.write(f'# What must run, and not be skipped, on {spec}.\n')
        file.writelines(f'{name}\n' for name in names)


def orders_of(results):
    """One line a family: who ran when in all its scenarios, as one hash. It depends on nothing but the source."""
    families = {}
    for result in results:
        if 'order' in result:
            line = f'{name_of(result)} {result["verdict"]} {result["order"]}\n'
            families.setdefault(result['family'], hashlib.sha256()).update(line.encode())
    return [f'{family} {digest.hexdigest()[:16]}' for family, digest in sorted(families.items())]


def write_orders(path, spec, results):
    with open(path, 'w', encoding='utf-8') as file:
        file.write(f'# Who runs when on {spec}, by family: the same with every compiler, its options, and sanitizers.\n')
        file.writelines(f'{line}\n' for line in orders_of(results))


def other_orders(results, golden):
    for line in sorted(set(golden) ^ set(orders_of(results))):
        yield (f'{line}: threads ran in another order than the source that wrote the list had them, or than with another '
               'compiler; --update if the source changed')


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('vmrig', help='the command')
    parser.add_argument('hypervisor', help='the backend')
    parser.add_argument('--backend', metavar='FILE', help='the shared object that the backend is in')
    parser.add_argument('--golden', type=pathlib.Path, help='the list of what must run')
    parser.add_argument('--lockstep', metavar='OTHER', help='only run made-up guests on both')
    parser.add_argument('--device', help='skip the test where this cannot be opened')
    parser.add_argument('--patience', default='1', metavar='N', help='scenarios wait N times longer than usual (1)')
    parser.add_argument('--attempts', default='1', metavar='N', help='a scenario that hangs is tried N times in all (1)')
    parser.add_argument('--filter', metavar='PATTERN', help='these scenarios alone')
    parser.add_argument('--orders', type=pathlib.Path, help='the list of who runs when')
    parser.add_argument('--update', action='store_true', help='write the list instead of checking it')
    arguments = parser.parse_args()
    reason = missing_device(arguments.device) if arguments.device else None
    if reason is not None:
        print(f'{arguments.hypervisor}: not certified: {reason}')
        sys.exit(SKIPPED)
    if arguments.lockstep:
        both = f'{arguments.lockstep},{arguments.hypervisor}'
        sys.exit(subprocess.run([arguments.vmrig, 'certify', '--lockstep', both, '--guests', '500'], check=False).returncode)
    if not arguments.golden:
        parser.error('--golden is missing')
    chosen = ['--filter', arguments.filter] if arguments.filter else []
    chosen += ['--backend', arguments.backend] if arguments.backend else []
    done = subprocess.run([arguments.vmrig, 'certify', '--hypervisor', arguments.hypervisor, '--patience',
                           arguments.patience, '--attempts', arguments.attempts, '--json'] + chosen,
                          stdout=subprocess.PIPE, check=False)
    try:
        results = json.loads(done.stdout)['results']
    except ValueError:
        sys.exit(f'{arguments.hypervisor}: no results, exit status {done.returncode}')
    if arguments.update:
        write_golden(arguments.golden, arguments.hypervisor, results)
        if arguments.orders:
            write_orders(arguments.orders, arguments.hypervisor, results)
    failures = [f'{name_of(result)} [{" ".join(result["clauses"])}]: {result["reason"]}' for result in results
                if result['verdict'] == 'fail']
    failures += broken_promises(results, golden_names(arguments.golden))
    if arguments.orders:
        failures += other_orders(results, golden_names(arguments.orders))
    for line in failures:
        print(line)
    verdicts = [result['verdict'] for result in results]
    schedules = sum(result.get('schedules', 0) for result in results)
    print(f'{verdicts.count("pass")} passed, {verdicts.count("fail")} failed, {verdicts.count("skip")} skipped, '
          f'{schedules} schedules explored')
    sys.exit(1 if failures or done.returncode else 0)


if __name__ == '__main__':
    main()
