# SPDX-License-Identifier: MIT
"""The page of certificates: the command that writes it, and the page in a browser.

usage: test_page.py VMRIG CORPORA CLASS
"""

import json
import os
import re

import browser
import certificates
import command
from command import Command

DRAWN_MS = 1000  # what 771 scenarios on 12 backends may take

# The smallest contrast of any visible text with what lies behind it, and whose text that is.
CONTRAST = '''
const canvas = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
const known = new Map();
function rgba(colour) {
  if (!known.has(colour)) {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    known.set(colour, [...canvas.getImageData(0, 0, 1, 1).data]);
  }
  return known.get(colour);
}
function behind(element) {
  for (let at = element; at; at = at.parentElement) {
    const colour = rgba(getComputedStyle(at).backgroundColor);
    if (colour[3] === 255) return colour;
    if (colour[3] !== 0) throw new Error('half transparent: ' + at.className);
  }
  return [255, 255, 255];
}
function light(colour) {
  const [r, g, b] = colour.slice(0, 3).map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
let least = [99, ''];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  if (!walker.currentNode.data.trim() || element.closest('script, style, noscript') || !element.checkVisibility()) continue;
  const [a, b] = [light(rgba(getComputedStyle(element).color)), light(behind(element))];
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < least[0]) least = [ratio, element.className + ': ' + walker.currentNode.data];
}
return least;
'''


class PageFile(Command):
    """What the command takes, refuses and writes; no browser."""

    def save(self, name, certificate):
        return self.file(name, json.dumps(certificate).encode())

    def test_one_file_holds_everything(self):
        for i, certificate in enumerate(certificates.samples()):
            self.save(f'{i}.json', certificate)
        self.succeeds('certify', 'page', 'out.html', *(f'{i}.json' for i in range(5)))
        with open(self.path('out.html'), encoding='utf-8') as file:
            page = file.read()
        data = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL).group(1)
        self.assertEqual(json.loads(data), certificates.samples())
        self.assertNotRegex(page, r'(?:src|href)=|https?:|url\(|@import')
        self.assertEqual([name for name in os.listdir(self.folder) if name.endswith('.html') or '.html' in name],
                         ['out.html'])

    def test_no_text_ends_the_data(self):
        self.save('bad.json', certificates.hostile())
        page = self.succeeds('certify', 'page', '-', 'bad.json').decode('utf-8')
        self.assertEqual(page.count('</script'), 2)
        self.assertEqual(page.count('<script'), 2)
        self.assertNotIn('<!--', page)
        data = re.search(r'id="data">(.*?)</script>', page, re.DOTALL).group(1)
        self.assertEqual(json.loads(data), [certificates.hostile()])

    def test_what_is_no_certificate_is_refused_in_one_line(self):
        good = certificates.samples()[0]
        for name, content, says in (
                ('absent.json', None, "'absent.json': No such file"),
                ('empty.json', b'', "'empty.json': line 1"),
                ('cut.json', json.dumps(good).encode()[:500], "'cut.json': line 1"),
                ('deep.json', b'[' * 100000, "'deep.json': line 1"),
                ('list.json', b'[]', "'list.json': it is no JSON object"),
                ('other.json', b'{"kind": "a recipe"}', "'other.json': it is none"),
                ('old.json', json.dumps({**good, 'format': 1}).encode(), 'its format is not 2'),
                ('nobody.json', json.dumps({**good, 'backend': 7}).encode(), 'backend'),
                ('none.json', json.dumps({**good, 'results': {}}).encode(), '"results" is no list'),
                ('twice.json', b'{"kind": 1, "kind": 2}', "'twice.json': line 1")):
            with self.subTest(name=name):
                if content is not None:
                    self.file(name, content)
                self.refuses(1, says, 'certify', 'page', 'out.html', name)
                self.assertFalse(os.path.exists(self.path('out.html')))

    def test_a_page_that_fails_leaves_the_older_one(self):
        self.file('out.html', b'older')
        self.file('bad.json', b'{}')
        self.refuses(1, 'it is none', 'certify', 'page', 'out.html', 'bad.json')
        with open(self.path('out.html'), 'rb') as file:
            self.assertEqual(file.read(), b'older')
        self.save('good.json', certificates.samples()[0])
        self.refuses(1, 'nowhere/out.html', 'certify', 'page', 'nowhere/out.html', 'good.json')

    def test_a_report_folder_has_its_page(self):
        self.run_it('certify', '--hypervisor', 'mock', '--filter', 'io/*', '--report', 'report')
        with open(self.path('report/index.html'), 'rb') as file:
            page = file.read()
        names = sorted(name for name in os.listdir(self.path('report')) if name.endswith('.json'))
        self.assertGreater(len(names), 0)
        self.assertEqual(self.succeeds('certify', 'page', '-', *(f'report/{name}' for name in names)), page)

    def test_words_are_checked(self):
        self.refuses(2, 'OUT', 'certify', 'page')
        self.refuses(2, 'CERTIFICATE', 'certify', 'page', 'out.html')
        self.refuses(2, "unknown command 'pages'", 'certify', 'pages')
        self.assertIn(b'page ', self.succeeds('certify', '--help'))


