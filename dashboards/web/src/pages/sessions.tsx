// Sessions: the raw facts. A filter bar, a table, and what was said in a drawer.
import { useEffect, useRef, useState } from 'preact/hooks';
import { get, may, useGet, useMe } from '../api';
import { Dialog } from '../dialog';
import { FreshButton, notify, useHeld } from '../live';
import { hrefOf, type Params, patched, usePlace, useQuery } from '../router';
import { Page } from '../shell';
import { Empty, Loaded } from '../state';
import { Table, type Column } from '../table';
import type { ExplainEvent, Rows, SessionRow } from '../types';
import { Wire } from '../wire';
import { count, counted, Time } from '../words';
import { end, EvidenceFacts } from './alert';
import { csvOf, Further, moment, plain, save, Transcript, Value, WasSeen } from './desk';
import { kept, useHref, type Filtered } from './filters';

const PAGE = 100;
const SLOW_MS = 5000;
const EXPORT_MOST = 10_000;
const WIDER = ['24h', '7d', '30d'];
const ASKED = ['host', 'since', 'until', 'type', 'after'] as const;

export const TYPES: Record<string, string> = {
  smtp: 'mail', smtp_session: 'connection', tls: 'TLS handshake', fileinfo: 'file', anomaly: 'oddity', host: 'statistics',
  alert: 'alert', decision: 'decision', control: 'control', stats: 'sensor',
};

function fieldsOf(s: SessionRow): Filtered {
  return { host: s.src_ip, type: s.event_type, outcome: s.outcome, to: s.dest_ip };
}

// Has this been so for long?
function useLong(so: boolean): boolean {
  const [long, setLong] = useState(false);
  useEffect(() => {
    const timer = so ? setTimeout(() => setLong(true), SLOW_MS) : 0;
    return () => { clearTimeout(timer); setLong(false); };
  }, [so]);
  return long;
}

const EXPORTED = ['timestamp', 'event_type', 'direction', 'src_ip', 'dest_ip', 'dest_port', 'mail_from', 'message_id', 'outcome', 'final_code', 'event_id'] as const;

// All that the filters leave, page after page; more than EXPORT_MOST is another job: span25 read, or the journal itself.
export async function everySession(ask: Record<string, string>, fits: (rows: SessionRow[]) => SessionRow[], page: typeof get, signal?: AbortSignal): Promise<{ rows: SessionRow[]; cut: boolean }> {
  const out: SessionRow[] = [];
  let after: string | null | undefined;
  do {
    const { data }: { data: Rows<SessionRow> } = await page<Rows<SessionRow>>('/sessions', { ...ask, limit: 500, after }, signal);
    out.push(...fits(data.rows));
    after = data.next;
  } while (after && out.length < EXPORT_MOST);
  return { rows: out.slice(0, EXPORT_MOST), cut: !!after || out.length > EXPORT_MOST };
}

function Export({ ask, fits }: { ask: Record<string, string>; fits: (rows: SessionRow[]) => SessionRow[] }) {
  const [stop, setStop] = useState<AbortController | null>(null);
  useEffect(() => () => stop?.abort(), [stop]);
  if (stop) return <button type="button" class="secondary" aria-busy onClick={() => { stop.abort(); setStop(null); }}>Stop the export</button>;
  return (
    <button type="button" class="secondary" onClick={() => {
      const now = new AbortController();
      setStop(now);
      everySession(ask, fits, get, now.signal).then(({ rows, cut }) => {
        save('sessions.csv', 'text/csv', csvOf(rows, [...EXPORTED]));
        notify(cut ? `The newest ${count(rows.length)} events were exported; there are more. Narrow the time for the rest.` : `${counted(rows.length, 'event')} exported.`, { bad: cut });
      }, (e: Error) => { if (e.name !== 'AbortError') notify(plain(e.message), { bad: true }); }).finally(() => setStop(null));
    }}>Export CSV</button>
  );
}

const COLUMNS: Column<SessionRow>[] = [
  { id: 'time', head: 'Time', tight: true, cell: (s) => <Time value={moment(s.timestamp) ?? null} seconds /> },
  { id: 'type', head: 'What', tight: true, cell: (s) => <Value field="type" value={s.event_type}>{TYPES[s.event_type] ?? s.event_type}</Value> },
  { id: 'src', head: 'From', tight: true, cell: (s) => <Value field="host" value={s.src_ip}><span class="addr">{s.src_ip}</span></Value> },
  { id: 'dst', head: 'To', tight: true, cell: (s) => (s.dest_ip === null ? <span class="none">–</span> : <span class="addr">{end(s.dest_ip, s.dest_port)}</span>) },
  { id: 'direction', head: 'Direction', cell: (s) => s.direction ?? '–' },
  { id: 'mail', head: 'MAIL FROM', cell: (s) => <Wire value={s.mail_from} kind="address" shown={60} /> },
  { id: 'outcome', head: 'Outcome', tight: true, cell: (s) => <>{s.outcome ? <Value field="outcome" value={s.outcome}>{s.outcome}</Value> : '–'}{s.final_code ? ` ${s.final_code}` : ''}</> },
];

