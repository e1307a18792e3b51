# SPDX-License-Identifier: MIT
"""Files and functions stay small enough to be read at once. Prints the ten longest of each."""

import common

SOURCE_LINES = 600
PUBLIC_HEADER_LINES = 300
FUNCTION_LINES = 70
EXPLAINED_LINES = 40  # longer ones say why, in a comment before them
NESTING = 3
PARAMETERS = 6


def file_limit(path):
    return PUBLIC_HEADER_LINES if path.startswith('include/') else SOURCE_LINES


def is_explained(lines, function):
    """Whether a comment ends just above the definition (its type may stand on lines of its own)."""
    above = function.first - 2
    while above >= 0 and lines[above].strip() and not lines[above].rstrip().endswith(('*/', '}', ';')):
        above -= 1
    return above >= 0 and lines[above].rstrip().endswith('*/')


def check_function(where, function, lines):
    limits = (('lines', function.length, FUNCTION_LINES), ('levels of nesting', function.nesting, NESTING),
              ('parameters', function.parameters, PARAMETERS))
    for noun, value, limit in limits:
        if value > limit:
            yield f'{where}: {function.name} has {value} {noun}, at most {limit}'
    if EXPLAINED_LINES < function.length <= FUNCTION_LINES and not is_explained(lines, function):
        yield f'{where}: {function.name} has {function.length} lines and no comment before it that says why'


def find(root):
    """(findings, [(lines, path)], [(lines, path:line name)])"""
    findings, files, functions = [], [], []
    for path in common.c_files(root):
        source = common.read(root, path)
        lines = source.splitlines()
        files.append((len(lines), path))
        if len(lines) > file_limit(path):
            findings.append(f'{path}:1: {len(lines)} lines, at most {file_limit(path)}')
        for function in common.functions_of(source):
            where = f'{path}:{function.first}'
            functions.append((function.length, f'{where} {function.name}'))
            findings.extend(check_function(where, function, lines))
    return findings, files, functions


def main():
    arguments = common.parse_arguments(__doc__)
    findings, files, functions = find(arguments.root)
    for title, entries in (('longest files', files), ('longest functions', functions)):
        print(f'{title}:')
        for length, name in sorted(entries, reverse=True)[:10]:
            print(f'  {length:4} {name}')
    common.finish(findings, f'{len(files)} files and {len(functions)} functions')


if __name__ == '__main__':
    main()
