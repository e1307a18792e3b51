# SPDX-License-Identifier: MIT
"""Uses the library as others would: installed through pkg-config, as a meson subproject, and built minimal.

usage: test_install.py installed|subproject|minimal SOURCE BUILD USER.C
"""

import os
import shutil
import subprocess
import sys
import tempfile

SKIP = 77
VERSION_LINE = '0.1.0 '


class Failed(Exception):
    """A claim about the installed form does not hold."""


def claim(condition, text):
    if not condition:
        raise Failed(text)


def run(*command, **options):
    """The output of a command that must succeed."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **options)
    claim(done.returncode == 0, f'{" ".join(command)}: status {done.returncode}\n{done.stdout}')
    return done.stdout


def find_under(top, name):
    for folder, _, names in os.walk(top):
        if name in names:
            return os.path.join(folder, name)
    raise Failed(f'{name} is not installed')


def names_under(top):
    return {os.path.relpath(os.path.join(folder, name), top) for folder, _, names in os.walk(top) for name in names}


def program_runs(compiler, source, flags, libraries, scratch):
    built = os.path.join(scratch, 'user-' + compiler[0].replace('/', '-'))
    run(*compiler, '-Wall', '-Wextra', '-Werror', '-o', built, source, *flags)
    output = run(built, env={**os.environ, 'LD_LIBRARY_PATH': libraries})
    claim(output.startswith(VERSION_LINE), f'{built} printed {output!r}')
    needed = run('readelf', '-d', built)
    claim('libvmrig.so.0]' in needed, f'{built} does not ask for libvmrig.so.0:\n{needed}')


def headers_are_complete(source, prefix):
    ours = {name for name in names_under(os.path.join(source, 'include', 'vmrig')) if name.endswith('.h')}
    theirs = names_under(os.path.dirname(find_under(prefix, 'vmrig.h')))
    claim(ours == theirs, f'installed headers differ: {sorted(ours ^ theirs)}')


def names_are_ours(prefix, library):
    """Nothing that a program links against has a name that the program could have: so there is no archive."""
    archives = [name for _, _, names in os.walk(prefix) for name in names if name.endswith('.a')]
    claim(not archives, f'archives are installed, with every internal name: {archives}')
    exported = run('nm', '-D', '--defined-only', '--format=posix', library).splitlines()
    foreign = [line for line in exported if not line.startswith('vmr_')]
    claim(len(exported) > 100 and not foreign, f'{library} exports {foreign or exported}')


def installed(source, build, user, scratch):
    run('meson', 'install', '-C', build, '--no-rebuild', '--destdir', scratch)
    package = os.path.dirname(find_under(scratch, 'vmrig.pc'))
    environment = {**os.environ, 'PKG_CONFIG_PATH': package, 'PKG_CONFIG_SYSROOT_DIR': scratch}
    flags = run('pkg-config', '--cflags', '--libs', 'vmrig', env=environment).split()
    claim(run('pkg-config', '--modversion', 'vmrig', env=environment).strip() == VERSION_LINE.strip(),
          'pkg-config gives another version')
    headers_are_complete(source, scratch)
    libraries = os.path.dirname(find_under(scratch, 'libvmrig.so.0'))
    names_are_ours(scratch, os.path.join(libraries, 'libvmrig.so.0'))
    program_runs(['cc', '-std=gnu17'], user, flags, libraries, scratch)
    if shutil.which('c++'):
        program_runs(['c++', '-std=c++17', '-x', 'c++'], user, ['-x', 'none', *flags], libraries, scratch)


PARENT = """project('parent', 'c', default_options: ['c_std=c17', 'warning_level=1'])
vmrig = dependency('vmrig', fallback: 'vmrig')
test('user', executable('user', 'user.c', dependencies: vmrig))
"""


def subproject(source, _build, user, scratch):
    os.mkdir(os.path.join(scratch, 'subprojects'))
    os.symlink(source, os.path.join(scratch, 'subprojects', 'vmrig'))
    shutil.copy(user, scratch)
    with open(os.path.join(scratch, 'meson.build'), 'w', encoding='ascii') as file:
        file.write(PARENT)
    folder = os.path.join(scratch, 'build')
    # An installed vmrig must not answer in the place of this one.
    run('meson', 'setup', folder, scratch, '--wrap-mode=forcefallback', '-Dbuildtype=plain',
        '-Dvmrig:buildtype=plain')
    run('ninja', '-j2', '-C', folder)
    run('meson', 'test', '-C', folder)


def minimal(source, _build, _user, scratch):
    folder = os.path.join(scratch, 'build')
    run('meson', 'setup', folder, source, '-Dzstd=disabled', '-Dkvm=disabled', '-Dtests=false', '-Dexamples=false',
        '-Dbuildtype=plain')
    run('ninja', '-j2', '-C', folder)
    needed = run('readelf', '-d', os.path.join(folder, 'libvmrig.so'))
    claim('zstd' not in needed, f'built without zstd, but asks for it:\n{needed}')
    command = os.path.join(folder, 'vmrig')
    if os.path.exists(command):
        claim('0.1.0' in run(command, 'version'), 'the minimal command does not know its version')


def main():
    name, source, build, user = sys.argv[1:]
    if not all(shutil.which(program) for program in ('meson', 'ninja', 'nm', 'pkg-config', 'readelf')):
        print('skipped: meson, ninja, nm, pkg-config and readelf are needed')
        sys.exit(SKIP)
    with tempfile.TemporaryDirectory(prefix='vmrig-install-') as scratch:
        try:
            {'installed': installed, 'subproject': subproject, 'minimal': minimal}[name](
                source, build, user, scratch)
        except Failed as failure:
            print(failure)
            sys.exit(1)


if __name__ == '__main__':
    main()
