# SPDX-License-Identifier: MIT
"""Writes the clauses of docs/contract.md as a table in C, for `vmrig certify --explain`."""

import argparse
import json
import re

CLAUSE = re.compile(r'^- \*\*([A-Z]+-\d+)\*\* (.*?)(?=^- |^#|^\s*$|\Z)', re.MULTILINE | re.DOTALL)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('contract')
    parser.add_argument('output')
    arguments = parser.parse_args()
    with open(arguments.contract, encoding='utf-8') as file:
        clauses = [(name, ' '.join(text.split())) for name, text in CLAUSE.findall(file.read())]
    if not clauses:
        raise SystemExit(f'{arguments.contract}: defines no clause')
    with open(arguments.output, 'w', encoding='utf-8') as file:
        file.write('/* SPDX-License-Identifier: MIT */\n/* Made from docs/contract.md; do not edit. */\n\n'
                   '#include "conformance/scenarios.h"\n\nconst struct conf_clause conf_clauses[] = {\n')
        for name, text in clauses:
            # A JSON string of ASCII text is a C string.
            file.write(f'    {{{json.dumps(name)}, {json.dumps(text)}}},\n')
        file.write('};\nconst size_t conf_clause_count = sizeof(conf_clauses) / sizeof(conf_clauses[0]);\n')


if __name__ == '__main__':
    main()
