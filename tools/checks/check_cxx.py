# SPDX-License-Identifier: MIT
"""Each public header compiles alone, as C17 and as C++17, with the warnings that users turn on."""

import os
import shlex
import shutil
import subprocess
import tempfile

import common

FLAGS = ['-fsyntax-only', '-Wall', '-Wextra', '-Wpedantic', '-Wconversion', '-Werror']


def compile_alone(command, language, standard, include, header, folder):
    source = os.path.join(folder, 'alone')
    with open(source, 'w', encoding='ascii') as file:
        file.write(f'#include "vmrig/{header}"\n#include "vmrig/{header}"\nextern int not_empty;\n')
    run = subprocess.run([*command, '-x', language, f'-std={standard}', *FLAGS, '-I', include, source],
                         capture_output=True, text=True, check=False)
    if run.returncode == 0:
        return None
    errors = [line for line in run.stderr.splitlines() if 'error' in line] or [run.stderr.strip()]
    return f'include/vmrig/{header}:1: not {standard} by itself: {errors[0]}'


def find(root, languages):
    """`languages`: (command, language, standard)."""
    include = os.path.join(root, 'include')
    headers = sorted(name for name in os.listdir(os.path.join(include, 'vmrig')) if name.endswith('.h'))
    with tempfile.TemporaryDirectory() as folder:
        results = [compile_alone(command, language, standard, include, header, folder)
                   for command, language, standard in languages for header in headers]
    return [result for result in results if result is not None]


def main():
    arguments = common.parse_arguments(__doc__, ('--cc', {'default': 'cc'}), ('--cxx', {'default': 'c++'}))
    languages = [(shlex.split(arguments.cc), 'c', 'c17')]
    cxx = shlex.split(arguments.cxx)
    if shutil.which(cxx[0]):
        languages.append((cxx, 'c++', 'c++17'))
    findings = find(arguments.root, languages)
    if not findings and len(languages) == 1:
        common.skip(f'the headers are C17; no C++ compiler ({arguments.cxx})')
    common.finish(findings, 'the public headers as ' + ' and '.join(standard for _, _, standard in languages))


if __name__ == '__main__':
    main()
