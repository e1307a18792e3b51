# SPDX-License-Identifier: MIT
"""Configuration files and the command: good ones are taken, by an independent validator of the schema too.

usage: test_files.py VMRIG GOOD HEADERS CLASS

GOOD is a folder of good configurations, HEADERS the folder of the structs.
"""

import copy
import glob
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

import good

SKIP = 77
VMRIG, GOOD, HEADERS = sys.argv[1:4]
DEBIAN_PYTHON = '/usr/bin/python3'

# Members of structs that are no keys: parts of values that are written as one.
NO_KEYS = {'given', 'value', 'data1', 'data2', 'data3', 'data4', 'start', 'end', 'path', 'bytes', 'size', 'items',
           'kind', 'flag', 'number', 'text', 'resource', 'mode', 'fixed', 'range', 'list', 'linux_direct', 'context',
           'input', 'firmware_event', 'debugger', 'live'}


def vmrig(*words, stdin=b''):
    return subprocess.run([VMRIG, 'config', *words], input=stdin, capture_output=True, check=False, timeout=60)


def files():
    return sorted(glob.glob(os.path.join(GOOD, '*.json')))


def load(path):
    with open(path, encoding='utf-8') as file:
        return json.load(file)


def schema():
    return json.loads(vmrig('schema').stdout)


def suffix(name):
    """What 'vmrig config tables -o' puts behind a table's name."""
    if name == 'DTB':
        return '.dtb'
    return '.aml' if len(name) == 4 and name not in ('RSDP', 'E820') else '.bin'


class Good(unittest.TestCase):
    """Each good file is good, and what is printed of it is the same."""

    def test_they_are_what_the_generator_writes(self):
        written = {name: good.dump(content) + '\n' for name, content in good.all_of_them()}
        kept = {}
        for path in files():
            with open(path, encoding='utf-8') as file:
                kept[os.path.basename(path).removesuffix('.json')] = file.read()
        self.assertEqual(written, kept)
        self.assertGreaterEqual(len(kept), 40)

    def test_nothing_is_wrong_with_them(self):
        done = vmrig('check', *files())
        self.assertEqual((done.returncode, done.stdout.decode(), done.stderr.decode()), (0, '', ''))

    def test_printing_is_a_fixed_point(self):
        for path in files():
            with self.subTest(path):
                first = vmrig('print', path)
                self.assertEqual((first.returncode, first.stderr), (0, b''))
                again = vmrig('print', '-', stdin=first.stdout)
                self.assertEqual((again.returncode, again.stdout), (0, first.stdout))

    def test_a_text_that_ends_anywhere_is_refused_where_it_ends(self):
        with open(os.path.join(GOOD, 'pcie-fixed-windows.json'), 'rb') as file:
            text = file.read().rstrip()
        for length in range(0, len(text), 7):
            done = vmrig('check', '-', stdin=text[:length])
            self.assertEqual(done.returncode, 1, text[:length])
            self.assertRegex(done.stdout.decode(), r'^-:\d+:\d+: .* \[CFG-FILE-SYNTAX\]\n$')


