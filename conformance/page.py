# SPDX-License-Identifier: MIT
"""Writes the page of conformance/page/ as bytes in C, cut where the certificates go."""

import argparse
import base64
import hashlib
import pathlib
import re

DATA = '@DATA@'


def read(path):
    return path.read_text(encoding='utf-8')


def digest(text):
    return 'sha256-' + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def page_of(template, style, scripts):
    """The page allows its own style and script by their hashes, and nothing else."""
    script = "(() => {\n'use strict';\n" + '\n'.join(scripts) + '})();\n'
    for text in (style, script):
        if re.search(f'</|<!--|{DATA}', text):
            raise SystemExit(f'a style or script holds "</" or "<!--", which would end it, or {DATA}')
    parts = {'@STYLE_HASH@': digest(style), '@SCRIPT_HASH@': digest(script), '@STYLE@': style, '@SCRIPT@': script}
    for name, text in parts.items():
        if template.count(name) != 1:
            raise SystemExit(f'the template must hold {name} once')
        template = template.replace(name, text)
    return template


def array(name, text):
    data = text.encode()
    rows = (data[i:i + 24] for i in range(0, len(data), 24))
    body = ''.join('    ' + ','.join(str(byte) for byte in row) + ',\n' for row in rows)
    return f'const unsigned char {name}[] = {{\n{body}}};\nconst size_t {name}_size = sizeof({name});\n'


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('template', type=pathlib.Path)
    parser.add_argument('style', type=pathlib.Path)
    parser.add_argument('scripts', type=pathlib.Path, nargs='+', help='in their order')
    parser.add_argument('--output', type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    page = page_of(read(arguments.template), read(arguments.style), [read(path) for path in arguments.scripts])
    before, after = page.split(DATA)
    arguments.output.write_text('/* SPDX-License-Identifier: MIT */\n/* Made from conformance/page/; do not edit. */\n\n'
                                '#include "conformance/page_template.h"\n\n'
                                + array('page_before', before) + array('page_after', after), encoding='utf-8')


if __name__ == '__main__':
    main()
