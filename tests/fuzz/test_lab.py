# SPDX-License-Identifier: MIT
"""`./dev fuzz` and `./dev nightly` behind their builds: engines that do as they are told stand for the real ones."""

import contextlib
import io
import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
import unittest
from unittest import mock

HERE = os.path.dirname(os.path.abspath(__file__))
FUZZ = os.path.join(HERE, '..', '..', 'fuzz')
sys.path.insert(0, FUZZ)

# pylint: disable=wrong-import-position
import fuzz
import lab
import nightly

# As libFuzzer: its last argument but one is the corpus, and -artifact_prefix says where crashes go.
ENGINE = '''#!/bin/sh
for argument; do
    case $argument in
    -artifact_prefix=*) prefix=${argument#*=} ;;
    -merge=1) merge=1 ;;
    esac
    corpus=$previous previous=$argument
done
if [ "$merge" ]; then
    for argument; do
        case $argument in -*) ;; *) echo merged >"$argument/merged"; exit 0 ;; esac
    done
fi
%s
'''
GOOD = '''echo new >"$corpus/input-$$"
echo '#1000   NEW    cov: 77 ft: 99'
echo 'stat::number_of_executed_units: 1234'
'''
CRASHING = '''echo bad >"${prefix}crash-1"
echo '../fuzz/x.c:7: does not hold: it is so'
exit 77
'''
BROKEN = 'exit 3\n'
ENDLESS = '''trap 'echo "stat::number_of_executed_units: 5"; exit 0' INT
echo started >"$corpus/started"
while :; do sleep 0.1; done
'''


# As afl-fuzz: counts go on in the same output folder.
AFL = '''#!/bin/sh
while [ "$1" != -- ]; do
    [ "$1" = -o ] && out=$2/default
    shift
done
mkdir -p "$out/crashes" "$out/queue"
before=$(sed -n 's/execs_done *: //p' "$out/fuzzer_stats" 2>/dev/null)
echo "execs_done        : $((before + 100))" >"$out/fuzzer_stats"
echo "edges_found       : 9" >>"$out/fuzzer_stats"
%s
'''


class Lab(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.build = folder.name
        self.write(os.path.join(self.build, 'bin', 'ninja'), '#!/bin/sh\n')
        path = os.path.join(self.build, 'bin') + os.pathsep + os.environ['PATH']
        patch = mock.patch.dict(os.environ, {'PATH': path})
        patch.start()
        self.addCleanup(patch.stop)
        lab.stopping.clear()

    @staticmethod
    def write(path, text):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR)

    def engine(self, body, *names):
        for name in names or [target.name for target in lab.read_targets()]:
            self.write(os.path.join(self.build, 'fuzz', 'fuzz_' + name), ENGINE % body)

    def call(self, module, *arguments):
        """(exit status, what it printed)"""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                status = module.main([*arguments, '--build', self.build])
            except SystemExit as done:
                status = done.code
        return status, out.getvalue() + err.getvalue()


class Table(Lab):
    def test_every_target_has_its_source_its_seeds_and_its_mutator(self):
        targets = lab.read_targets()
        sources = sorted(name[:-2] for name in os.listdir(FUZZ) if name.endswith('.c'))
        self.assertEqual(sorted(target.name for target in targets), sources)
        for target in targets:
            self.assertTrue(os.listdir(lab.seeds(target)), target.name)
            self.assertTrue(target.mutator == '-' or os.path.isfile(
                os.path.join(FUZZ, 'mutators', target.mutator + '.c')), target.mutator)

    def test_seeds_fit_and_folders_are_small(self):
        for target in lab.read_targets():
            sizes = [os.path.getsize(os.path.join(folder, name))
                     for folder, _, names in os.walk(lab.seeds(target)) for name in names]
            self.assertLessEqual(max(sizes), target.max_length, target.name)
            self.assertLessEqual(sum(sizes), 2 * 1024 * 1024, target.name)
            self.assertLessEqual(len(sizes), 2000, target.name)


