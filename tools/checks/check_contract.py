# SPDX-License-Identifier: MIT
"""Every clause of docs/contract.md is cited by a scenario, and no citation names a clause that is not there."""

import re

import common

CONTRACT = 'docs/contract.md'
DEFINITION = re.compile(r'^- \*\*([A-Z]+-\d+)\*\* ', re.MULTILINE)
CITATION = re.compile(r'\[([A-Z]+-\d+)\]')
# In a scenario: .clauses = "RUN-3 RUN-5", also in several literals.
CLAUSES = re.compile(r'\.clauses\s*=\s*((?:"[^"\n]*"\s*)+)')
IDENTIFIER = re.compile(r'[^\s"]+')


def defined(root):
    """Clause -> line; a clause that is defined twice is a finding."""
    text = common.read(root, CONTRACT)
    lines = common.Lines(text)
    clauses, findings = {}, []
    for match in DEFINITION.finditer(text):
        line = lines.of(match.start())
        if match.group(1) in clauses:
            findings.append(f'{CONTRACT}:{line}: {match.group(1)} is defined twice')
        clauses.setdefault(match.group(1), line)
    return clauses, findings


def cited_by_scenarios(root):
    """(path, line, clause) of every clause in a .clauses of conformance/."""
    for path in common.c_files(root):
        if not path.startswith('conformance/'):
            continue
        text = common.without_comments(common.read(root, path))
        lines = common.Lines(text)
        for match in CLAUSES.finditer(text):
            for clause in IDENTIFIER.finditer(match.group(1)):
                yield path, lines.of(match.start(1) + clause.start()), clause.group()


def cited_in_text(root):
    """(path, line, clause) of every [CLAUSE-1] in C files and documents."""
    for path in common.tracked_files(root):
        if not path.endswith(('.c', '.h', '.md')):
            continue
        text = common.read(root, path)
        lines = common.Lines(text)
        for match in CITATION.finditer(text):
            yield path, lines.of(match.start()), match.group(1)


def find(root):
    clauses, findings = defined(root)
    if not clauses:
        return [f'{CONTRACT}:1: defines no clause']
    scenarios = list(cited_by_scenarios(root))
    for path, line, clause in [*scenarios, *cited_in_text(root)]:
        if clause not in clauses:
            findings.append(f'{path}:{line}: {clause} is no clause of {CONTRACT}')
    covered = {clause for _, _, clause in scenarios}
    findings.extend(f'{CONTRACT}:{line}: no scenario cites {clause}' for clause, line in clauses.items()
                    if clause not in covered)
    return findings


if __name__ == '__main__':
    common.finish(find(common.parse_arguments(__doc__).root), CONTRACT)
