# SPDX-License-Identifier: MIT
"""Nothing tracked names one machine's folders or a package host, and nothing is left for later."""

import re

import common

# Written in pieces, so that this file does not find itself.
WORDS = (
    (re.compile(r'\b(?:TO' r'DO|FIX' r'ME|X' r'XX)\b'), 'left for later: do it, or refuse it with a clear error'),
    (re.compile(r'(?<![\w.~-])/(?:work|root|home|Users)' r'/\w'), 'a path of one machine'),
    (re.compile(r'\b(?:crates|pypi|npm' r'js|proxy\.golang|regis' r'try\.\w+)\.(?:io|org|com|net)\b'),
     'a package host'),
    (re.compile(r'\b(?:localhost|127\.0\.0\.1):\d+'), 'an address of one machine'),
)


def check_text(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        for pattern, reason in WORDS:
            if (match := pattern.search(line)) is not None:
                yield f'{path}:{number}: "{match.group()}": {reason}'


def find(root):
    findings = []
    for path in common.tracked_files(root):
        text = common.read(root, path)
        if '\0' not in text:
            findings.extend(check_text(path, text))
    return findings


if __name__ == '__main__':
    common.finish(find(common.parse_arguments(__doc__).root), 'the words of tracked files')
