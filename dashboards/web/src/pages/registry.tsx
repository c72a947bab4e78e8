// Registry: who is registered, what is due, and who was seen that is not?
import { useMemo } from 'preact/hooks';
import { useGet } from '../api';
import { hrefOf, pathOf, setQuery, useQuery, type Params } from '../router';
import { Page } from '../shell';
import { Empty, Loaded } from '../state';
import { Table, type Column } from '../table';
import type { Rows } from '../types';
import { Wire } from '../wire';
import { Ago, count, counted, dateOf, duration, share, Time } from '../words';
import { RegistryForm } from './form';
import { CLOCK_S, STATE_MEANS, type CandidateRow, type ContactRow, type DueRow, type LineRow, type LineState } from './registry_data';

const PARTS = [['', 'Queue'], ['lines', 'Lines'], ['sites', 'Sites'], ['mismatches', 'Mismatches'], ['candidates', 'Seen, not registered']] as const;
const STATES = Object.keys(STATE_MEANS) as LineState[];
const SILENT_S = 14 * 86400;

export const formHref = (form: string) => pathOf('registry', 'form', form);
const hostHref = (address: string) => pathOf('hosts', address);

export function Registry({ params }: { params: Params }) {
  const part = params.part ?? '';
  if (part === 'form' && params.what) return <RegistryForm number={params.what} />;
  return (
    <Page title="Registry" question="Who is registered, what is due, and who was seen that is not?"
      actions={<button type="button" class="secondary" onClick={() => print()}>Print</button>}>
      <Coverage />
      <nav class="tabs" aria-label="Parts of the registry">
        {PARTS.map(([id, words]) => <a key={id} href={id === '' ? '/registry' : pathOf('registry', id)} aria-current={id === part ? 'page' : undefined}>{words}</a>)}
      </nav>
      {part === 'lines' ? <Lines /> : part === 'sites' ? <Sites /> : part === 'mismatches' ? <Mismatches />
        : part === 'candidates' ? <Candidates /> : <Queue />}
    </Page>
  );
}

// How much of what speaks SMTP here is registered.
function Coverage() {
  const all = useGet<Rows<unknown>>('/hosts', { limit: 1 });
  const known = useGet<Rows<unknown>>('/hosts', { limit: 1, registered: 'registered' });
  const lines = useGet<Rows<LineRow>>('/registry/lines', { limit: 500 });
  const of = all.data?.total;
  const part = known.data?.total;
  const rows = lines.data?.rows ?? [];
  const states = STATES.map((s) => [s, rows.filter((r) => r.state === s).length] as const).filter(([, n]) => n > 0);
  return (
    <div class="card">
      {of !== undefined && part !== undefined && of > 0 && (
        <p><label>{share(part, of)} of the hosts that were seen speaking SMTP are registered. <progress max={of} value={part} /></label></p>
      )}
      <p class="soft">
        {lines.data === undefined ? 'Counting lines…' : states.length === 0 ? 'No line is registered yet.'
          : states.map(([s, n], i) => <span key={s}>{i > 0 && ' · '}<a href={hrefOf('/registry/lines', { state: s })}>{counted(n, 'line')} {s}</a></span>)}
        {(lines.data?.total ?? 0) > rows.length && ` (of the first ${count(rows.length)} of ${count(lines.data?.total)})`}
      </p>
    </div>
  );
}

// ---- the queue ----

function Mark({ row }: { row: DueRow }) {
  const kind = row.mark === 'overdue' ? 'chip bad' : row.mark === 'in time' || row.mark === 'paused' ? 'chip' : 'chip warn';
  return <span class={kind}>{row.mark}</span>;
}

