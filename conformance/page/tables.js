// SPDX-License-Identifier: MIT
// What the page shows of the results that pass the filter: failures, backends, and the three tables.

const FAILURES_AT_ONCE = 40;

/** Arrow keys walk the places of a table; one place at a time is in the order of Tab. */
function walkable(table) {
  const rows = [...table.rows].map((row) => [...row.querySelectorAll('[data-place]')]).filter((row) => row.length > 0);
  const at = new Map(rows.flatMap((row, y) => row.map((place, x) => [place, [y, x]])));
  for (const place of at.keys()) place.tabIndex = -1;
  if (rows.length === 0) return table;
  let stop = rows[0][0];
  stop.tabIndex = 0;
  const to = (y, x) => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, y))];
    row[Math.max(0, Math.min(row.length - 1, x))].focus();
  };
  table.addEventListener('focusin', (event) => {
    if (!at.has(event.target)) return;
    stop.tabIndex = -1;
    stop = event.target;
    stop.tabIndex = 0;
  });
  table.addEventListener('keydown', (event) => {
    const place = at.get(event.target);
    if (!place || event.altKey || event.metaKey) return;
    const [y, x] = place;
    const moves = {
      ArrowUp: [y - 1, x], ArrowDown: [y + 1, x], ArrowLeft: [y, x - 1], ArrowRight: [y, x + 1],
      PageUp: [y - 10, x], PageDown: [y + 10, x],
      Home: event.ctrlKey ? [0, 0] : [y, 0], End: event.ctrlKey ? [rows.length, Infinity] : [y, Infinity],
    };
    if (event.key === 'Enter' || event.key === ' ') event.target.click();
    else if (moves[event.key]) to(...moves[event.key]);
    else return;
    event.preventDefault();
  });
  return table;
}

/** A place that opens the panel. */
function place(tag, properties, opens, ...children) {
  const element = make(tag, { 'data-place': '', ...properties }, ...children);
  element.addEventListener('click', () => openPanel(opens, element));
  return element;
}

function bar(totals) {
  const all = VERDICTS.reduce((sum, verdict) => sum + totals[verdict], 0);
  const element = make('span', { className: 'bar', 'aria-hidden': 'true' });
  for (const verdict of VERDICTS) {
    if (totals[verdict] === 0) continue;
    const part = make('i', { className: verdict });
    part.style.flexGrow = String(totals[verdict] / all);
    element.append(part);
  }
  return element;
}

/** A spec may be broken behind its punctuation. */
const breakable = (spec) => spec.split(/(?<=[:,=])/).flatMap((part, i) => (i > 0 ? [make('wbr'), part] : [part]));

// --- matrix ---

function matrixCell(cert, family, here) {
  const totals = count(here);
  const verdict = worst(totals);
  const data = Object.fromEntries(VERDICTS.map((name) => [`data-${name}`, totals[name]]));
  const properties = {
    ...data, className: `cell ${verdict}`, role: 'gridcell', 'data-family': family,
    'aria-label': `${cert.label}, ${family}: ${inWords(totals)}`, title: `${family}: ${inWords(totals)}`,
  };
  const sign = make('span', { className: 'sign' }, SIGNS[verdict]);
  if (verdict === 'none') return make('td', { ...properties, 'data-place': '' }, sign);
  return place('td', properties, { open: 'family', of: family, on: cert.label },
    sign, make('b', {}, String(totals[verdict])), bar(totals));
}