export function Sessions(_: { params: Params }) {
  const [query, setQuery] = useQuery();
  const { path } = usePlace();
  const href = useHref();
  const ask: Record<string, string> = { limit: String(PAGE) };
  for (const f of ASKED) if (query.get(f)) ask[f] = query.get(f)!;
  const got = useGet<Rows<SessionRow>>('/sessions', ask);
  const slow = useLong(got.loading);
  const fits = (all: SessionRow[]) => kept(all, query, fieldsOf).filter((s) => !query.get('outcome') || s.outcome === query.get('outcome'));
  const held = useHeld(got.data && fits(got.data.rows), (s) => s.event_id, query.toString());
  const rows = held.rows;
  const filtered = ['host', 'since', 'until', 'type', 'outcome', 'not'].some((f) => query.has(f));
  const open = query.get('open');
  return (
    <Page title="Sessions" question="Show me the raw facts"
      actions={<Export ask={ask} fits={fits} />}>
      <FilterBar />
      {(query.has('not') || query.get('outcome')) && (
        <ul class="active" aria-label="Filters in force">
          {query.get('outcome') && <li><a class="chip" href={href.without('outcome')}>outcome: <Wire value={query.get('outcome')} prose /> <span aria-hidden="true">×</span></a></li>}
          {query.getAll('not').map((n) => <li key={n}><a class="chip" href={href.withoutNot(n)}>not <Wire value={n.replace(':', ': ')} prose /> <span aria-hidden="true">×</span></a></li>)}
        </ul>
      )}
      {slow && <p class="note">This takes more than 5 s: the journal is searched backwards until {PAGE} rows are found. <button type="button" class="secondary" onClick={got.stop}>Stop</button></p>}
      <Loaded of={got} what="sessions">
        {(data) => (rows.length > 0
          ? <><FreshButton held={held} what={filtered ? 'that match' : 'events'} /><Table<SessionRow> caption="Events of sessions, the latest first" rows={rows} columns={COLUMNS} keyOf={(s) => s.event_id}
            onOpen={(s) => setQuery({ open: s.event_id, ...(query.get('after') ? { after: query.get('after') } : {}) })} next={data.next ?? null} {...(data.total === undefined ? {} : { total: data.total })} /></>
          : <Empty title="No sessions match.">
            {filtered && <p>A wider time or fewer filters show more.{' '}
              {WIDER.filter((w) => query.get('since') && query.get('since') !== w).map((w) => <><a key={w} href={hrefOf(path, patched(query, { since: w, until: null, after: null }))}>Last {w}</a> · </>)}
              <a href={hrefOf(path, {})}>Take the filters out</a></p>}
            <Further next={data.next} />
            <WasSeen />
          </Empty>)}
      </Loaded>
      {open && <Drawer id={open} onClose={() => setQuery({ open: null, ...(query.get('after') ? { after: query.get('after') } : {}) })} />}
    </Page>
  );
}

function FilterBar() {
  const [query, setQuery] = useQuery();
  const typing = useRef(0);
  const later = (patch: Record<string, string>) => {
    clearTimeout(typing.current);
    typing.current = window.setTimeout(() => setQuery(patch, { replace: true }), 350);
  };
  return (
    <form class="filters" role="search" aria-label="Filter sessions" onSubmit={(e) => e.preventDefault()}>
      <label>Host<input type="search" name="host" value={query.get('host') ?? ''} placeholder="address, as sender or server" onInput={(e) => later({ host: e.currentTarget.value.trim() })} /></label>
      <label>What<select value={query.get('type') ?? ''} onChange={(e) => setQuery({ type: e.currentTarget.value })}>
        <option value="">mail</option><option value="all">everything</option>
        {['smtp_session', 'tls', 'fileinfo', 'anomaly'].map((t) => <option key={t} value={t}>{TYPES[t]}</option>)}
      </select></label>
      <label>Since<input type="text" name="since" value={query.get('since') ?? ''} placeholder="24h, 2026-11-22" onInput={(e) => later({ since: e.currentTarget.value.trim() })} /></label>
      <label>Until<input type="text" name="until" value={query.get('until') ?? ''} placeholder="now" onInput={(e) => later({ until: e.currentTarget.value.trim() })} /></label>
    </form>
  );
}

// ---- one ----

function Body({ id }: { id: string }) {
  const who = useMe();
  const allowed = may(who, 'analyst');
  const got = useGet<ExplainEvent>(allowed ? `/sessions/${encodeURIComponent(id)}` : null, {}, { live: false });
  if (!allowed)
    return <p class="note">What was said in a session is content of mail: it is shown to analysts and administrators, and each look is written down.</p>;
  return (
    <Loaded of={got} what="the session">
      {(x) => (
        <>
          <p class="soft"><Time value={moment(x.event.timestamp) ?? null} seconds /> · {TYPES[x.event.event_type] ?? x.event.event_type} · event <code>{x.event.event_id}</code></p>
          <EvidenceFacts event={x.event} session={x.session} />
          <h2>What was said</h2>
          <Transcript said={x.said} />
          {(x.session?.smtp?.starttls?.used ?? x.event.smtp?.starttls?.used) && <p class="soft">Not observable after STARTTLS: subject, recipients, attachments.</p>}
          <p class="soft">AUTH is masked and message bodies are never kept. That you looked is written down.</p>
          <p class="buttons">
            {x.event.src_ip !== undefined && <a class="btn" href={`/hosts/${encodeURIComponent(x.event.src_ip)}`}>Host {x.event.src_ip}</a>}
            <button type="button" class="secondary" onClick={() => save(`event-${id}.json`, 'application/json', JSON.stringify({ event: x.event, session: x.session }, null, 1))}>JSON</button>
          </p>
        </>
      )}
    </Loaded>
  );
}

function Drawer({ id, onClose }: { id: string; onClose: () => void }) {
  return <Dialog title="Session" wide onClose={onClose}><Body id={id} /></Dialog>;
}

export function Session({ params }: { params: Params }) {
  const [query] = useQuery();
  return (
    <Page title="Session" actions={<a href={hrefOf('/sessions', patched(query, {}))}>All sessions</a>}>
      <Body id={params.id ?? ''} />
    </Page>
  );
}