class Page(Command):
    """The page itself, from a file, in a browser that is driven like a person drives it."""

    @classmethod
    def setUpClass(cls):
        cls.problem = browser.problem()
        cls.browser = None if cls.problem else browser.Browser()

    @classmethod
    def tearDownClass(cls):
        if cls.browser:
            cls.browser.close()

    def setUp(self):
        super().setUp()
        if self.problem:
            self.skipTest(self.problem)
        self.browser.size(1400, 1000)
        self.browser.colours('light')

    def show(self, some, address='', spoil=lambda page: page):
        names = []
        for i, certificate in enumerate(some):
            names.append(f'{i}.json')
            self.file(names[-1], json.dumps(certificate).encode())
        self.succeeds('certify', 'page', 'out.html', *names)
        with open(self.path('out.html'), encoding='utf-8') as file:
            page = file.read()
        self.file('out.html', spoil(page).encode())
        self.url = f'file://{self.path("out.html")}'
        self.browser.log('browser')
        self.browser.requested()
        self.browser.open(self.url + address)

    def js(self, script, *arguments):
        return self.browser.js(script, *arguments)

    def texts(self, selector):
        return self.js('return [...document.querySelectorAll(arguments[0])].map((e) => e.textContent)', selector)

    def address(self):
        return self.js('return location.hash')

    def focus(self):
        return self.js('const e = document.activeElement; return e.getAttribute("aria-label") || e.id || e.textContent')

    def panel(self):
        return self.js('const e = document.getElementById("panel"); return e.hidden ? null : e.textContent')

    def wait(self, script, *arguments):
        """What the page does a moment later, as after typing."""
        for _ in range(100):
            if self.js(script, *arguments):
                return
        self.fail(f'never true: {script}')

    def cells(self):
        """What the matrix says: {(backend, family): {verdict: count}}, without what did not run."""
        found = self.js('''return [...document.querySelectorAll('#matrix td.cell')].map((e) =>
            [e.parentNode.dataset.backend, e.dataset.family, Object.fromEntries(arguments[0].map((v) =>
            [v, Number(e.dataset[v])])), e.querySelector('b')?.textContent ?? '', e.getAttribute('aria-label')])''',
                        certificates.VERDICTS)
        for backend, family, numbers, shown, words in found:
            worst = next((v for v in ('fail', 'waived', 'pass', 'skip') if numbers[v]), None)
            self.assertEqual(shown, str(numbers[worst]) if worst else '', (backend, family))
            for verdict, number in numbers.items():
                self.assertEqual(f'{number} {verdict}' in words, number > 0, words)
        return {(backend, family): numbers for backend, family, numbers, _, _ in found if sum(numbers.values())}

    def expected(self, some, keep=lambda backend, each: True):
        cells = {}
        for certificate in some:
            for each in certificate.get('results', []):
                if keep(certificate['backend'], each):
                    key = (certificate['backend'], each['family'])
                    cells.setdefault(key, dict.fromkeys(certificates.VERDICTS, 0))[each['verdict']] += 1
        return cells

    def test_the_matrix_counts_what_the_certificates_say(self):
        some = certificates.samples()
        self.show(some)
        self.assertEqual(self.cells(), self.expected(some))
        self.assertEqual(self.texts('#headline'), ['✗ 1 failed, ○ 1 not certified, ◐ 1 partial, ✓ 2 certified'])
        self.assertEqual(self.texts('#matrix .absent'), ['not certified: /dev/mshv: No such file'])
        sums = self.texts('#matrix [data-sum]')
        self.assertEqual(sums, ['12/0/0/0', '10/1/1/0', '10/0/1/1', '3/0/0/0'])

    def test_colour_is_never_the_only_sign(self):
        self.show(certificates.samples())
        signs = self.js('''return [...document.querySelectorAll('#matrix td.cell')].map((e) =>
            [e.className.split(' ').at(-1), e.innerText.trim()[0]])''')
        self.assertEqual({tuple(each) for each in signs},
                         {('fail', '✗'), ('waived', '◐'), ('pass', '✓'), ('none', '·')})
        for key, view in (('2', 'clauses'), ('3', 'scenarios')):
            self.browser.press(key)
            signs = self.js('return [...document.querySelectorAll(`#${arguments[0]} .mark`)].map((e) => e.innerText)', view)
            self.assertEqual(set(signs) - set('✗◐✓–·'), set(), view)
        self.assertEqual([each[0] for each in self.texts('.badge')], [each[0] for each in self.texts('.badge .sign')])

    def test_failures_come_first(self):
        self.show(certificates.samples())
        self.assertEqual(self.texts('.troubles .link'), ['run/run_1', 'stop/stop_1'])
        self.assertLess(*self.js('return ["failures", "tables"].map((id) => document.getElementById(id).offsetTop)'))
        self.assertIn('Waiver of 2026-12-01, until 2027-03-01: a fault of the host', self.texts('.troubles')[1])
        self.assertIn('run/gone on kvm:irqchip=split: unknown scenario', self.texts('.notice')[0])
        self.browser.press('3')
        self.assertEqual(self.texts('#scenarios .name')[:1], ['run_1'])
        self.browser.press('2')
        self.assertEqual(self.texts('#clauses .name')[:2], ['RUN-1', 'PROBE-1'])

    def test_levels_say_what_is_missing(self):
        self.show(certificates.samples())
        badges = self.texts('#backends [data-backend=kvm] .levels .badge')
        self.assertEqual(badges, ['✗ core failed', '– state not offered'])
        self.assertEqual(self.texts('#meanings'), ['core runs guests · state gives its state'])
        self.assertIn('state missing vtl', self.texts('.backend .gaps')[0])
        self.assertIn('core 1 failed', self.texts('.backend .gaps')[1])

    def test_clauses_stand_as_each_certificate_has_them(self):
        some = certificates.samples()
        self.show(some, '#view=clauses')
        rows = self.js('''return [...document.querySelectorAll('#clauses tbody tr')].map((row) => [row.dataset.clause,
            ...[...row.querySelectorAll('.mark')].map((e) => e.getAttribute('aria-label'))])''')
        expected = {name: [next(c['verdict'] for c in each['clauses'] if c['id'] == name) for each in some[:4]] + ['none']
                    for name in certificates.CLAUSES}
        self.assertEqual({row[0]: row[1:] for row in rows}, expected)

    def test_filters_leave_what_they_name_and_stand_in_the_address(self):
        some = certificates.samples()
        self.show(some)
        for address, keep in (
                ('#verdict=fail', lambda backend, each: each['verdict'] == 'fail'),
                ('#verdict=fail,waived', lambda backend, each: each['verdict'] in ('fail', 'waived')),
                ('#family=stop', lambda backend, each: each['family'] == 'stop'),
                ('#backend=kvm', lambda backend, each: backend == 'kvm'),
                ('#text=NEEDS+vtl', lambda backend, each: 'vtl' in each['reason']),
                ('#text=halt-1+_2', lambda backend, each: each['scenario'] == 'halt_2'),
                ('#verdict=skip&backend=kvm', lambda backend, each: backend == 'kvm' and each['verdict'] == 'skip'),
                ('#text=nothing+like+it', lambda backend, each: False),
                ('#verdict=bogus&family=bogus&backend=bogus&view=bogus&open=constructor', lambda backend, each: True)):
            with self.subTest(address=address):
                self.js('location.hash = arguments[0]', address)
                self.wait('return document.getElementById("clear").disabled === arguments[0]', 'bogus' in address)
                self.assertEqual(self.cells(), self.expected(some, keep))

    def test_controls_filter_as_the_address_does(self):
        some = certificates.samples()
        self.show(some)
        self.browser.press('/', 's', 't', 'o', 'p', '_')
        self.wait('return location.hash === "#text=stop_"')
        self.browser.press('Escape', 'f')
        self.assertEqual(self.address(), '#text=stop_&verdict=fail')
        self.assertEqual(self.cells(), {})
        self.browser.press('x')
        self.assertEqual(self.cells(), self.expected(some))
        self.browser.click('#verdicts .skip')
        self.assertEqual(self.address(), '#verdict=skip')
        self.js('const e = document.getElementById("backend"); e.value = "kvm"; e.dispatchEvent(new Event("change"))')
        self.assertEqual(self.texts('#matrix tbody .name'), ['✗ kvm'])
        self.browser.open(self.url + self.address())
        self.assertEqual(self.cells(), self.expected(some, lambda b, each: b == 'kvm' and each['verdict'] == 'skip'))

    def test_everything_is_reached_from_the_keyboard(self):
        self.show(certificates.samples())
        self.browser.press('m')
        self.assertEqual(self.focus(), 'probe')
        self.browser.press('Down', 'Down', 'Right')
        self.assertEqual(self.focus(), 'kvm, probe: 3 pass')
        self.browser.press('Right')
        self.assertEqual(self.focus(), 'kvm, run: 1 fail, 2 pass')
        self.assertEqual(self.js('return document.querySelectorAll("#matrix [tabindex=\'0\']").length'), 1)
        self.assertNotEqual(self.js('return getComputedStyle(document.activeElement).outlineStyle'), 'none')
        self.browser.press('Enter')
        self.assertEqual(self.address(), '#open=family&of=run&on=kvm')
        self.assertEqual(self.texts('#panel .result-name'), ['run_1', 'run_0', 'run_2'])
        for piece in ('expected 1, got 2 in run_1', 'RUN-1', '12 schedules', '1.2 ms', '0123456789abcdef', 'S1'):
            self.assertIn(piece, self.panel())
        self.browser.press('Escape')
        self.assertIsNone(self.panel())
        self.assertEqual(self.focus(), 'kvm, run: 1 fail, 2 pass')
        self.browser.press('Home')
        self.assertIn('kvm', self.focus())
        self.browser.press('Enter')
        self.assertIn('one scenario failed', self.panel())
        self.browser.press('Escape')
        self.browser.press('End', holding='Control')
        self.assertIn('not certified', self.focus())
        self.browser.press('?')
        self.assertTrue(self.js('return document.getElementById("help").open'))
        self.browser.press('Escape')
        self.assertFalse(self.js('return document.getElementById("help").open'))

    def test_panels_lead_to_each_other_and_can_be_linked(self):
        self.show(certificates.samples(), '#open=scenario&of=run/run_1')
        self.assertEqual(self.texts('#panel .result-name')[:1], ['kvm'])
        self.browser.click('#panel .meta .link')
        self.assertIn('The run keeps promise 1.', self.panel())
        self.assertIn('open=clause&of=RUN-1', self.address())
        self.browser.click('#panel-close')
        self.assertIsNone(self.panel())

    def test_light_and_dark_can_both_be_read(self):
        self.show(certificates.samples())
        pages = []
        for scheme in ('light', 'dark'):
            self.browser.colours(scheme)
            for address in ('#open=family&of=run', '#view=clauses&open=clause&of=RUN-1', '#view=scenarios&open=backend&on=kvm'):
                self.js('location.hash = arguments[0]; document.querySelectorAll("details").forEach((e) => e.open = true)',
                        address)
                self.wait('return !document.getElementById("panel").hidden && location.hash === arguments[0]', address)
                ratio, whose = self.js(CONTRAST)
                self.assertGreaterEqual(ratio, 4.5, (scheme, address, whose))
            pages.append(self.js('return getComputedStyle(document.body).backgroundColor'))
        self.assertNotEqual(*pages)
        self.browser.press('t')
        self.assertEqual(self.js('return getComputedStyle(document.body).backgroundColor'), pages[0])
        self.browser.press('t')
        self.assertEqual(self.js('return getComputedStyle(document.body).backgroundColor'), pages[1])
        self.browser.press('t')

    def test_a_narrow_window_scrolls_only_down(self):
        self.browser.size(400, 800)
        for address in ('', '#view=clauses', '#view=scenarios', '#open=clause&of=RUN-1'):
            self.show([*certificates.samples(), certificates.hostile()], address)
            self.assertEqual(self.js('return document.documentElement.scrollWidth'), 400, address)

    def test_hostile_texts_stay_texts(self):
        for address in ('', '#view=clauses', '#view=scenarios'):
            self.show([certificates.hostile()], address)
            self.js('document.querySelector("[role=tabpanel]:not([hidden]) tbody [data-place]").click()')
            self.assertIsNone(self.js('return window.broken ?? null'), address)
            self.assertEqual(self.js('return document.querySelectorAll("img").length'), 0, address)
            self.assertEqual(self.js('return document.scripts.length'), 2, address)
            self.assertIn(certificates.HOSTILE, self.panel())
            self.assertEqual(self.browser.log('browser'), [], address)

    def test_wrong_types_are_shown_as_absent(self):
        good = certificates.samples()[1]

        def spoil(page):
            before, data, after = re.fullmatch('(.* id="data">)(.*?)(</script>.*)', page, re.DOTALL).groups()
            return before + json.dumps([*json.loads(data), broken]) + after

        for value in (None, 7, -1, 'x', True, [], {}, [None, 7, 'x', [], {}]):
            broken = {key: value for key in good} | {
                'kind': good['kind'], 'format': 2, 'backend': 'b', 'results': [value, {**good['results'][0], 'waiver': value},
                                                                              {key: value for key in good['results'][0]}]}
            for view in ('matrix', 'clauses', 'scenarios'):
                self.show([good], f'#view={view}&open=backend&on=b', spoil)
                self.assertEqual(len(self.texts('.backend')), 2, (value, view))
                self.assertIsNotNone(self.panel())
                self.assertEqual(self.browser.log('browser'), [], (value, view))

    def test_backends_of_one_name_are_told_apart(self):
        some = [{**certificates.samples()[0], 'taken': f'2026-12-0{day}T00:00:00Z'} for day in (1, 2, 2)]
        self.show(some)
        self.assertEqual(self.texts('.backend .spec'), ['mock:profile=strict @ 2026-12-01', 'mock:profile=strict @ 2026-12-02',
                                                        'mock:profile=strict @ 2026-12-02 (2)'])

    def test_nothing_is_fetched_and_nothing_else_may_run(self):
        self.show(certificates.samples(), '#view=scenarios')
        self.browser.pdf()
        self.assertEqual({url.split('#')[0] for url in self.browser.requested()} - {'about:blank'}, {self.url})
        self.js('''const e = document.createElement('script'); e.setAttribute('nonce', '');
            try { e.textContent = 'window.broken = 3'; document.body.append(e); } catch { return; }''')
        self.assertIsNone(self.js('return window.broken ?? null'))

    def test_paper_has_everything_and_no_controls(self):
        self.show(certificates.samples(), '#view=clauses')
        before = self.js('return document.body.innerText')
        self.js('''window.seen = null; addEventListener('beforeprint', () => { window.seen = [
            ...['matrix', 'clauses', 'scenarios'].map((id) => document.querySelectorAll(`#${id} tbody tr`).length),
            document.querySelectorAll('details:not([open])').length]; })''')
        pdf = self.browser.pdf()
        self.assertTrue(pdf.startswith(b'%PDF-'))
        boxes = {tuple(round(float(n)) for n in box.split()) for box in re.findall(rb'/MediaBox \[([^]]*)\]', pdf)}
        self.assertEqual(boxes, {(0, 0, 842, 595)})
        self.assertEqual(self.js('return window.seen'), [5, 8, 4 * 4, 0])
        self.assertEqual(self.js('return document.body.innerText'), before)
        self.browser.devtools('Emulation.setEmulatedMedia', media='print')
        self.assertEqual(self.js('''return [...document.querySelectorAll('button, input, select')].filter((e) =>
            e.checkVisibility() && !e.classList.contains('link')).length'''), 0)
        self.browser.devtools('Emulation.setEmulatedMedia', media='')

    def opening_ms(self):
        self.browser.open(self.url)
        return self.js('return performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd')

    def test_the_whole_suite_is_drawn_at_once(self):
        some = certificates.large()
        self.show(some)
        self.assertEqual(self.cells(), self.expected(some))
        # The best of three each: the machine may be doing something else.
        drawn = {'matrix': min(self.opening_ms() for _ in range(3))}
        for key, view in (('2', 'clauses'), ('3', 'scenarios')):
            drawn[view] = min(self.js('''dispatchEvent(new KeyboardEvent('keydown', {key: '1'}));
                document.body.getBoundingClientRect();
                const start = performance.now();
                dispatchEvent(new KeyboardEvent('keydown', {key: arguments[0]}));
                document.body.getBoundingClientRect();
                return performance.now() - start;''', key) for _ in range(3))
        print('milliseconds:', {view: round(time) for view, time in drawn.items()})
        for view, time in drawn.items():
            self.assertLess(time, DRAWN_MS, view)


if __name__ == '__main__':
    command.main()
