// What happens if we switch it on? The studies that were run, and what each found.
import { addressOf, useGet } from '../api';
import { pathOf, type Params } from '../router';
import { Page } from '../shell';
import { Empty, Loaded } from '../state';
import { Table, type Column } from '../table';
import { Wire, type WireText } from '../wire';
import { count, counted, percent, Time } from '../words';

interface StudyRow {
  name: string;
  title: WireText | null;
  from: string | null;
  to: string | null;
  status: string | null;
  author: WireText | null;
}

// Of the study's document only what is shown here: study-1 of span25 study run.
interface Value {
  value: number | null;
  low: number | null;
  high: number | null;
  k: number;
  n: number;
  method: string | null;
}

interface Classes {
  bot: number;
  mixed: number;
  legitimate: number;
  unknown: number;
}

interface Policy {
  name: string;
  title: WireText;
  terms: WireText;
  hosts?: Classes;
  hosts_of?: Classes;
  registered?: number;
  owners?: number;
  wrong?: Value;
  staff_h?: number | null;
}

interface StudyData {
  cover: { title: WireText; author: WireText | null; reviewer: WireText | null; status: string; command: WireText; version: string;
    rules_hash: string; config_hash: string; from: string; to: string; demo?: boolean };
  proposed?: string | null;
  effective?: string | null;
  rollback?: WireText | null;
  criteria?: { name: WireText; limit: WireText; measured: number | string | null; verdict: string; why: WireText | null }[];
  policies?: Policy[];
  sites?: { code: string; name: WireText | null; contact: WireText | null; hosts: number; registered: number; legitimate: number }[];
}

const LIST: Column<StudyRow>[] = [
  { id: 'name', head: 'Study', cell: (r) => <Wire value={r.name} />, sortBy: (r) => r.name },
  { id: 'title', head: 'Title', cell: (r) => <Wire value={r.title} prose /> },
  { id: 'from', head: 'From', tight: true, cell: (r) => <Time value={r.from} />, sortBy: (r) => r.from },
  { id: 'to', head: 'To', tight: true, cell: (r) => <Time value={r.to} /> },
  { id: 'status', head: 'Status', cell: (r) => r.status ?? '–' },
  { id: 'author', head: 'Author', cell: (r) => <Wire value={r.author} prose /> },
];

export function Study(_: { params: Params }) {
  const got = useGet<{ rows: StudyRow[] }>('/studies');
  return (
    <Page title="Study" question="What happens if we switch it on?">
      <Loaded of={got} what="studies">
        {(data) => (data.rows.length > 0
          ? <Table caption="Studies" columns={LIST} rows={data.rows} keyOf={(r) => r.name} href={(r) => pathOf('study', r.name)} />
          : (
            <Empty title="No study yet.">
              <p>A study replays the policy on what was recorded, at least 14 days of it, and says who would have been stopped:</p>
              <pre>span25 study run --state DIR -o DIR/studies/before-the-block.json</pre>
              <p>What lies in the folder studies/ of the state is listed here.</p>
            </Empty>
          ))}
      </Loaded>
    </Page>
  );
}

const VERDICT: Record<string, string> = { pass: 'ok', fail: 'bad' };

