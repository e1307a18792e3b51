# SPDX-License-Identifier: MIT
"""Judges the conformance suite by mutants: changes one thing in a source, builds, and sees whether a scenario fails.

Each mutant is one place of one operator: a relation turned, a number one off, a call dropped, a condition negated. It is
built in a copy of the tree and judged by `vmrig certify` alone, on each of the given hypervisors in turn until one
rejects it. What survives is printed with its place: a missing scenario, or a change that changes nothing.
"""

import argparse
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile

RELATIONS = {'==': '!=', '!=': '==', '<=': '<', '>=': '>', '<': '<=', '>': '>='}
# Not in strings, comments, includes or macros: mutants there say nothing, or do not build.
SKIPPED_LINE = re.compile(r'^\s*(#|//|/\*|\*)|"|^\s*(static|extern|struct|enum|union|const)\b.*;\s*$|assert')
RELATION = re.compile(r'(?<=[\w)\]] )(==|!=|<=|>=|<|>)(?= [\w(&*!-])')
NUMBER = re.compile(r'(?<=[ (\[+-])([1-9]\d{0,3})(?=u?[ ;,)\]])')
CALL = re.compile(r'^(\s+)(?:\(void\))?[a-z]\w*\([^;{}]*\);\s*$')
CONDITION = re.compile(r'^(\s+(?:\} else )?if \()(.*)(\)(?: \{)?\s*)$')
BUILD_S, JUDGE_S = 300, 120


def mutants_of_line(line):
    """Each changed line, with the name of the operator."""
    if SKIPPED_LINE.search(line):
        return
    for match in RELATION.finditer(line):
        yield 'relation', line[:match.start()] + RELATIONS[match.group()] + line[match.end():]
    for match in NUMBER.finditer(line):
        yield 'off by one', line[:match.start()] + str(int(match.group()) + 1) + line[match.end():]
    if CALL.match(line):
        yield 'dropped call', CALL.sub(r'\1;', line.rstrip('\n')) + '\n'
    condition = CONDITION.match(line)
    if condition:
        yield 'negated', f'{condition.group(1)}!({condition.group(2)}){condition.group(3)}'


def mutants_of(path):
    lines = path.read_text(encoding='utf-8').splitlines(keepends=True)
    for number, line in enumerate(lines):
        for operator, changed in mutants_of_line(line):
            yield number, operator, changed


def run(command, seconds, **options):
    try:
        return subprocess.run(command, timeout=seconds, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              **options)
    except subprocess.TimeoutExpired:
        return None


class Copy:
    """The tree, to be mutated."""

    def __init__(self, root, folder):
        self.root = folder / 'tree'
        self.build = folder / 'build'
        tracked = subprocess.run(['git', '-C', root, 'ls-files', '-z'], check=True, stdout=subprocess.PIPE).stdout
        for name in tracked.decode().split('\0')[:-1]:
            target = self.root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(pathlib.Path(root) / name, target)
        subprocess.run(['meson', 'setup', self.build, self.root, '-Dtests=false', '-Dexamples=false', '-Dwerror=false',
                        '-Dbuildtype=plain', '-Doptimization=1'], check=True, stdout=subprocess.DEVNULL)
        self.make()

    def make(self):
        done = run(['ninja', '-C', self.build, 'vmrig'], BUILD_S)
        return done is not None and done.returncode == 0

    def judge(self, hypervisors, scenarios):
        """Who rejects it: a scenario's line; '' if nobody does."""
        for hypervisor in hypervisors:
            done = run([self.build / 'vmrig', 'certify', '--hypervisor', hypervisor, '--fail-fast', '--filter', scenarios],
                       JUDGE_S)
            if done is None:
                return f'{hypervisor}: it does not end'
            if done.returncode not in (0, 1):
                return f'{hypervisor}: it crashes'
            if done.returncode == 1:
                said = done.stdout.decode(errors='replace')
                failed = re.search(r'^FAIL (\S+): (\S+)', said, re.MULTILINE)
                return f'{failed.group(1)} {failed.group(2)}' if failed else said.strip().splitlines()[0][:100]
        return ''


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('files', nargs='+', help='sources to mutate, from the top of the tree')
    parser.add_argument('--root', default='.', help='the top of the tree (.)')
    parser.add_argument('--hypervisor', action='append', metavar='SPEC',
                        help='who judges, in this order (mock:profile=strict, then two more profiles)')
    parser.add_argument('--filter', default='*', metavar='GLOB', help='scenarios that judge')
    parser.add_argument('--sample', type=int, default=40, metavar='N', help='so many mutants, drawn by --seed; 0: all (40)')
    parser.add_argument('--seed', type=int, default=1, metavar='S')
    arguments = parser.parse_args()
    judges = arguments.hypervisor or ['mock:profile=strict', 'mock:profile=kvm-like,irqchip=kernel', 'mock:profile=hvf-like']
    root = pathlib.Path(arguments.root)
    mutants = [(name, *mutant) for name in arguments.files for mutant in mutants_of(root / name)]
    if arguments.sample:
        mutants = sorted(random.Random(arguments.seed).sample(mutants, min(arguments.sample, len(mutants))))
    killed = survived = broken = 0
    with tempfile.TemporaryDirectory(prefix='vmrig-mutants-') as folder:
        copy = Copy(arguments.root, pathlib.Path(folder))
        healthy = copy.judge(judges, arguments.filter)
        if healthy:
            sys.exit(f'without a mutant: {healthy}')
        for name, number, operator, changed in mutants:
            path = copy.root / name
            whole = path.read_text(encoding='utf-8')
            lines = whole.splitlines(keepends=True)
            was, lines[number] = lines[number], changed
            path.write_text(''.join(lines), encoding='utf-8')
            by = copy.judge(judges, arguments.filter) if copy.make() else None
            path.write_text(whole, encoding='utf-8')
            if by is None:
                broken += 1
            elif by:
                killed += 1
            else:
                survived += 1
                print(f'SURVIVED {name}:{number + 1}: {operator}: {was.strip()}  ->  {changed.strip()}', flush=True)
            print(f'{killed + survived + broken}/{len(mutants)} {name}:{number + 1} {by or "-"}', file=sys.stderr, flush=True)
    total = killed + survived
    print(f'{killed} of {total} mutants killed ({100 * killed // max(total, 1)} %), {broken} do not build')
    sys.exit(1 if survived else 0)


if __name__ == '__main__':
    main()
