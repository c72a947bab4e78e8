// Hosts: who talks SMTP, and who is this?
import { useMemo, useRef } from 'preact/hooks';
import { useGet } from '../api';
import { hrefOf, type Params, pathOf, usePlace, useQuery } from '../router';
import { Page } from '../shell';
import { Empty, Loaded } from '../state';
import { Table, type Column } from '../table';
import type { HostRow, Level, Rows } from '../types';
import { Wire } from '../wire';
import { Ago, count, share } from '../words';
import { addressOfSubject, csvOf, Further, moment, plain, save, Value, WasSeen } from './desk';
import { kept, useHref, type Filtered } from './filters';

export { Host } from './host';

const PAGE = 500;
export const LEVELS: Record<Level, string> = {
  block: 'a block would be asked', alert: 'at the limit of an alert', raised: 'raised', normal: 'normal',
};
const ORDER: Level[] = ['block', 'alert', 'raised', 'normal'];

export const STATISTICS: Record<string, string> = {
  s1: 'refused first contacts', s1t: 'TLS sessions without mail', s2: 'messages judged bad', s3: 'new organisations',
  s4: 'same mail as other hosts', s5: 'malicious files', s6: 'cited by block lists', s7: 'deferred, not tried again',
  p: 'sends without registration',
};

function fieldsOf(h: HostRow): Filtered {
  return { host: addressOfSubject(h.host), site: plain(h.site), registered: h.registered, level: h.level };
}

function wanted(rows: HostRow[], query: URLSearchParams): HostRow[] {
  const own = ['site', 'registered', 'level'].filter((f) => query.get(f));
  const text = query.get('text')?.toLowerCase();
  const home = query.get('home');
  return kept(rows, query, fieldsOf).filter((h) => {
    const f = fieldsOf(h);
    return own.every((name) => f[name] === query.get(name)) && (home !== 'yes' || h.home)
      && (!text || [h.host, plain(h.name), plain(h.site)].some((t) => t.toLowerCase().includes(text)));
  });
}

export function LevelMark({ of }: { of: Level }) {
  return <span class={`level level-${of}`}><span aria-hidden="true">{'▮'.repeat(4 - ORDER.indexOf(of))}{'▯'.repeat(ORDER.indexOf(of))}</span> {of}</span>;
}

const COLUMNS: Column<HostRow>[] = [
  { id: 'host', head: 'Host', tight: true, sortBy: (h) => h.host, cell: (h) => <span class="addr">{h.host}</span> },
  { id: 'name', head: 'Name', cell: (h) => <Wire value={plain(h.name) === '' ? null : h.name} kind="domain" absent="–" />, hint: 'from answers of mirrored DNS; – is: not looked up' },
  { id: 'site', head: 'Site', sortBy: (h) => plain(h.site), cell: (h) => <Value field="site" value={plain(h.site)}><Wire value={h.site} prose /></Value> },
  { id: 'registered', head: 'Registered', tight: true, sortBy: (h) => h.registered, cell: (h) => (h.registered === null ? <span class="none">–</span>
    : <Value field="registered" value={h.registered}>{h.registered === 'registered' ? 'yes' : h.registered === 'unregistered' ? 'no' : h.registered}</Value>) },
  { id: 'level', head: 'Level', tight: true, sortBy: (h) => ORDER.indexOf(h.level), hint: 'the highest of its statistics', cell: (h) => <Value field="level" value={h.level}><LevelMark of={h.level} /></Value> },
  { id: 'statistics', head: 'By', cell: (h) => h.statistics.split(' ').filter(Boolean).map((s) => STATISTICS[s] ?? s).join(', ') || <span class="none">–</span> },
  { id: 'sessions', head: 'Sessions', num: true, sortBy: (h) => h.sessions, cell: (h) => count(h.sessions) },
  { id: 'rcpt', head: 'Recipients', num: true, sortBy: (h) => h.rcpt_offered, cell: (h) => count(h.rcpt_offered) },
  { id: 'unknown', head: 'Unknown users', num: true, sortBy: (h) => h.rcpt_unknown, cell: (h) => (h.rcpt_unknown === null || h.rcpt_offered === null ? '–' : share(h.rcpt_unknown, h.rcpt_offered).replace(/ of \S+/, '')) },
  { id: 'organisations', head: 'New organisations', num: true, sortBy: (h) => h.organisations, cell: (h) => count(h.organisations) },
  { id: 'queueing', head: 'Like a mail server', cell: (h) => (h.queueing ? 'yes' : 'no'), hint: 'it tries again what was deferred; no machine stops such a host by itself' },
  { id: 'last', head: 'Last seen', tight: true, sortBy: (h) => h.last, cell: (h) => <Ago value={moment(h.last) ?? null} /> },
];

