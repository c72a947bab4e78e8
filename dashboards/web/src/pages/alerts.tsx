// Alerts: what needs me now? An inbox: views, grouping, actions on what is chosen or on all that match, by keyboard too.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { get, may, useGet, useMe } from '../api';
import { Dialog } from '../dialog';
import { FreshButton, newAlerts, notify, useHeld } from '../live';
import { go, hrefOf, patched, type Params, usePlace, useQuery } from '../router';
import { Page } from '../shell';
import { Empty, Loaded } from '../state';
import { Table, type Column } from '../table';
import type { AlertRow, Rows } from '../types';
import { Wire } from '../wire';
import { Ago, count, counted, Time } from '../words';
import { act, CloseDialog, failed } from './acts';
import {
  addressOfSubject, alertHref, closeWords, csvOf, Further, HostLink, moment, plain, rank, RegistrationChip, save, SEVERITY,
  SeverityMark, STATUS, Value, ValueMenu, WasSeen,
} from './desk';
import { hrefsOf, kept, useHref, type Filtered } from './filters';

export { Alert } from './alert';

const PAGE = 500;
const MOST_ACTED = 4096; // ids that one action takes

// ---- views and filters ----

interface View { id: string; label: string; ask: Record<string, string>; only: (a: AlertRow, user: string) => boolean }

const VIEWS: readonly View[] = [
  { id: 'new', label: 'New', ask: { status: 'new' }, only: () => true },
  { id: 'mine', label: 'Mine', ask: {}, only: (a, user) => a.status !== 'closed' && a.status !== 'new' && plain(a.by) === user },
  { id: 'escalated', label: 'Escalated', ask: { status: 'escalated' }, only: () => true },
  { id: 'auto', label: 'Auto-closed', ask: { silenced: 'true' }, only: (a) => a.silenced },
  { id: 'closed', label: 'Closed', ask: { status: 'closed' }, only: () => true },
  { id: 'all', label: 'All', ask: {}, only: () => true },
];

// A status in the address is a filter of all of them.
function viewOf(query: URLSearchParams): View {
  const wanted = query.get('view') ?? (query.get('status') ? 'all' : 'new');
  return VIEWS.find((v) => v.id === wanted) ?? VIEWS[0]!;
}

const ASKED = ['severity', 'host', 'site', 'rule', 'text', 'since'] as const;

function fieldsOf(a: AlertRow): Filtered {
  return {
    host: addressOfSubject(a.subject), site: plain(a.site), rule: a.rule, severity: a.severity, status: a.status,
    registered: a.registered, state: a.state,
  };
}

// What the server filters by it is asked; the rest is looked at here, so that both say the same.
function wanted(rows: AlertRow[], query: URLSearchParams, view: View, user: string): AlertRow[] {
  const own = ['host', 'site', 'rule', 'registered', 'state'].filter((f) => query.get(f));
  const text = query.get('text')?.toLowerCase();
  return kept(rows, query, fieldsOf).filter((a) => {
    const f = fieldsOf(a);
    return view.only(a, user) && own.every((name) => f[name] === query.get(name))
      && (!text || [a.subject, plain(a.title), plain(a.reason), plain(a.site), a.alert].some((t) => t.toLowerCase().includes(text)));
  });
}

function askOf(query: URLSearchParams, view: View): Record<string, string> {
  const ask: Record<string, string> = { limit: String(PAGE), ...view.ask };
  const status = query.get('status');
  if (status && status !== 'all') ask.status = status;
  for (const name of [...ASKED, 'after']) {
    const v = query.get(name);
    if (v) ask[name] = v;
  }
  return ask;
}

// ---- grouping ----

interface Group { key: string; of: AlertRow; rows: AlertRow[]; count: number; first: string; last: string }

const GROUPS: Record<string, (a: AlertRow) => string> = {
  'host,rule': (a) => `${a.subject}\n${a.rule}`,
  host: (a) => addressOfSubject(a.subject),
  rule: (a) => a.rule,
  site: (a) => plain(a.site),
  severity: (a) => a.severity,
  status: (a) => a.status,
  registered: (a) => a.registered ?? '',
};

