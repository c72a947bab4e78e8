// Who did what, when and why: also the program itself.
import { addressOf, useGet } from '../api';
import { useRange } from '../range';
import { useQuery, type Params } from '../router';
import { Page } from '../shell';
import { Empty, Loaded } from '../state';
import { Table, type Column } from '../table';
import { Wire, type WireText } from '../wire';
import { Time } from '../words';

interface AuditRow {
  id?: string;
  seq?: number;
  time?: string;
  timestamp?: string;
  who?: WireText;
  actor?: WireText;
  what?: WireText;
  action?: WireText;
  kind?: WireText;
  subject?: WireText;
  object?: WireText;
  text?: WireText;
  reason?: WireText;
  note?: WireText;
  from?: WireText;
  to?: WireText;
}

interface AuditData {
  rows?: AuditRow[];
  next?: string | null;
  total?: number;
}

const keyOf = (r: AuditRow) => r.id ?? String(r.seq ?? `${r.time ?? r.timestamp} ${String(r.what ?? r.action ?? r.kind)} ${String(r.subject ?? r.object ?? '')}`);

const COLUMNS: Column<AuditRow>[] = [
  { id: 'time', head: 'Time', tight: true, cell: (r) => <Time value={r.time ?? r.timestamp} seconds /> },
  { id: 'who', head: 'Who', cell: (r) => <Wire value={r.who ?? r.actor} prose absent="the program" /> },
  { id: 'what', head: 'What', cell: (r) => <Wire value={r.what ?? r.action ?? r.kind} prose /> },
  { id: 'subject', head: 'Of', cell: (r) => <Wire value={r.subject ?? r.object} /> },
  { id: 'change', head: 'Change', cell: (r) => (r.from !== undefined || r.to !== undefined ? <><Wire value={r.from} /> → <Wire value={r.to} /></> : <Wire value={r.text} prose />) },
  { id: 'why', head: 'Why', cell: (r) => <Wire value={r.reason ?? r.note} prose /> },
];

export function Audit(_: { params: Params }) {
  const [query, setQuery] = useQuery();
  const range = useRange();
  const who = query.get('who');
  const asked = { since: range, who, after: query.get('after'), limit: 100 };
  const got = useGet<AuditData>('/audit', asked);
  return (
    <Page title="Audit" question="Who did what, and why?"
      actions={<a role="button" href={addressOf('/audit', { ...asked, limit: 500 })} download="span25-audit.json">Export as JSON</a>}>
      <form class="filters" onSubmit={(e) => {
        e.preventDefault();
        setQuery({ who: String(new FormData(e.target as HTMLFormElement).get('who') ?? '') });
      }}>
        <label>Person <input name="who" defaultValue={who ?? ''} maxLength={64} autoComplete="off" /></label>
        <button type="submit" class="secondary">Show</button>
      </form>
      <Loaded of={got} what="the audit log">
        {(data) => ((data.rows ?? []).length === 0
          ? <Empty title="Nothing was done in this range."><p>Everything that people and the program do is written down here; a longer range may show it.</p></Empty>
          : <Table caption="What was done" columns={COLUMNS} rows={data.rows ?? []} keyOf={keyOf}
              {...(data.total === undefined ? {} : { total: data.total })} next={data.next ?? null} />)}
      </Loaded>
      <p class="soft">Lines are only ever added. They are events of type control in the journal.</p>
    </Page>
  );
}