const DUE: Column<DueRow>[] = [
  { id: 'form', head: 'Form', cell: (r) => r.form, sortBy: (r) => r.form, tight: true },
  { id: 'site', head: 'Site', cell: (r) => <Wire value={r.site} prose absent="no site" />, sortBy: (r) => r.site as string | null },
  { id: 'lines', head: 'Permitted', cell: (r) => r.lines, tight: true, hint: 'lines permitted of all' },
  { id: 'state', head: 'State', cell: (r) => r.state },
  { id: 'received', head: 'Received', cell: (r) => <Ago value={r.received} />, sortBy: (r) => String(r.received) },
  { id: 'clock', head: '48 hours', cell: (r) => <progress max={CLOCK_S} value={Math.min(r.net_s, CLOCK_S)} aria-label={`${duration(r.net_s)} of 48 h have run`} />, sortBy: (r) => r.net_s },
  { id: 'due', head: 'Due', cell: (r) => <Time value={r.due} absent="the clock stands" />, sortBy: (r) => r.due as string | null },
  { id: 'left', head: 'Left', cell: (r) => <Wire value={r.left} prose /> },
  { id: 'mark', head: 'Mark', cell: (r) => <Mark row={r} /> },
];

function Queue() {
  const [query] = useQuery();
  const got = useGet<Rows<DueRow>>('/registry/due', { limit: 500, after: query.get('after') });
  return (
    <section>
      <h2>Forms whose clock runs or stands</h2>
      <p class="soft">A permit is entered within 48 hours of a complete form, nights and week-ends included. The clock stops when the firewall has it, and stands while a form is returned.</p>
      <Loaded of={got} what="forms in the queue">
        {(d) => d.rows.length === 0
          ? <Empty title="Nothing is due."><p>Every form that arrived is decided, and what is permitted is in the firewall's list.</p></Empty>
          : <Table caption="Forms that are due" columns={DUE} rows={d.rows} keyOf={(r) => r.form} href={(r) => formHref(r.form)}
            marked={(r) => r.mark !== 'in time' && r.mark !== 'paused'} next={d.next ?? null} {...(d.total === undefined ? {} : { total: d.total })} />}
      </Loaded>
    </section>
  );
}

// ---- lines ----

const LINES: Column<LineRow>[] = [
  { id: 'form', head: 'Form', cell: (r) => `${r.form}, line ${r.line}`, sortBy: (r) => `${r.form} ${r.line}`, tight: true },
  { id: 'state', head: 'State', cell: (r) => <span class="chip" title={STATE_MEANS[r.state]}>{r.state}</span>, sortBy: (r) => r.state },
  { id: 'address', head: 'Address', tight: true, cell: (r) => <Wire value={r.address} />, sortBy: (r) => r.address as string | null },
  { id: 'port', head: 'Port', cell: (r) => <Wire value={r.port} />, tight: true },
  { id: 'use', head: 'Way', cell: (r) => r.direction },
  { id: 'site', head: 'Site', cell: (r) => <Wire value={r.site} prose absent="no site" />, sortBy: (r) => r.site as string | null },
  { id: 'device', head: 'Device', cell: (r) => <Wire value={r.device} prose /> },
  { id: 'until', head: 'Until', cell: (r) => <Time value={r.until} />, sortBy: (r) => r.until as string | null },
  { id: 'note', head: 'Note', cell: (r) => <Wire value={r.note === ('' as unknown) ? null : r.note} prose absent="" /> },
];

function Lines() {
  const [query] = useQuery();
  const got = useGet<Rows<LineRow>>('/registry/lines', { limit: 500, state: query.get('state'), text: query.get('text'), after: query.get('after') });
  return (
    <section>
      <h2>Lines of the registry</h2>
      <form class="filters" role="search" onSubmit={(e) => e.preventDefault()}>
        <label>State
          <select value={query.get('state') ?? ''} onChange={(e) => setQuery({ state: e.currentTarget.value })}>
            <option value="">all</option>
            {STATES.map((s) => <option key={s} value={s}>{s}</option>)}
          </select>
        </label>
        <label>Contains
          <input type="search" value={query.get('text') ?? ''} placeholder="address, site, device" onInput={(e) => setQuery({ text: e.currentTarget.value }, { replace: true })} />
        </label>
      </form>
      <Loaded of={got} what="lines">
        {(d) => d.rows.length === 0
          ? <Empty title="No line is like that."><p>A line is one address and port of a form. What was seen without one is under <a href="/registry/candidates">Seen, not registered</a>.</p></Empty>
          : <Table caption="Lines of the registry" columns={LINES} rows={d.rows} keyOf={(r) => `${r.form}/${r.line}`} href={(r) => formHref(r.form)}
            next={d.next ?? null} {...(d.total === undefined ? {} : { total: d.total })} />}
      </Loaded>
    </section>
  );
}