export function groups(rows: AlertRow[], by: string): Group[] {
  const key = GROUPS[by] ?? GROUPS['host,rule']!;
  const out = new Map<string, Group>();
  for (const a of rows) {
    const k = key(a);
    const g = out.get(k);
    if (!g) {
      out.set(k, { key: k, of: a, rows: [a], count: a.count, first: a.first, last: a.last });
      continue;
    }
    g.rows.push(a);
    g.count += a.count;
    if (a.first < g.first) g.first = a.first;
    if (a.last > g.last) g.last = a.last;
    if (rank(a.severity) < rank(g.of.severity)) g.of = a;
  }
  return [...out.values()];
}

const BARS = 12;

// Matches of alerts in equal parts of a time: each alert's spread evenly from its first to its last.
export function trendOf(rows: Pick<AlertRow, 'first' | 'last' | 'count'>[], from: number, to: number): number[] {
  const out = new Array<number>(BARS).fill(0);
  const at = (t: string) => Math.min(BARS - 1, Math.max(0, Math.floor(((Date.parse(String(moment(t))) - from) / Math.max(1, to - from)) * BARS)));
  for (const r of rows) {
    const [a, b] = [at(r.first), at(r.last)];
    for (let i = a; i <= b; i++) out[i]! += r.count / (b - a + 1);
  }
  return out;
}

export function trendWord(bars: number[]): string {
  const sum = (part: number[]) => part.reduce((n, v) => n + v, 0);
  const [early, late] = [sum(bars.slice(0, BARS / 2)), sum(bars.slice(BARS / 2))];
  if (bars.filter((v) => v > 0).length < 2) return 'once';
  return late > 1.5 * early ? 'rising' : early > 1.5 * late ? 'falling' : 'steady';
}

type Span = readonly [number, number];

function spanOf(rows: AlertRow[]): Span {
  const times = rows.flatMap((r) => [Date.parse(String(moment(r.first))), Date.parse(String(moment(r.last)))]);
  return [Math.min(...times), Math.max(...times)];
}

function Trend({ rows, span }: { rows: AlertRow[]; span: Span }) {
  const bars = trendOf(rows, span[0], span[1]);
  const most = Math.max(...bars);
  const word = trendWord(bars);
  return (
    <span class="trend">
      <svg width="60" height="16" role="img" aria-label={`${word}; in ${BARS} equal parts of the time shown: ${bars.map((v) => Math.round(v)).join(', ')}`}>
        {bars.map((v, i) => v > 0 && <rect key={i} x={i * 5} width="4" y={16 - Math.max(2, (16 * v) / most)} height="16" />)}
      </svg><small class="block soft">{word}</small>
    </span>
  );
}

function same<T>(rows: AlertRow[], of: (a: AlertRow) => T): boolean {
  return rows.every((r) => of(r) === of(rows[0]!));
}

// ---- the page ----

type Doing = { what: 'close'; rows: AlertRow[] } | { what: 'menu'; group: Group } | { what: 'value'; group: Group; sign: '+' | '-' } | null;

