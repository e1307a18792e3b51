# SPDX-License-Identifier: MIT
"""./dev fuzz: runs one target, or each in turn, under libFuzzer with the address and undefined behaviour sanitizers.

What it finds stays in the build folder: inputs that reach something new in corpus/TARGET, crashes in crashes/TARGET.
Exit status: 0, 1 (a crash was found, or a target did not run), 2 (wrong use), 130 (interrupted, and no crash).
"""

import argparse
import sys

import lab


def parse(arguments):
    targets = {target.name: target for target in lab.read_targets()}
    parser = argparse.ArgumentParser(prog='./dev fuzz', description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter,
                                     epilog='targets:\n' + '\n'.join(f'  {target.name:<14}{target.what}'
                                                                     for target in targets.values()))
    parser.add_argument('target', nargs='?', metavar='TARGET', help='one of those below; without it, each in turn')
    parser.add_argument('--minutes', type=float, default=1, metavar='N', help='how long each target runs (1)')
    parser.add_argument('--check', action='store_true', help='look at the arguments and do nothing')
    parser.add_argument('--build', default='build-fuzz', metavar='FOLDER', help='set up with -Dfuzzing=true')
    options = parser.parse_args(arguments)
    if options.target is not None and options.target not in targets:
        parser.error(f'no target "{options.target}"; there are: ' + ', '.join(targets))
    if not 0 < options.minutes <= 10080:
        parser.error(f'--minutes {options.minutes:g}: more than 0, at most a week')
    options.targets = [targets[options.target]] if options.target else list(targets.values())
    return options


def report(target, result):
    seconds = max(result.seconds, 0.001)
    print(f'{target.name:<14} {result.executions:>12,} executions  {result.executions / seconds:>9,.0f}/s'
          f'  {result.edges:>6,} edges  {result.new:>5,} new  {len(result.crashes)} crashes', flush=True)


def main(arguments):
    options = parse(arguments)
    if options.check:
        return 0
    lab.interruptible()
    engine = lab.LibFuzzer(lab.Folders(options.build))
    if not lab.build(options.build, options.targets):
        print(f'./dev fuzz: the targets cannot be built: ninja -C {options.build}', file=sys.stderr)
        return 1
    failed = False
    for target in options.targets:
        result = engine.fuzz(target, max(1, round(60 * options.minutes)))
        report(target, result)
        for line in lab.explain(engine, target, result):
            print(line, flush=True)
        failed |= bool(result.crashes or result.failed)
        if result.interrupted:
            return 1 if failed else 130
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
