// What happens if we switch it on? The studies that were run, and what each found.
import { useState } from 'preact/hooks';
import { addressOf, may, useGet, useMe } from '../api';
import { pathOf, type Params } from '../router';
import { Page } from '../shell';
import { Empty, Loaded } from '../state';
import { Table, type Column } from '../table';
import { Wire, type WireText } from '../wire';
import { count, counted, percent, Time } from '../words';
import { JobNote, PublishPart, ReviewPart, StartDialog, SweepChart, TooShort, useStudies, type StudyRow, type Sweep } from './study_work';

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
  sweeps?: Sweep[];
  sight?: { loss: number | null; hours_refused: number; hours: { covered_s: number }[] };
  cells?: { [kind in keyof Classes]: { [of in 'registered' | 'unregistered']: { hosts: number; messages: number } } };
  sites?: { code: string; name: WireText | null; contact: WireText | null; hosts: number; registered: number; legitimate: number; stopped?: number[] }[];
}

const LIST: Column<StudyRow>[] = [
  { id: 'name', head: 'Study', cell: (r) => <Wire value={r.name} />, sortBy: (r) => r.name },
  { id: 'title', head: 'Title', cell: (r) => <Wire value={r.title} prose /> },
  { id: 'from', head: 'From', tight: true, cell: (r) => <Time value={r.from} />, sortBy: (r) => r.from },
  { id: 'to', head: 'To', tight: true, cell: (r) => <Time value={r.to} /> },
  { id: 'status', head: 'Status', cell: (r) => <>{r.published && <span class="chip ok">published</span>} {r.status ?? '–'}</> },
  { id: 'author', head: 'Author', cell: (r) => <Wire value={r.author} prose /> },
];

