// SPDX-License-Identifier: MIT
// The certificates as the page knows them. They come from files, so nothing about their insides is believed: what is
// not of the right type counts as absent, and every text reaches the document as a text node.

const VERDICTS = ['fail', 'waived', 'pass', 'skip'];
const SIGNS = {
  fail: '✗', waived: '◐', pass: '✓', skip: '–', none: '·',
  broken: '✗', held: '✓', skipped: '–',
  certified: '✓', failed: '✗', partial: '◐', 'not certified': '○',
  reached: '✓', 'not offered': '–', incomplete: '◐',
};
const TONES = {
  fail: 'fail', waived: 'waived', pass: 'pass', skip: 'skip', none: 'none',
  broken: 'fail', held: 'pass', skipped: 'skip',
  certified: 'pass', failed: 'fail', partial: 'waived', 'not certified': 'skip',
  reached: 'pass', 'not offered': 'skip', incomplete: 'waived',
};

const text = (value) => (typeof value === 'string' ? value : '');
const number = (value) => (Number.isFinite(value) && value >= 0 ? value : 0);
const list = (value) => (Array.isArray(value) ? value : []);
const texts = (value) => list(value).filter((item) => typeof item === 'string');
const object = (value) => (value !== null && typeof value === 'object' && !Array.isArray(value) ? value : {});
const oneOf = (value, known, otherwise) => (known.includes(value) ? value : otherwise);
const plural = (count, noun) => `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;

/** An element: properties are set as such, `data-` and `aria-` ones and `role` as attributes, children are texts or nodes. */
function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (/^(data-|aria-|role$|scope$|for$)/.test(name)) element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== ''));
  return element;
}

/** A verdict is a sign and a word; colour only repeats it. */
const badge = (word, more = '') => make('span', { className: `badge ${TONES[word] ?? 'none'}` },
  make('span', { className: 'sign', 'aria-hidden': 'true' }, SIGNS[word] ?? '·'), ` ${word}${more}`);

function duration(ns) {
  if (ns < 1e3) return `${ns} ns`;
  const [value, unit] = ns < 1e6 ? [ns / 1e3, 'µs'] : ns < 1e9 ? [ns / 1e6, 'ms'] : [ns / 1e9, 's'];
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}

function readResult(raw, cert) {
  const from = object(raw);
  const result = {
    cert,
    family: text(from.family) || '(no family)',
    scenario: text(from.scenario) || '(no name)',
    verdict: oneOf(from.verdict, VERDICTS, 'fail'),
    reason: text(from.reason),
    missing: text(from.missing),
    clauses: texts(from.clauses),
    ids: texts(from.ids),
    schedules: number(from.schedules),
    capped: from.capped === true,
    attempts: number(from.attempts),
    transcript: text(from.transcript),
    elapsed: number(from.elapsed_ns),
    waiver: from.waiver === undefined ? null : object(from.waiver),
  };
  if (!VERDICTS.includes(from.verdict)) result.reason = 'the certificate gives no verdict that this page knows';
  result.name = `${result.family}/${result.scenario}`;
  result.search = [result.name, result.reason, result.missing, result.transcript, ...result.clauses, ...result.ids,
    text(result.waiver?.reason)].join(' ').toLowerCase();
  return result;
}

function readLevel(raw) {
  const from = object(raw);
  return {
    name: text(from.name), meaning: text(from.meaning), status: oneOf(from.status, ['reached', 'failed', 'not offered', 'incomplete'], 'incomplete'),
    missing: texts(from.missing), ...Object.fromEntries(VERDICTS.map((verdict) => [verdict, number(from[verdict])])),
  };
}

function readClause(raw) {
  const from = object(raw);
  return {
    id: text(from.id), text: text(from.text),
    verdict: oneOf(from.verdict, ['held', 'broken', 'waived', 'skipped', 'none'], 'none'),
    ...Object.fromEntries(VERDICTS.map((verdict) => [verdict, number(from[verdict])])),
  };
}

function readCertificate(raw) {
  const from = object(raw);
  const host = object(from.host);
  const cert = {
    spec: text(from.backend) || '(unnamed)', description: text(from.description),
    status: oneOf(from.status, ['certified', 'failed', 'not certified', 'partial'], 'partial'),
    reason: text(from.reason), taken: text(from.taken), version: text(from.vmrig),
    suite: text(object(from.suite).hash), hash: text(from.hash),
    host: [host.system, host.release, host.machine, host.cpu].map(text).filter(Boolean).join(' · '),
    levels: list(from.levels).map(readLevel), capabilities: texts(from.capabilities),
    enlightenments: text(from.enlightenments), quirks: texts(from.quirks),
    clauses: new Map(list(from.clauses).map(readClause).map((clause) => [clause.id, clause])),
    stale: list(from.stale_waivers).map(object),
  };
  cert.results = list(from.results).map((result) => readResult(result, cert));
  return cert;
}

const count = (results) => {
  const totals = { fail: 0, waived: 0, pass: 0, skip: 0 };
  for (const result of results) totals[result.verdict] += 1;
  return totals;
};

const worst = (totals) => VERDICTS.find((verdict) => totals[verdict] > 0) ?? 'none';
const inWords = (totals) => VERDICTS.filter((verdict) => totals[verdict] > 0)
  .map((verdict) => `${totals[verdict]} ${verdict}`).join(', ') || 'nothing ran';

/** Two certificates of one backend are told apart by their dates, and if need be by their place. */
function label(certs) {
  const seen = new Map();
  for (const cert of certs) {
    const same = certs.filter((other) => other.spec === cert.spec).length > 1;
    const name = same && cert.taken ? `${cert.spec} @ ${cert.taken.slice(0, 10)}` : cert.spec;
    const times = (seen.get(name) ?? 0) + 1;
    seen.set(name, times);
    cert.label = times > 1 ? `${name} (${times})` : name;
  }
}

function group(items, key) {
  const groups = new Map();
  for (const item of items) {
    const name = key(item);
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(item);
  }
  return groups;
}

const certs = list(JSON.parse(document.getElementById('data').textContent)).map(readCertificate);
label(certs);
const results = certs.flatMap((cert) => cert.results);
const families = [...group(results, (result) => result.family).keys()];
const clauseTexts = new Map();
for (const cert of certs) {
  for (const clause of cert.clauses.values()) {
    if (!clauseTexts.has(clause.id)) clauseTexts.set(clause.id, clause.text);
  }
}
