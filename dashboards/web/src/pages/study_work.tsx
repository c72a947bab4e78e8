// What people do with studies: begin and stop them, draw messages for a review, count it, publish.
import { useEffect, useState } from 'preact/hooks';
import { may, post, useGet, useMe, type Got } from '../api';
import { Chart } from '../chart';
import { Dialog, Field } from '../dialog';
import { notify } from '../live';
import { pathOf } from '../router';
import { Wire, type WireText } from '../wire';
import { Ago, count, counted, dateOf, Time } from '../words';
import { failed, ReasonDialog } from './acts';

export interface StudyRow {
  name: string;
  title: WireText | null;
  from: string | null;
  to: string | null;
  status: string | null;
  author: WireText | null;
  report?: boolean;
  review?: { messages: number; differ: number; decided: number; counted: boolean; reviewers: { user: string; done: number }[] } | null;
  published?: { by: string; when: string; reason: WireText; sha256: string } | null;
}

interface Job {
  action: string;
  name: string;
  user: string;
  since: string;
  running: boolean;
  stopped: boolean;
  code?: number;
  messages?: WireText[];
}

export interface Studies {
  rows: StudyRow[];
  job?: Job | null;
  recorded?: { from: string; to: string } | null;
}

const DAYS = 14; // what a study says of fewer holds for no other week
const DONE = [0, 4]; // 4: something could not be read, which the study says
const WHAT: Record<string, string> = { run: 'the study', sweep: 'the sweep', review: 'messages to review, of the study' };
const POLICIES = ['nothing', 'all unregistered', 'a limit of rate', 'after an alert', 'the detector', 'a time of grace', 'grace and detector'];
const LIMITS: readonly (readonly [string, string])[] = [['per-hour', 'P2: messages an hour'], ['per-day', 'P2: messages a day'], ['alerts', 'P3: alerts'],
  ['block.sessions', 'P4: sessions']];

// Asked more often while one runs.
export function useStudies(): Got<Studies> {
  const [runs, setRuns] = useState(false);
  const got = useGet<Studies>('/studies', {}, { every: runs ? 1500 : 30_000 });
  const now = got.data?.job?.running === true;
  useEffect(() => setRuns(now), [now]);
  return got;
}

export function TooShort({ of }: { of: Studies['recorded'] }) {
  const days = of ? (dateOf(of.to)!.getTime() - dateOf(of.from)!.getTime()) / 86_400_000 : 0;
  if (days >= DAYS) return null;
  return <div class="note"><b>Need at least {DAYS} days; you have {days > 0 && days < 1 ? 'less than 1' : Math.floor(days)}.</b> Less says little of other weeks.</div>;
}

export function JobNote({ of, after }: { of: Job | null | undefined; after: () => void }) {
  const mine = may(useMe(), 'firewall');
  if (!of) return null;
  const what = <>{WHAT[of.action]} <a href={pathOf('study', of.name)}><Wire value={of.name} /></a></>;
  const begun = <>, begun by {of.user} <Ago value={of.since} />.</>;
  const stop = () => {
    post('/studies/stop').then(after, failed);
  };
  if (of.running)
    return <div class="note calm" role="status"><b>Running:</b> {what}{begun}{of.stopped && ' It is asked to end.'} {mine && <button type="button" class="quiet" onClick={stop}>{of.stopped ? 'End it at once' : 'Stop it'}</button>}</div>;
  if (DONE.includes(of.code!)) return <p class="soft" role="status">Done: {what}{begun}</p>;
  return <div class="note bad" role="alert"><b>{of.stopped ? 'Stopped' : 'Failed'}:</b> {WHAT[of.action]} <Wire value={of.name} />. {of.messages?.map((m, i) => <p key={i}><Wire value={m} prose /></p>)}</div>;
}

const day = (v: string | undefined) => dateOf(v)?.toISOString().slice(0, 10) ?? '';

// The end is the day behind the last event: it is not in the window.
const behind = (v: string | undefined) => (v ? day(new Date(dateOf(v)!.getTime() + 86_400_000).toISOString()) : '');

export function StartDialog({ sweep, of, onClose, after }: { sweep: boolean; of: Studies; onClose: () => void; after: () => void }) {
  const begin = async (form: FormData) => {
    const body: { [name: string]: unknown } = { action: sweep ? 'sweep' : 'run', policies: form.getAll('policies') };
    for (const [key, value] of form) if (key !== 'policies') body[key] = String(value).trim();
    if (sweep) body.policies = [LIMITS.find(([v]) => v === body.limit)![1].slice(0, 2)];
    await post('/studies/start', body);
    after();
  };
  const what = sweep ? 'sweep' : 'study';
  const counted = of.rows.filter((r) => r.review?.counted);
  return (
    <Dialog wide title={`Start a ${what}`} confirm={`Start the ${what}`} onClose={onClose} onConfirm={begin}
      consequence={<p>What was recorded is read beside the sensor, with less priority; that may take minutes. Nothing is blocked or written over.</p>}>
      <Field label="Name" hint="Letters, digits, - and _; the name of its files."><input name="name" required pattern="[A-Za-z0-9_][A-Za-z0-9_\-]*" maxLength={64} autocomplete="off" /></Field>
      {!sweep && <Field label="Title"><input name="title" maxLength={200} defaultValue="Impact study of port 25" /></Field>}
      <Field label="From"><input type="date" name="from" defaultValue={day(of.recorded?.from)} /></Field>
      <Field label="To" hint="This day is not in it."><input type="date" name="to" defaultValue={behind(of.recorded?.to)} /></Field>
      {sweep ? (
        <>
          <Field label="Limit"><select name="limit">{LIMITS.map(([v, words]) => <option key={v} value={v}>{words}</option>)}</select></Field>
          <Field label="Lowest"><input name="low" required defaultValue="5" /></Field>
          <Field label="Highest"><input name="high" required defaultValue="500" /></Field>
        </>
      ) : (
        <>
          <fieldset><legend>Policies; none ticked: all</legend>{POLICIES.map((words, i) => <label key={i} class="tick"><input type="checkbox" name="policies" value={`P${i}`} /> P{i}: {words}</label>)}</fieldset>
          {counted.length > 0 && <Field label="Hosts that people judged"><select name="reviewed"><option value="">none</option>{counted.map((r) => <option key={r.name} value={r.name}>in the review of {r.name}</option>)}</select></Field>}
          <details><summary>Limits and criteria of your own</summary><Field label="As YAML"><textarea name="plan" rows={6} maxLength={65536} spellcheck={false} /></Field></details>
          <label class="tick"><input type="checkbox" name="final" value="true" /> Final, no draft</label>
        </>
      )}
    </Dialog>
  );
}

