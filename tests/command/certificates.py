# SPDX-License-Identifier: MIT
"""Certificates of every kind, made by hand: what is judged here is what becomes of them, not the suite."""

VERDICTS = ('pass', 'fail', 'skip', 'waived')
FAMILIES = ('probe', 'run', 'stop', 'halt')
CLAUSES = {f'{family.upper()}-{i}': f'The {family} keeps promise {i}.' for family in FAMILIES for i in (1, 2)}
HOSTILE = '</script><script>window.broken=1</script><!--<img src=x onerror="window.broken=2">\u2028"\'&lt;'


def result(family, scenario, verdict='pass', **more):
    needs = {'reason': 'needs vtl', 'missing': 'vtl'} if verdict == 'skip' else {}
    fails = {'reason': f'expected 1, got 2 in {scenario}'} if verdict in ('fail', 'waived') else {}
    waiver = {'waiver': {'reason': 'a fault of the host', 'date': '2026-12-01', 'until': '2027-03-01'}}
    return {'family': family, 'scenario': scenario, 'verdict': verdict, 'reason': '', 'missing': '',
            'clauses': [f'{family.upper()}-1'], 'ids': ['S1'], 'schedules': 12, 'capped': False,
            'transcript': '0123456789abcdef', 'elapsed_ns': 1234567, **needs, **fails,
            **(waiver if verdict == 'waived' else {}), **more}


def counts(results):
    return {verdict: sum(each['verdict'] == verdict for each in results) for verdict in VERDICTS}


def clause(name, words, results):
    here = counts([each for each in results if name in each['clauses']])
    verdict = ('broken' if here['fail'] else 'held' if here['pass'] else 'waived' if here['waived']
               else 'skipped' if here['skip'] else 'none')
    return {'id': name, 'text': words, 'verdict': verdict, **here}


def certificate(backend, results, status='certified', reason='', **more):
    levels = [{'name': 'core', 'meaning': 'runs guests', 'status': 'failed' if status == 'failed' else 'reached', 'missing': [],
               **counts(results)},
              {'name': 'state', 'meaning': 'gives its state', 'status': 'not offered', 'missing': ['vtl'], **counts([])}]
    return {'kind': 'vmrig certificate', 'format': 2, 'vmrig': '0.1.0',
            'suite': {'hash': '00112233445566ff', 'scenarios': len(results), 'clauses': len(CLAUSES)},
            'backend': backend, 'description': f'what {backend} is', 'status': status, 'reason': reason,
            'taken': '2026-12-01T09:30:00Z',
            'host': {'system': 'Linux', 'release': '6.1.0', 'machine': 'x86_64', 'cpu': 'A Processor'},
            'levels': levels if results else [], 'capabilities': ['irqchip-split'], 'enlightenments': 'in the library',
            'quirks': ['tsc-set'], 'totals': {**counts(results), 'schedules': 12, 'capped': 0, 'elapsed_ns': 5},
            'clauses': [clause(name, words, results) for name, words in CLAUSES.items()], 'results': results,
            'stale_waivers': [], 'hash': 'fedcba9876543210', **more}


def suite(per_family=3, **verdicts):
    """A result for each scenario; `run_1='fail'` makes another verdict of run/run_1."""
    return [result(family, name, verdicts.get(name, 'pass'))
            for family in FAMILIES for name in (f'{family}_{i}' for i in range(per_family))]


def samples():
    stale = [{'scenario': 'run/gone', 'reason': 'it was slow', 'date': '2026-01-01', 'why': 'unknown scenario'}]
    return [
        certificate('mock:profile=strict', suite()),
        certificate('kvm', suite(run_1='fail', stop_0='skip'), 'failed', 'one scenario failed'),
        certificate('kvm:irqchip=split', suite(stop_1='waived', halt_2='skip'), stale_waivers=stale),
        certificate('mock', suite()[:3], 'partial', 'a filter was given'),
        {key: value for key, value in certificate('mshv', [], 'not certified', '/dev/mshv: No such file').items()
         if key in ('kind', 'format', 'vmrig', 'suite', 'backend', 'description', 'status', 'reason', 'taken', 'host', 'hash')},
    ]


def hostile(value=None):
    """A certificate with every text in it, but for what makes it one, turned into an attack."""
    whole = value is None
    if whole:
        value = certificate('x', suite(2, run_0='fail', stop_0='waived'), stale_waivers=[{'scenario': 'a', 'why': 'b'}])
    if isinstance(value, dict):
        keep = ('kind', 'verdict', 'status') if not whole else ('kind', 'status')
        return {key: each if key in keep else hostile(each) for key, each in value.items()}
    if isinstance(value, list):
        return [hostile(each) for each in value]
    return value + HOSTILE if isinstance(value, str) else value


def large(backends=12, scenarios=771, clauses=266):
    """As many as the real suite has."""
    words = {f'CL-{i}': f'A promise of some length that is kept in each of the cases named {i}.' for i in range(clauses)}
    results = [result(f'family_{i % 51}', f'a_claim_of_some_length_that_names_{i}', 'skip' if i % 9 == 0 else 'pass',
                      clauses=[f'CL-{i % clauses}', f'CL-{(i + 1) % clauses}']) for i in range(scenarios)]
    return [certificate(f'mock:profile=number-{i}', results,
                        clauses=[clause(name, text, results) for name, text in words.items()]) for i in range(backends)]
