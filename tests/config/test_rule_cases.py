# SPDX-License-Identifier: MIT
"""Each rule of resolving, of hosts, of tables and of building is what some test expects by its code."""

import pathlib
import re
import sys

TABLES = ('rules_resolve.c', 'rules_tables.c', 'rules_build.c')
FOLDERS = ('tests/config', 'tests/resolve', 'tests/tables', 'tests/machine')
CODE = re.compile(r'"(CFG-[A-Z0-9-]+)"')


def codes_in(paths):
    return {code for path in paths for code in CODE.findall(path.read_text(encoding='utf-8'))}


def main(root):
    rules = codes_in(root / 'lib/config' / name for name in TABLES)
    expected = codes_in(path for folder in FOLDERS for path in (root / folder).glob('*.c'))
    missing = sorted(rules - expected)
    for code in missing:
        print(f'{code}: no test expects it')
    print(f'{len(rules)} rules, {len(missing)} without a case')
    return 1 if missing or len(rules) < 30 else 0


if __name__ == '__main__':
    sys.exit(main(pathlib.Path(sys.argv[1])))