export function Hosts(_: { params: Params }) {
  const [query, setQuery] = useQuery();
  const { path } = usePlace();
  const href = useHref();
  const typing = useRef(0);
  const ask: Record<string, string> = { limit: String(PAGE) };
  for (const f of ['text', 'level', 'site', 'registered', 'after']) if (query.get(f)) ask[f] = query.get(f)!;
  const got = useGet<Rows<HostRow>>('/hosts', ask);
  const rows = useMemo(() => got.data && wanted(got.data.rows, query), [got.data, query]);
  const filtered = ['text', 'level', 'site', 'registered', 'home', 'not'].some((f) => query.has(f));
  return (
    <Page title="Hosts" question="Who talks SMTP, and who is this?"
      actions={<button type="button" class="secondary" onClick={() => save('hosts.csv', 'text/csv', csvOf(rows ?? [], ['host', 'name', 'home', 'site', 'registered', 'level', 'statistics', 'sessions', 'sessions_tls', 'rcpt_offered', 'rcpt_unknown', 'organisations', 'queueing', 'ordinary', 'first', 'last']))}>Export CSV</button>}>
      <p class="note calm">“Not registered” is not “abusive”: it says that no permit is known for an address.</p>
      <form class="filters" role="search" aria-label="Filter hosts" onSubmit={(e) => e.preventDefault()}>
        <label>Begins with<input type="search" name="text" value={query.get('text') ?? ''} placeholder="address or name" onInput={(e) => {
          const text = e.currentTarget.value;
          clearTimeout(typing.current);
          typing.current = window.setTimeout(() => setQuery({ text }, { replace: true }), 250);
        }} /></label>
        <label>Level<select value={query.get('level') ?? ''} onChange={(e) => setQuery({ level: e.currentTarget.value })}>
          <option value="">any</option>{ORDER.map((l) => <option key={l} value={l}>{l}: {LEVELS[l]}</option>)}
        </select></label>
        <label>Registered<select value={query.get('registered') ?? ''} onChange={(e) => setQuery({ registered: e.currentTarget.value })}>
          <option value="">any</option><option value="registered">yes</option><option value="unregistered">no</option>
        </select></label>
        <label>Where<select value={query.get('home') ?? ''} onChange={(e) => setQuery({ home: e.currentTarget.value })}>
          <option value="">all hosts</option><option value="yes">at home only</option>
        </select></label>
      </form>
      {(query.get('site') || query.has('not')) && (
        <ul class="active" aria-label="Filters in force">
          {query.get('site') && <li><a class="chip" href={href.without('site')}>site: <Wire value={query.get('site')} prose /> <span aria-hidden="true">×</span></a></li>}
          {query.getAll('not').map((n) => <li key={n}><a class="chip" href={href.withoutNot(n)}>not <Wire value={n.replace(':', ': ')} prose /> <span aria-hidden="true">×</span></a></li>)}
        </ul>
      )}
      <Loaded of={got} what="hosts">
        {(data) => (rows && rows.length > 0
          ? <Table<HostRow> caption="Hosts that speak SMTP" rows={rows} columns={COLUMNS} keyOf={(h) => h.host}
            href={(h) => pathOf('hosts', addressOfSubject(h.host))} marked={(h) => h.level === 'block' && h.registered !== 'registered'}
            sort={query.get('sort') ?? ''} total={data.total ?? data.rows.length} next={data.next ?? null} />
          : <Empty title={filtered ? 'No host matches these filters.' : 'No host was seen speaking SMTP.'}>
            {filtered ? <p><a href={hrefOf(path, {})}>Take the filters out</a></p> : null}<Further next={data.next} /><WasSeen />
          </Empty>)}
      </Loaded>
    </Page>
  );
}