class Schema(unittest.TestCase):
    """The schema takes what the reader takes, and refuses what it refuses, but for rules between fields."""

    def setUp(self):
        import jsonschema  # pylint: disable=import-outside-toplevel
        jsonschema.Draft202012Validator.check_schema(schema())
        self.validator = jsonschema.Draft202012Validator(schema())

    def test_it_takes_the_good_ones_as_they_are_and_as_they_are_printed(self):
        for path in files():
            with self.subTest(path):
                self.validator.validate(load(path))
                self.validator.validate(json.loads(vmrig('print', path).stdout))

    def test_it_refuses_what_the_reader_refuses(self):
        base = load(os.path.join(GOOD, 'pcie.json'))
        breaks = [
            lambda c: c.update(comment=''),
            lambda c: c.update(arch='x86'),
            lambda c: c.update(arch=0),
            lambda c: c.update(load_mode='bios'),
            lambda c: c.update(load_mode='linux'),  # a kernel is needed
            lambda c: c.update(load_mode={'linux': {}}),
            lambda c: c.update(load_mode={'linux': {'kernel': 'a'}, 'uefi': {'firmware': 'b'}}),
            lambda c: c.update(load_mode={'none': {}}),
            lambda c: c.update(vtl2_gfx='true'),
            lambda c: c.update(numa=[]),
            lambda c: c.update(vmgs={'disk': {}}),
            lambda c: c.update(rtc_delta_milliseconds=1 << 63),
            lambda c: c.update(vpci_resources=[1]),
            lambda c: c['numa']['nodes'][0].update(vps={'explicit': [-1]}),
            lambda c: c['numa']['nodes'][0].update(vps={'explicit': [1 << 32]}),
            lambda c: c['numa']['nodes'][0]['mem'].update(mem_size='1GB'),
            lambda c: c['numa']['nodes'][0]['mem'].update(mem_size=4097),
            lambda c: c['numa']['nodes'][0]['mem'].update(mem_size=1 << 64),
            lambda c: c['numa']['nodes'][0]['mem'].update(mem_size=1.5),
            lambda c: c['pcie_root_complexes'][0].update(end_bus=256),
            lambda c: c['pcie_root_complexes'][0].update(low_mmio='64MiB'),
            lambda c: c['pcie_root_complexes'][0].update(low_mmio={'fixed': '1-2'}),
            lambda c: c['pcie_root_complexes'][0]['ports'][0].pop('name'),
            lambda c: c['pcie_devices'][0]['resource'].pop('id'),
            lambda c: c['pcie_devices'][0]['resource']['parameters'].update(x=None),
            lambda c: c['pcie_devices'][0]['resource']['parameters'].update(x={'parameters': {}}),
            lambda c: c['pcie_devices'][0].pop('port_name'),
        ]
        for index, change in enumerate(breaks):
            config = copy.deepcopy(base)
            change(config)
            with self.subTest(index):
                self.assertFalse(self.validator.is_valid(config))
                done = vmrig('check', '-', stdin=json.dumps(config).encode())
                self.assertEqual(done.returncode, 1, done.stdout)


class Fields(unittest.TestCase):
    """No member of the structs is missing from the tables."""

    def test_every_member_is_a_key(self):
        keys = set(re.findall(r'"(\w+)": ', vmrig('schema').stdout.decode()))
        headers = [*glob.glob(os.path.join(HEADERS, 'config', '*.h')), os.path.join(HEADERS, 'config.h')]
        seen = 0
        for path in headers:
            with open(path, encoding='utf-8') as file:
                text = re.sub(r'/\*.*?\*/|^#[^\n]*(?:\\\n[^\n]*)*', '', file.read(), flags=re.DOTALL | re.MULTILINE)
            text = re.sub(r'\(.*?\)', '', text)  # functions, and their parameters
            for body in re.findall(r'^struct \w+ \{\n(.*?)^\}', text, re.DOTALL | re.MULTILINE):
                for member in re.findall(r'[\s*,](\w+)(?:\[\w+\])?(?=[,;])', body):
                    if member not in NO_KEYS and not self.is_counter(member, body):
                        self.assertTrue(member in keys, f'{path}: {member} is no key')
                        seen += 1
        self.assertGreater(seen, 150)

    @staticmethod
    def is_counter(member, body):
        return re.search(rf'size_t (?:\w+, )*{member};', body) is not None


