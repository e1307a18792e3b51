# SPDX-License-Identifier: MIT
"""Certificates as their users have them: written, validated, checked, compared, run again, interrupted."""

import copy
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree

import command
from command import VMRIG, Command

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
QUICK = ['--hypervisor', 'mock:profile=hvf-like', '--filter', 'io/*']
CERTIFICATE = 'mock-profile-hvf-like.json'


def schema():
    with open(os.path.join(SOURCE, 'docs', 'certificate.schema.json'), encoding='utf-8') as file:
        return json.load(file)


class Certified(Command):
    """One family on one mock."""

    def write(self, *words, name='report', status=0):
        done = self.run_it('certify', *words, '--report', self.path(name))
        self.assertEqual(done.returncode, status, done.stderr)
        return done

    def read(self, name='report', certificate=CERTIFICATE):
        with open(os.path.join(self.path(name), certificate), encoding='utf-8') as file:
            return json.load(file)

    def certificate(self):
        self.write(*QUICK)
        return os.path.join(self.path('report'), CERTIFICATE)

    def waivers(self, *rows):
        return self.file('waivers.json', json.dumps(rows).encode())


class Certificates(Certified):
    """What is in them, and what can be done with them."""

    def validate(self, certificate):
        import jsonschema  # pylint: disable=import-outside-toplevel
        jsonschema.Draft202012Validator(schema()).validate(certificate)

    def test_the_schema_takes_what_is_written_and_no_more(self):
        import jsonschema  # pylint: disable=import-outside-toplevel
        jsonschema.Draft202012Validator.check_schema(schema())
        self.write('--hypervisor', 'mock:profile=hvf-like', '--hypervisor', 'mock', '--filter', 'stop/*')
        for name in (CERTIFICATE, 'mock.json'):
            self.validate(self.read(certificate=name))
        changes = [('status', 'fine'), ('format', 1), ('results', None), ('color', 'red'), ('hash', 'none')]
        for key, value in changes:
            with self.subTest(key=key):
                wrong = dict(self.read(), **{key: value})
                with self.assertRaises(jsonschema.ValidationError):
                    self.validate(wrong)

    def test_what_is_not_there_is_not_certified(self):
        self.succeeds('certify', '--filter', 'io/*', '--report', self.path('report'), prefix=self.without_kvm())
        for name in ('kvm.json', 'kvm-irqchip-split.json'):
            certificate = self.read(certificate=name)
            self.validate(certificate)
            self.assertEqual(certificate['status'], 'not certified')
            self.assertIn('/dev/kvm', certificate['reason'])
            self.assertNotIn('results', certificate)
        self.assertIn(b'not certified', self.succeeds('certify', 'verify', os.path.join(self.path('report'), 'kvm.json')))

    def test_verify_says_what_it_certifies(self):
        line = self.succeeds('certify', 'verify', self.certificate()).decode()
        self.assertRegex(line, r'mock:profile=hvf-like is partial: only scenarios that match .io/\*., by this suite of 2')

    def test_verify_refuses_what_was_changed(self):
        path = self.certificate()
        certificate = self.read()
        for change in (lambda c: c['results'][0].update(verdict='skip'), lambda c: c.update(backend='kvm'),
                       lambda c: c['totals'].update(skip=7)):
            changed = copy.deepcopy(certificate)
            change(changed)
            self.file('changed.json', json.dumps(changed).encode())
            self.refuses(1, 'its hash is not that of what it says', 'certify', 'verify', self.path('changed.json'))
        # Another form of the same is the same.
        self.file('same.json', json.dumps(certificate, sort_keys=True, indent=7).encode())
        self.succeeds('certify', 'verify', path, self.path('same.json'))

    def test_verify_refuses_what_is_none(self):
        with open(self.certificate(), 'rb') as file:
            whole = file.read()
        rows = [(whole[:1000], 'line '), (b'', 'line 1'), (b'[]', 'it is no JSON object'), (b'{}', '"kind" is not'),
                (b'[' * 100000, 'maximum parsing depth'), (b'{"kind": 1, "kind": 2}', 'duplicate'),
                (whole.replace(b'"format": 2', b'"format": 3'), 'format'),
                (whole.replace(b'"verdict": "pass"', b'"verdict": "good"'), 'unknown verdict'),
                (whole.replace(b'"results": [', b'"results": [7, '), 'no list of scenarios')]
        for content, text in rows:
            with self.subTest(text=text):
                self.refuses(1, text, 'certify', 'verify', self.file('bad.json', content))
        self.refuses(1, 'No such file', 'certify', 'verify', self.path('nothing.json'))
        self.refuses(1, 'no file of at most 64 MiB', 'certify', 'verify', self.folder)
        self.refuses(2, 'FILE', 'certify', 'verify')

    def test_diff_names_what_differs(self):
        self.write(*QUICK)
        self.write('--hypervisor', 'mock:profile=kvm-like', '--filter', 'stop/*', name='other')
        mine = os.path.join(self.path('report'), CERTIFICATE)
        other = os.path.join(self.path('other'), 'mock-profile-kvm-like.json')
        self.assertIn(b': 0 differences\n', self.succeeds('certify', 'diff', mine, mine))
        done = self.run_it('certify', 'diff', mine, other)
        self.assertEqual(done.returncode, 1)
        text = done.stdout.decode()
        self.assertIn('clause RUN-3: none -> held\n', text)
        self.assertIn('clause IO-2: held -> none\n', text)
        self.assertRegex(text, r'\nscenario io/\w+: pass -> not there\n')
        self.assertRegex(text, r'\nscenario stop/\w+: not there -> pass\n')
        self.assertRegex(text, r'\ncapability [+-]\w')

    def test_waivers_bear_failures_and_forbid_passes(self):
        passing = {'scenario': 'io/unclaimed_*', 'reason': 'believed to fail', 'date': '2026-01-31'}
        done = self.write(*QUICK, '--waivers', self.waivers(passing), status=1)
        self.assertIn('an unexpected pass: it is waived since 2026-01-31: believed to fail', done.stdout.decode())
        self.assertIn('stale waiver: io/unclaimed_* of 2026-01-31: passed', done.stdout.decode())
        certificate = self.read()
        self.validate(certificate)
        self.assertEqual(certificate['status'], 'failed')
        self.assertEqual([row['why'] for row in certificate['stale_waivers']], ['passed'])
        stale = [dict(passing, until='2020-01-01'), dict(passing, scenario='io/none'), dict(passing, backend='kvm')]
        self.write(*QUICK, '--waivers', self.waivers(*stale))
        certificate = self.read()
        self.validate(certificate)
        self.assertEqual([row['why'] for row in certificate['stale_waivers']],
                         ['expired', 'unknown scenario', 'did not run'])
        self.succeeds('certify', 'verify', os.path.join(self.path('report'), CERTIFICATE))

    def test_waivers_that_are_none_are_refused(self):
        good = {'scenario': 'io/*', 'reason': 'r', 'date': '2026-01-31'}
        rows = [([dict(good, color='red')], 'color'), ([{'scenario': 'io/*'}], 'reason'),
                ([dict(good, scenario='io')], 'family/scenario'), ([dict(good, reason='')], '"reason" is empty'),
                ([dict(good, date='31.1.2026')], 'year-month-day'), ([good, dict(good, until='2026-13-01')], 'entry 2'),
                ({}, 'no list')]
        for content, text in rows:
            with self.subTest(text=text):
                path = self.file('waivers.json', json.dumps(content).encode())
                self.refuses(2, text, 'certify', *QUICK, '--waivers', path)
        self.refuses(2, 'nothing', 'certify', *QUICK, '--waivers', self.path('nothing'))

    def test_forms_of_ci_systems(self):
        words = [*QUICK, '--junit', self.path('junit.xml'), '--tap', self.path('tap')]
        waivers = self.waivers({'scenario': 'io/unclaimed_*', 'reason': 'a <b> & "c" # d', 'date': '2026-01-31'})
        self.write(*words, '--waivers', waivers, status=1)
        certificate = self.read()
        suites = xml.etree.ElementTree.parse(self.path('junit.xml')).getroot()
        cases = suites.findall('testsuite/testcase')
        self.assertEqual(len(cases), len(certificate['results']))
        failures = suites.findall('testsuite/testcase/failure')
        self.assertEqual(len(failures), certificate['totals']['fail'])
        self.assertIn('a <b> & "c" # d', failures[0].get('message'))
        with open(self.path('tap'), encoding='utf-8') as file:
            lines = file.read().splitlines()
        self.assertEqual(lines[:2], ['TAP version 13', f'1..{len(certificate["results"])}'])
        self.assertEqual(sum(line.startswith('ok ') for line in lines), len(cases) - len(failures))
        self.assertEqual(sum(line.startswith('not ok ') for line in lines), len(failures))
        self.refuses(1, '/dev/null/x', 'certify', *QUICK, '--junit', '/dev/null/x')

    def test_what_failed_runs_again_alone(self):
        waivers = self.waivers({'scenario': 'io/unclaimed_*', 'reason': 'r', 'date': '2026-01-31'})
        self.write(*QUICK, '--waivers', waivers, status=1)
        failed = [row['scenario'] for row in self.read()['results'] if row['verdict'] == 'fail']
        self.assertEqual(len(failed), 1)
        self.write('--rerun-failed', os.path.join(self.path('report'), CERTIFICATE), name='again')
        again = self.read('again')
        self.assertEqual([row['scenario'] for row in again['results']], failed)
        self.assertEqual((again['status'], again['reason']), ('partial', 'only what failed before'))
        answer = self.succeeds('certify', '--rerun-failed', os.path.join(self.path('again'), CERTIFICATE))
        self.assertEqual(answer, b'nothing failed there\n')
        self.refuses(1, '"kind"', 'certify', '--rerun-failed', self.file('bad', b'{}'))

    def test_orders_are_said_on_the_command_line(self):
        words = ['certify', '--hypervisor', 'mock', '--filter', 'stop/a_kick*', '--schedules']
        self.succeeds(*words, 'exhaustive:1')
        self.succeeds(*words, 'random:20', '--seed', '77')
        self.succeeds(*words, 'replay:any:0102')
        for orders in ('exhaustive:9', 'random:0', 'replay:1', 'all'):
            self.refuses(2, f"--schedules '{orders}' is not ", *words, orders)
        self.refuses(2, '--seed goes with', *words, 'exhaustive:1', '--seed', '3')

    def test_lockstep_names_its_two(self):
        self.assertRegex(self.succeeds('certify', '--lockstep', 'mock:profile=strict,mock:profile=whp-like', '--guests', '20'),
                         rb'\A20 guests, \d+ events: the same on both\n\Z')
        for pair in ('mock', 'mock,', 'mock,profile=strict'):
            self.refuses(2, 'is not two hypervisors', 'certify', '--lockstep', pair)
        self.refuses(2, '--filter does not go', 'certify', '--lockstep', 'mock,mock', '--filter', 'io/*')
        self.refuses(2, '--guests goes with', 'certify', '--guests', '3')

    def test_a_soak_says_how_much_it_ran(self):
        self.assertRegex(self.succeeds('certify', '--soak', '50x', '--seed', '9'),
                         rb'\A50 compositions, \d+\.\d s, \d+ a second: none failed\n\Z')
        self.succeeds('certify', '--soak', '1x', '--leave-out', '16777215', '--hypervisor', 'mock:profile=hvf-like')
        self.refuses(2, "--soak '5' is not a time", 'certify', '--soak', '5')
        self.refuses(2, '--filter does not go with --soak', 'certify', '--soak', '1x', '--filter', 'io/*')
        self.refuses(2, '--leave-out goes with --soak', 'certify', '--leave-out', '1')
        self.refuses(2, "not 'mock:managed=true'", 'certify', '--soak', '1x', '--hypervisor', 'mock:managed=true')

    def test_the_zoo_goes_with_little_else(self):
        self.assertIn(b'mock deaf', self.succeeds('certify', '--zoo', '--filter', 'deaf'))
        self.assertIn(b'no animal breaks CFG-1', self.succeeds('certify', '--zoo', '--filter', 'deaf', '--clauses'))
        self.refuses(2, 'not with --hypervisor', 'certify', '--zoo', '--hypervisor', 'mock')
        self.refuses(2, '--clauses goes with --zoo', 'certify', '--clauses')
        self.refuses(2, "no animal matches 'unicorn'", 'certify', '--zoo', '--filter', 'unicorn')

    def test_the_page_about_levels_says_what_certificates_say(self):
        with open(os.path.join(SOURCE, 'docs', 'certificate.md'), encoding='utf-8') as file:
            rows = re.findall(r'^\| (\w+) \| ([^|]*) \|', file.read(), re.MULTILINE)[1:]
        self.certificate()
        self.assertEqual(rows, [(level['name'], level['meaning']) for level in self.read()['levels']])