function matrixRow(cert, columns, here) {
  const row = make('tr', { role: 'row', 'data-backend': cert.label });
  row.append(place('th', { role: 'rowheader', scope: 'row', className: 'name' }, { open: 'backend', on: cert.label },
    make('span', { className: 'badge-sign', 'data-tone': TONES[cert.status], title: cert.status }, SIGNS[cert.status]),
    ' ', ...breakable(cert.label)));
  if (cert.status === 'not certified') {
    row.append(make('td', { role: 'gridcell', colSpan: columns.length + 1, className: 'absent', 'data-place': '' },
      `not certified: ${cert.reason || 'no reason given'}`));
    return row;
  }
  const byFamily = group(here, (result) => result.family);
  for (const family of columns) row.append(matrixCell(cert, family, byFamily.get(family) ?? []));
  const totals = count(here);
  row.append(make('td', { role: 'gridcell', className: 'sum', 'data-place': '', 'data-sum': '',
    'aria-label': `all: ${inWords(totals)}` }, `${totals.pass}/${totals.fail}/${totals.skip}/${totals.waived}`));
  return row;
}

function drawMatrix(shown) {
  const columns = [...group(shown, (result) => result.family).keys()];
  columns.sort((a, b) => families.indexOf(a) - families.indexOf(b));
  const head = make('tr', { role: 'row' }, make('th', { role: 'columnheader', scope: 'col', className: 'corner' }, 'Backend'),
    ...columns.map((family) => place('th', { role: 'columnheader', scope: 'col', className: 'turned' },
      { open: 'family', of: family }, make('span', {}, family))),
    make('th', { role: 'columnheader', scope: 'col', className: 'sum-head' }, 'pass/fail/', make('br'), 'skip/waived'));
  const byCert = group(shown, (result) => result.cert);
  const rows = shownCerts().map((cert) => matrixRow(cert, columns, byCert.get(cert) ?? []));
  return walkable(make('table', { role: 'grid', className: 'matrix', 'aria-label': 'Backends and families' },
    make('thead', { role: 'rowgroup' }, head), make('tbody', { role: 'rowgroup' }, ...rows)));
}

// --- clauses, scenarios: a row each, a column for each backend ---

const columnHeads = (columns) => columns.map((cert) => make('th', { role: 'columnheader', scope: 'col', className: 'turned' },
  make('span', {}, cert.label)));

function longTable(name, titles, columns, bodies) {
  const head = make('tr', { role: 'row' },
    ...titles.map((title) => make('th', { role: 'columnheader', scope: 'col', className: 'corner' }, title)),
    ...columnHeads(columns));
  return walkable(make('table', { role: 'grid', className: `long ${name.toLowerCase()}`, 'aria-label': name },
    make('thead', { role: 'rowgroup' }, head), ...bodies));
}

/** There are thousands: no element inside. */
const mark = (word, more) => make('td', { role: 'gridcell', className: `mark ${TONES[word]}`, title: more, 'aria-label': word },
  SIGNS[word]);

function clauseShown(id, cited, needle) {
  if (cited.has(id)) return true;
  if (state.family || state.verdicts.size > 0) return false;
  return `${id} ${clauseTexts.get(id)}`.toLowerCase().includes(needle);
}

function clauseRow(id, columns) {
  const verdicts = columns.map((cert) => cert.clauses.get(id));
  return make('tr', { role: 'row', 'data-clause': id },
    place('th', { role: 'rowheader', scope: 'row', className: 'name' }, { open: 'clause', of: id }, id),
    make('td', { role: 'gridcell', className: 'prose' }, clauseTexts.get(id)),
    ...verdicts.map((clause, i) => mark(clause?.verdict ?? 'none',
      `${columns[i].label}: ${clause ? `${clause.verdict} (${inWords(clause)})` : 'not in its certificate'}`)));
}

function drawClauses(shown) {
  const columns = shownCerts();
  const cited = new Set(shown.flatMap((result) => result.clauses));
  const rank = (id) => Math.min(...columns.map((cert) => ['broken', 'waived'].indexOf(cert.clauses.get(id)?.verdict))
    .map((index) => (index < 0 ? 2 : index)), 2);
  const ids = [...clauseTexts.keys()].filter((id) => clauseShown(id, cited, state.text.toLowerCase()));
  ids.sort((a, b) => rank(a) - rank(b));
  return longTable('Clauses', ['Clause', 'What it promises'], columns,
    [make('tbody', { role: 'rowgroup' }, ...ids.map((id) => clauseRow(id, columns)))]);
}

