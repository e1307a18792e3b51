# SPDX-License-Identifier: MIT
"""./dev nightly: runs all targets on all processors for a time, under libFuzzer with sanitizers and under AFL++ without.

Runs are slices. What they find, and how much they did, adds up in the build folder, so that the next nightly goes on
where this one ended, or was interrupted: corpus/TARGET, crashes/TARGET, nightly.json. At the end the corpora are merged
and nightly.txt and nightly.html say what there is.
Exit status: 0, 1 (this run found a crash, or a target did not run), 2 (wrong use), 130 (interrupted, and no crash).
"""

import argparse
import concurrent.futures
import datetime
import html
import json
import os
import shutil
import sys
import threading
import time

import lab

SLICE_MIN_S, SLICE_MAX_S = 10, 600
AFL_EVERY = 3  # of a target's slices, one in so many is AFL++'s
# What --keep puts into the tree at most: a folder of the corpora has 2 MiB, for curated inputs too.
KEPT_FILES, KEPT_BYTES = 500, 512 * 1024


class State:
    """What all nightly runs have done: counts for each target and engine, and whose slice is next."""

    def __init__(self, path):
        self.path = path
        self.data = {'next': 0, 'runs': 0, 'targets': {}}
        if os.path.exists(path):
            with open(path, encoding='utf-8') as file:
                self.data.update(json.load(file))

    def row(self, name):
        return self.data['targets'].setdefault(
            name, {'slices': 0, 'seconds': 0, 'executions': 0, 'edges': 0, 'new': 0, 'crashes': 0, 'engines': {}})

    def add(self, name, engine, result):
        row = self.row(name)
        row['slices'] += 1
        row['seconds'] = round(row['seconds'] + result.seconds, 3)
        row['executions'] += result.executions
        row['new'] += result.new
        row['crashes'] += len(result.crashes)
        row['engines'][engine] = row['engines'].get(engine, 0) + result.executions
        if engine == lab.LibFuzzer.name and result.edges:
            row['edges'] = result.edges
        self.save()

    def save(self):
        """Whole or not at all: a run may be killed at any time."""
        with open(self.path + '.new', 'w', encoding='utf-8') as file:
            json.dump(self.data, file, indent=1, sort_keys=True)
        os.replace(self.path + '.new', self.path)


class Night:
    """One run: workers take slices until the time is over."""

    def __init__(self, options, state, engines):
        self.options, self.state, self.engines = options, state, engines
        self.targets = lab.read_targets()
        self.lock = threading.Lock()
        self.busy = set()
        self.stop = threading.Event()
        self.failed = False
        self.began = time.monotonic()
        # Merging, which no slice may eat up, gets a tenth.
        self.fuzz_s = 60 * options.minutes * 0.9
        slices = self.fuzz_s * options.jobs / (4 * len(self.targets))
        self.slice_s = int(min(max(slices, SLICE_MIN_S), SLICE_MAX_S))

    def left(self):
        return self.fuzz_s - (time.monotonic() - self.began)

    def take(self):
        """The next target that no other worker has, and its engine."""
        with self.lock:
            for _ in self.targets:
                target = self.targets[self.state.data['next'] % len(self.targets)]
                self.state.data['next'] = (self.state.data['next'] + 1) % len(self.targets)
                if target.name not in self.busy:
                    self.busy.add(target.name)
                    turn = self.state.row(target.name)['slices'] % AFL_EVERY
                    return target, self.engines[-1 if turn == AFL_EVERY - 1 else 0]
        return None, None

    def give_back(self, target, engine, result):
        with self.lock:
            self.busy.discard(target.name)
            self.state.add(target.name, engine.name, result)
            self.failed |= bool(result.crashes or result.failed)
            print(f'[{time.monotonic() - self.began:7.0f} s] {target.name:<13} {engine.name:<9} '
                  f'{result.executions:>12,} executions {result.executions / max(result.seconds, 0.001):>8,.0f}/s '
                  f'{result.new:>5,} new  {len(result.crashes)} crashes', flush=True)
            for line in lab.explain(self.engines[0], target, result):
                print(line, flush=True)

    def work(self):
        while not self.stop.is_set() and self.left() >= 1:
            target, engine = self.take()
            if target is None:
                return
            result = engine.fuzz(target, max(1, int(min(self.slice_s, self.left()))))
            self.give_back(target, engine, result)

    def fuzz(self):
        """False: interrupted."""
        with concurrent.futures.ThreadPoolExecutor(self.options.jobs) as pool:
            workers = [pool.submit(self.work) for _ in range(min(self.options.jobs, len(self.targets)))]
            try:
                for worker in workers:
                    worker.result()
                return True
            except KeyboardInterrupt:
                self.stop.set()
                lab.end_all()
                return False

    def merge(self):
        engine, log = self.engines[0], self.engines[0].folders.of('logs')

        def one(target):
            others = [other.queue(target) for other in self.engines[1:]]
            return engine.merge(target, others, os.path.join(log, target.name + '.merge.log'))

        with concurrent.futures.ThreadPoolExecutor(self.options.jobs) as pool:
            try:
                for target, merged in zip(self.targets, pool.map(one, self.targets)):
                    if not merged:
                        print(f'{target.name}: its corpus could not be merged and stays as it is', flush=True)
                return True
            except KeyboardInterrupt:
                lab.end_all()
                return False