class Watched(Certified):
    """Runs that somebody watches, and ends."""

    def test_an_interrupted_run_leaves_a_partial_report(self):
        words = ['--hypervisor', 'mock', '--hypervisor', 'mock:profile=kvm-like', '--report', self.path('report')]
        with subprocess.Popen([VMRIG, 'certify', *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
            time.sleep(0.3)
            child.send_signal(signal.SIGINT)
            out, err = child.communicate(timeout=60)
        self.assertEqual(child.returncode, 1, err)
        self.assertIn('ending after this scenario', err.decode())
        self.assertIn('partial: ended after ', out.decode())
        certificate = self.read(certificate='mock.json')
        self.assertEqual(certificate['status'], 'partial')
        self.assertRegex(certificate['reason'], r'\Aended after \d+ of \d+ scenarios\Z')
        self.assertEqual({level['status'] for level in certificate['levels']} - {'not offered'}, {'incomplete'})
        self.succeeds('certify', 'verify', os.path.join(self.path('report'), 'mock.json'))

    def test_a_terminal_sees_what_is_running(self):
        mine, theirs = pty.openpty()
        with subprocess.Popen([VMRIG, 'certify', '--hypervisor', 'mock', '--filter', 'stop/*'],
                              stdout=subprocess.DEVNULL, stderr=theirs) as child:
            os.close(theirs)
            seen = b''
            while True:
                try:
                    piece = os.read(mine, 4096)
                except OSError:
                    break
                if not piece:
                    break
                seen += piece
        os.close(mine)
        self.assertEqual(child.returncode, 0)
        self.assertRegex(seen, rb'\r\x1b\[K\d+/\d+.*mock  stop/\w+')
        self.assertTrue(seen.endswith(b'\r\x1b[K'))

    def test_others_see_lines_if_they_ask(self):
        self.assertEqual(self.write(*QUICK).stderr, b'')
        self.assertRegex(self.write(*QUICK, '--progress').stderr,
                         rb'\Amock:profile=hvf-like: \d+ scenarios, 0 failed, \d+\.\d s\n')


if __name__ == '__main__':
    try:
        import jsonschema  # pylint: disable=unused-import
    except ImportError:
        print('there is no jsonschema for Python: install python3-jsonschema')
        sys.exit(command.SKIP)
    command.main()
