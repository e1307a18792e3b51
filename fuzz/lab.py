# SPDX-License-Identifier: MIT
"""What `./dev fuzz` and `./dev nightly` share: the targets, the engines, what a run of one says.

An engine gets a target, its folders and some seconds, and gives a Result. It runs as a process of its own session, so
that Ctrl-C reaches it through us: it ends in order, and what it has found is kept.
"""

import dataclasses
import os
import re
import shutil
import signal
import subprocess
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TABLE = os.path.join(TOP, 'fuzz', 'targets.txt')
MEMORY_MB = 1024
HANG_S = 20  # a backstop: what a target does is bounded by its own counts
GRACE_S = 15  # for an engine to end after its time, or when asked to

INTERRUPTED = 'interrupted'

REASONS = re.compile(r'does not hold: .*|happened: .*|runtime error: .*|'
                     r'ERROR: (?:AddressSanitizer|LeakSanitizer|libFuzzer): .*')


@dataclasses.dataclass(frozen=True)
class Target:
    name: str
    max_length: int
    mutator: str
    what: str


@dataclasses.dataclass
class Result:
    seconds: float = 0
    executions: int = 0
    edges: int = 0
    new: int = 0
    crashes: list = dataclasses.field(default_factory=list)  # paths
    reason: str = ''  # of a crash, as the log has it
    failed: str = ''  # the engine could not run
    interrupted: bool = False

    def end(self, status, log):
        self.interrupted = status == INTERRUPTED
        if status not in (0, INTERRUPTED) and not self.crashes:
            self.failed = f'it ended with status {status}: see {log}'
        return self


def read_targets(path=TABLE):
    with open(path, encoding='utf-8') as file:
        rows = [line.split(None, 3) for line in file if line.strip() and not line.startswith('#')]
    return [Target(name, int(length), mutator, what.strip()) for name, length, mutator, what in rows]


class Folders:
    """Where things of a build folder lie; everything is made when it is asked for."""

    def __init__(self, build):
        self.build = os.path.abspath(build)

    def of(self, *parts):
        path = os.path.join(self.build, *parts)
        os.makedirs(path, exist_ok=True)
        return path

    def program(self, target):
        return os.path.join(self.build, 'fuzz', 'fuzz_' + target.name)

    def corpus(self, target):
        return self.of('corpus', target.name)

    def crashes(self, target):
        return self.of('crashes', target.name)


def seeds(target):
    return os.path.join(TOP, 'corpora', target.name)


def build(folder, targets):
    """True if all of them are built."""
    names = ['fuzz/fuzz_' + target.name for target in targets]
    return subprocess.run(['ninja', '-C', folder, *names], stdout=subprocess.DEVNULL, check=False).returncode == 0


def listed(folder):
    return {os.path.join(folder, name) for name in os.listdir(folder)}


running = set()
stopping = threading.Event()


def run(command, seconds, log, environment):
    """Runs an engine into a log file. Its exit status; None: it did not end; INTERRUPTED: we were asked to stop."""
    with open(log, 'wb') as file:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT,
                                   start_new_session=True, env={**os.environ, **environment})
        running.add(process)
        try:
            if stopping.is_set():  # since before end_all could see the process
                return INTERRUPTED
            status = process.wait(seconds + HANG_S + GRACE_S)
            return INTERRUPTED if stopping.is_set() else status
        except subprocess.TimeoutExpired:
            return None
        except KeyboardInterrupt:
            return INTERRUPTED
        finally:
            end(process)
            running.discard(process)