def keep(folders, targets):
    """The smallest inputs of each corpus, as many as the tree may hold, into corpora/TARGET/auto."""
    for target in targets:
        corpus, kept = folders.corpus(target), os.path.join(lab.seeds(target), 'auto')
        inputs = sorted(((os.path.getsize(path), path) for path in lab.listed(corpus)))[:KEPT_FILES]
        shutil.rmtree(kept, ignore_errors=True)
        os.makedirs(kept)
        total = 0
        for size, path in inputs:
            total += size
            if total <= KEPT_BYTES:
                shutil.copyfile(path, os.path.join(kept, os.path.basename(path)[:16]))


# --- reports ---

HEADINGS = ('target', 'executions', 'exec/s', 'edges', 'new inputs', 'crashes', 'hours')


def rows_of(state):
    for name, row in sorted(state.data['targets'].items()):
        rate = row['executions'] / row['seconds'] if row['seconds'] else 0
        yield (name, f'{row["executions"]:,}', f'{rate:,.0f}', f'{row["edges"]:,}', f'{row["new"]:,}',
               f'{row["crashes"]:,}', f'{row["seconds"] / 3600:.2f}')


def crashes_of(folders, targets):
    return [path for target in targets for path in sorted(lab.listed(folders.crashes(target)))]


def text_report(state, crashes, when):
    lines = [f'Fuzzing so far: {state.data["runs"]} runs, the last one ended {when}', '']
    lines += ['  '.join(f'{cell:<14}' if i == 0 else f'{cell:>14}' for i, cell in enumerate(row)).rstrip()
              for row in (HEADINGS, *rows_of(state))]
    lines += ['', f'{len(crashes)} inputs that crash' + (':' if crashes else '')]
    return '\n'.join(lines + ['  ' + os.path.relpath(path) for path in crashes]) + '\n'


def html_report(state, crashes, when):
    def table_row(cells, tag):
        return '<tr>' + ''.join(f'<{tag}>{html.escape(cell)}</{tag}>' for cell in cells) + '</tr>'

    body = '\n'.join([table_row(HEADINGS, 'th'), *(table_row(row, 'td') for row in rows_of(state))])
    found = ''.join(f'<li><code>{html.escape(os.path.relpath(path))}</code></li>' for path in crashes)
    return ('<!doctype html><meta charset="utf-8"><title>Fuzzing</title>'
            '<style>body{font-family:sans-serif}td,th{padding:.2em .8em;text-align:right}'
            'td:first-child,th:first-child{text-align:left}</style>'
            f'<h1>Fuzzing</h1><p>{state.data["runs"]} runs, the last one ended {when}.</p>\n<table>\n{body}\n</table>\n'
            f'<p>{len(crashes)} inputs that crash</p><ul>{found}</ul>\n')


def write_reports(folders, state, targets):
    when = datetime.datetime.now().strftime('%Y-%m-%d %H:%M')
    crashes = crashes_of(folders, targets)
    for name, report in (('nightly.txt', text_report), ('nightly.html', html_report)):
        with open(os.path.join(folders.build, name), 'w', encoding='utf-8') as file:
            file.write(report(state, crashes, when))
    print(text_report(state, crashes, when), end='')
    print(f'reports: {os.path.relpath(os.path.join(folders.build, "nightly.txt"))}, nightly.html beside it')


def parse(arguments):
    parser = argparse.ArgumentParser(prog='./dev nightly', description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--minutes', type=float, default=480, metavar='N', help='how long, all in all (480)')
    parser.add_argument('--jobs', type=int, default=os.cpu_count() or 1, metavar='N', help='targets at once (processors)')
    parser.add_argument('--keep', action='store_true', help='put the merged corpora, cut to size, into corpora/TARGET/auto')
    parser.add_argument('--check', action='store_true', help='look at the arguments and do nothing')
    parser.add_argument('--build', default='build-fuzz', metavar='FOLDER', help='set up with -Dfuzzing=true, for libFuzzer')
    parser.add_argument('--afl', default='', metavar='FOLDER', help='the same for AFL++; without it, none')
    options = parser.parse_args(arguments)
    if not 0 < options.minutes <= 10080:
        parser.error(f'--minutes {options.minutes:g}: more than 0, at most a week')
    if not 1 <= options.jobs <= 1024:
        parser.error(f'--jobs {options.jobs}: 1 to 1024')
    return options


def main(arguments):
    options = parse(arguments)
    if options.check:
        return 0
    lab.interruptible()
    folders = lab.Folders(options.build)
    engines = [lab.LibFuzzer(folders)]
    if options.afl:
        engines.append(lab.Afl(folders, options.afl))
    targets = lab.read_targets()
    for folder in (options.build, options.afl):
        if folder and not lab.build(folder, targets):
            print(f'./dev nightly: the targets cannot be built: ninja -C {folder}', file=sys.stderr)
            return 1
    state = State(os.path.join(folders.build, 'nightly.json'))
    night = Night(options, state, engines)
    finished = night.fuzz() and night.merge()
    state.data['runs'] += 1
    state.save()
    if finished and options.keep:
        keep(folders, targets)
    write_reports(folders, state, targets)
    return 1 if night.failed else 0 if finished else 130


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
