# SPDX-License-Identifier: MIT
"""C files are as clang-format writes them. Version 14 decides: others break lines elsewhere."""

import os
import re
import shutil
import subprocess

import common

PROGRAMS = ('clang-format-14', 'clang-format')


def program():
    for name in PROGRAMS:
        if shutil.which(name):
            version = subprocess.run([name, '--version'], capture_output=True, text=True, check=True).stdout
            if re.search(r'version 14\.', version):
                return name
    return None


def find(root, formatter):
    files = common.c_files(root)
    if not files:
        return []
    run = subprocess.run([formatter, '--dry-run', '--ferror-limit=0', *files], cwd=os.path.abspath(root),
                         capture_output=True, text=True, check=False)
    places = re.findall(r'^(\S+?:\d+):\d+: (?:warning|error): code should', run.stderr, re.MULTILINE)
    findings = [f'{place}: not as {formatter} writes it; run ./dev format' for place in dict.fromkeys(places)]
    if run.returncode != 0 and not findings:
        findings.append(f'{formatter} failed: {run.stderr.strip()}')
    return findings


def main():
    arguments = common.parse_arguments(__doc__)
    formatter = program()
    if formatter is None:
        common.skip('clang-format 14 is missing')
    common.finish(find(arguments.root, formatter), 'the format of C files')


if __name__ == '__main__':
    main()