// ---- sites ----

function Person({ name, phone, mail }: { name: ContactRow['site_contact']; phone: ContactRow['site_phone']; mail: ContactRow['site_mail'] }) {
  if (name === null && phone === null && mail === null) return <span class="none">nobody</span>;
  return <><Wire value={name} prose /><br /><Wire value={phone} prose /><br /><Wire value={mail} kind="address" /></>;
}

const SITES: Column<ContactRow>[] = [
  { id: 'site', head: 'Site', cell: (r) => <Wire value={r.site} prose absent="no site" />, sortBy: (r) => r.site as string | null },
  { id: 'form', head: 'Form', cell: (r) => r.form, sortBy: (r) => r.form, tight: true },
  { id: 'permitted', head: 'Permitted', cell: (r) => `${r.permitted} of ${r.lines}`, tight: true },
  { id: 'contact', head: 'Site contact', cell: (r) => <Person name={r.site_contact} phone={r.site_phone} mail={r.site_mail} /> },
  { id: 'technical', head: 'Technical contact', cell: (r) => <Person name={r.technical_contact} phone={r.technical_phone} mail={r.technical_mail} /> },
  { id: 'last', head: 'First mail seen', cell: (r) => <Ago value={r.last_mail} absent="not yet" /> },
  { id: 'todo', head: 'To do', cell: (r) => r.action !== null && <span class="chip warn">{r.action}</span>, sortBy: (r) => r.action },
];

function Sites() {
  const [query] = useQuery();
  const got = useGet<Rows<ContactRow>>('/registry/contacts', { limit: 500, text: query.get('text'), after: query.get('after') });
  return (
    <section>
      <h2>Sites and their contacts</h2>
      <p class="soft">One row for each form. Whose mail may be the thing that is blocked is reached by phone.</p>
      <Loaded of={got} what="contacts">
        {(d) => d.rows.length === 0 ? <Empty title="No form has arrived yet." />
          : <Table caption="Sites and their contacts" columns={SITES} rows={d.rows} keyOf={(r) => r.form} href={(r) => formHref(r.form)}
            marked={(r) => r.action !== null} next={d.next ?? null} {...(d.total === undefined ? {} : { total: d.total })} />}
      </Loaded>
    </section>
  );
}

// ---- candidates, and what does not fit ----

const SEEN: Column<CandidateRow>[] = [
  { id: 'address', head: 'Host', cell: (r) => <span class="addr">{r.address}</span>, sortBy: (r) => r.address, tight: true },
  { id: 'port', head: 'Port', cell: (r) => r.port, num: true },
  { id: 'use', head: 'Way', cell: (r) => r.direction },
  { id: 'site', head: 'Site', cell: (r) => <Wire value={r.site} prose absent="no site" />, sortBy: (r) => r.site as string | null },
  { id: 'looks', head: 'Looks like', cell: (r) => <span title={r.why}>{r.looks_like}</span>, sortBy: (r) => r.looks_like },
  { id: 'sessions', head: 'Sessions', cell: (r) => count(r.sessions), sortBy: (r) => r.sessions, num: true },
  { id: 'messages', head: 'Messages', cell: (r) => count(r.messages), sortBy: (r) => r.messages, num: true },
  { id: 'peers', head: 'Other ends', cell: (r) => count(r.peers), sortBy: (r) => r.peers, num: true },
  { id: 'name', head: 'Name it gives', cell: (r) => <Wire value={r.name} kind="domain" /> },
  { id: 'last', head: 'Last seen', cell: (r) => <Ago value={r.last} />, sortBy: (r) => String(r.last) },
  { id: 'why', head: 'Why', cell: (r) => <small>{r.why}</small> },
];

