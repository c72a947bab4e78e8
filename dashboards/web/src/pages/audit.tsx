// Who did what, when and why: also the program itself.
import { addressOf, useGet } from '../api';
import { useRange } from '../range';
import { hrefOf, pathOf, useQuery, type Params } from '../router';
import { Page } from '../shell';
import { Empty, Loaded } from '../state';
import { Table, type Column } from '../table';
import { Wire, type WireText } from '../wire';
import { count, Time } from '../words';

interface Control {
  kind: string;
  action?: string;
  actor?: WireText;
  subject?: WireText;
  alert?: string;
  exception?: string;
  form?: string;
  lines?: number[];
  mode?: string;
  rule?: string;
  until?: string;
  reason?: WireText;
  note?: WireText;
  text?: WireText;
}

interface AuditRow extends Control {
  seq: number;
  timestamp: string;
  event_id: string;
}

interface AuditData {
  rows: AuditRow[];
  next?: string | null;
  total?: number;
}

const KINDS = ['alert', 'exception', 'evidence', 'block', 'report', 'policy', 'registry', 'test', 'page'];

// What it was done to; a link where that has a page.
function Subject({ c }: { c: Control }) {
  if (c.alert) return <>alert <a href={pathOf('alerts', c.alert)}>{c.alert.slice(0, 12)}</a></>;
  if (c.form) return <>form <a href={hrefOf('/registry', { form: c.form })}><Wire value={c.form} /></a>{c.lines && `, lines ${c.lines.join(', ')}`}</>;
  if (c.subject) return <Wire value={c.subject} />;
  if (c.exception) return <>exception {c.exception.slice(0, 12)}</>;
  if (c.mode) return <>mode {c.mode.toUpperCase()}</>;
  return <Wire value={c.text} prose />;
}

const COLUMNS: Column<AuditRow>[] = [
  { id: 'time', head: 'Time', tight: true, cell: (r) => <Time value={r.timestamp} seconds /> },
  { id: 'who', head: 'Who', cell: (r) => <Wire value={r.actor} prose absent="the program" /> },
  { id: 'what', head: 'What', tight: true, cell: (r) => `${r.kind}${r.action ? `: ${r.action}` : ''}` },
  { id: 'of', head: 'Of', cell: (r) => <Subject c={r} /> },
  { id: 'until', head: 'Until', tight: true, cell: (r) => <Time value={r.until} absent="" /> },
  { id: 'why', head: 'Why', cell: (r) => <><Wire value={r.reason} prose absent="" /> {r.note && <Wire value={r.note} prose />}</> },
  { id: 'seq', head: 'Number', num: true, hint: 'Its place in the journal', cell: (r) => count(r.seq) },
];

export function Audit(_: { params: Params }) {
  const [query, setQuery] = useQuery();
  const range = useRange();
  const who = query.get('who');
  const kind = query.get('kind');
  const asked = { since: range, who, kind, after: query.get('after'), limit: 100 };
  const got = useGet<AuditData>('/audit', asked);
  return (
    <Page title="Audit" question="Who did what, and why?"
      actions={<a role="button" href={addressOf('/audit', { ...asked, limit: 500 })} download="span25-audit.json">Export as JSON</a>}>
      <form class="filters" onSubmit={(e) => {
        e.preventDefault();
        setQuery({ who: String(new FormData(e.target as HTMLFormElement).get('who') ?? '') });
      }}>
        <label>Person <input name="who" defaultValue={who ?? ''} maxLength={64} autoComplete="off" /></label>
        <label>Kind <select value={kind ?? ''} onChange={(e) => setQuery({ kind: (e.target as HTMLSelectElement).value })}>
          <option value="">all</option>{KINDS.map((k) => <option key={k} value={k}>{k}</option>)}
        </select></label>
        <button type="submit" class="secondary">Show</button>
      </form>
      <Loaded of={got} what="the audit log">
        {(data) => (data.rows.length === 0
          ? <Empty title="Nothing was done in this range."><p>Everything that people and the program do is written down here; a longer range may show it.</p></Empty>
          : <Table caption="What was done" columns={COLUMNS} rows={data.rows} keyOf={(r) => r.event_id}
              {...(data.total === undefined ? {} : { total: data.total })} next={data.next ?? null} />)}
      </Loaded>
      <p class="soft">Lines are only ever added. They are events of type control in the journal.</p>
    </Page>
  );
}