export function Alerts(_: { params: Params }) {
  const [query, setQuery] = useQuery();
  const who = useMe();
  const view = viewOf(query);
  const by = query.get('group') ?? 'host,rule';
  const got = useGet<Rows<AlertRow>>('/alerts', askOf(query, view));
  const user = who?.user ?? '';
  const rows = useMemo(() => got.data && wanted(got.data.rows, query, view, user), [got.data, query, view, user]);
  const held = useHeld(rows, (a) => a.alert, `${view.id}?${query}`);
  const shown = useMemo(() => groups(held.rows, by), [held.rows, by]);
  const span = useMemo(() => spanOf(held.rows), [held.rows]);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [doing, setDoing] = useState<Doing>(null);
  const can = may(who, 'analyst');

  useEffect(() => { newAlerts.set([]); }, [got.data]);
  useEffect(() => { setChosen(new Set()); }, [view.id, by]);

  const chosenRows = shown.filter((g) => chosen.has(g.key)).flatMap((g) => g.rows);
  const after = () => { setChosen(new Set()); got.reload(); };
  const doNow = (action: 'ack' | 'escalate', of: AlertRow[]) => {
    if (can && of.length > 0) act(action, of.map((a) => a.alert), {}, after).catch(failed);
  };
  const target = (g: Group) => (chosenRows.length > 0 ? chosenRows : g.rows);
  const close = (of: AlertRow[]) => { if (can && of.length > 0) setDoing({ what: 'close', rows: of }); };

  return (
    <Page title="Alerts" question="What needs me now?"
      actions={<button type="button" class="secondary" onClick={() => save('alerts.csv', 'text/csv', csvOf(held.rows, ['alert', 'severity', 'status', 'state', 'subject', 'site', 'registered', 'rule', 'title', 'count', 'first', 'last', 'silenced', 'by', 'done', 'said', 'reason']))}>Export CSV</button>}>
      <nav class="tabs" aria-label="Saved views">
        {VIEWS.map((v) => <a key={v.id} href={hrefOf('/alerts', patched(query, { view: v.id === 'new' ? null : v.id, status: null }))} aria-current={v.id === view.id ? 'page' : undefined}>{v.label}</a>)}
      </nav>
      <Filters />
      <FreshButton held={held} what={held.fresh === 1 ? 'alert' : 'alerts'} />
      <Loaded of={got} what="alerts">
        {(data) => {
          const total = data.total ?? data.rows.length;
          if (shown.length === 0) return <><Nothing view={view} filtered={hasFilters(query)} total={total} /><Further next={data.next} /></>;
          return (
            <>
              {can && <BulkBar chosen={chosenRows} query={query} view={view} user={user} rows={held.rows} next={data.next ?? null}
                onAct={doNow} onClose={close} onClear={() => setChosen(new Set())} />}
              <Table<Group> caption={`${view.label} alerts, grouped by ${by.replace(',', ' and ')}`} rows={shown} columns={columnsOf(by, span)}
                keyOf={(g) => g.key} href={(g) => hrefOfGroup(g, query)} selected={chosen} onSelect={setChosen}
                marked={(g) => rank(g.of.severity) <= 1 && g.of.status === 'new'} sort={query.get('sort') ?? 'id'} total={total} next={data.next ?? null}
                keys={{
                  e: (g) => doNow('ack', target(g)),
                  s: (g) => doNow('escalate', target(g)),
                  c: (g) => close(target(g)),
                  '.': (g) => setDoing({ what: 'menu', group: g }),
                  '+': (g) => setDoing({ what: 'value', group: g, sign: '+' }),
                  '-': (g) => setDoing({ what: 'value', group: g, sign: '-' }),
                }} />
              <p class="soft hint">Keys: <kbd>j</kbd> <kbd>k</kbd> move, <kbd>x</kbd> choose, <kbd>e</kbd> acknowledge, <kbd>s</kbd> escalate, <kbd>c</kbd> close, <kbd>.</kbd> more, <kbd>Enter</kbd> open.</p>
            </>
          );
        }}
      </Loaded>
      {doing?.what === 'close' && <CloseDialog ids={doing.rows.map((a) => a.alert)} what={doing.rows.length === 1 ? `alert ${doing.rows[0]!.id}` : counted(doing.rows.length, 'alert')} onClose={() => setDoing(null)} after={after} />}
      {doing?.what === 'menu' && <RowMenu group={doing.group} can={can} onClose={() => setDoing(null)}
        onAct={(a) => doNow(a, doing.group.rows)} onCloseAlerts={() => close(doing.group.rows)} />}
      {doing?.what === 'value' && <RowValues group={doing.group} sign={doing.sign} onClose={() => setDoing(null)} setQuery={setQuery} />}
    </Page>
  );
}

// One alert opens; several are shown one by one.
function hrefOfGroup(g: Group, query: URLSearchParams): string {
  if (g.rows.length === 1) return alertHref(g.of.id);
  const patch: Record<string, string | null> = { group: 'none' };
  if (same(g.rows, (a) => addressOfSubject(a.subject))) patch.host = addressOfSubject(g.of.subject);
  if (same(g.rows, (a) => a.rule)) patch.rule = g.of.rule;
  if (same(g.rows, (a) => plain(a.site)) && patch.host === undefined) patch.site = plain(g.of.site) || null;
  return hrefOf('/alerts', patched(query, patch));
}