const candidateKey = (r: CandidateRow) => `${r.address} ${r.port} ${r.direction}`;

function Candidates() {
  const [query] = useQuery();
  const got = useGet<Rows<CandidateRow>>('/registry/candidates', { limit: 500, text: query.get('text'), after: query.get('after') });
  return (
    <section>
      <h2>Seen without a permit</h2>
      <p class="soft">Not registered is not abusive: before the day of the block it is not even forbidden. <code>span25 registry letters</code> writes to their owners, each letter with a form that is filled in already.</p>
      <Loaded of={got} what="hosts">
        {(d) => d.rows.length === 0
          ? <Empty title="Every host that was seen using mail ports has a permit." />
          : <Table caption="Hosts that use mail ports without a permit" columns={SEEN} rows={d.rows} keyOf={candidateKey} href={(r) => hostHref(r.address)}
            next={d.next ?? null} {...(d.total === undefined ? {} : { total: d.total })} />}
      </Loaded>
    </section>
  );
}

interface Mismatch { key: string; line: LineRow; seen: CandidateRow | null }

function mismatchesOf(lines: LineRow[], seen: CandidateRow[]): Mismatch[] {
  const of = new Map<string, LineRow>();
  for (const l of lines)
    if (l.state !== 'ended' && l.address !== null) of.set(String(l.address), l);
  const other = seen.flatMap((s) => {
    const line = of.get(s.address);
    return line ? [{ key: candidateKey(s), line, seen: s }] : [];
  });
  const silent = lines.filter((l) => l.state === 'permitted' && !l.first_mail
    && Date.now() - (dateOf(l.permitted)?.getTime() ?? Date.now()) > SILENT_S * 1000);
  return [...other, ...silent.map((line) => ({ key: `${line.form}/${line.line}`, line, seen: null }))];
}

const MISMATCHES: Column<Mismatch>[] = [
  { id: 'address', head: 'Address', cell: (m) => <Wire value={m.line.address} />, tight: true },
  { id: 'form', head: 'Form', cell: (m) => `${m.line.form}, line ${m.line.line}`, tight: true },
  { id: 'site', head: 'Site', cell: (m) => <Wire value={m.line.site} prose absent="no site" /> },
  { id: 'says', head: 'The form says', cell: (m) => <>port <Wire value={m.line.port} />, {m.line.direction === 'both' ? 'both ways' : `to ${m.line.direction}`}, {m.line.state}</> },
  { id: 'seen', head: 'What was seen', cell: (m) => m.seen === null
    ? <>no mail since it was permitted <Ago value={m.line.permitted} /></>
    : <>it {m.seen.direction}s on port {m.seen.port}: {counted(m.seen.sessions, 'session')}, last <Ago value={m.seen.last} /></> },
];

function Mismatches() {
  const lines = useGet<Rows<LineRow>>('/registry/lines', { limit: 500 });
  const seen = useGet<Rows<CandidateRow>>('/registry/candidates', { limit: 500 });
  const rows = useMemo(() => mismatchesOf(lines.data?.rows ?? [], seen.data?.rows ?? []), [lines.data, seen.data]);
  const cut = (lines.data?.next ?? null) !== null || (seen.data?.next ?? null) !== null;
  return (
    <section>
      <h2>What the forms say, and what was seen</h2>
      <p class="soft">Addresses of a form that use a port or a way which is not permitted, and permits that nobody has used for 14 days.</p>
      {cut && <p class="note">Only the first 500 lines and hosts were compared.</p>}
      <Loaded of={lines} what="lines">
        {() => <Loaded of={seen} what="hosts">
          {() => rows.length === 0 ? <Empty title="What was seen fits the forms." />
            : <Table caption="What does not fit" columns={MISMATCHES} rows={rows} keyOf={(m) => m.key} href={(m) => formHref(m.line.form)} />}
        </Loaded>}
      </Loaded>
    </section>
  );
}
