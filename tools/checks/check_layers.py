# SPDX-License-Identifier: MIT
"""A folder is a layer, and includes only what its row of the table names. Mirrors docs/architecture.md."""

import os
import re

import common

# Every row may also include itself and include/vmrig. A folder's row is the longest that fits its path.
LIB = {
    'lib/base': (),
    'lib/exit': ('lib/base',),
    'lib/state': ('lib/base',),
    'lib/io': ('lib/base', 'lib/exit'),
    'lib/memory': ('lib/base',),
    'lib/hv': ('lib/base', 'lib/memory'),
    'lib/partition': ('lib/base', 'lib/exit', 'lib/io', 'lib/memory'),
    'lib/run': ('lib/base', 'lib/exit', 'lib/io', 'lib/memory', 'lib/partition'),
    'lib/devices': ('lib/base', 'lib/exit', 'lib/io', 'lib/memory'),
    'lib/config': ('lib/base',),
    'lib/resolve': ('lib/base', 'lib/config'),
    'lib/tables': ('lib/base', 'lib/config'),
    'lib/boot': ('lib/base', 'lib/io', 'lib/memory'),
    'lib/snapshot': ('lib/base',),
    'lib/trace': ('lib/base', 'lib/exit', 'lib/memory'),
    'lib/debug': ('lib/base', 'lib/memory'),
    'lib/machine': ('lib/base', 'lib/exit', 'lib/io', 'lib/memory', 'lib/partition', 'lib/run', 'lib/devices',
                    'lib/boot', 'lib/trace', 'lib/config'),
}
TABLE = {
    'include/vmrig': (),
    **LIB,
    'backends/mock': ('lib/base', 'lib/exit', 'lib/trace'),
    'backends/kvm': ('lib/base', 'lib/exit'),
    'backends/hvf': ('lib/base', 'lib/exit'),
    'backends/mshv': ('lib/base', 'lib/exit'),
    'backends/whp': ('lib/base', 'lib/exit'),
    'backends': (),  # the built-in table, which names the backends
    'conformance': (),  # public headers only: needing another means that the public API has a hole
    'conformance/example': (),  # as anybody's: see OUTSIDE
    'tools': ('conformance',),
    'tools/bench/prepared': ('tools', 'backends/kvm'),  # a program of its own, which stands in for KVM itself
    'examples': (),
    'fuzz': (),  # public headers; a target for one module may be given that module's folder as a row of its own
    'fuzz/snapshot': ('fuzz', 'lib/base', 'lib/snapshot'),  # seals what was changed
    'tests/backends': ('lib/base', 'lib/exit', 'lib/memory', 'lib/trace', 'backends'),
    'tests/conformance': ('conformance', 'lib/base'),  # plants
    'tests/command': ('conformance', 'tools'),
    'tests/replay': ('lib/base',),  # plants; for the rest, public headers
    **{'tests/' + folder.removeprefix('lib/'): (*allowed, folder) for folder, allowed in LIB.items()},
    'tests': (),
}
MAY_INCLUDE_TESTS = 'tests'  # every row below tests/ may use the helpers that lie there

# Built as if it lay elsewhere: its own files by names from where they lie, vmrig's as those of a package, in <>.
OUTSIDE = 'conformance/example'

# What belongs to one operating system, or goes around the library's own locks: named files only.
SYSTEM = re.compile(r'^(?:linux/|sys/|unistd\.h|fcntl\.h|signal\.h|time\.h|poll\.h|dlfcn\.h|ucontext\.h)')
THREADS = re.compile(r'^(?:pthread\.h|threads\.h|stdatomic\.h|semaphore\.h)')
SYSTEM_FILES = re.compile(r'^lib/\w+/os_\w+\.[ch]$')
THREAD_FILES = re.compile(r'^lib/base/sync\.[ch]$')

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.MULTILINE)


def row_of(path):
    fitting = [folder for folder in TABLE if path.startswith(folder + '/')]
    return max(fitting, key=len) if fitting else None


def allowed_in(row):
    extra = (MAY_INCLUDE_TESTS,) if row.startswith('tests') else ()
    return (row, *TABLE[row], *extra)


def check_project_include(root_files, row, target):
    if target.startswith('vmrig/'):
        return None if f'include/{target}' in root_files else f'includes "{target}", which does not exist'
    if target not in root_files:
        return f'includes "{target}", which is no file named from the root'
    if not any(target.startswith(folder + '/') for folder in allowed_in(row)):
        return f'{row} may not include "{target}"'
    return None


def check_outside_include(root_files, path, target):
    full = os.path.normpath(os.path.join(os.path.dirname(path), target))
    if full not in root_files or not full.startswith(OUTSIDE + '/'):
        return f'includes "{target}", which is no file of {OUTSIDE}: it is built without this tree'
    return None


def check_system_include(path, target):
    if not path.startswith('lib/') or SYSTEM_FILES.match(path):
        return None
    if SYSTEM.match(target):
        return f'includes <{target}>: operating-system calls sit in lib/*/os_*.c'
    if THREADS.match(target) and not THREAD_FILES.match(path):
        return f'includes <{target}>: threads and atomics go through lib/base/sync.h'
    return None


def own_header_comes_first(path, includes, root_files):
    header = path.removesuffix('.c') + '.h'
    if not path.endswith('.c') or header not in root_files:
        return None
    if includes and includes[0].group(2) != header:
        return f'"{header}" comes first: that proves that it stands alone'
    return None


def check_file(root, path, root_files):
    row = row_of(path)
    if row is None:
        yield f'{path}:1: lies in a folder that the table does not know'
        return
    text = common.without_comments(common.read(root, path))
    lines = common.Lines(text)
    includes = list(INCLUDE.finditer(text))
    for include in includes:
        where = f'{path}:{lines.of(include.start())}'
        quoted, target = include.group(1) == '"', include.group(2)
        if quoted and row == OUTSIDE:
            finding = check_outside_include(root_files, path, target)
        elif quoted:
            finding = check_project_include(root_files, row, target)
        else:
            finding = check_system_include(path, target)
        if finding is not None:
            yield f'{where}: {finding}'
    finding = own_header_comes_first(path, includes, root_files)
    if finding is not None:
        yield f'{path}:{lines.of(includes[0].start())}: {finding}'


def find(root):
    files = common.c_files(root)
    known = set(files)
    return [finding for path in files for finding in check_file(root, path, known)]


if __name__ == '__main__':
    common.finish(find(common.parse_arguments(__doc__).root), 'the layers')