GROUPS.none = (a) => a.alert;

function several(n: number, one: string): string {
  return `${count(n)} ${one}`;
}

function columnsOf(by: string, span: Span): Column<Group>[] {
  const hosts = (g: Group) => new Set(g.rows.map((a) => a.subject)).size;
  const rules = (g: Group) => new Set(g.rows.map((a) => a.rule)).size;
  return [
    { id: 'id', head: 'Alert', tight: true, sortBy: (g) => rank(g.of.severity),
      cell: (g) => <><SeverityMark of={g.of.severity} bare /><span class="id">{g.rows.length === 1 ? g.of.id : several(g.rows.length, 'alerts')}</span></> },
    { id: 'host', head: 'Host', sortBy: (g) => g.of.subject, cell: (g) => (hosts(g) === 1
      ? <Value field="host" value={addressOfSubject(g.of.subject)}><span class="addr">{g.of.subject}</span></Value> : <span class="soft">{several(hosts(g), 'hosts')}</span>) },
    { id: 'site', head: 'Site', sortBy: (g) => plain(g.of.site), cell: (g) => (same(g.rows, (a) => plain(a.site))
      ? <Value field="site" value={plain(g.of.site)}><Wire value={g.of.site} prose /></Value> : <span class="soft">several</span>) },
    { id: 'registered', head: 'Registered', cell: (g) => (same(g.rows, (a) => a.registered) && g.of.registered
      ? <Value field="registered" value={g.of.registered}>{g.of.registered === 'registered' ? 'yes' : g.of.registered === 'unregistered' ? 'no' : g.of.registered}</Value> : <span class="none">–</span>) },
    { id: 'rule', head: 'Rule', sortBy: (g) => plain(g.of.title), cell: (g) => (rules(g) === 1
      ? <Value field="rule" value={g.of.rule}><span class="mid"><Wire value={g.of.title} prose /></span></Value> : <span class="soft">{several(rules(g), 'rules')}</span>) },
    { id: 'count', head: 'Matches', num: true, sortBy: (g) => g.count, cell: (g) => count(g.count), hint: 'events that met the rule' },
    { id: 'trend', head: 'Trend', tight: true, hint: 'matches over the time of all alerts shown', cell: (g) => <Trend rows={g.rows} span={span} /> },
    { id: 'first', head: 'First', tight: true, sortBy: (g) => g.first, cell: (g) => <Time value={moment(g.first) ?? null} /> },
    { id: 'last', head: 'Last', tight: true, sortBy: (g) => g.last, cell: (g) => <><Ago value={moment(g.last) ?? null} /><small class="block soft">{g.rows.some((a) => a.state !== 'ended') ? 'ongoing' : 'ended'}</small></> },
    { id: 'status', head: by === 'status' ? 'Status' : 'State', tight: true, sortBy: (g) => g.of.status, cell: (g) => <Status rows={g.rows} /> },
  ];
}

function Status({ rows }: { rows: AlertRow[] }) {
  const a = rows[0]!;
  if (!same(rows, (r) => r.status)) return <span class="soft">several</span>;
  return (
    <>
      <Value field="status" value={a.status}>{STATUS[a.status]}</Value>
      {a.by !== null && same(rows, (r) => plain(r.by)) && <small class="block soft">by <Wire value={a.by} prose /></small>}
      {a.status === 'closed' && a.said !== null && <small class="block soft">{closeWords(plain(a.said))}</small>}
      {a.silenced && <small class="block soft">silenced by an exception</small>}
    </>
  );
}

// ---- filters ----

function hasFilters(query: URLSearchParams): boolean {
  return [...ASKED, 'registered', 'state', 'not'].some((f) => query.has(f)) || !['all', null].includes(query.get('status'));
}

