// SPDX-License-Identifier: MIT
// The page as a whole: the filter and what it leaves, the address, keys, colours, paper.

const VIEWS = ['matrix', 'clauses', 'scenarios'];
const DRAW = { matrix: drawMatrix, clauses: drawClauses, scenarios: drawScenarios };
const THEMES = ['auto', 'light', 'dark'];
const THEME_KEY = 'vmrig-theme';
const TYPING_MS = 80;

const byId = (id) => document.getElementById(id);
const state = { text: '', family: '', backend: '', verdicts: new Set(), view: 'matrix', panel: null, theme: 'auto' };
let kept = null;

// --- the filter ---

const shownCerts = () => certs.filter((cert) => !state.backend || cert.label === state.backend);

/** The results that pass the filter; every word of the text must occur. */
function visible() {
  if (kept) return kept;
  const words = state.text.toLowerCase().split(/\s+/).filter(Boolean);
  kept = results.filter((result) => (!state.backend || result.cert.label === state.backend)
    && (!state.family || result.family === state.family)
    && (state.verdicts.size === 0 || state.verdicts.has(result.verdict))
    && words.every((word) => result.search.includes(word)));
  return kept;
}

const filtered = () => Boolean(state.text || state.family || state.backend || state.verdicts.size > 0);

function drawView(view) {
  byId(view).replaceChildren(make('div', { className: 'scroll' }, DRAW[view](visible())));
}

function draw() {
  kept = null;
  const shown = visible();
  byId('shown').textContent = filtered()
    ? `Filtered: ${shown.length.toLocaleString('en')} of ${plural(results.length, 'result')}` : plural(results.length, 'result');
  byId('clear').disabled = !filtered();
  drawFailures(shown, false);
  drawBackends();
  for (const view of VIEWS) {
    const chosen = view === state.view;
    byId(view).hidden = !chosen;
    byId(`tab-${view}`).setAttribute('aria-selected', String(chosen));
    byId(`tab-${view}`).tabIndex = chosen ? 0 : -1;
    if (chosen) drawView(view);
    else byId(view).replaceChildren();
  }
  if (state.panel) fillPanel(state.panel);
}

function change(changes) {
  Object.assign(state, changes);
  draw();
  fillControls();
  saveState();
}

// --- the address ---

function saveState() {
  const words = new URLSearchParams();
  for (const name of ['text', 'family', 'backend']) if (state[name]) words.set(name, state[name]);
  if (state.verdicts.size > 0) words.set('verdict', VERDICTS.filter((name) => state.verdicts.has(name)).join(','));
  if (state.view !== 'matrix') words.set('view', state.view);
  for (const name of ['open', 'of', 'on']) if (state.panel?.[name]) words.set(name, state.panel[name]);
  const hash = words.toString() ? `#${words}` : '#';
  if (hash !== (location.hash || '#')) history.replaceState(null, '', hash);
}

function loadState() {
  const words = new URLSearchParams(location.hash.slice(1));
  const word = (name) => words.get(name) ?? '';
  Object.assign(state, {
    text: word('text'), family: oneOf(word('family'), families, ''),
    backend: oneOf(word('backend'), certs.map((cert) => cert.label), ''),
    verdicts: new Set(word('verdict').split(',').filter((name) => VERDICTS.includes(name))),
    view: oneOf(word('view'), VIEWS, 'matrix'),
    panel: Object.hasOwn(PANELS, word('open')) ? { open: word('open'), of: word('of'), on: word('on') } : null,
  });
  if (!state.panel) byId('panel').hidden = true;
  draw();
  fillControls();
}

// --- the controls ---

function fillControls() {
  for (const name of ['text', 'family', 'backend']) if (byId(name).value !== state[name]) byId(name).value = state[name];
  for (const box of byId('verdicts').querySelectorAll('input')) box.checked = state.verdicts.has(box.value);
}

function toggleVerdict(verdict) {
  const verdicts = new Set(state.verdicts);
  if (!verdicts.delete(verdict)) verdicts.add(verdict);
  change({ verdicts });
}

const clearFilter = () => change({ text: '', family: '', backend: '', verdicts: new Set() });

function makeControls() {
  for (const [id, names] of [['family', families], ['backend', certs.map((cert) => cert.label)]]) {
    byId(id).append(make('option', { value: '' }, 'all'), ...names.map((name) => make('option', { value: name }, name)));
    byId(id).addEventListener('change', () => change({ [id]: byId(id).value }));
  }
  const totals = count(results);
  for (const verdict of VERDICTS) {
    const box = make('input', { type: 'checkbox', value: verdict });
    box.addEventListener('change', () => toggleVerdict(verdict));
    byId('verdicts').append(make('label', { className: verdict }, box,
      make('span', {}, make('span', { className: 'sign', 'aria-hidden': 'true' }, SIGNS[verdict]), ` ${verdict} `,
        make('small', {}, totals[verdict].toLocaleString('en')))));
  }
  let timer = 0;
  byId('text').addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(() => change({ text: byId('text').value }), TYPING_MS);
  });
  byId('filters').addEventListener('submit', (event) => event.preventDefault());
  byId('clear').addEventListener('click', clearFilter);
  byId('panel-close').addEventListener('click', closePanel);
  byId('help-button').addEventListener('click', () => byId('help').showModal());
  byId('theme').addEventListener('click', nextTheme);
  for (const view of VIEWS) byId(`tab-${view}`).addEventListener('click', () => change({ view }));
  document.querySelector('[role=tablist]').addEventListener('keydown', (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    change({ view: VIEWS[(VIEWS.indexOf(state.view) + step + VIEWS.length) % VIEWS.length] });
    byId(`tab-${state.view}`).focus();
  });
}

