# SPDX-License-Identifier: MIT
"""Each scenario and test that docs/cve_cases.md names is there, and the scenarios cite the clauses of their row."""

import os
import re
import subprocess

import common

CASES = 'docs/cve_cases.md'
COLUMNS = 5
ROW = re.compile(r'^\| *(\d+) *\|(.*)\|$')
LISTED = re.compile(r'^(\S+/\S+) \[([^]]*)\] ?(.*)$')
CLAUSE = re.compile(r'[A-Z]+-\d+')
CVE = re.compile(r'CVE-\d+-\d+')
SHOWN = re.compile(r'`([^`]+)`')


class Scenario:
    def __init__(self, clauses, ids):
        self.clauses = set(clauses.split())
        self.cves = set(CVE.findall(ids))


def scenarios_of(listing):
    """From the lines of `vmrig certify --list`."""
    matches = filter(None, map(LISTED.match, listing.splitlines()))
    return {match.group(1): Scenario(match.group(2), match.group(3)) for match in matches}


def has_test(root, path, name):
    return os.path.isfile(os.path.join(root, path)) and \
        re.search(r'cmocka_unit_test\w*\(' + re.escape(name) + r'\b', common.read(root, path)) is not None


class Row:
    def __init__(self, line, number, cells):
        self.where = f'{CASES}:{line}'
        self.number = number
        self.cves = set(CVE.findall(cells[0]))
        self.clauses = set(CLAUSE.findall(cells[2]))
        self.shown = SHOWN.findall(cells[3])


def rows_of(text):
    """(rows, findings)"""
    rows, findings = [], []
    for line, content in enumerate(text.splitlines(), 1):
        match = ROW.match(content)
        if match is None:
            continue
        cells = match.group(2).split('|')
        if len(cells) != COLUMNS - 1:
            findings.append(f'{CASES}:{line}: {len(cells) + 1} columns, not {COLUMNS}')
            continue
        rows.append(Row(line, int(match.group(1)), cells))
        if rows[-1].number != len(rows):
            findings.append(f'{CASES}:{line}: row {rows[-1].number} where row {len(rows)} belongs')
    return rows, findings


def check_row(root, row, scenarios):
    cited, is_scenario = set(), False
    for name in row.shown:
        path, colon, test = name.partition(': ')
        if colon:
            if not has_test(root, path, test):
                yield f'{row.where}: there is no test {test} in {path}'
        elif name in scenarios:
            is_scenario = True
            cited |= scenarios[name].clauses
        else:
            yield f'{row.where}: there is no scenario {name}'
    if row.clauses and not is_scenario:
        yield f'{row.where}: clauses, and no scenario that shows them'
    for clause in sorted(row.clauses - cited):
        yield f'{row.where}: none of the scenarios named here cites {clause}'
    if is_scenario and not row.clauses:
        yield f'{row.where}: scenarios without a clause'


def find(root, listing):
    rows, findings = rows_of(common.read(root, CASES))
    scenarios = scenarios_of(listing)
    if not rows:
        findings.append(f'{CASES}:1: has no rows')
    if not scenarios:
        findings.append('there are no scenarios')
    for row in rows:
        findings.extend(check_row(root, row, scenarios))
    for name, scenario in scenarios.items():
        told = {cve for row in rows if name in row.shown for cve in row.cves}
        findings.extend(f'{CASES}: {name} carries {cve}, and no row of that fault names it'
                        for cve in sorted(scenario.cves - told))
    return findings


if __name__ == '__main__':
    arguments = common.parse_arguments(__doc__, ('vmrig', {'help': 'the command'}))
    done = subprocess.run([arguments.vmrig, 'certify', '--list'], stdout=subprocess.PIPE, check=True, text=True)
    common.finish(find(arguments.root, done.stdout), CASES)
