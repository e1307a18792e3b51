# SPDX-License-Identifier: MIT
"""Each check finds what it is for, and accepts what is right: a check that cannot fail is a defect."""

import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', '..', 'tools', 'checks'))

# pylint: disable=wrong-import-position
import check_cases
import check_contract
import check_cxx
import check_exports
import check_forbidden
import check_format
import check_layers
import check_layout
import check_sizes
import check_style
import check_words
import common
import count_results

LICENCE = '/* SPDX-License-Identifier: MIT */\n'


class Tree(unittest.TestCase):
    """A temporary source tree."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = folder.name

    def write(self, path, text=''):
        full = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, 'w', encoding='utf-8') as file:
            file.write(text)

    def assert_finds(self, findings, *expected):
        """Exactly as many findings as expected pieces, each piece in one of them."""
        self.assertEqual(len(findings), len(expected), findings)
        for piece in expected:
            self.assertTrue(any(piece in finding for finding in findings), (piece, findings))


class Layers(Tree):
    def find(self, path, *includes):
        for known in ('lib/base/error.h', 'lib/run/run.h', 'lib/trace/trace.h', 'include/vmrig/exit.h',
                      'backends/kvm/kvm.h', 'conformance/suite.h', 'tests/must.h'):
            self.write(known)
        self.write(path, ''.join(f'#include {include}\n' for include in includes))
        return check_layers.find(self.root)

    def test_downward_and_public_includes_are_fine(self):
        self.assert_finds(self.find('lib/run/x.c', '"lib/base/error.h"', '"vmrig/exit.h"', '<string.h>'))

    def test_upward_include_is_found(self):
        self.assert_finds(self.find('lib/base/x.c', '<string.h>', '"lib/run/run.h"'), 'lib/base/x.c:2: lib/base may not')

    def test_backend_sees_neither_run_nor_another_backend(self):
        self.assert_finds(self.find('backends/mock/x.c', '"lib/run/run.h"', '"backends/kvm/kvm.h"'),
                          '"lib/run/run.h"', '"backends/kvm/kvm.h"')

    def test_mock_sees_the_trace_and_kvm_does_not(self):
        self.assert_finds(self.find('backends/mock/x.c', '"lib/trace/trace.h"'))
        self.assert_finds(self.find('backends/kvm/x.c', '"lib/trace/trace.h"'), 'backends/kvm may not')

    def test_conformance_sees_public_headers_only(self):
        self.assert_finds(self.find('conformance/x.c', '"lib/base/error.h"'), 'conformance may not')

    def test_the_example_knows_its_own_files_and_the_package(self):
        self.write('conformance/example/toy/toy.h')
        self.assert_finds(self.find('conformance/example/x.c', '"toy/toy.h"', '<vmrig/exit.h>', '<pthread.h>'))
        for include in ('"vmrig/exit.h"', '"../suite.h"', '"conformance/suite.h"', '"toy.h"'):
            with self.subTest(include=include):
                self.assert_finds(self.find('conformance/example/x.c', include), 'is built without this tree')

    def test_public_header_includes_public_headers_only(self):
        self.assert_finds(self.find('include/vmrig/x.h', '"lib/base/error.h"'), 'include/vmrig may not')

    def test_names_start_at_the_root(self):
        self.assert_finds(self.find('lib/run/x.c', '"run.h"'), 'no file named from the root')

    def test_public_header_that_is_not_there_is_found(self):
        self.assert_finds(self.find('lib/run/x.c', '"vmrig/nothing.h"'), 'does not exist')

    def test_unit_test_sees_its_module_and_helpers_but_no_layer_above(self):
        self.assert_finds(self.find('tests/run/test_x.c', '"lib/run/run.h"', '"tests/must.h"'))
        self.assert_finds(self.find('tests/run/test_x.c', '"lib/trace/trace.h"'), 'tests/run may not')

    def test_folder_that_the_table_does_not_know_is_found(self):
        self.assert_finds(self.find('lib/new/x.c'), 'a folder that the table does not know')

    def test_operating_system_stays_in_os_files(self):
        self.assert_finds(self.find('lib/base/x.c', '<fcntl.h>', '<linux/kvm.h>'), '<fcntl.h>', '<linux/kvm.h>')

    def test_os_file_may_include_the_system(self):
        self.assert_finds(self.find('lib/base/os_x.c', '<fcntl.h>', '<pthread.h>'))

    def test_threads_stay_in_sync(self):
        self.assert_finds(self.find('lib/run/x.c', '<stdatomic.h>'), 'lib/base/sync.h')
        self.write('lib/run/x.c')
        self.assert_finds(self.find('lib/base/sync.c', '<pthread.h>'))

    def test_own_header_comes_first(self):
        self.assert_finds(self.find('lib/run/run.c', '<string.h>', '"lib/run/run.h"'), 'comes first')

    def test_include_in_a_comment_is_no_include(self):
        self.write('lib/base/x.c', '/*\n#include "lib/run/run.h"\n*/\n')
        self.assert_finds(check_layers.find(self.root))


class Sizes(Tree):
    def find(self, text, path='lib/x.c'):
        self.write(path, text)
        return check_sizes.find(self.root)[0]

    @staticmethod
    def function(lines, before=''):
        return before + 'static int f(void)\n{\n' + '    g();\n' * (lines - 3) + '}\n'

    def test_limits_are_met_exactly(self):
        self.assert_finds(self.find('\n' * 600))
        self.assert_finds(self.find('\n' * 601), '601 lines, at most 600')

    def test_public_headers_have_a_limit_of_their_own(self):
        self.assert_finds(self.find('\n' * 301, 'include/vmrig/x.h'), '301 lines, at most 300')

    def test_function_of_seventy_lines_passes_and_one_more_does_not(self):
        self.assert_finds(self.find(self.function(70, '/* Why. */\n')))
        self.assert_finds(self.find(self.function(71, '/* Why. */\n')), 'f has 71 lines, at most 70')

    def test_function_above_forty_lines_explains_itself(self):
        self.assert_finds(self.find(self.function(40)))
        self.assert_finds(self.find(self.function(41)), 'no comment before it')
        self.assert_finds(self.find(self.function(41, '/* Why. */\n')))

    def test_comment_of_the_function_before_explains_nothing(self):
        self.assert_finds(self.find('/* Why. */\nint g(void);\n\n' + self.function(41)), 'no comment before it')

    def test_braces_in_comments_strings_and_characters_do_not_count(self):
        text = 'int f(void)\n{\n    g("}{{", \'{\'); /* { */\n}\n' + self.function(71, '/* Why. */\n')
        self.assert_finds(self.find(text), '71 lines')

    def test_nesting(self):
        deep = 'int f(int a)\n{\n' + 'if (a) {\n' * 3 + 'a++;\n' + '}\n' * 3 + '}\n'
        self.assert_finds(self.find(deep))
        self.assert_finds(self.find(deep.replace('a++;', 'for (;;) {\n}')), 'f has 4 levels of nesting')

    def test_initialisers_and_compound_literals_are_no_nesting(self):
        text = 'int f(void)\n{\n    struct a b[] = {{{1, {2, {3}}}}};\n' \
               '    return g((struct a){.b = {{{1}}}}, b);\n}\n'
        self.assert_finds(self.find(text))

    def test_parameters(self):
        self.assert_finds(self.find('int f(int a, int b, int c, int d, int e, int (*g)(int, int))\n{\n}\n'))
        self.assert_finds(self.find('int f(int a, int b, int c, int d, int e, int g, int h)\n{\n}\n'), '7 parameters')

    def test_attributes_do_not_hide_the_function(self):
        functions = common.functions_of('int f(int a) __attribute__((noinline))\n{\n    return a;\n}\n')
        self.assertEqual([(one.name, one.parameters) for one in functions], [('f', 1)])

    def test_structures_and_prototypes_are_no_functions(self):
        self.assertEqual(common.functions_of('struct a {\n    int b;\n};\nint f(int c);\nenum { A, B };\n'), [])

    def test_bodies_of_macros_are_no_functions(self):
        functions = common.functions_of('#define M(x) \\\n    { x }\nint f(void)\n{\n}\nint g(void)\n{\n}\n')
        self.assertEqual([one.name for one in functions], ['f', 'g'])


class Layout(Tree):
    def setUp(self):
        super().setUp()
        self.write('lib/run/stop.c')
        self.write('tests/run/test_stop.c')
        self.write('lib/run/meson.build', "vmrig_sources += files('stop.c')\n")
        self.write('tests/run/meson.build', "foreach name : ['stop']\nendforeach\n")

    def test_module_with_its_test_passes(self):
        self.assert_finds(check_layout.find(self.root, {}))

    def test_module_without_its_test_is_found(self):
        os.remove(os.path.join(self.root, 'tests/run/test_stop.c'))
        self.assert_finds(check_layout.find(self.root, {}), 'has no tests/run/test_stop.c')
        self.assert_finds(check_layout.find(self.root, {'lib/run/stop.c': 'a reason'}))

    def test_stale_exceptions_are_found(self):
        self.assert_finds(check_layout.find(self.root, {'lib/run/stop.c': '', 'lib/run/gone.c': ''}),
                          'stop.c:1: is in the list of modules without a test, but has one', 'does not exist')

    def test_source_that_is_not_built_is_found(self):
        self.write('tests/run/test_other.c')
        self.assert_finds(check_layout.find(self.root, {}), 'tests/run/test_other.c:1: no meson.build names it')

    def test_fuzz_target_that_is_not_in_the_table_is_found(self):
        self.write('fuzz/known.c')
        self.write('fuzz/unknown.c')
        self.write('fuzz/targets.txt', '# unknown\nknown 64 - what\n')
        self.assert_finds(check_layout.find(self.root, {}), 'fuzz/unknown.c:1: no meson.build names it')

    def test_folder_of_the_same_name_builds_nothing(self):
        self.write('lib/stop/stop.c')
        self.write('lib/meson.build', "subdir('stop')\n")
        self.assert_finds(check_layout.find(self.root, {'lib/stop/stop.c': ''}), 'no meson.build names it')

    def test_name_in_a_comment_of_the_build_file_builds_nothing(self):
        self.write('lib/run/meson.build', "# files('stop.c')\n")
        self.assert_finds(check_layout.find(self.root, {}), 'lib/run/stop.c:1: no meson.build names it')


class Style(Tree):
    GOOD = LICENCE + '\n/*\n * What it is.\n */\n\n'

    def find(self, text, path='lib/x.c'):
        self.write(path, text)
        return check_style.find(self.root)

    def test_good_file_passes(self):
        self.assert_finds(self.find(self.GOOD + 'typedef uint64_t vmr_gpa;\nconst char *url = "http://x";\n'))
        self.assert_finds(self.find(LICENCE + '#pragma once\n\n/*\n * What.\n */\n', 'lib/x.h'))

    def test_missing_parts_are_found(self):
        self.assert_finds(self.find('/*\n * What.\n */\n'), 'the first line is', 'opens without')
        self.write('lib/x.c', self.GOOD)
        self.assert_finds(self.find(self.GOOD, 'lib/x.h'), 'a header has #pragma once')

    def test_unwanted_c_is_found(self):
        self.assert_finds(self.find(self.GOOD + 'int a; // no\n'), ':7: comments are')
        self.assert_finds(self.find(self.GOOD + 'typedef struct a {\n    int b;\n} a;\n'), 'without typedef')
        self.assert_finds(self.find(self.GOOD + 'typedef unsigned x_t;\n'), 'x_t: names that end in _t')

    def test_conditional_code_inside_a_function_is_found(self):
        self.assert_finds(self.find(self.GOOD + '#ifdef A\nint f(void)\n{\n#ifdef B\n    g();\n#endif\n}\n#endif\n'),
                          ':10: f: no #if')


class Forbidden(Tree):
    def find(self, member, text):
        source = os.path.join(self.root, 'x.c')
        self.write('x.c', text)
        built = os.path.join(self.root, member + '.c.o')
        subprocess.run(['cc', '-O0', '-fPIC', '-fno-builtin', '-c', '-o', built, source], check=True)
        archive = os.path.join(self.root, 'lib.a')
        if os.path.exists(archive):
            os.remove(archive)
        subprocess.run(['ar', 'rcs', archive, built], check=True)
        return check_forbidden.find(archive)

    def test_constant_tables_pass_even_with_pointers(self):
        text = 'extern int f(void);\nint (*const table[])(void) = {f};\nstatic const char *const names[] = {"a"};\n' \
               'const char *name(int i) { return names[i]; }\n'
        self.assert_finds(self.find('lib_run_x', text))

    def test_forbidden_calls_are_found_by_name(self):
        calls = 'int printf(const char *, ...); char *getenv(const char *); long time(long *); int rand(void);\n' \
                'int open(const char *, int, ...); void exit(int);\n' \
                'void f(void) { printf("%d", rand()); getenv("a"); time(0); open("a", 0); exit(1); }\n'
        self.assert_finds(self.find('lib_run_x', calls), 'uses printf', 'uses getenv', 'uses time', 'uses open',
                          'uses exit', 'uses rand')

    def test_os_files_and_backends_may_call_the_system(self):
        text = 'int open(const char *, int, ...); int f(void) { return open("a", 0); }\n'
        self.assert_finds(self.find('lib_base_os_x', text))
        self.assert_finds(self.find('backends_kvm_x', text))

    def test_data_that_can_change_is_found_in_every_form(self):
        for text in ('int counter;', 'static int counter; int *f(void) { return &counter; }',
                     'int *f(void) { static int counter = 3; return &counter; }',
                     'extern int f(void); int (*counter)(void) = f;'):
            self.assert_finds(self.find('backends_kvm_x', text + '\n'), 'data that can change')

    def test_thread_locals_are_found_but_in_the_kick(self):
        text = 'static _Thread_local int word; int *f(void) { return &word; }\n'
        self.assert_finds(self.find('lib_run_x', text), 'thread-local data')
        self.assert_finds(self.find('backends_kvm_kick', text))
        self.assert_finds(self.find('backends_mock_kick', text), 'thread-local data')

    def test_constructors_are_found(self):
        self.assert_finds(self.find('lib_run_x', '__attribute__((constructor)) static void f(void) {}\n'),
                          'no code runs before main')


class Exports(Tree):
    HEADER = 'VMR_API VMR_MUST_CHECK enum vmr_status vmr_a(int (*f)(int), int b);\n' \
             'VMR_API int vmr_b(const char *format, ...)\n    VMR_PRINTF(1, 2);\n' \
             'VMR_API extern const struct x vmr_c;\nint unmarked(void);\n/* VMR_API int vmr_d(void); */\n' \
             '#define VMR_API __attribute__((visibility("default")))\n'

    def test_marked_names_are_read_from_declarations(self):
        self.assertEqual(check_exports.declared_in(self.HEADER), {'vmr_a', 'vmr_b', 'vmr_c'})

    def test_differences_are_found_in_both_directions(self):
        self.assert_finds(list(check_exports.compare({'vmr_a'}, {'vmr_a'})))
        self.assert_finds(list(check_exports.compare({'vmr_a'}, {'vmr_b'})), 'vmr_b: exported', 'not exported')
        self.assert_finds(list(check_exports.compare({'other'}, {'other'})), 'without the prefix')

    def test_exported_symbols_are_read_from_a_library(self):
        self.write('x.c', 'int vmr_a(void) { return 0; }\nstatic int b(void) { return 1; }\n'
                          '__attribute__((visibility("hidden"))) int c(void) { return b(); }\n')
        library = os.path.join(self.root, 'x.so')
        subprocess.run(['cc', '-shared', '-fPIC', '-o', library, os.path.join(self.root, 'x.c')], check=True)
        self.assertEqual(check_exports.exported(library) - {'_init', '_fini'}, {'vmr_a'})


class Cxx(Tree):
    LANGUAGES = ((['cc'], 'c', 'c17'),)

    def test_header_that_stands_alone_passes(self):
        self.write('include/vmrig/a.h', '#pragma once\n#include <stdint.h>\nuint32_t f(void);\n')
        self.assert_finds(check_cxx.find(self.root, self.LANGUAGES))

    def test_header_that_needs_another_is_found(self):
        self.write('include/vmrig/a.h', '#pragma once\nuint32_t f(void);\n')
        self.assert_finds(check_cxx.find(self.root, self.LANGUAGES), 'a.h:1: not c17 by itself')

    def test_header_without_a_guard_is_found(self):
        self.write('include/vmrig/a.h', 'struct a {\n    int b;\n};\n')
        self.assert_finds(check_cxx.find(self.root, self.LANGUAGES), 'not c17 by itself')


class Words(Tree):
    def test_ordinary_text_passes(self):
        self.write('a.md', 'mkstemp("/tmp/XX' 'XXXX"), ~/work/x, https://example.org/work/x, a to' 'do list\n')
        self.assert_finds(check_words.find(self.root))

    def test_each_word_is_found(self):
        for text in ('/* TO' 'DO */', 'FIX' 'ME', 'X' 'XX later', 'cd /wo' 'rk/main', '"/ro' 'ot/a"', '/ho' 'me/a',
                     'https://crates' '.io/x', 'localhost' ':8080'):
            self.write('a.c', f'first\n{text}\n')
            self.assert_finds(check_words.find(self.root), 'a.c:2:')


class Contract(Tree):
    def find(self, scenarios, contract='- **RUN-1** One.\n- **RUN-2** Two.\n'):
        self.write('docs/contract.md', contract)
        self.write('conformance/run.c', scenarios)
        return check_contract.find(self.root)

    def test_every_clause_cited_passes(self):
        self.assert_finds(self.find('.clauses = "RUN-1 "\n    "RUN-2",\n'))

    def test_clause_without_a_scenario_is_found(self):
        self.assert_finds(self.find('.clauses = "RUN-1", /* [RUN-2] .clauses = "RUN-2" */\n'),
                          'docs/contract.md:2: no scenario cites RUN-2')

    def test_citations_of_nothing_are_found(self):
        self.write('include/vmrig/run.h', '/* Never lost. [RUN-9] */\n')
        self.assert_finds(self.find('.clauses = "RUN-1 RUN-2 RUN-7",\n'), 'conformance/run.c:1: RUN-7',
                          'include/vmrig/run.h:1: RUN-9')

    def test_malformed_citation_in_a_scenario_is_found(self):
        self.assert_finds(self.find('.clauses = "RUN-1,RUN-2",\n', '- **RUN-1** One.\n'), 'RUN-1,RUN-2 is no clause',
                          'no scenario cites RUN-1')

    def test_clause_defined_twice_and_empty_contract_are_found(self):
        self.assert_finds(self.find('.clauses = "RUN-1"', '- **RUN-1** a\n- **RUN-1** b\n'), 'defined twice')
        self.assert_finds(self.find('', 'nothing\n'), 'defines no clause')


class Cases(Tree):
    LISTING = 'stop/one [RUN-1 RUN-2] S1 CVE-2001-1\nstop/other [RUN-3] \n'

    def find(self, *rows, listing=LISTING):
        self.write('docs/cve_cases.md', '| # | CVE |\n|---|---|\n' + ''.join(f'| {row} |\n' for row in rows))
        self.write('tests/x.c', 'cmocka_unit_test_setup(it_holds, f),')
        return check_cases.find(self.root, listing)

    def test_what_is_there_passes(self):
        self.assert_finds(self.find('1 | CVE-2001-1 | x | RUN-1 | `stop/one` `tests/x.c: it_holds`',
                                    '2 | CVE-2001-2 | not here | | '))

    def test_what_is_not_there_is_found(self):
        shown = '`stop/one` `stop/gone` `tests/x.c: it_hold` `tests/y.c: z`'
        self.assert_finds(self.find('1 | CVE-2001-1 | x | RUN-1 | ' + shown), 'no scenario stop/gone',
                          'no test it_hold in', 'no test z in tests/y.c')

    def test_clauses_that_no_scenario_of_the_row_cites_are_found(self):
        self.assert_finds(self.find('1 | CVE-2001-1 | x | RUN-2 RUN-3 | `stop/one`', '2 | | x | | `stop/other`',
                                    '3 | | x | RUN-1 | `tests/x.c: it_holds`'),
                          'cites RUN-3', 'scenarios without a clause', 'no scenario that shows them', 'cites RUN-1')

    def test_a_fault_that_a_scenario_carries_is_in_its_row(self):
        self.assert_finds(self.find('1 | CVE-2001-2 | x | RUN-1 | `stop/one`'), 'stop/one carries CVE-2001-1')

    def test_missing_and_malformed_rows_are_found(self):
        self.assert_finds(self.find('1 | x | y | ', '1 | CVE-2001-1 | x | RUN-1 | `stop/one`',
                                    '3 | CVE-2001-3 | x | RUN-3 | `stop/other`'),
                          '4 columns, not 5', 'row 3 where row 2 belongs')
        self.assert_finds(self.find(listing=''), 'has no rows', 'there are no scenarios')


class Format(Tree):
    def test_misformatted_file_is_found_and_a_formatted_one_is_not(self):
        formatter = check_format.program()
        if formatter is None:
            self.skipTest('clang-format 14 is missing')
        with open(os.path.join(HERE, '..', '..', '.clang-format'), encoding='utf-8') as file:
            self.write('.clang-format', file.read())
        self.write('a.c', 'int f(void)\n{\n    return 1;\n}\n')
        self.assert_finds(check_format.find(self.root, formatter))
        self.write('a.c', 'int f(void) {\n  return 1; }\n')
        self.assertTrue(check_format.find(self.root, formatter))


class Results(Tree):
    @staticmethod
    def entry(result, stdout=''):
        return {'name': 'x', 'result': result, 'stdout': stdout}

    def test_cases_are_counted_where_the_program_says_them(self):
        cmocka = '[==========] Running 5 test(s).\n[  PASSED  ] 3 test(s).\n[  SKIPPED ] 1 test(s), listed below:\n' \
                 '[  FAILED  ] 1 test(s), listed below:\n'
        for result, stdout, expected in (
                ('OK', '', (1, 0, 0)), ('FAIL', '', (0, 1, 0)), ('TIMEOUT', '', (0, 1, 0)), ('SKIP', '', (0, 0, 1)),
                ('FAIL', cmocka, (3, 1, 1)), ('OK', 'a\n7 passed, 0 failed, 2 skipped\n', (7, 0, 2)),
                ('ERROR', '7 passed, 0 failed, 2 skipped\n', (7, 1, 2)), ('UNEXPECTEDPASS', '', (0, 1, 0))):
            self.assertEqual(count_results.count(self.entry(result, stdout)), expected, (result, stdout))

    def test_logs_add_up_and_no_test_at_all_is_a_failure(self):
        script = os.path.join(HERE, '..', '..', 'tools', 'checks', 'count_results.py')
        self.write('a.json', '{"name": "x", "result": "OK"}\n{"name": "y", "result": "SKIP"}\n')
        self.write('b.json', '')
        for logs, line, status in ((['a.json', 'a.json'], '2 passed, 0 failed, 2 skipped\n', 0),
                                   (['b.json'], '0 passed, 0 failed, 0 skipped\n', 1),
                                   (['a.json', 'gone.json'], '1 passed, 1 failed, 1 skipped\n', 1)):
            run = subprocess.run([sys.executable, script, *logs], cwd=self.root, capture_output=True, text=True,
                                 check=False)
            self.assertEqual((run.stdout, run.returncode), (line, status))


class Dev(Tree):
    COMMANDS = ('certify', 'test', 'build', 'bench', 'sanitize', 'coverage', 'fuzz', 'nightly', 'format')

    def dev(self, *arguments):
        script = os.path.abspath(os.path.join(HERE, '..', '..', 'dev'))
        return subprocess.run([script, *arguments], cwd=self.root, capture_output=True, text=True, check=False)

    def test_help_names_every_command_from_any_folder(self):
        for arguments in (['--help'], ['-h'], ['test', '--help'], ['format', '--help']):
            done = self.dev(*arguments)
            self.assertEqual((done.returncode, done.stderr), (0, ''), arguments)
            for command in self.COMMANDS:
                self.assertIn(f'\n  {command} ', done.stdout)

    def test_the_nested_lane_has_a_help_of_its_own(self):
        for arguments in (['--nested', '--help'], ['--filter', 'io/*', '--help', '--nested']):
            done = self.dev('certify', *arguments)
            self.assertEqual((done.returncode, done.stderr), (0, ''), arguments)
            self.assertIn('usage: ./dev certify --nested', done.stdout)
            self.assertIn('--patience', done.stdout)

    def test_fuzzing_commands_have_a_help_of_their_own(self):
        for command in ('fuzz', 'nightly'):
            done = self.dev(command, '--help')
            self.assertEqual((done.returncode, done.stderr), (0, ''))
            self.assertIn(f'usage: ./dev {command} ', done.stdout)

    def test_wrong_fuzzing_arguments_are_status_2_before_anything_is_built(self):
        for arguments, word in ((['fuzz', 'nonsense'], 'nonsense'), (['fuzz', '--minutes', '0'], '--minutes'),
                                (['nightly', '--minutes', 'x'], '--minutes'), (['nightly', '--jobs', '0'], '--jobs')):
            done = self.dev(*arguments)
            self.assertEqual((done.returncode, done.stdout), (2, ''))
            self.assertIn(word, done.stderr)

    def test_unknown_command_is_one_line_and_status_2(self):
        done = self.dev('explode')
        self.assertEqual((done.returncode, done.stdout), (2, ''))
        self.assertRegex(done.stderr, r'\A[^\n]*"explode"[^\n]*\n\Z')

    def test_format_takes_no_argument(self):
        done = self.dev('format', 'lib')
        self.assertEqual((done.returncode, done.stdout), (2, ''))
        self.assertRegex(done.stderr, r'\A[^\n]*"lib"[^\n]*\n\Z')

    def test_no_command_is_the_usage_and_status_2(self):
        done = self.dev()
        self.assertEqual((done.returncode, done.stdout), (2, ''))
        self.assertIn('usage: ./dev', done.stderr)


if __name__ == '__main__':
    unittest.main()