function Filters() {
  const [query, setQuery] = useQuery();
  const href = useHref();
  const typing = useRef(0);
  const chips = ['host', 'site', 'rule', 'registered', 'state', 'status'].filter((f) => query.get(f) && query.get(f) !== 'all');
  return (
    <>
      <form class="filters" role="search" aria-label="Filter alerts" onSubmit={(e) => e.preventDefault()}>
        <label>Begins with
          <input type="search" name="text" value={query.get('text') ?? ''} placeholder="address, title of a rule" onInput={(e) => {
            const text = e.currentTarget.value;
            clearTimeout(typing.current);
            typing.current = window.setTimeout(() => setQuery({ text }, { replace: true }), 250);
          }} />
        </label>
        <label>Severity
          <select value={query.get('severity') ?? ''} onChange={(e) => setQuery({ severity: e.currentTarget.value })}>
            <option value="">any</option><option value="high">high</option><option value="medium">medium or higher</option><option value="low">low or higher</option>
          </select>
        </label>
        <label>Group by
          <select value={query.get('group') ?? 'host,rule'} onChange={(e) => setQuery({ group: e.currentTarget.value === 'host,rule' ? null : e.currentTarget.value })}>
            <option value="host,rule">host and rule</option>
            {['host', 'rule', 'site', 'severity', 'status', 'registered'].map((g) => <option key={g} value={g}>{g}</option>)}
            <option value="none">nothing</option>
          </select>
        </label>
      </form>
      {(chips.length > 0 || query.has('not')) && (
        <ul class="active" aria-label="Filters in force">
          {chips.map((f) => <li key={f}><a class="chip" href={href.without(f)} title="Take this filter out">{f}: <Wire value={query.get(f)} prose /> <span aria-hidden="true">×</span></a></li>)}
          {query.getAll('not').map((n) => <li key={n}><a class="chip" href={href.withoutNot(n)} title="Take this filter out">not <Wire value={n.replace(':', ': ')} prose /> <span aria-hidden="true">×</span></a></li>)}
        </ul>
      )}
    </>
  );
}

// ---- nothing there ----

function Nothing({ view, filtered, total }: { view: View; filtered: boolean; total: number }) {
  const { path } = usePlace();
  const closed = useGet<Rows<AlertRow>>(view.id === 'new' && !filtered ? '/alerts' : null, { status: 'closed', since: '24h', limit: 1 });
  if (filtered)
    return (
      <Empty title="No alert matches these filters.">
        {total > 0 && <p>{counted(total, 'alert')} of this view {total === 1 ? 'was' : 'were'} looked at.</p>}
        <p><a href={hrefOf(path, { view: view.id })}>Take the filters out</a></p>
      </Empty>
    );
  if (view.id === 'new')
    return (
      <Empty title={`Inbox zero.${closed.data?.total !== undefined ? ` ${count(closed.data.total)} archived today.` : ''}`}>
        <p><a href="/alerts?view=auto">What was closed by itself, and why</a> · <a href="/alerts?view=closed">Closed by people</a></p>
        <WasSeen />
      </Empty>
    );
  const words: Record<string, string> = {
    mine: 'Nothing is yours now. An alert is yours when you were the last to acknowledge or escalate it.',
    escalated: 'Nothing is escalated.', closed: 'Nothing was closed yet.', all: 'No alerts.',
    auto: 'Nothing was closed by itself: no exception silences an alert.',
  };
  return <Empty title={words[view.id] ?? 'No alerts.'}><WasSeen /></Empty>;
}

// ---- actions on many ----

// Every alert that the filters leave, over all pages, as they are now.
async function everyMatch(query: URLSearchParams, view: View, user: string): Promise<AlertRow[]> {
  const out: AlertRow[] = [];
  let after: string | null | undefined = '';
  do {
    const ask: Record<string, string> = { ...askOf(query, view), after: after ?? '' };
    const { data }: { data: Rows<AlertRow> } = await get<Rows<AlertRow>>('/alerts', ask);
    out.push(...wanted(data.rows, query, view, user));
    after = data.next;
  } while (after && out.length < MOST_ACTED);
  return out.slice(0, MOST_ACTED);
}

