# SPDX-License-Identifier: MIT
"""Adds up meson's test logs into one last line: `N passed, N failed, N skipped`.

A cmocka program counts with its cases, and a program whose last line has the
same form as ours with the numbers it gives; every other test counts as one. A
test that failed counts at least one failure, whatever it printed, and so does
a log that is not there: its build failed.
"""

import json
import os
import re
import sys

SUMMARY = re.compile(r'^(\d+) passed, (\d+) failed, (\d+) skipped$', re.MULTILINE)
CMOCKA = {word: re.compile(r'^\[\s*' + word + r'\s*\] (\d+) test\(s\)', re.MULTILINE)
          for word in ('PASSED', 'FAILED', 'SKIPPED')}
GOOD = ('OK', 'EXPECTEDFAIL')


def cases_of(output):
    """(passed, failed, skipped) as the test printed them, or None."""
    if summaries := SUMMARY.findall(output):
        return tuple(int(number) for number in summaries[-1])
    if not CMOCKA['PASSED'].search(output):
        return None
    return tuple(sum(int(number) for number in CMOCKA[word].findall(output))
                 for word in ('PASSED', 'FAILED', 'SKIPPED'))


def count(entry):
    """(passed, failed, skipped) of one test."""
    result = entry['result']
    if result == 'SKIP':
        return 0, 0, 1
    passed, failed, skipped = cases_of(entry.get('stdout') or '') or (int(result in GOOD), 0, 0)
    if result not in GOOD:
        failed = max(failed, 1)
    return passed, failed, skipped


def total(logs):
    sums = [0, 0, 0]
    for log in logs:
        if not os.path.exists(log):
            sums[1] += 1
            continue
        with open(log, encoding='utf-8') as file:
            for line in file:
                sums = [before + more for before, more in zip(sums, count(json.loads(line)))]
    return sums


def main():
    passed, failed, skipped = total(sys.argv[1:])
    print(f'{passed} passed, {failed} failed, {skipped} skipped')
    sys.exit(1 if failed or not passed else 0)


if __name__ == '__main__':
    main()
