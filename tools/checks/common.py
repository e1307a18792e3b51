# SPDX-License-Identifier: MIT
"""What the checks share: the tracked files, C text without comments, functions.

A check is a program: it prints one line for each finding, `path:line: what`,
and exits 0 (nothing found), 1 (findings) or 77 (cannot run here, with the
reason). The findings come from a function, so that the self-tests can call it.
"""

import argparse
import bisect
import os
import re
import subprocess
import sys

SKIP = 77


def parse_arguments(description, *extra):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument('--root', default='.', help='the top of the source tree')
    for name, options in extra:
        parser.add_argument(name, **options)
    return parser.parse_args()


def finish(findings, subject):
    """Prints the findings and exits."""
    for finding in findings:
        print(finding)
    print(f'{len(findings)} findings in {subject}')
    sys.exit(1 if findings else 0)


def skip(reason):
    print(f'skipped: {reason}')
    sys.exit(SKIP)


def tracked_files(root):
    """Paths from the root: what git tracks or would track; without git, all but build folders."""
    listed = subprocess.run(['git', '-C', root, 'ls-files', '-z', '--cached', '--others', '--exclude-standard'],
                            capture_output=True, check=False) if os.path.exists(os.path.join(root, '.git')) else None
    if listed is not None and listed.returncode == 0:
        paths = set(listed.stdout.decode().split('\0')) - {''}
    else:
        paths = set(walk(root))
    return sorted(path for path in paths if os.path.isfile(os.path.join(root, path)))


def walk(root):
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(('build', '.git', '__pycache__'))]
        for name in names:
            yield os.path.relpath(os.path.join(folder, name), root)


def c_files(root):
    return [path for path in tracked_files(root) if path.endswith(('.c', '.h'))]


def read(root, path):
    with open(os.path.join(root, path), encoding='utf-8', errors='replace') as file:
        return file.read()


_TOKENS = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


def blank(text):
    """`text` as spaces, its line breaks kept."""
    return re.sub(r'[^\n]', ' ', text)


def without_comments(text, strings=False):
    """Comments (and with `strings` the insides of literals) become spaces: offsets and lines stay."""

    def replace(match):
        token = match.group()
        if token[0] == '/':
            return blank(token)
        return token[0] + blank(token[1:-1]) + token[-1] if strings else token

    return _TOKENS.sub(replace, text)


def without_directives(text):
    """Preprocessor lines, continued ones too, become spaces."""
    return re.sub(r'^[ \t]*#(?:[^\n]*\\\n)*[^\n]*', lambda match: blank(match.group()), text, flags=re.MULTILINE)


class Lines:
    """From offsets to line numbers."""

    def __init__(self, text):
        self.starts = [0] + [match.end() for match in re.finditer('\n', text)]

    def of(self, offset):
        return bisect.bisect_right(self.starts, offset)


class Function:
    """One definition: where it is, how deep it nests, how many parameters it takes."""

    def __init__(self, name, first, last, parameters, nesting, body):
        self.name = name
        self.first = first  # line of the name
        self.last = last  # line of the closing brace
        self.parameters = parameters
        self.nesting = nesting
        self.body = body  # (start, end) offsets

    @property
    def length(self):
        return self.last - self.first + 1


def opening_of(text, close):
    """The offset of the parenthesis that `close` closes; -1 if there is none."""
    depth = 0
    for offset in range(close, -1, -1):
        if text[offset] == ')':
            depth += 1
        elif text[offset] == '(':
            depth -= 1
            if depth == 0:
                return offset
    return -1


def parameters_of(text):
    if text.strip() in ('', 'void'):
        return 0
    depth, count = 0, 1
    for character in text:
        depth += character in '([{'
        depth -= character in ')]}'
        count += character == ',' and depth == 0
    return count


def header_of(text, brace):
    """The (name, offset, parameters) of the function whose body opens at `brace`, or None."""
    close = len(text[:brace].rstrip()) - 1
    while close >= 0 and text[close] == ')':
        opening = opening_of(text, close)
        word = re.search(r'(\w+)\s*$', text[:opening])
        if word is None:
            return None
        if word.group(1) not in ('__attribute__', '__attribute'):
            return word.group(1), word.start(1), parameters_of(text[opening + 1:close])
        close = len(text[:word.start(1)].rstrip()) - 1
    return None


def is_statement(text, brace):
    """Whether the brace inside a function opens a block, not an initialiser."""
    before = text[:brace].rstrip()
    if before.endswith((';', '}', '{', ':')) or re.search(r'\b(?:else|do)$', before):
        return True
    if not before.endswith(')'):
        return False
    opening = opening_of(before, len(before) - 1)
    return re.search(r'\w\s*$', before[:opening]) is not None and \
        re.search(r'\b(?:return|sizeof)\s*$', before[:opening]) is None


def close_of(text, brace):
    """(offset of the closing brace, deepest nesting of blocks) of the body that opens at `brace`."""
    blocks = []
    deepest = 0
    for match in re.compile(r'[{}]').finditer(text, brace):
        if match.group() == '{':
            inside_values = bool(blocks) and not blocks[-1]
            blocks.append(len(blocks) == 0 or (not inside_values and is_statement(text, match.start())))
            deepest = max(deepest, sum(blocks) - 1)
        else:
            blocks.pop()
            if not blocks:
                return match.start(), deepest
    return len(text) - 1, deepest


def functions_of(source):
    """The functions that are defined in C text."""
    text = without_directives(without_comments(source, strings=True))
    lines = Lines(text)
    found = []
    depth = 0
    offset = 0
    pattern = re.compile(r'[(){}]')
    while (match := pattern.search(text, offset)) is not None:
        offset = match.end()
        if match.group() in '()':
            depth += 1 if match.group() == '(' else -1
        elif match.group() == '{' and depth == 0:
            header = header_of(text, match.start())
            end, nesting = close_of(text, match.start())
            if header is not None:
                name, start, parameters = header
                found.append(Function(name, lines.of(start), lines.of(end), parameters, nesting, (match.start(), end)))
            offset = end + 1
    return found