function Criteria({ rows }: { rows: NonNullable<StudyData['criteria']> }) {
  if (rows.length === 0) return <p class="note">No criteria were agreed before the study, so nothing passes or fails.</p>;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Criteria">
      <table>
        <thead><tr><th scope="col">Criterion</th><th scope="col">Limit</th><th scope="col" class="n">Measured</th><th scope="col">Verdict</th></tr></thead>
        <tbody>
          {rows.map((c, i) => (
            <tr key={i}>
              <th scope="row"><Wire value={c.name} prose /></th>
              <td><Wire value={c.limit} prose /></td>
              <td class="n">{typeof c.measured === 'number' ? Number(c.measured.toPrecision(3)) : c.measured ?? 'not measured'}</td>
              <td><span class={`chip ${VERDICT[c.verdict] ?? 'warn'}`}>{c.verdict}</span> {c.why && <Wire value={c.why} prose />}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function stopped(p: Policy, kind: keyof Classes): string {
  if (!p.hosts) return '–';
  return p.hosts_of ? `${count(p.hosts[kind])} of ${count(p.hosts_of[kind])}` : count(p.hosts[kind]);
}

// The count first, then the interval; a share of none says nothing.
function interval(v: Value | undefined): string {
  if (!v || v.n === 0) return '–';
  const range = v.low === null || v.high === null ? '' : `, 95 %: ${percent(100 * v.low)} to ${percent(100 * v.high)}`;
  return `${count(v.k)} of ${count(v.n)}${range}`;
}

function policies(proposed: string | null | undefined): Column<Policy>[] {
  return [
    { id: 'name', head: 'Policy', cell: (p) => <>{p.name === proposed && <span class="chip ok">proposed</span>} {p.name} <Wire value={p.title} prose /></> },
    { id: 'bot', head: 'Bots', num: true, cell: (p) => stopped(p, 'bot') },
    { id: 'mixed', head: 'Mixed', num: true, cell: (p) => stopped(p, 'mixed') },
    { id: 'legitimate', head: 'Legitimate', num: true, cell: (p) => stopped(p, 'legitimate') },
    { id: 'unknown', head: 'Unknown', num: true, cell: (p) => stopped(p, 'unknown') },
    { id: 'registered', head: 'Registered', num: true, hint: 'registered hosts that it stops', cell: (p) => count(p.registered) },
    { id: 'owners', head: 'Owners', num: true, hint: 'to write to', cell: (p) => count(p.owners) },
    { id: 'wrong', head: 'Legitimate, stopped', cell: (p) => interval(p.wrong) },
    { id: 'staff', head: 'Hours of work', num: true, cell: (p) => (p.staff_h === null || p.staff_h === undefined ? '–' : p.staff_h.toFixed(1)) },
  ];
}

function Found({ data, name }: { data: StudyData; name: string }) {
  const { cover } = data;
  const sites = data.sites ?? [];
  return (
    <>
      {cover.demo && <p class="note"><b>DEMO.</b> This study is about made traffic.</p>}
      <dl class="facts">
        <div><dt>Window</dt><dd><small>from <Time value={cover.from} /></small><small>to <Time value={cover.to} /></small></dd></div>
        <div><dt>Status</dt><dd>{cover.status}</dd></div>
        <div><dt>Author</dt><dd><Wire value={cover.author} prose absent="not named" /></dd></div>
        <div><dt>Reviewer</dt><dd><Wire value={cover.reviewer} prose absent="not reviewed" /></dd></div>
        <div><dt>Proposed</dt><dd>{data.proposed ?? '–'}{data.effective && <small>from <Time value={data.effective} /></small>}</dd></div>
        <div><dt>Way back</dt><dd><Wire value={data.rollback} prose /></dd></div>
      </dl>
      <h2>Go or no-go</h2>
      <Criteria rows={data.criteria ?? []} />
      <h2>If this policy had been on: hosts stopped, by what they are</h2>
      <Table caption="Policies" columns={policies(data.proposed)} rows={data.policies ?? []} keyOf={(p) => p.name} />
      {sites.length > 0 && (
        <>
          <h2>{counted(sites.length, 'site')}</h2>
          <Table caption="Sites" keysOff rows={sites} keyOf={(s) => s.code} columns={[
            { id: 'site', head: 'Site', cell: (s) => <><Wire value={s.name ?? s.code} prose /> <span class="soft"><Wire value={s.code} prose /></span></> },
            { id: 'hosts', head: 'Hosts', num: true, cell: (s) => count(s.hosts), sortBy: (s) => s.hosts },
            { id: 'registered', head: 'Registered', num: true, cell: (s) => count(s.registered), sortBy: (s) => s.registered },
            { id: 'legitimate', head: 'Look legitimate', num: true, cell: (s) => count(s.legitimate), sortBy: (s) => s.legitimate },
            { id: 'contact', head: 'Contact', cell: (s) => <Wire value={s.contact} prose absent="none known: find the owner" /> },
          ]} />
        </>
      )}
      <h2>The whole report</h2>
      <p>It has the sight, the limits and how sure they are, the errors, the sites and the work. It is one file without any script, to read, print, mail and keep:</p>
      <pre>span25 study show <Wire value={name} />.json -o <Wire value={name} />.html</pre>
      <p class="soft">Made by span25 {cover.version}, rules {cover.rules_hash.slice(0, 12)}, configuration {cover.config_hash.slice(0, 12)}, with:</p>
      <pre><Wire value={cover.command} /></pre>
    </>
  );
}

export function StudyShown({ params }: { params: Params }) {
  const name = params.name ?? '';
  const got = useGet<StudyData>(`/studies/${encodeURIComponent(name)}`, {}, { live: false });
  return (
    <Page title={got.data ? <Wire value={got.data.cover.title} prose /> : 'Study'} question="Who would have been stopped, and at what cost?"
      actions={<a role="button" href={addressOf(`/studies/${encodeURIComponent(name)}`)} download={`${name}.json`}>Download as JSON</a>}>
      <p><a href="/study">All studies</a></p>
      <Loaded of={got} what="the study" rows={12}>{(data) => <Found data={data} name={name} />}</Loaded>
    </Page>
  );
}
