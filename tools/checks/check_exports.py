# SPDX-License-Identifier: MIT
"""The shared library exports what the public headers mark VMR_API, no more and no less, all of it vmr_."""

import re
import subprocess

import common

# A marked declaration: the name stands before its parameters, or ends an object's declaration.
MARKED = re.compile(r'\bVMR_API\b([^;{]*)[;{]')


def name_of(declaration):
    plain = re.sub(r'\b(?:VMR_PRINTF|__attribute__)\s*\(+[^)]*\)+', '', declaration)
    match = re.search(r'\b(\w+)\s*\(', plain) or re.search(r'\b(\w+)\s*(?:\[[^\]]*\])?\s*$', plain)
    return match.group(1) if match else None


def declared_in(text):
    source = common.without_directives(common.without_comments(text))
    return {name_of(match.group(1)) for match in MARKED.finditer(source)}


def declared(root):
    names = set()
    for path in common.c_files(root):
        if path.startswith('include/'):
            names |= declared_in(common.read(root, path))
    return names


def exported(library):
    listing = subprocess.run(['nm', '-D', '--defined-only', library], capture_output=True, text=True, check=True)
    return {line.split()[-1].split('@')[0] for line in listing.stdout.splitlines()}


def compare(in_headers, in_library):
    yield from (f'{name}: exported, but no public header marks it' for name in sorted(in_library - in_headers))
    yield from (f'{name}: marked VMR_API, but not exported' for name in sorted(in_headers - in_library))
    yield from (f'{name}: exported without the prefix vmr_' for name in sorted(in_library)
                if not name.startswith('vmr_'))


def find(root, library):
    return list(compare(declared(root), exported(library)))


if __name__ == '__main__':
    options = common.parse_arguments(__doc__, ('library', {'help': 'libvmrig.so'}))
    common.finish(find(options.root, options.library), options.library)