class Command(unittest.TestCase):
    """What the command says, and how it ends."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def file(self, name, content):
        path = os.path.join(self.folder, name)
        with open(path, 'wb') as file:
            file.write(content)
        return path

    def test_findings_are_lines_that_editors_follow(self):
        bad = self.file('bad.json', b'{\n "arhc": 1,\n "numa": {}}\n')
        done = vmrig('check', bad, os.path.join(GOOD, 'minimal.json'))
        lines = done.stdout.decode().splitlines()
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr, b'')
        self.assertEqual(lines[0],
                         f'{bad}:2:2: arhc: this key is not known; did you mean "arch"? [CFG-FILE-KEY-UNKNOWN]')
        self.assertTrue(lines[1].startswith(f'{bad}:3:10: numa'), lines[1])

    def test_findings_as_json(self):
        bad = self.file('bad.json', b'{"arch": 5}')
        done = vmrig('check', '--json', bad, os.path.join(GOOD, 'minimal.json'))
        self.assertEqual(done.returncode, 1)
        first, second = json.loads(done.stdout)['files']
        self.assertEqual((first['file'], first['valid'], first['omitted']), (bad, False, 0))
        finding = next(one for one in first['findings'] if one['code'] == 'CFG-FILE-TYPE')
        self.assertEqual((finding['path'], finding['line'], finding['column']), ('arch', 1, 10))
        self.assertEqual((second['valid'], second['findings']), (True, []))

    def test_what_cannot_be_read_fails(self):
        missing = os.path.join(self.folder, 'missing.json')
        for words in (['check', missing], ['print', missing], ['check', self.folder]):
            done = vmrig(*words)
            self.assertEqual((done.returncode, done.stdout), (1, b''))
            self.assertIn(f"vmrig config {words[0]}: cannot", done.stderr.decode())
        # The others are looked at all the same.
        done = vmrig('check', missing, self.file('bad.json', b'[]'))
        self.assertIn(b'CFG-FILE-TYPE', done.stdout)
        self.assertEqual(done.returncode, 1)

    def test_what_is_wrong_is_not_printed(self):
        done = vmrig('print', self.file('bad.json', b'{"arch": 5}'))
        self.assertEqual((done.returncode, done.stdout), (1, b''))
        self.assertIn(b'[CFG-FILE-TYPE]', done.stderr)

    def test_a_file_that_is_too_large_is_refused_quickly(self):
        path = os.path.join(self.folder, 'large.json')
        with open(path, 'wb') as file:
            file.truncate(100 << 20)
        done = vmrig('check', path)
        self.assertEqual((done.returncode, done.stderr), (1, b''))
        self.assertIn(b'[CFG-FILE-SIZE]', done.stdout)

    def test_rules_are_listed_and_explained(self):
        listed = vmrig('rules').stdout.decode().splitlines()
        rules = json.loads(vmrig('rules', '--json').stdout)['rules']
        self.assertEqual(len(listed), len(rules))
        self.assertGreater(len(rules), 20)
        for rule in (rules[0], rules[-1]):
            done = vmrig('--explain', rule['code'])
            self.assertEqual(done.returncode, 0)
            self.assertIn(rule['explanation'], done.stdout.decode())

    def test_wrong_words(self):
        for words, says in (([], 'a command is missing'), (['chekc'], "unknown command 'chekc'"),
                            (['check'], 'argument FILE... is missing'), (['print', 'a', 'b'], "unexpected argument 'b'"),
                            (['--explain'], "needs a value"), (['--explain', 'CFG-X'], "no rule 'CFG-X'"),
                            (['--other'], "unknown option '--other'"), (['schema', 'x'], "unexpected argument 'x'")):
            done = vmrig(*words)
            self.assertEqual((done.returncode, done.stdout), (2, b''), words)
            self.assertIn(says, done.stderr.decode())


class Machine(unittest.TestCase):
    """The machine that a file asks for, and its tables."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.pcie = os.path.join(GOOD, 'pcie.json')

    def test_every_good_file_asks_for_one(self):
        for path in files():
            with self.subTest(path):
                done = vmrig('resolve', path)
                self.assertEqual((done.returncode, done.stderr), (0, b''))
                self.assertTrue(done.stdout.startswith(b'processors: '))

    def test_its_forms(self):
        self.assertEqual(json.loads(vmrig('resolve', '--json', self.pcie).stdout)['arch'], 'x86_64')
        drawing = os.path.join(self.folder, 'machine.svg')
        done = vmrig('resolve', '--svg', drawing, self.pcie)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b'', b''))
        with open(drawing, encoding='utf-8') as file:
            self.assertTrue(file.read().startswith('<svg '))
        done = vmrig('resolve', '--svg', os.path.join(self.folder, 'missing', 'a.svg'), self.pcie)
        self.assertEqual((done.returncode, done.stdout), (1, b''))
        self.assertIn(b'missing', done.stderr)
        self.assertEqual(vmrig('resolve', '--svg', drawing, '--json', self.pcie).returncode, 2)

    def test_tables_are_listed_and_written(self):
        listed = json.loads(vmrig('tables', '--json', self.pcie).stdout)['tables']
        self.assertEqual(len(vmrig('tables', self.pcie).stdout.splitlines()), len(listed))
        folder = os.path.join(self.folder, 'tables')
        done = vmrig('tables', '-o', folder, self.pcie)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b'', b''))
        self.assertEqual(len(os.listdir(folder)), len(listed))
        for table in listed:
            if table['name'] in ('APIC', 'FACP', 'MCFG', 'DSDT'):
                with open(os.path.join(folder, table['name'] + suffix(table['name'])), 'rb') as file:
                    content = file.read()
                self.assertEqual((content[:4], len(content)), (table['name'].encode(), table['size']))
        self.assertEqual(vmrig('tables', '-o', folder, '--json', self.pcie).returncode, 2)

    def test_what_is_wrong_is_said_with_its_place(self):
        for name in ('resolve', 'tables'):
            done = vmrig(name, '-', stdin=b'{"numa":\n {"nodes": []}}')
            self.assertEqual((done.returncode, done.stdout), (1, b''))
            self.assertIn(b'-:2:2: numa: ', done.stderr)
        # A machine of one page is one, and has no room for tables.
        self.assertIn(b'[CFG-TABLES-', vmrig('tables', os.path.join(GOOD, 'memory-one-page.json')).stderr)

    def test_files_lie_beside_the_configuration(self):
        folder = os.path.join(self.folder, 'beside')
        self.assertEqual(vmrig('tables', '-o', folder, self.pcie).returncode, 0)
        config = {'numa': {'nodes': [good.node()]}, 'load_mode': {'linux': {'kernel': 'k', 'custom_dsdt': 'DSDT.aml'}}}
        with open(os.path.join(folder, 'machine.json'), 'w', encoding='utf-8') as file:
            json.dump(config, file)
        done = vmrig('tables', os.path.join(folder, 'machine.json'))
        self.assertEqual((done.returncode, done.stderr), (0, b''))

    def test_a_dsdt_of_ones_own_is_read(self):
        config = {'numa': {'nodes': [good.node()]},
                  'load_mode': {'linux': {'kernel': 'k', 'custom_dsdt': os.path.join(self.folder, 'dsdt.aml')}}}
        text = json.dumps(config).encode()
        done = vmrig('tables', '-', stdin=text)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b'load_mode.linux.custom_dsdt: cannot open', done.stderr)
        folder = os.path.join(self.folder, 'tables')
        self.assertEqual(vmrig('tables', '-o', folder, self.pcie).returncode, 0)
        os.rename(os.path.join(folder, 'DSDT.aml'), os.path.join(self.folder, 'dsdt.aml'))
        done = vmrig('tables', '-o', folder, '-', stdin=text)
        self.assertEqual((done.returncode, done.stderr), (0, b''))
        with open(os.path.join(folder, 'DSDT.aml'), 'rb') as written:
            with open(os.path.join(self.folder, 'dsdt.aml'), 'rb') as given:
                self.assertEqual(written.read(), given.read())


def has_validator():
    try:
        import jsonschema  # pylint: disable=import-outside-toplevel,unused-import
        return True
    except ImportError:
        return False


def main():
    name = sys.argv[4]
    if name == 'Schema' and not has_validator():
        # Debian's package belongs to Debian's interpreter, which need not be the first in the path.
        if os.path.realpath(sys.executable) != os.path.realpath(DEBIAN_PYTHON) and os.path.exists(DEBIAN_PYTHON):
            os.execv(DEBIAN_PYTHON, [DEBIAN_PYTHON, *sys.argv])
        print('there is no jsonschema for Python: install python3-jsonschema')
        sys.exit(SKIP)
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(globals()[name])
    sys.exit(not unittest.TextTestRunner(verbosity=2).run(suite).wasSuccessful())


if __name__ == '__main__':
    main()
