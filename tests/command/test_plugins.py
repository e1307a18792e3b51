# SPDX-License-Identifier: MIT
"""Backends from shared objects: what is wrong with one is said in a line that names it; two that are broken fail.

usage: test_plugins.py VMRIG CORPORA CLASS, with EXAMPLES and BAD_PLUGINS in the environment
"""

import json
import os

import command
from command import Command

EXAMPLE = os.environ['EXAMPLES']


def beside_example(name):
    return os.path.join(os.path.dirname(EXAMPLE), f'example_{name}.so')


def bad(name):
    return os.path.join(os.environ['BAD_PLUGINS'], f'bad_plugin_{name}.so')


class Plugins(Command):
    """`vmrig certify --backend`."""

    def test_what_is_wrong_with_a_file_is_named(self):
        self.file('text.so', b'no shared object, but long enough')
        self.file('cut.so', b'\x7fELF and no more')
        self.file('empty.so')
        for file, piece in (('absent.so', 'absent.so\': No such file'), ('text.so', 'text.so\': not a shared object'),
                            ('empty.so', 'empty.so\': not a shared object'), ('cut.so', 'cut.so\': '),
                            (self.folder, 'not a shared object'), (bad('mute'), 'exports no vmrig_backend')):
            with self.subTest(file=file):
                self.refuses(2, piece, 'certify', '--backend', file)

    def test_what_is_wrong_with_a_table_is_named(self):
        for name, piece in (('null', 'vmrig_backend gives no table'), ('abi', 'version 77, this vmrig takes version '),
                            ('taken', "the name 'mock' is taken"), ('bare', "its table lacks 'vp_kick'"),
                            ('half', "its table lacks 'vp_leave', which it must have"),
                            ('flush', "it declares flush, and its table lacks 'vp_flush'")):
            with self.subTest(name=name):
                self.refuses(2, piece, 'certify', '--backend', bad(name))

    def test_one_name_is_taken_once(self):
        self.refuses(2, "the name 'example' is taken", 'certify', '--backend', EXAMPLE, '--backend', EXAMPLE)

    def test_specs_speak_of_what_is_loaded(self):
        chosen = ('--backend', EXAMPLE, '--filter', 'cpuid')
        rows = json.loads(self.succeeds('certify', *chosen, '--json'))['results']
        self.assertEqual({row['backend'] for row in rows}, {'example'})
        self.refuses(2, "unknown parameter 'key'", 'certify', *chosen, '--hypervisor', 'example:key=1')
        self.refuses(2, "unknown hypervisor 'example'", 'certify', '--hypervisor', 'example')
        both = ('--hypervisor', 'example', '--hypervisor', 'mock')
        rows = json.loads(self.succeeds('certify', *chosen, *both, '--json'))['results']
        self.assertEqual({row['backend'] for row in rows}, {'example', 'mock'})

    def test_a_probe_tells_what_is_loaded(self):
        rows = json.loads(self.succeeds('probe', '--backend', EXAMPLE, '--json'))['hypervisors']
        row = next(row for row in rows if row['name'] == 'example')
        self.assertTrue(row['available'] and 'machine-code' in row['capabilities'], row)
        self.refuses(2, 'version 77', 'probe', '--backend', bad('abi'))

    def test_a_file_of_this_folder_needs_no_slash(self):
        os.symlink(EXAMPLE, self.path('mine.so'))
        self.succeeds('certify', '--backend', 'mine.so', '--filter', 'cpuid')

    def test_a_broken_one_is_found_by_its_clause(self):
        for name, clause, scenario in (('lost_kick', 'RUN-3', 'stop/a_guest_that_never_exits_can_be_kicked'),
                                       ('stale_answer', 'EXIT-8', 'io/ports_carry_each_size_both_ways')):
            with self.subTest(name=name):
                done = self.run_it('certify', '--backend', beside_example(name), '--filter', scenario, '--json')
                self.assertEqual(done.returncode, 1, done.stderr)
                failed = [row for row in json.loads(done.stdout)['results'] if row['verdict'] == 'fail']
                self.assertIn(clause, ' '.join(str(row['clauses']) for row in failed))


if __name__ == '__main__':
    command.main()
