// SPDX-License-Identifier: MIT
// The panel at the side: all there is to say about a family, a clause, a scenario or a backend.

let panelOrigin = null;

function resultItem(result, title) {
  const facts_ = [
    result.schedules > 0 ? plural(result.schedules, 'schedule') + (result.capped ? ' (capped)' : '') : '',
    result.attempts > 1 ? `attempt ${result.attempts}` : '',
    result.elapsed > 0 ? duration(result.elapsed) : '',
    result.ids.join(' '),
  ].filter(Boolean);
  return make('li', { className: `result ${result.verdict}`, 'data-verdict': result.verdict },
    make('div', { className: 'result-head' }, badge(result.verdict), ' ', make('span', { className: 'result-name' }, title)),
    result.reason ? make('p', { className: 'reason' }, result.reason) : null,
    result.missing && !result.reason.includes(result.missing)
      ? make('p', { className: 'muted' }, `missing: ${result.missing}`) : null,
    waiverLine(result.waiver),
    make('p', { className: 'muted meta' },
      ...result.clauses.flatMap((id) => [opener(id, { open: 'clause', of: id }), ' ']),
      facts_.length > 0 ? `${result.clauses.length > 0 ? '· ' : ''}${facts_.join(' · ')}` : '',
      result.transcript ? ' · transcript ' : '', result.transcript ? make('code', {}, result.transcript) : ''));
}

const failuresFirst = (some) => [...some].sort((a, b) => VERDICTS.indexOf(a.verdict) - VERDICTS.indexOf(b.verdict));

function resultList(some, title) {
  return make('ul', { className: 'results' }, ...failuresFirst(some).map((result) => resultItem(result, title(result))));
}

function familyPanel({ of, on }) {
  const here = visible().filter((result) => result.family === of && (!on || result.cert.label === on));
  if (on) return [on, make('p', {}, inWords(count(here))), resultList(here, (result) => result.scenario)];
  return ['all backends', ...[...group(here, (result) => result.cert)].flatMap(([cert, some]) => [
    make('h3', {}, cert.label), make('p', {}, inWords(count(some))), resultList(some, (result) => result.scenario)])];
}

function clausePanel({ of }) {
  const citing = visible().filter((result) => result.clauses.includes(of));
  const verdicts = shownCerts().filter((cert) => cert.clauses.has(of)).map((cert) => make('li', {},
    badge(cert.clauses.get(of).verdict), ` ${cert.label} `,
    make('span', { className: 'muted' }, inWords(cert.clauses.get(of)))));
  return ['clause', make('p', { className: 'prose' }, clauseTexts.get(of) ?? 'No certificate here knows this clause.'),
    make('h3', {}, 'On each backend'), make('ul', { className: 'plain' }, ...verdicts),
    make('h3', {}, 'What checks it'),
    make('ul', { className: 'plain' }, ...[...group(failuresFirst(citing), (result) => result.name)].map(([name, some]) => make('li', {},
      badge(some[0].verdict), ' ', opener(name, { open: 'scenario', of: name }),
      make('span', { className: 'muted' }, ` ${inWords(count(some))}`))))];
}

function scenarioPanel({ of }) {
  const here = results.filter((result) => result.name === of);
  return ['scenario', make('p', {}, inWords(count(here))), resultList(here, (result) => result.cert.label)];
}

function backendPanel({ on }) {
  const cert = certs.find((other) => other.label === on);
  if (!cert) return ['backend', make('p', {}, 'No certificate here is of this backend.')];
  return ['backend', make('p', {}, badge(cert.status)), levelBadges(cert), gapList(cert), facts(cert)];
}

const PANELS = {
  family: [familyPanel, (at) => at.of], clause: [clausePanel, (at) => at.of],
  scenario: [scenarioPanel, (at) => at.of], backend: [backendPanel, (at) => at.on],
};

function fillPanel(at) {
  const [draw, title] = PANELS[at.open];
  const [kind, ...body] = draw(at);
  const heading = document.getElementById('panel-title');
  heading.replaceChildren(make('small', { className: 'muted' }, kind), title(at));
  document.getElementById('panel-body').replaceChildren(...body.filter(Boolean));
  document.getElementById('panel').hidden = false;
}

/** `origin` gets the focus back when the panel closes. */
function openPanel(at, origin) {
  const panel = document.getElementById('panel');
  if (origin && !panel.contains(origin)) panelOrigin = origin;
  state.panel = { of: '', on: '', ...at };
  fillPanel(state.panel);
  panel.scrollTop = 0;
  document.getElementById('panel-title').focus();
  saveState();
}

function closePanel() {
  const panel = document.getElementById('panel');
  if (panel.hidden) return false;
  panel.hidden = true;
  state.panel = null;
  const place_ = panelOrigin?.isConnected ? panelOrigin : document.querySelector('[role=tabpanel]:not([hidden]) [tabindex="0"]');
  place_?.focus();
  saveState();
  return true;
}