class Fuzz(Lab):
    def test_unknown_target_lists_the_names(self):
        status, text = self.call(fuzz, 'nonsense')
        self.assertEqual(status, 2)
        for target in lab.read_targets():
            self.assertIn(target.name, text)

    def test_minutes_out_of_range_are_refused(self):
        for minutes in ('0', '-1', 'x', 'nan', '1e9'):
            self.assertEqual(self.call(fuzz, '--minutes', minutes)[0], 2, minutes)

    def test_one_target_says_what_it_did(self):
        self.engine(GOOD, 'spec')
        status, text = self.call(fuzz, 'spec', '--minutes', '0.01')
        self.assertEqual(status, 0)
        self.assertRegex(text, r'\Aspec +1,234 executions +[\d,]+/s +77 edges +1 new  0 crashes\n\Z')

    def test_all_targets_run_in_turn(self):
        self.engine(GOOD)
        status, text = self.call(fuzz, '--minutes', '0.01')
        self.assertEqual((status, len(text.splitlines())), (0, len(lab.read_targets())))

    def test_crash_is_kept_and_can_be_reproduced(self):
        self.engine(CRASHING, 'spec')
        status, text = self.call(fuzz, 'spec', '--minutes', '0.01')
        kept = os.path.join(self.build, 'crashes', 'spec', 'crash-1')
        self.assertEqual(status, 1)
        self.assertTrue(os.path.isfile(kept))
        self.assertIn('spec: does not hold: it is so\n', text)
        self.assertIn(f'reproduce: {os.path.relpath(os.path.join(self.build, "fuzz", "fuzz_spec"))} '
                      f'{os.path.relpath(kept)}\n', text)

    def test_engine_that_does_not_run_is_a_failure(self):
        self.engine(BROKEN, 'spec')
        status, text = self.call(fuzz, 'spec', '--minutes', '0.01')
        self.assertEqual(status, 1)
        self.assertIn('ended with status 3', text)

    def test_targets_that_do_not_build_are_a_failure(self):
        self.write(os.path.join(self.build, 'bin', 'ninja'), '#!/bin/sh\nexit 1\n')
        status, text = self.call(fuzz, 'spec')
        self.assertEqual(status, 1)
        self.assertIn('cannot be built', text)


