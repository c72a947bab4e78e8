import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groups, trendOf, trendWord } from './pages/alerts';
import { addressOfSubject, csvOf, defanged, justification, moment } from './pages/desk';
import { hrefsOf, kept } from './pages/filters';
import { below, quantile } from './pages/peers';
import { everySession } from './pages/sessions';
import { windowOf } from './pages/strip';
import { almostAddress } from './pages/why';
import type { AlertCard, AlertRow } from './types';

const wire = (text: string) => text as unknown as AlertRow['reason'];

function row(more: Partial<AlertRow>): AlertRow {
  return {
    id: '1111', alert: '1111000000000000', severity: 'low', status: 'new', state: 'ongoing', subject: '10.0.0.1', site: wire('A'), rule: 'r1',
    title: wire('t'), count: 1, first: '2026-01-05T08:00:00Z', last: '2026-01-05T08:10:00Z', silenced: false, reason: wire('why'),
    registered: null, by: null, done: null, said: null, ...more,
  };
}

test('filters are in the address', () => {
  const href = hrefsOf('/alerts', new URLSearchParams('view=all&severity=high&after=x&not=site:B'));
  assert.equal(href.only('host', '10.0.0.1'), '/alerts?view=all&host=10.0.0.1');
  assert.equal(href.include('host', '10.0.0.1'), '/alerts?view=all&severity=high&not=site%3AB&host=10.0.0.1');
  assert.equal(href.exclude('host', '10.0.0.1'), '/alerts?view=all&severity=high&not=site%3AB&not=host%3A10.0.0.1');
  assert.equal(href.exclude('site', 'B'), '/alerts?view=all&severity=high&not=site%3AB');
  assert.equal(href.withoutNot('site:B'), '/alerts?view=all&severity=high');
  assert.equal(href.group('rule'), '/alerts?view=all&severity=high&not=site%3AB&group=rule');
});

test('excluded values are left out, also with a colon in them', () => {
  const rows = [{ host: 'fd00::1' }, { host: '10.0.0.1' }];
  assert.deepEqual(kept(rows, new URLSearchParams('not=host:fd00::1'), (r) => r), [{ host: '10.0.0.1' }]);
  assert.equal(kept(rows, new URLSearchParams(), (r) => r).length, 2);
});

test('a group is told by its worst alert', () => {
  const all = groups([row({ alert: 'a', count: 2 }), row({ alert: 'b', severity: 'high', count: 3, first: '2026-01-05T07:00:00Z' }),
    row({ alert: 'c', rule: 'r2' })], 'host,rule');
  assert.deepEqual(all.map((g) => [g.of.alert, g.rows.length, g.count, g.first]), [
    ['b', 2, 5, '2026-01-05T07:00:00Z'], ['c', 1, 1, '2026-01-05T08:00:00Z']]);
  assert.equal(groups([row({ alert: 'a' }), row({ alert: 'c', rule: 'r2' })], 'host').length, 1);
});

test('the justification has numbers, limits and what was not seen, and nothing in it acts', () => {
  const card = {
    id: '1111', checks: [
      { name: 's1', words: 'refused first contacts', result: 'fired', observed: wire('66 % of 176'), limit: 'score 9.2', met_earlier: false },
      { name: 'mx', words: 'asked for mail servers', result: 'not_observable', met_earlier: false }],
    event: { alert: {
      level: 'high', reason: wire('10.0.0.1 wrote \u202ehttp://evil.example/x'), first: '2026-01-05T08:02:08.364501+0000',
      last: '2026-01-05T08:11:06.509213+0000', count: 21, rule: 'r1', rule_hash: 'ff', evidence: [{ role: 'first', event_id: 'e', when: '', sight: 'envelope' }],
    } },
  } as unknown as AlertCard;
  assert.equal(justification(card), 'Alert 1111 (high): 10.0.0.1 wrote \\u{202e}hxxp://evil.example/x. '
    + 'Observed: refused first contacts: 66 % of 176 (limit: score 9.2). First 2026-01-05T08:02:08Z, last 2026-01-05T08:11:06Z, 21 events matched. '
    + 'Evidence seen as: envelope. Not observable: asked for mail servers. Rule r1, text ff.');
  assert.equal(defanged('HTTPS://a ftp://b'), 'hxxps://a fxp://b');
});