function scenarioRow(name, here, columns) {
  const byCert = new Map(here.map((result) => [result.cert, result]));
  return make('tr', { role: 'row', 'data-scenario': name },
    place('th', { role: 'rowheader', scope: 'row', className: 'name' }, { open: 'scenario', of: name }, here[0].scenario),
    make('td', { role: 'gridcell', className: 'codes' }, here[0].clauses.join(' ')),
    ...columns.map((cert) => {
      const result = byCert.get(cert);
      return mark(result?.verdict ?? 'none', `${cert.label}: ${result?.verdict ?? 'does not apply'}${
        result?.reason ? `: ${result.reason}` : ''}`);
    }));
}

/** Groups that hold a failure, then those with a waived one, then the rest; each in the suite's order. */
function failingFirst(groups) {
  const rank = (some) => (some.some((result) => result.verdict === 'fail') ? 0 : some.some((result) => result.verdict === 'waived') ? 1 : 2);
  return [...groups].sort(([, a], [, b]) => rank(a) - rank(b));
}

function drawScenarios(shown) {
  const columns = shownCerts();
  const bodies = failingFirst(group(shown, (result) => result.family)).map(([family, here]) => make('tbody', { role: 'rowgroup' },
    make('tr', { role: 'row', className: 'family' }, make('th', { role: 'rowheader', scope: 'rowgroup', colSpan: columns.length + 2 },
      family, make('span', { className: 'muted' }, ` ${inWords(count(here))}`))),
    ...failingFirst(group(here, (result) => result.name)).map(([name, same]) => scenarioRow(name, same, columns))));
  return longTable('Scenarios', ['Scenario', 'Clauses'], columns, bodies);
}

// --- failures first ---

function troubleItem(name, same) {
  const by = [...group(same, (result) => result.reason)];
  return make('li', { className: same[0].verdict },
    make('div', { className: 'trouble-head' }, badge(same[0].verdict), ' ',
      opener(name, { open: 'scenario', of: name }), ' ', make('span', { className: 'codes' }, same[0].clauses.join(' '))),
    ...by.map(([reason, results_]) => make('div', { className: 'trouble' },
      make('p', { className: 'reason' }, reason || 'no reason given'),
      make('p', { className: 'muted' }, results_.map((result) => result.cert.label).join(' · ')),
      waiverLine(results_[0].waiver))));
}

function opener(name, opens) {
  const button = make('button', { type: 'button', className: 'link' }, name);
  button.addEventListener('click', () => openPanel(opens, button));
  return button;
}

function waiverLine(waiver) {
  if (!waiver) return null;
  const until = text(waiver.until);
  return make('p', { className: 'waiver' }, `Waiver of ${text(waiver.date) || 'no date'}${until ? `, until ${until}` : ''}: ${
    text(waiver.reason) || 'no reason given'}`);
}

/** The long list is cut on the screen, never on paper. */
function troubleList(all, whole) {
  const items = [...group(all, (result) => `${result.verdict} ${result.name}`).values()];
  const part = whole ? items : items.slice(0, FAILURES_AT_ONCE);
  const element = make('ul', { className: 'troubles' }, ...part.map((same) => troubleItem(same[0].name, same)));
  if (part.length === items.length) return element;
  const more = make('button', { type: 'button' }, `Show all ${items.length}`);
  more.addEventListener('click', () => element.parentNode.replaceWith(make('div', {}, troubleList(all, true))));
  return make('div', {}, element, more);
}

function staleList() {
  const lines = shownCerts().flatMap((cert) => cert.stale.map((waiver) => make('li', {},
    `${text(waiver.scenario) || 'no scenario'} on ${cert.label}: ${text(waiver.why) || 'stale'}. ${text(waiver.reason)}${
      text(waiver.date) ? ` (${text(waiver.date)})` : ''}`)));
  return lines.length === 0 ? null : make('div', { className: 'notice' },
    make('h3', {}, `${plural(lines.length, 'stale waiver')}`), make('ul', {}, ...lines));
}

