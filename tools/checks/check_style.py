# SPDX-License-Identifier: MIT
"""Rules of form that a formatter does not know: how a file opens, and what C we do not write."""

import re

import common

LICENCE = '/* SPDX-License-Identifier: MIT */'


def opening(path, source):
    lines = source.splitlines()
    if not lines or lines[0] != LICENCE:
        yield f'{path}:1: the first line is {LICENCE}'
    if path.endswith('.h') and '#pragma once' not in lines:
        yield f'{path}:1: a header has #pragma once'
    rest = re.sub(r'^\s*#pragma once\s*', '', '\n'.join(lines[1:])).lstrip()
    if not rest.startswith('/*'):
        yield f'{path}:2: opens without a paragraph that says what it is'


def unwanted(path, source):
    literal = common.without_comments(source, strings=True)
    lines = common.Lines(source)
    for match in re.finditer(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|//', source, re.DOTALL):
        if match.group() == '//':
            yield f'{path}:{lines.of(match.start())}: comments are /* */'
    for match in re.finditer(r'\btypedef\s+(?:struct|union|enum)\b', literal):
        yield f'{path}:{lines.of(match.start())}: structs, unions and enums go without typedef'
    for match in re.finditer(r'\btypedef\b[^;{]*?\b(\w+_t)\s*;', literal):
        yield f'{path}:{lines.of(match.start())}: {match.group(1)}: names that end in _t belong to the system'


def conditional_code(path, source):
    literal = common.without_comments(source, strings=True)
    lines = common.Lines(source)
    for function in common.functions_of(source):
        start, end = function.body
        for match in re.compile(r'^[ \t]*#[ \t]*(?:if|ifdef|ifndef|elif|else)\b', re.MULTILINE).finditer(
                literal, start, end):
            yield f'{path}:{lines.of(match.start())}: {function.name}: no #if inside a function; swap the file instead'


def find(root):
    findings = []
    for path in common.c_files(root):
        source = common.read(root, path)
        for rule in (opening, unwanted, conditional_code):
            findings.extend(rule(path, source))
    return findings


if __name__ == '__main__':
    common.finish(find(common.parse_arguments(__doc__).root), 'the style of C files')
