# SPDX-License-Identifier: MIT
"""The machines of the good configurations: always the same ones, whatever surrounds them.

usage: test_files.py DUMP GOOD GOLDEN CLASS
       test_files.py DUMP GOOD GOLDEN --update

DUMP prints a machine, GOOD is a folder of configurations. GOLDEN holds the machine of each as JSON, with what has
nothing more within it on one line; --update writes it. A line that changes there is an address, a bus or an interrupt
that moves in a guest that hibernated: see RES-1 in docs/contract.md.
"""

import glob
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

DUMP, GOOD, GOLDEN = sys.argv[1:4]
FORMS = ('text', 'json', 'svg')
INNERMOST = re.compile(r'([\[{])\s*([^\[\]{}]*?)\s*([\]}])')


def dump(form, text, locale='C', environment=None, before=()):
    done = subprocess.run([*before, DUMP, form, locale], input=text, capture_output=True, check=False, timeout=60,
                          env=environment)
    if done.returncode != 0:
        raise AssertionError(f'{form} in locale {locale}: {done.stderr.decode()}')
    return done.stdout


def files():
    return sorted(glob.glob(os.path.join(GOOD, '*.json')))


def read(path):
    with open(path, 'rb') as file:
        return file.read()


def golden(path):
    return INNERMOST.sub(lambda match: match[1] + re.sub(r'\s*\n\s*', ' ', match[2]) + match[3],
                         dump('json', read(path)).decode())


def update():
    shutil.rmtree(GOLDEN, ignore_errors=True)
    os.mkdir(GOLDEN)
    for path in files():
        with open(os.path.join(GOLDEN, os.path.basename(path)), 'w', encoding='utf-8') as file:
            file.write(golden(path))


class Golden(unittest.TestCase):
    """No machine has changed."""

    maxDiff = None

    def test_every_machine_is_as_it_was(self):
        for path in files():
            with self.subTest(path):
                with open(os.path.join(GOLDEN, os.path.basename(path)), encoding='utf-8') as file:
                    self.assertEqual(golden(path).splitlines(), file.read().splitlines())

    def test_nothing_is_left_of_files_that_went(self):
        self.assertEqual([os.path.basename(path) for path in files()], sorted(os.listdir(GOLDEN)))

    def test_lines_are_joined_and_nothing_is_lost(self):
        for path in files():
            self.assertEqual(json.loads(golden(path)), json.loads(dump('json', read(path))))


def shuffled(value, chance):
    """Keys of objects have no order."""
    if isinstance(value, dict):
        keys = list(value)
        chance.shuffle(keys)
        return {key: shuffled(value[key], chance) for key in keys}
    return [shuffled(item, chance) for item in value] if isinstance(value, list) else value


def rearranged(config):
    """In lists in which each item says where it belongs, the place in the list means nothing."""
    for lists, key in ((config['numa'], 'distances'), (config, 'pcie_generic_initiators'),
                       (config, 'chipset_devices'), (config, 'ide_disks')):
        if key in lists:
            lists[key].reverse()
    for node in config['numa']['nodes']:
        if isinstance(node.get('vps'), dict):
            node['vps']['explicit'].reverse()
    return config


def devices_reversed(config):
    """JSON says which of the list a device is; the others call it by its kind."""
    return {**config, 'pcie_devices': config.get('pcie_devices', [])[::-1]}


def unrelated(config):
    """What no address, bus or interrupt is made from."""
    return {**config, 'rtc_delta_milliseconds': 86400000, 'automatic_guest_reset': True}


class Purity(unittest.TestCase):
    """The machine comes from the configuration alone. [RES-1]"""

    def check(self, surrounded):
        for path in files():
            text = read(path)
            for form in FORMS:
                with self.subTest(path, form=form):
                    self.assertEqual(dump(form, text), surrounded(form, text))

    def check_change(self, change, form='json'):
        for path in files():
            with self.subTest(path):
                text = json.dumps(change(json.loads(read(path)))).encode()
                self.assertEqual(dump(form, read(path)), dump(form, text))

    def test_environment(self):
        environment = {'TZ': 'Asia/Kathmandu', 'LANG': 'tr_TR.UTF-8', 'COLUMNS': '20', 'HOME': '/', 'TERM': 'dumb'}
        self.check(lambda form, text: dump(form, text, environment=environment))

    def test_memory_elsewhere_and_of_other_content(self):
        environment = {**os.environ, 'MALLOC_PERTURB_': '165', 'MALLOC_MMAP_THRESHOLD_': '64'}
        fixed = ['setarch', '-R']
        if subprocess.run([*fixed, 'true'], capture_output=True, check=False).returncode != 0:
            fixed = []  # the host does not allow it; its own addresses are different ones each time
        self.check(lambda form, text: dump(form, text, environment=environment))
        self.check(lambda form, text: dump(form, text, environment=environment, before=fixed))

    def test_locale(self):
        """One with a comma in numbers, and a group of three."""
        with tempfile.TemporaryDirectory() as folder:
            made = subprocess.run(['localedef', '--no-archive', '-i', 'de_DE', '-f', 'UTF-8',
                                   os.path.join(folder, 'de_DE.UTF-8')], capture_output=True, check=False)
            self.assertEqual(made.returncode, 0, made.stderr)
            environment = {**os.environ, 'LOCPATH': folder}
            self.check(lambda form, text: dump(form, text, locale='de_DE.UTF-8', environment=environment))

    def test_order_of_keys(self):
        chance = random.Random(7)
        self.check_change(lambda config: shuffled(config, chance))

    def test_order_of_lists_that_have_none(self):
        self.check_change(rearranged)
        self.check_change(devices_reversed, 'text')
        self.check_change(devices_reversed, 'svg')

    def test_what_is_unrelated(self):
        self.check_change(unrelated)


def main():
    if sys.argv[4] == '--update':
        update()
        return
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(globals()[sys.argv[4]])
    sys.exit(not unittest.TextTestRunner(verbosity=2).run(suite).wasSuccessful())


if __name__ == '__main__':
    main()