function BulkBar({ chosen, rows, next, query, view, user, onAct, onClose, onClear }: {
  chosen: AlertRow[]; rows: AlertRow[]; next: string | null; query: URLSearchParams; view: View; user: string;
  onAct: (a: 'ack' | 'escalate', rows: AlertRow[]) => void; onClose: (rows: AlertRow[]) => void; onClear: () => void;
}) {
  const [all, setAll] = useState<AlertRow[] | null>(null);
  const [counting, setCounting] = useState(false);
  useEffect(() => { setAll(null); }, [query, view, rows]);
  if (chosen.length === 0 && !next && rows.length < 2) return null;
  const matching = next === null ? rows : all;
  const them = chosen.length > 0 ? chosen : matching;
  const find = () => {
    setCounting(true);
    everyMatch(query, view, user).then(setAll, (e: Error) => notify(plain(e.message), { bad: true })).finally(() => setCounting(false));
  };
  const what = chosen.length > 0 ? `${count(chosen.length)} chosen` : matching ? `all ${count(matching.length)} matching` : '';
  return (
    <div class="bar bulk" role="toolbar" aria-label="Actions on several alerts">
      {them === null
        ? <button type="button" class="secondary" aria-busy={counting} onClick={find}>Act on all that match, not only this page</button>
        : <>
          <b>{chosen.length > 0 ? counted(chosen.length, 'alert') + ' chosen' : `All ${count(them.length)} matching`}{them.length === MOST_ACTED && ' (the first)'}</b>
          <button type="button" class={chosen.length > 0 ? '' : 'secondary'} onClick={() => onAct('ack', them)}>Acknowledge {what}</button>
          <button type="button" class="secondary" onClick={() => onAct('escalate', them)}>Escalate {what}</button>
          <button type="button" class="secondary" onClick={() => onClose(them)}>Close {what}…</button>
          {chosen.length > 0 && <button type="button" class="quiet" onClick={onClear}>Choose none</button>}
        </>}
    </div>
  );
}

// ---- one row ----

function RowMenu({ group, can, onClose, onAct, onCloseAlerts }: {
  group: Group; can: boolean; onClose: () => void; onAct: (a: 'ack' | 'escalate') => void; onCloseAlerts: () => void;
}) {
  const [query] = useQuery();
  const n = group.rows.length === 1 ? `alert ${group.of.id}` : counted(group.rows.length, 'alert');
  return (
    <ValueMenu field="host" value={addressOfSubject(group.of.subject)} onClose={onClose} title={<>{n}: <span class="addr">{group.of.subject}</span></>}
      more={(
        <>
          <p><Wire value={group.of.reason} prose /></p>
          <p class="buttons">
            <button type="button" onClick={() => { onClose(); go(hrefOfGroup(group, query)); }}>Open</button>
            {can && <button type="button" class="secondary" onClick={() => { onClose(); onAct('ack'); }}>Acknowledge</button>}
            {can && <button type="button" class="secondary" onClick={() => { onClose(); onAct('escalate'); }}>Escalate</button>}
            {can && <button type="button" class="secondary" onClick={() => { onClose(); onCloseAlerts(); }}>Close as…</button>}
          </p>
          <p><HostLink subject={group.of.subject} /> <RegistrationChip state={group.of.registered} /></p>
        </>
      )} />
  );
}

// "+" and "-": which value of the row.
function RowValues({ group, sign, onClose, setQuery }: { group: Group; sign: '+' | '-'; onClose: () => void; setQuery: (patch: Record<string, string>) => void }) {
  const [query] = useQuery();
  const { path } = usePlace();
  const href = hrefsOf(path, query);
  const f = fieldsOf(group.of);
  const names: [string, string][] = [['host', f.host ?? ''], ['rule', plain(group.of.title)], ['site', f.site ?? ''], ['severity', SEVERITY[group.of.severity].word]];
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => { list.current?.querySelector('button')?.focus(); }, []);
  return (
    <Dialog title={sign === '+' ? 'Only this value' : 'All but this value'} onClose={onClose}>
      <ul class="menu" ref={list}>
        {names.filter(([, words]) => words !== '').map(([name, words]) => (
          <li key={name}><button type="button" class="link" onClick={() => {
            onClose();
            if (sign === '+') setQuery({ [name]: f[name] ?? '' });
            else go(href.exclude(name, f[name] ?? ''));
          }}>{name}: {words}</button></li>
        ))}
      </ul>
    </Dialog>
  );
}