// --- light and dark ---

function setTheme(theme) {
  state.theme = oneOf(theme, THEMES, 'auto');
  document.documentElement.dataset.theme = state.theme;
  byId('theme').replaceChildren(make('kbd', {}, 't'), ` Colours: ${state.theme}`);
}

/** A browser may refuse to remember anything for a page from a file; then the choice lasts as long as the page. */
function nextTheme() {
  setTheme(THEMES[(THEMES.indexOf(state.theme) + 1) % THEMES.length]);
  try {
    localStorage.setItem(THEME_KEY, state.theme);
  } catch {
    return;
  }
}

function firstTheme() {
  try {
    return localStorage.getItem(THEME_KEY);
  } catch {
    return 'auto';
  }
}

// --- keys ---

const KEYS = [
  ['/', 'go to the filter', () => { byId('text').focus(); byId('text').select(); }],
  ['m', 'go to the table', () => document.querySelector('[role=tabpanel]:not([hidden]) [tabindex="0"]')?.focus()],
  ['f', 'only failures, or all again', () => toggleVerdict('fail')],
  ['x', 'clear the filter', clearFilter],
  ['1', 'matrix', () => change({ view: 'matrix' })],
  ['2', 'clauses', () => change({ view: 'clauses' })],
  ['3', 'scenarios', () => change({ view: 'scenarios' })],
  ['t', 'light, dark, or as the system has it', nextTheme],
  ['?', 'these keys', () => byId('help').showModal()],
];
const OTHER_KEYS = [
  ['← ↑ ↓ →', 'walk the table; Home, End, Page Up and Page Down go further'],
  ['Enter', 'open what the focus is on'],
  ['Esc', 'close the panel; in the filter, leave it'],
];

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || byId('help').open) return;
  const typing = event.target instanceof HTMLInputElement && event.target.type !== 'checkbox';
  if (event.key === 'Escape') {
    if (typing) event.target.blur();
    else closePanel();
    return;
  }
  if (typing || event.target instanceof HTMLSelectElement) return;
  const key = KEYS.find(([name]) => name === event.key);
  if (!key) return;
  event.preventDefault();
  key[2]();
}

// --- paper: everything, expanded ---

let beforePaper = [];

function toPaper() {
  beforePaper = [...document.querySelectorAll('details')].map((item) => [item, item.open]);
  for (const [item] of beforePaper) item.open = true;
  drawFailures(visible(), true);
  for (const view of VIEWS) {
    drawView(view);
    byId(view).hidden = false;
  }
}

function fromPaper() {
  for (const [item, open] of beforePaper) item.open = open;
  draw();
}

// --- the head ---

function headline() {
  const parts = [...group(certs, (cert) => cert.status)].map(([status, some]) => [status, some.length]);
  const order = ['failed', 'not certified', 'partial', 'certified'];
  parts.sort(([a], [b]) => order.indexOf(a) - order.indexOf(b));
  byId('headline').replaceChildren(...parts.flatMap(([status, many], i) => [i > 0 ? ', ' : '',
    make('span', { className: `tone ${TONES[status]}` }, make('span', { className: 'sign', 'aria-hidden': 'true' }, SIGNS[status]),
      ` ${many} ${status}`)]));
  const unique = (pick) => [...new Set(certs.map(pick).filter(Boolean))];
  const days = unique((cert) => cert.taken.slice(0, 10)).sort();
  byId('about').textContent = [
    plural(certs.length, 'certificate'), `${plural(group(results, (result) => result.name).size, 'scenario')} in ${
      plural(families.length, 'family').replace('familys', 'families')}`, plural(clauseTexts.size, 'clause'),
    `vmrig ${unique((cert) => cert.version).join(', ')}`, `suite ${unique((cert) => cert.suite).join(', ')}`,
    days.length > 1 ? `${days[0]} to ${days.at(-1)}` : days.join(''), unique((cert) => cert.host).slice(0, 2).join(' | '),
  ].filter(Boolean).join(' · ');
  byId('legend').replaceChildren(...['fail', 'waived', 'pass', 'skip', 'none'].flatMap((verdict) => [
    make('span', { className: `badge ${TONES[verdict]}` }, make('span', { className: 'sign' }, SIGNS[verdict]),
      ` ${verdict === 'none' ? 'does not apply' : verdict}`), ' ']));
  byId('keys').append(...[...KEYS, ...OTHER_KEYS].flatMap(([key, what]) => [
    make('dt', {}, make('kbd', {}, key)), make('dd', {}, what)]));
}

headline();
makeControls();
setTheme(firstTheme());
loadState();
addEventListener('hashchange', loadState);
addEventListener('keydown', onKey);
addEventListener('beforeprint', toPaper);
addEventListener('afterprint', fromPaper);