class Interrupted(Lab):
    def running(self):
        programs = os.path.join(self.build, 'fuzz', '').encode()
        found = []
        for name in filter(str.isdigit, os.listdir('/proc')):
            with contextlib.suppress(OSError), open(f'/proc/{name}/cmdline', 'rb') as file:
                found += [name] if programs in file.read() else []
        return found

    def interrupt(self, module, *arguments):
        """As Ctrl-C does, once an engine has begun."""
        self.engine(ENDLESS)
        process = subprocess.Popen([sys.executable, os.path.join(FUZZ, module), *arguments, '--build', self.build],
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        corpora = os.path.join(self.build, 'corpus')
        for _ in range(600):
            if any('started' in names for _, _, names in os.walk(corpora)):
                break
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        text = process.communicate(timeout=60)[0]
        # What a signal has reached may take a moment to be gone.
        for _ in range(200):
            if not self.running():
                break
            time.sleep(0.05)
        self.assertEqual(self.running(), [], 'an engine was left running')
        return process.returncode, text

    def test_fuzz_says_what_it_has_and_leaves_nothing_running(self):
        status, text = self.interrupt('fuzz.py', 'spec', '--minutes', '5')
        self.assertEqual(status, 130)
        self.assertRegex(text, r'\Aspec +5 executions .*\n\Z')

    def test_nightly_reports_and_leaves_nothing_running(self):
        status, text = self.interrupt('nightly.py', '--minutes', '5', '--jobs', '2')
        self.assertEqual(status, 130)
        self.assertIn('reports: ', text)
        self.assertNotIn('Traceback', text)


class Afl(Lab):
    def fuzz(self, body, times):
        """The results of so many runs of one target."""
        self.write(os.path.join(self.build, 'bin', 'afl-fuzz'), AFL % body)
        self.engine(GOOD, 'spec')
        target = next(target for target in lab.read_targets() if target.name == 'spec')
        engine = lab.Afl(lab.Folders(self.build), self.build)
        return [engine.fuzz(target, 1) for _ in range(times)]

    def test_each_run_counts_what_it_did_itself(self):
        results = self.fuzz('', 3)
        self.assertEqual([result.executions for result in results], [100] * 3)
        self.assertEqual([(result.crashes, result.failed) for result in results], [([], '')] * 3)

    def test_crash_is_kept_once_under_a_name_for_any_system(self):
        first, second = self.fuzz('echo bad >"$out/crashes/id:000000,sig:06"', 2)
        self.assertEqual([os.path.basename(path) for path in first.crashes], ['afl-id-000000-sig-06'])
        self.assertTrue(os.path.isfile(first.crashes[0]))
        self.assertEqual(second.crashes, [])

    def test_engine_that_does_not_run_is_a_failure(self):
        self.assertIn('ended with status 2', self.fuzz('exit 2', 1)[0].failed)

    def test_every_third_slice_of_a_target_is_its(self):
        self.write(os.path.join(self.build, 'bin', 'afl-fuzz'), AFL % '')
        self.engine(GOOD)
        with mock.patch.object(nightly, 'SLICE_MIN_S', 1):
            self.assertEqual(self.call(nightly, '--minutes', '0.05', '--jobs', '4', '--afl', self.build)[0], 0)
        for row in nightly.State(os.path.join(self.build, 'nightly.json')).data['targets'].values():
            self.assertEqual(row['engines'].get('afl++', 0), 100 * (row['slices'] // 3))


class Nightly(Lab):
    def test_runs_add_up_and_go_on_where_the_last_one_ended(self):
        self.engine(GOOD)
        state = os.path.join(self.build, 'nightly.json')
        with mock.patch.object(nightly, 'SLICE_MIN_S', 1):
            self.assertEqual(self.call(nightly, '--minutes', '0.06', '--jobs', '1')[0], 0)
            once = nightly.State(state).data
            self.assertEqual(self.call(nightly, '--minutes', '0.06', '--jobs', '1')[0], 0)
        twice = nightly.State(state).data
        self.assertEqual((once['runs'], twice['runs']), (1, 2))
        slices = [sum(row['slices'] for row in data['targets'].values()) for data in (once, twice)]
        self.assertGreater(slices[1], slices[0])
        self.assertEqual(twice['next'], slices[1] % len(lab.read_targets()))
        for row in twice['targets'].values():
            self.assertEqual(row['executions'], 1234 * row['slices'])

    def test_reports_are_written_and_corpora_merged(self):
        self.engine(GOOD)
        status, text = self.call(nightly, '--minutes', '0.06', '--jobs', '1')
        self.assertEqual(status, 0)
        with open(os.path.join(self.build, 'nightly.txt'), encoding='utf-8') as file:
            self.assertIn(file.read(), text)
        with open(os.path.join(self.build, 'nightly.html'), encoding='utf-8') as file:
            page = file.read()
        for name, row in nightly.State(os.path.join(self.build, 'nightly.json')).data['targets'].items():
            self.assertIn(f'<td>{name}</td><td>{row["executions"]:,}</td>', page)
        for target in lab.read_targets():
            self.assertEqual(os.listdir(os.path.join(self.build, 'corpus', target.name)), ['merged'])

    def test_crash_fails_the_night_and_is_in_the_report(self):
        self.engine(GOOD)
        self.engine(CRASHING, lab.read_targets()[0].name)
        status, text = self.call(nightly, '--minutes', '0.06', '--jobs', '1')
        self.assertEqual(status, 1)
        self.assertRegex(text, r'(?m)^\d+ inputs that crash:\n  .*crash-1$')

    def test_what_is_kept_is_cut_to_size(self):
        target, folders = lab.read_targets()[0], lab.Folders(self.build)
        for number in range(40):
            self.write(os.path.join(folders.corpus(target), f'{number:040}'), 'x' * 1000 * number)
        with mock.patch.object(lab, 'seeds', lambda _: os.path.join(self.build, 'kept')), \
                mock.patch.object(nightly, 'KEPT_BYTES', 10000):
            nightly.keep(folders, [target])
        self.assertEqual(len(os.listdir(os.path.join(self.build, 'kept', 'auto'))), 1)


if __name__ == '__main__':
    unittest.main()