def end(process):
    if process.poll() is not None:
        return
    for number in (signal.SIGINT, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(GRACE_S)
            return
        except subprocess.TimeoutExpired:
            continue
        except ProcessLookupError:
            return


def end_all():
    """For a signal that reached one thread of several: the others' engines end, and their runs are interrupted."""
    stopping.set()
    for process in list(running):
        end(process)


def read_log(path):
    with open(path, encoding='utf-8', errors='replace') as file:
        return file.read()


def last_number(pattern, text):
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


class LibFuzzer:
    name = 'libfuzzer'
    environment = {
        'ASAN_OPTIONS': 'detect_stack_use_after_return=1:strict_string_checks=1',
        'UBSAN_OPTIONS': 'halt_on_error=1:print_stacktrace=1',
    }

    def __init__(self, folders):
        self.folders = folders

    def options(self, target):
        # Its newer schedule takes longer than a run of most targets.
        return [f'-max_len={target.max_length}', f'-timeout={HANG_S}', f'-rss_limit_mb={MEMORY_MB}', '-entropic=0',
                f'-artifact_prefix={self.folders.crashes(target)}/']

    def fuzz(self, target, seconds):
        corpus, crashes = self.folders.corpus(target), self.folders.crashes(target)
        log = os.path.join(self.folders.of('logs'), target.name + '.log')
        before, known = listed(crashes), len(os.listdir(corpus))
        began = time.monotonic()
        command = [self.folders.program(target), *self.options(target), f'-max_total_time={seconds}', '-reload=0',
                   '-print_final_stats=1', corpus, seeds(target)]
        status = run(command, seconds, log, self.environment)
        result = self.result_of(read_log(log))
        result.seconds = time.monotonic() - began
        result.new = max(0, len(os.listdir(corpus)) - known)
        result.crashes = sorted(listed(crashes) - before)
        return result.end(status, log)

    @staticmethod
    def result_of(text):
        reason = REASONS.search(text)
        counts = (r'stat::number_of_executed_units: (\d+)', r'(?m)^#(\d+)\s')
        return Result(executions=max(last_number(count, text) for count in counts),
                      edges=last_number(r'cov: (\d+)', text), reason=reason.group() if reason else '')

    def merge(self, target, others, log):
        """The corpus becomes the fewest inputs that reach what it and the others reach."""
        corpus, merged = self.folders.corpus(target), self.folders.of('merged', target.name)
        shutil.rmtree(merged)
        os.makedirs(merged)
        sources = [seeds(target), corpus, *(other for other in others if os.path.isdir(other))]
        command = [self.folders.program(target), *self.options(target), '-merge=1', merged, *sources]
        if run(command, 600, log, self.environment) != 0:
            return False
        shutil.rmtree(corpus)
        os.rename(merged, corpus)
        return True

    def reproduce(self, target, crash):
        return f'{os.path.relpath(self.folders.program(target))} {os.path.relpath(crash)}'


class Afl:
    """AFL++ in persistent mode with shared memory: what -fsanitize=fuzzer means to its compiler."""

    name = 'afl++'
    environment = {
        'AFL_NO_UI': '1',
        'AFL_AUTORESUME': '1',
        'AFL_SKIP_CPUFREQ': '1',
        'AFL_NO_AFFINITY': '1',
        'AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES': '1',
    }

    def __init__(self, folders, build_folder):
        self.folders = folders
        self.programs = Folders(build_folder)

    def output(self, target):
        return self.folders.of('afl', target.name)

    def queue(self, target):
        return os.path.join(self.output(target), 'default', 'queue')

    def found(self, target):
        """All crashes: what was there before a run was resumed is moved to folders of other names."""
        top = os.path.join(self.output(target), 'default')
        folders = [name for name in os.listdir(top) if re.match(r'crashes|hangs', name)] if os.path.isdir(top) else []
        return {os.path.basename(name): name for folder in folders
                for name in listed(os.path.join(top, folder)) if os.path.basename(name).startswith('id')}

    def stats(self, target):
        path = os.path.join(self.output(target), 'default', 'fuzzer_stats')
        if not os.path.exists(path):
            return {}
        return dict(re.findall(r'^(\w+)\s*: (\S+)', read_log(path), re.MULTILINE))

    def fuzz(self, target, seconds):
        log = os.path.join(self.folders.of('logs'), target.name + '.afl.log')
        before, known = self.stats(target), set(self.found(target))
        began = time.monotonic()
        command = ['afl-fuzz', '-i', seeds(target), '-o', self.output(target), '-V', str(seconds), '-t',
                   str(1000 * HANG_S), '-G', str(target.max_length), '--', self.programs.program(target)]
        status = run(command, seconds, log, self.environment)
        after = self.stats(target)
        result = Result(seconds=time.monotonic() - began, edges=int(after.get('edges_found', 0)))
        result.executions = self.grown(before, after, 'execs_done')
        result.new = self.grown(before, after, 'corpus_found')
        for name, path in self.found(target).items():
            if name not in known:
                kept = os.path.join(self.folders.crashes(target), 'afl-' + name.replace(':', '-').replace(',', '-'))
                shutil.copyfile(path, kept)
                result.crashes.append(kept)
        return result.end(status, log)

    @staticmethod
    def grown(before, after, key):
        """Counts go on where a run is resumed, or begin anew."""
        old, new = int(before.get(key, 0)), int(after.get(key, 0))
        return new - old if new >= old else new


def explain(engine, target, result):
    """What to print of a run's crashes."""
    if result.failed:
        return [f'{target.name}: {result.failed}']
    lines = [f'{target.name}: {result.reason}'] if result.crashes and result.reason else []
    for crash in result.crashes:
        lines += [f'{target.name}: crash kept in {os.path.relpath(crash)}',
                  f'  reproduce: {engine.reproduce(target, crash)}']
    return lines


def interruptible():
    """SIGTERM is Ctrl-C."""

    def interrupt(_number, _frame):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
