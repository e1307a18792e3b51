# SPDX-License-Identifier: MIT
"""Backends outside the tree, with nothing but the installed package: the guide is followed, and broken ones fail.

usage: test_backends.py SOURCE BUILD
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import guide
from test_install import Failed, claim, find_under, run, SKIP

PROGRAMS = ('bash', 'cc', 'meson', 'ninja', 'pkg-config')
BROKEN = {'lost_kick': ('RUN-3', 'stop/a_guest_that_never_exits_can_be_kicked'),
          'stale_answer': ('EXIT-8', 'io/ports_carry_each_size_both_ways')}


def find_command(prefix):
    """Among other things of that name."""
    return next(path for path in pathlib.Path(prefix).rglob('vmrig') if path.is_file() and os.access(path, os.X_OK))


def environment_of(prefix):
    """As if the package were installed where the system looks."""
    return {**os.environ, 'PKG_CONFIG_PATH': os.path.dirname(find_under(prefix, 'vmrig.pc')),
            'PKG_CONFIG_SYSROOT_DIR': prefix, 'LC_ALL': 'C.UTF-8',
            'LD_LIBRARY_PATH': os.path.dirname(find_under(prefix, 'libvmrig.so.0')),
            'PATH': os.path.dirname(find_command(prefix)) + os.pathsep + os.environ['PATH']}


def follow_guide(source, folder, environment):
    text = pathlib.Path(source, 'docs', 'backend_guide.md').read_text(encoding='utf-8')
    shutil.copytree(os.path.join(source, 'conformance', 'example'), folder / 'example')
    counts = guide.follow(text, folder, environment)
    claim(counts['c'] >= 2 and counts['sh'] >= 5 and counts['text'] == counts['sh'], f'the guide lacks blocks: {counts}')


def certificate_is_good(folder):
    certificates = list((folder / 'certificates').glob('example*.json'))
    claim(len(certificates) == 1, f'certificates of the example: {certificates}')
    claim(json.loads(certificates[0].read_text(encoding='utf-8')), 'the certificate is empty')


def broken_one_fails(name, folder, environment):
    clause, scenario = BROKEN[name]
    run('bash', '-c', f'cc -shared -fPIC -Wall -Wextra -Werror -o {name}.so example/backend.c example/broken/{name}.c '
        'example/toy/*.c $(pkg-config --cflags --libs vmrig)', cwd=folder, env=environment)
    done = subprocess.run(['vmrig', 'certify', '--backend', f'./{name}.so', '--filter', scenario, '--json'],
                          cwd=folder, env=environment, stdout=subprocess.PIPE, check=False)
    claim(done.returncode == 1, f'{name}: status {done.returncode}')
    failed = [row for row in json.loads(done.stdout)['results'] if row['verdict'] == 'fail']
    claim(any(clause in str(row['clauses']) for row in failed), f'{name}: not found by {clause}: {failed}')


def one_library_is_used(folder, environment):
    """A plug-in that is linked with the library and one that is not: both call the command's."""
    needed = run('readelf', '-d', 'example.so', cwd=folder) if shutil.which('readelf') else 'libvmrig.so.0'
    claim('libvmrig.so.0' in needed, f'the plug-in was not linked with the library:\n{needed}')
    run('bash', '-c', 'cc -shared -fPIC -o alone.so example/backend.c example/plugin.c example/toy/*.c '
        '$(pkg-config --cflags vmrig)', cwd=folder, env=environment)
    without = {**environment, 'LD_LIBRARY_PATH': ''}
    run('vmrig', 'certify', '--backend', './alone.so', '--filter', 'cpuid', cwd=folder, env=without)


def main():
    source, build = sys.argv[1:]
    missing = [program for program in PROGRAMS if not shutil.which(program)]
    if missing:
        print(f'skipped: there is no {", ".join(missing)}')
        sys.exit(SKIP)
    with tempfile.TemporaryDirectory(prefix='vmrig-backends-') as scratch:
        prefix, folder = os.path.join(scratch, 'prefix'), pathlib.Path(scratch, 'mine')
        folder.mkdir()
        try:
            run('meson', 'install', '-C', build, '--no-rebuild', '--destdir', prefix)
            environment = environment_of(prefix)
            follow_guide(source, folder, environment)
            certificate_is_good(folder)
            one_library_is_used(folder, environment)
            for name in BROKEN:
                broken_one_fails(name, folder, environment)
        except (Failed, guide.Wrong) as failure:
            print(failure)
            sys.exit(1)


if __name__ == '__main__':
    main()