// ---- review and publication of one ----

export function ReviewPart({ row, job, after }: { row: StudyRow; job: Job | null | undefined; after: () => void }) {
  const who = useMe();
  const [drawing, setDrawing] = useState(false);
  const r = row.review;
  const ready = r && r.reviewers.filter((x) => x.done === r.messages).length >= 2 && r.decided >= r.differ;
  const tally = () => {
    post('/studies/count', { name: row.name }).then(() => { notify('Counted. The next study can take what people judged.'); after(); }, failed);
  };
  return (
    <section>
      <h2>Review by people</h2>
      {r ? <p>{counted(r.messages, 'message')} drawn.{r.reviewers.map((x) => <> {x.user}: {count(x.done)} judged.</>)}{r.differ > 0 && ` They differ on ${count(r.differ)}, ${count(r.decided)} decided.`}{r.counted && <b> Counted.</b>}</p>
        : <p>None yet. Two people judge messages without knowing whose they are or what the detector says: only that shows how often it errs.</p>}
      <p class="buttons">
        {!r && may(who, 'firewall') && <button type="button" class="secondary" disabled={job?.running} onClick={() => setDrawing(true)}>Draw messages…</button>}
        {r && may(who, 'analyst') && <a role="button" class="secondary" href={pathOf('study', row.name, 'review')}>Judge messages</a>}
        {ready && may(who, 'analyst', 'firewall') && <button type="button" onClick={tally}>{r.counted ? 'Count again' : 'Count'}</button>}
      </p>
      {drawing && (
        <Dialog title="Draw messages" confirm="Draw messages" onClose={() => setDrawing(false)}
          consequence={<p>Who judges sees subjects, senders and names of attachments; each look is journaled. It is done once for a study.</p>}
          onConfirm={async (form) => { await post('/studies/start', { action: 'review', name: row.name, sample: form.get('sample') }); after(); }}>
          <Field label="Hosts to draw of" hint="One message a host; of large ones up to five."><input name="sample" inputMode="numeric" pattern="[0-9]+" maxLength={4} required defaultValue="200" /></Field>
        </Dialog>
      )}
    </section>
  );
}

export function PublishPart({ row, after }: { row: StudyRow; after: () => void }) {
  const who = useMe();
  const [asking, setAsking] = useState(false);
  const p = row.published;
  if (p) return <p class="note calm"><b>Published</b> <Time value={p.when} /> by {p.by}: <Wire value={p.reason} prose /></p>;
  if (!may(who, 'firewall')) return null;
  return (
    <>
      <p><button type="button" class="secondary" onClick={() => setAsking(true)}>Publish this study…</button></p>
      {asking && <ReasonDialog title={`Publish ${row.name}`} confirm={`Publish ${row.name}`} onClose={() => setAsking(false)} onDone={after}
        consequence={<p>Everybody sees it first in the list. It cannot be taken back or changed: a correction is a new study. It is {row.status === 'final' ? 'final' : <b>marked as a draft</b>}{row.review?.counted ? '' : <>, and <b>no review was counted</b></>}.</p>}
        ask={async (reason) => { await post('/studies/publish', { name: row.name, reason }); }} />}
    </>
  );
}

// ---- sweeps ----

export interface Sweep {
  policy: string;
  what: WireText;
  unit: string;
  chosen: number;
  v: { limit: number; stopped: { bot: number; mixed: number; legitimate: number; unknown: number }; registered: number }[];
}

type Point = Sweep['v'][number];
const LINES: readonly (readonly [string, (p: Point) => number])[] = [['bots', (p) => p.stopped.bot], ['mixed', (p) => p.stopped.mixed],
  ['legitimate', (p) => p.stopped.legitimate], ['registered', (p) => p.registered]];

const number = (x: number) => String(Number(x.toPrecision(3)));

export function SweepChart({ of }: { of: Sweep }) {
  const near = of.v.reduce((a, b) => (Math.abs(b.limit - of.chosen) < Math.abs(a.limit - of.chosen) ? b : a));
  return (
    <Chart caption={`Hosts that ${of.policy} stops, by ${String(of.what)}`} unit={of.unit} times={of.v.map((p) => p.limit)} gaps={[[of.chosen * 0.75, of.chosen * 1.25]]}
      x={{ label: 'Limit', text: number, mark: `the limit chosen, ${number(of.chosen)}, and 25 % around it` }}
      summary={`At ${number(near.limit)}: ${LINES.map(([label, value]) => `${label} ${count(value(near))}`).join(', ')}.`}
      series={LINES.map(([label, value]) => ({ label, values: of.v.map(value) }))} />
  );
}