test('a spreadsheet takes no cell as a formula', () => {
  assert.equal(csvOf([{ a: '=cmd|x', b: 'say "x", y', c: null }], ['a', 'b', 'c']), 'a,b,c\r\n\'=cmd|x,"say ""x"", y",\r\n');
});

test('subjects, times and slips', () => {
  assert.equal(addressOfSubject('10.0.0.1 lease 02:00'), '10.0.0.1');
  assert.equal(addressOfSubject('fd00::/64'), 'fd00::');
  assert.equal(moment('2026-01-05T08:11:06.5+0000'), '2026-01-05T08:11:06.5+00:00');
  assert.equal(almostAddress('10.20.4.300'), '10.20.4.30');
  for (const good of ['10.20.4.30', 'abcd', '1.2.3', 'fd00::1']) assert.equal(almostAddress(good), null);
});

test('shares of others', () => {
  assert.equal(quantile([], 0.5), null);
  assert.equal(quantile([4, 1, 3, 2], 0.5), 2);
  assert.equal(quantile([1, 2, 3], 0.99), 3);
  assert.equal(below([1, 2, 2, 3], 2), 1);
});

test('the strip holds 48 h, or all of a longer episode', () => {
  const h = 3_600_000;
  const [from, to] = windowOf(100 * h, 101 * h);
  assert.equal(to - from, 48 * h);
  assert.equal(windowOf(0, 500 * h)[0], -h);
});

test('matches of alerts over time', () => {
  const at = (h: number) => `2026-01-05T${String(h).padStart(2, '0')}:00:00+0000`;
  const [from, to] = [Date.parse('2026-01-05T00:00:00Z'), Date.parse('2026-01-05T12:00:00Z')];
  const of = (...rows: [number, number, number][]) => trendOf(rows.map(([a, b, count]) => ({ first: at(a), last: at(b), count })), from, to);
  assert.deepEqual(of([0, 11, 24]), new Array(12).fill(2));
  assert.deepEqual(of([3, 3, 5], [3, 4, 2]).slice(2, 6), [0, 6, 1, 0]);
  assert.equal(of([12, 12, 7])[11], 7); // the end belongs to the last part
  assert.deepEqual(trendOf([{ first: at(3), last: at(3), count: 4 }], Date.parse(at(3)), Date.parse(at(3)))[0], 4);
  const cases: [string, [number, number, number][]][] = [
    ['once', [[5, 5, 900]]], ['rising', [[1, 1, 2], [8, 9, 4]]], ['falling', [[1, 2, 4], [9, 9, 2]]], ['steady', [[0, 11, 9]]], ['steady', [[1, 1, 2], [8, 8, 3]]],
  ];
  for (const [word, rows] of cases) assert.equal(trendWord(of(...rows)), word, String(rows));
});

test('an export has all that the filters leave, and says when it has not', async () => {
  const pages = (n: number, asked: unknown[]) => (async (_: string, ask: { after?: string | null }) => {
    asked.push(ask.after);
    const at = Number(ask.after ?? 0);
    return { data: { schema: '', rows: Array.from({ length: 500 }, (_v, i) => ({ event_id: `${at * 500 + i}` })), next: at + 1 < n ? String(at + 1) : null } };
  }) as unknown as Parameters<typeof everySession>[2];
  const asked: unknown[] = [];
  const all = await everySession({}, (rows) => rows, pages(3, asked));
  assert.deepEqual([all.rows.length, all.cut, asked], [1500, false, [undefined, '1', '2']]);
  const odd = await everySession({}, (rows) => rows.filter((r) => Number(r.event_id) % 2 === 1), pages(3, []));
  assert.deepEqual([odd.rows.length, odd.cut], [750, false]);
  const many = await everySession({}, (rows) => rows, pages(21, []));
  assert.deepEqual([many.rows.length, many.cut], [10_000, true]);
  const just = await everySession({}, (rows) => rows, pages(20, []));
  assert.deepEqual([just.rows.length, just.cut], [10_000, false]);
});