function drawFailures(shown, whole) {
  const failed = shown.filter((result) => result.verdict === 'fail');
  const waived = shown.filter((result) => result.verdict === 'waived');
  const title = document.getElementById('failures-title');
  title.replaceChildren(failed.length > 0 ? plural(failed.length, 'failure') : 'No failures',
    waived.length > 0 ? make('span', { className: 'muted' }, ` and ${waived.length} waived`) : '');
  title.className = failed.length > 0 ? 'fail' : '';
  const lists = [failed, waived].filter((all) => all.length > 0).map((all) => make('div', {}, troubleList(all, whole)));
  document.getElementById('failures-body').replaceChildren(...lists, ...[staleList()].filter(Boolean));
}

// --- backends ---

function fact(name, value) {
  return value ? [make('dt', {}, name), make('dd', {}, value)] : [];
}

const facts = (cert) => make('dl', { className: 'facts' },
  ...fact('Why', cert.reason), ...fact('Description', cert.description), ...fact('Host', cert.host),
  ...fact('Taken', cert.taken.replace('T', ' ').replace('Z', ' UTC')), ...fact('vmrig', cert.version),
  ...fact('Capabilities', cert.capabilities.join(', ')), ...fact('Enlightenments', cert.enlightenments),
  ...fact('Host quirks', cert.quirks.join(', ')), ...fact('Suite', cert.suite), ...fact('Certificate', cert.hash));

function levelGap(level) {
  const why = [];
  if (level.missing.length > 0) why.push(`missing ${level.missing.join(', ')}`);
  if (level.fail > 0) why.push(`${level.fail} failed`);
  if (why.length === 0 && level.status !== 'reached') why.push(level.status);
  return why.join('; ');
}

function levelBadges(cert) {
  return make('ul', { className: 'levels', 'aria-label': 'Levels' }, ...cert.levels.map((level) => make('li', {
    className: `badge ${TONES[level.status]}`,
    title: `${level.name}: ${level.meaning ? `${level.meaning}. ` : ''}${level.status}${levelGap(level) ? `; ${levelGap(level)}` : ''} (${inWords(level)})`,
  }, make('span', { className: 'sign', 'aria-hidden': 'true' }, SIGNS[level.status]), ` ${level.name}`,
  make('span', { className: 'hidden' }, ` ${level.status}`))));
}

function gapList(cert) {
  const gaps = cert.levels.filter((level) => levelGap(level) !== '');
  return gaps.length === 0 ? null : make('p', { className: 'gaps muted' },
    ...gaps.flatMap((level, i) => [i > 0 ? ' · ' : '', make('b', {}, level.name), ` ${levelGap(level)}`]));
}

function backendItem(cert) {
  const totals = count(cert.results);
  return make('details', { className: `backend ${TONES[cert.status]}`, 'data-backend': cert.label },
    make('summary', {},
      make('span', { className: 'spec' }, cert.label), badge(cert.status), levelBadges(cert),
      make('span', { className: 'figures' }, cert.results.length > 0 ? inWords(totals) : cert.reason),
      cert.results.length > 0 ? bar(totals) : make('span')),
    gapList(cert), facts(cert));
}

/** What each level says, once for all backends. */
function meanings() {
  const known = new Map(certs.flatMap((cert) => cert.levels).filter((level) => level.meaning).map((level) => [level.name, level.meaning]));
  return [...known].flatMap(([name, meaning], i) => [i > 0 ? ' · ' : '', make('b', {}, name), ` ${meaning}`]);
}

function drawBackends() {
  const open = new Set([...document.querySelectorAll('details.backend[open]')].map((item) => item.dataset.backend));
  const items = shownCerts().map(backendItem);
  for (const item of items) item.open = open.has(item.dataset.backend);
  document.getElementById('backends-body').replaceChildren(...items);
  document.getElementById('meanings').replaceChildren(...meanings());
}
