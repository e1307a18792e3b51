# SPDX-License-Identifier: MIT
"""Each good configuration is resolved to the machine that is kept beside it, in any process and locale.

usage: test_resolved.py VMRIG FOLDER [--update]

FOLDER holds good/*.json and resolved/*.json. Addresses, interrupts and bus numbers are what guests and
snapshots rely on: a difference is a decision, made with --update and a reason in the commit.
"""

import os
import pathlib
import shutil
import subprocess
import sys

# What a pure function looks at none of.
PLACES = [
    {},
    {'LC_ALL': 'tr_TR.UTF-8', 'TZ': 'Asia/Kathmandu', 'HOME': '/nonexistent', 'MALLOC_PERTURB_': '173'},
]


def resolve(vmrig, path, environment=None, prefix=()):
    done = subprocess.run([*prefix, vmrig, 'config', 'resolve', '--json', path], capture_output=True, check=False,
                          env={'PATH': os.environ['PATH'], **(environment or {})}, cwd='/')
    if done.returncode != 0:
        raise SystemExit(f'{path}: {done.stderr.decode()}')
    return done.stdout


def without_randomisation():
    """The same program at fixed addresses, where that may be asked for."""
    words = ['setarch', '--addr-no-randomize']
    if shutil.which(words[0]) and subprocess.run([*words, 'true'], capture_output=True, check=False).returncode == 0:
        return words
    return []


def judge(vmrig, path, kept):
    output = resolve(vmrig, path)
    others = [resolve(vmrig, path, place) for place in PLACES] + [resolve(vmrig, path, prefix=without_randomisation())]
    if any(other != output for other in others):
        return 'is resolved differently elsewhere'
    if not kept.exists():
        return 'has no resolved form: --update makes it'
    if kept.read_bytes() != output:
        return f'is no longer resolved as {kept.name} has it'
    return None


def main(vmrig, folder, update):
    vmrig = os.path.abspath(vmrig)
    good = sorted((folder / 'good').resolve().glob('*.json'))
    wrong = 0
    for path in good:
        kept = folder / 'resolved' / path.name
        if update:
            kept.write_bytes(resolve(vmrig, path))
            continue
        problem = judge(vmrig, path, kept)
        if problem:
            print(f'{path.name} {problem}')
            wrong += 1
    left = {path.name for path in (folder / 'resolved').glob('*.json')} - {path.name for path in good}
    for name in sorted(left):
        print(f'resolved/{name} belongs to no configuration')
    print(f'{len(good)} configurations, {wrong + len(left)} problems')
    return 1 if wrong or left or len(good) < 40 else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1], pathlib.Path(sys.argv[2]), '--update' in sys.argv[3:]))