export function Study(_: { params: Params }) {
  const got = useStudies();
  const mine = may(useMe(), 'firewall');
  const [starts, setStarts] = useState<'study' | 'sweep' | null>(null);
  const runs = got.data?.job?.running === true;
  return (
    <Page title="Study" question="What happens if we switch it on?"
      actions={mine && <span class="buttons"><button type="button" disabled={runs} onClick={() => setStarts('study')}>Start a study…</button> <button type="button" class="secondary" disabled={runs} onClick={() => setStarts('sweep')}>Sweep a limit…</button></span>}>
      <Loaded of={got} what="studies">
        {(data) => (
          <>
            <TooShort of={data.recorded} />
            <JobNote of={data.job} after={got.reload} />
            {data.rows.length > 0
              ? <Table caption="Studies, those published first" columns={LIST} rows={[...data.rows].sort((a, b) => Number(!!b.published) - Number(!!a.published))} keyOf={(r) => r.name} href={(r) => pathOf('study', r.name)} />
              : (
                <Empty title="No study yet.">
                  <p>A study replays the policy on what was recorded, and says who would have been stopped. Who has the firewall starts one here.</p>
                </Empty>
              )}
            {starts && <StartDialog sweep={starts === 'sweep'} of={data} onClose={() => setStarts(null)} after={got.reload} />}
          </>
        )}
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

// Of more than this not seen, the figures are of another network.
const GAPS = 0.05;

function Sight({ of }: { of: NonNullable<StudyData['sight']> }) {
  const known = of.hours.filter((h) => h.covered_s >= 0);
  const gaps = 1 - known.reduce((n, h) => n + h.covered_s, 0) / (3600 * known.length);
  return (
    <>
      {gaps > GAPS && <p class="note bad"><b>Gaps: for {percent(100 * gaps)} of the time nothing was watched.</b> Counts are at least so high.</p>}
      {of.hours_refused > 0 && <p class="note bad"><b>{counted(of.hours_refused, 'hour')} left out:</b> more than 5 % of their bytes were lost.</p>}
      {known.length < of.hours.length && <p class="note">Of {counted(of.hours.length - known.length, 'hour')} gaps were not measured.</p>}
    </>
  );
}

const KINDS = ['bot', 'mixed', 'legitimate', 'unknown'] as const;

function Senders({ cells }: { cells: NonNullable<StudyData['cells']> }) {
  return (
    <Table caption="Hosts by what they are" keysOff rows={[...KINDS]} keyOf={(k) => k} columns={[
      { id: 'kind', head: 'Host', cell: (k) => k },
      ...(['unregistered', 'registered'] as const).flatMap((of) => (['hosts', 'messages'] as const).map((n) => (
        { id: of + n, head: `${of}: ${n}`, num: true, cell: (k: keyof Classes) => count(cells[k][of][n]) }))),
    ]} />
  );
}

function Found({ data, name, report }: { data: StudyData; name: string; report: boolean }) {
  const { cover } = data;
  const sites = data.sites ?? [];
  const proposed = (data.policies ?? []).findIndex((p) => p.name === data.proposed);
  return (
    <>
      {data.sight && <Sight of={data.sight} />}
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
      {data.cells && <><h2>Who sent</h2><Senders cells={data.cells} /></>}
      <h2>If this policy had been on: hosts stopped, by what they are</h2>
      <Table caption="Policies" columns={policies(data.proposed)} rows={data.policies ?? []} keyOf={(p) => p.name} />
      {(data.sweeps ?? []).length > 0 && <><h2>Where the limits come from</h2>{data.sweeps!.map((w, i) => <SweepChart key={i} of={w} />)}</>}
      {sites.length > 0 && (
        <>
          <h2>{counted(sites.length, 'site')}</h2>
          <Table caption="Sites" keysOff rows={sites} keyOf={(s) => s.code} columns={[
            { id: 'site', head: 'Site', cell: (s) => <><Wire value={s.name ?? s.code} prose /> <span class="soft"><Wire value={s.code} prose /></span></> },
            { id: 'hosts', head: 'Hosts', num: true, cell: (s) => count(s.hosts), sortBy: (s) => s.hosts },
            { id: 'registered', head: 'Registered', num: true, cell: (s) => count(s.registered), sortBy: (s) => s.registered },
            { id: 'legitimate', head: 'Look legitimate', num: true, cell: (s) => count(s.legitimate), sortBy: (s) => s.legitimate },
            ...(proposed < 0 ? [] : [{ id: 'stopped', head: 'Would be stopped', num: true, cell: (s: (typeof sites)[number]) => count(s.stopped?.[proposed]) }]),
            { id: 'contact', head: 'Contact', cell: (s) => <Wire value={s.contact} prose absent="none known: find the owner" /> },
          ]} />
        </>
      )}
      <h2>The whole report</h2>
      {report ? <p><a role="button" href={addressOf(`/studies/report/${encodeURIComponent(name)}`)}>Open the report</a></p> : <p>None was written.</p>}
      <p class="soft">Made by span25 {cover.version}, rules {cover.rules_hash.slice(0, 12)}, configuration {cover.config_hash.slice(0, 12)}, with:</p>
      <pre><Wire value={cover.command} /></pre>
    </>
  );
}

export function StudyShown({ params }: { params: Params }) {
  const name = params.name ?? '';
  const got = useGet<StudyData>(`/studies/${encodeURIComponent(name)}`, {}, { live: false });
  const all = useStudies();
  const row = all.data?.rows.find((r) => r.name === name);
  return (
    <Page title={got.data ? <Wire value={got.data.cover.title} prose /> : 'Study'} question="Who would have been stopped, and at what cost?"
      actions={<a role="button" href={addressOf(`/studies/${encodeURIComponent(name)}`)} download={`${name}.json`}>Download as JSON</a>}>
      <p><a href="/study">All studies</a></p>
      {row && <PublishPart row={row} after={all.reload} />}
      {all.data?.job?.name === name && <JobNote of={all.data.job} after={all.reload} />}
      <Loaded of={got} what="the study" rows={12}>{(data) => <Found data={data} name={name} report={row?.report === true} />}</Loaded>
      {row?.review !== undefined && <ReviewPart row={row} job={all.data?.job} after={all.reload} />}
    </Page>
  );
}
