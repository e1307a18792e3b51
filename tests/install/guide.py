# SPDX-License-Identifier: MIT
"""The listings and commands of a guide, run in order.

A block that begins with ```c NAME is a file, ```sh STATUS commands of which the last has that status, and ```text
the beginnings, in order, of lines that they printed.
"""

import re
import subprocess

BLOCK = re.compile(r'^```(\w+) ?(\S*)\n(.*?)^```$', re.MULTILINE | re.DOTALL)


class Wrong(Exception):
    """The guide says what is not so."""


def run_commands(commands, status, folder, environment):
    """What they printed. All but the last must succeed."""
    output = ''
    lines = commands.strip().splitlines()
    for number, line in enumerate(lines):
        done = subprocess.run(['bash', '-c', line], cwd=folder, env=environment, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        wanted = status if number == len(lines) - 1 else 0
        if done.returncode != wanted:
            raise Wrong(f'{line}: status {done.returncode}, the guide says {wanted}\n{done.stdout}')
        output += done.stdout
    return output


def check_output(output, expected):
    """Each line of the guide is in one of the output, behind that of the line before."""
    rest = output.splitlines()
    for line in expected.splitlines():
        while rest and line not in rest[0]:
            del rest[0]
        if not rest:
            raise Wrong(f'the guide shows "{line}", which is not in:\n{output}')


def follow(text, folder, environment):
    """How many blocks of each kind there were."""
    counts = {'c': 0, 'sh': 0, 'text': 0}
    output = ''
    for kind, word, content in BLOCK.findall(text):
        if kind not in counts:
            raise Wrong(f'a block of "{kind}" is nothing that could be tried')
        counts[kind] += 1
        if kind == 'c':
            (folder / word).write_text(content, encoding='ascii')
        elif kind == 'sh':
            output = run_commands(content, int(word), folder, environment)
        else:
            check_output(output, content)
    return counts
