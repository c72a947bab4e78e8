// Blocking: what is stopped, by whom, until when, and is it loaded?
import { useState } from 'preact/hooks';
import { may, post, useGet, useMe } from '../api';
import { Dialog, Field } from '../dialog';
import { notifyAll } from '../live';
import { hrefOf, type Params, patched, useQuery } from '../router';
import { Page } from '../shell';
import { Empty, Failed, Loaded } from '../state';
import { Table, type Column } from '../table';
import type { BlockRow, BlocksDiff, Consumer, Exception, PolicyRow, Rows } from '../types';
import { Wire } from '../wire';
import { Ago, count, counted, dateOf, duration, Time } from '../words';
import { ALLOW_TIMES, BLOCK_TIMES, LiftDialog, ReasonDialog } from './acts';
import { addressOfSubject, HostLink, hostHref, modeOf, plain, Value, WasSeen, When } from './desk';
import { STANDING } from './blocking_parts';
import { STATISTICS } from './hosts';
import { kept } from './filters';

const MODES = ['off', 'simulate', 'enforce'] as const;
type Mode = (typeof MODES)[number];
const SOON_S = 3600;
const DECIDING = ['s1', 's1t', 's2', 's3', 's4', 's5', 's6', 's7']; // statistics with a mode of their own
const MEANS: Record<Mode, string> = {
  off: 'nothing is decided by itself, and nothing is stopped',
  simulate: 'it is told what would be stopped; nothing is stopped',
  enforce: 'the lists of a live sensor stop what is decided',
};

type Doing = { what: 'lift' | 'approve' | 'refuse' | 'extend'; row: BlockRow } | { what: 'mode'; mode: Mode; rule?: string } | { what: 'pause' | 'resume' | 'add' } | { what: 'unexcept'; row: Exception } | null;

export function Blocking(_: { params: Params }) {
  const [query] = useQuery();
  const who = useMe();
  const firewall = may(who, 'firewall');
  const policy = useGet<Rows<PolicyRow>>('/policy');
  const blocks = useGet<Rows<BlockRow>>('/blocks', { limit: 500, all: query.get('view') === 'over' });
  const diff = useGet<BlocksDiff>('/blocks/diff');
  const exceptions = useGet<Rows<Exception>>('/exceptions');
  const [doing, setDoing] = useState<Doing>(null);
  const reload = () => { policy.reload(); blocks.reload(); diff.reload(); exceptions.reload(); };
  const mode = modeOf(policy.data) as Mode | undefined;
  const rows = blocks.data?.rows ?? [];
  const of = (state: string) => rows.filter((b) => b.state === state);
  const asked = of('asked');
  const soon = of('in force').filter((b) => secondsLeft(b.until) < SOON_S);
  return (
    <Page title="Blocking" question="What is stopped, by whom, until when, and is it loaded?"
      actions={firewall && <button type="button" class="secondary" onClick={() => setDoing({ what: 'add' })}>Block an address…</button>}>
      <Loaded of={policy} what="the policy" rows={2}>
        {(p) => <ModeSwitch rows={p.rows} may={firewall} onMode={(m, rule) => setDoing({ what: 'mode', mode: m, ...(rule ? { rule } : {}) })} onPause={(w) => setDoing({ what: w })} />}
      </Loaded>

      {asked.length > 0 && (
        <section>
          <h2>Waiting for an answer <span class="badge">{asked.length}</span></h2>
          <ul class="asked">
            {asked.map((b) => (
              <li key={b.id}>
                <p><HostLink subject={b.subject} /> <Wire value={b.site} prose absent="no site" />: <Wire value={b.reason} prose />. Asked <Ago value={b.since} />{b.until && <>, ends <Ago value={b.until} /></>}. {counted(b.collateral, 'ordinary-looking message')} of it within a week would have failed.</p>
                {firewall && <p class="buttons">
                  <button type="button" onClick={() => setDoing({ what: 'approve', row: b })}>Approve {b.subject}…</button>
                  <button type="button" class="secondary" onClick={() => setDoing({ what: 'refuse', row: b })}>Refuse {b.subject}…</button>
                </p>}
              </li>
            ))}
          </ul>
        </section>
      )}

      {soon.length > 0 && (
        <section>
          <h2>Expiring within an hour</h2>
          <ul class="told">{soon.map((b) => <li key={b.id}><HostLink subject={b.subject} /> ends <Ago value={b.until} /> {firewall && <button type="button" class="quiet" onClick={() => setDoing({ what: 'extend', row: b })}>Extend {b.subject}…</button>}</li>)}</ul>
        </section>
      )}

      <section>
        <h2>{mode === 'enforce' ? 'What is stopped' : 'What would be stopped'}</h2>
        <nav class="tabs" aria-label="Which decisions">
          {[['', 'Now'], ['over', 'Also those that are over']].map(([v, words]) => <a key={v} href={hrefOf('/blocking', patched(query, { view: v }))} aria-current={(query.get('view') ?? '') === v ? 'page' : undefined}>{words}</a>)}
        </nav>
        <Loaded of={blocks} what="blocks">
          {(data) => {
            const shown = kept(data.rows, query, (b) => ({ site: plain(b.site), state: b.state, host: addressOfSubject(b.subject) }))
              .filter((b) => (!query.get('site') || plain(b.site) === query.get('site')) && (!query.get('state') || b.state === query.get('state')) && (!query.get('host') || addressOfSubject(b.subject) === query.get('host')));
            if (shown.length === 0)
              return <Empty title={data.rows.length > 0 ? 'No decision matches these filters.' : `Nothing is blocked. Mode: ${mode ?? 'not known'}.${mode !== 'enforce' && diff.data?.preview ? ` ${count(diff.data.after)} would be.` : ''}`}><WasSeen /></Empty>;
            return <Table<BlockRow> caption="Decisions, the newest first" rows={shown} columns={columns(firewall || may(who, 'analyst'), firewall, setDoing)} keyOf={(b) => b.id}
              href={(b) => hostHref(b.subject)} marked={(b) => b.state === 'asked'} total={data.total ?? data.rows.length} next={data.next ?? null}
              keys={may(who, 'firewall', 'analyst') ? { l: (b) => { if (b.state === 'in force' || b.state === 'asked') setDoing({ what: 'lift', row: b }); } } : {}} />;
          }}
        </Loaded>
      </section>

      <section>
        <h2>The lists for firewalls</h2>
        {diff.error && !diff.data
          ? (diff.error.status === 409
            ? <Refused why={diff.error.message} />
            : <Failed error={diff.error} what="the lists" retry={diff.reload} />)
          : <Loaded of={diff} what="the lists" rows={3}>{(d) => <Lists d={d} />}</Loaded>}
      </section>

      <section>
        <h2>Exceptions</h2>
        <Loaded of={exceptions} what="exceptions" rows={2}>
          {(x) => (x.rows.length === 0 ? <p class="none">No exception is in force.</p> : (
            <ul class="told">
              {x.rows.map((e) => (
                <li key={e.id}><b class="addr">{e.prefix}</b> kept from {e.from === 'both' ? 'alerts and blocks' : `${e.from}s`}{e.until ? <> until <When value={e.until} /></> : ', without an end'}, by <Wire value={e.actor} prose />: <Wire value={e.reason} prose />
                  {may(who, 'analyst') && <> <button type="button" class="quiet" onClick={() => setDoing({ what: 'unexcept', row: e })}>End exception {e.id}…</button></>}</li>
              ))}
            </ul>
          ))}
        </Loaded>
      </section>
      <Dialogs doing={doing} mode={mode} rows={rows} diff={diff.data} onClose={() => setDoing(null)} after={reload} />
    </Page>
  );
}

function secondsLeft(until: string | null): number {
  const at = dateOf(until);
  return at ? (at.getTime() - Date.now()) / 1000 : Infinity;
}

function columns(lift: boolean, firewall: boolean, set: (d: Doing) => void): Column<BlockRow>[] {
  return [
    { id: 'subject', head: 'Address', tight: true, sortBy: (b) => b.subject, cell: (b) => <span class="addr">{b.subject}</span> },
    { id: 'state', head: 'State', tight: true, sortBy: (b) => b.state, cell: (b) => <><Value field="state" value={b.state}>{STANDING[b.state] ?? b.state}</Value><small class="block soft">{b.mode}</small></> },
    { id: 'reason', head: 'Why', cell: (b) => <span class="widecell"><Wire value={b.reason} prose shown={220} /></span> },
    { id: 'until', head: 'Until', tight: true, sortBy: (b) => b.until, cell: (b) => (b.until ? <><Ago value={b.until} /><small class="block soft"><Time value={b.until} /></small></> : <span class="none">nothing is stopped</span>) },
    { id: 'by', head: 'By', cell: (b) => <>{b.origin === 'human' ? 'a person' : 'detector'}{b.step > 0 && `, step ${b.step}`}<small class="block soft"><Ago value={b.since} /></small></> },
    { id: 'site', head: 'Site', sortBy: (b) => plain(b.site), cell: (b) => <Value field="site" value={plain(b.site)}><Wire value={b.site} prose /></Value> },
    { id: 'collateral', head: 'Ordinary mail', num: true, sortBy: (b) => b.collateral, cell: (b) => count(b.collateral), hint: 'ordinary-looking messages within a week' },
    { id: 'do', head: 'Do', cell: (b) => (b.state === 'in force' || b.state === 'asked'
      ? <span class="buttons">{lift && <button type="button" class="quiet" aria-label={`Lift ${b.subject}`} onClick={() => set({ what: 'lift', row: b })}>Lift…</button>}
        {firewall && b.state === 'in force' && <button type="button" class="quiet" aria-label={`Extend ${b.subject}`} onClick={() => set({ what: 'extend', row: b })}>Extend…</button>}</span>
      : <span class="none">–</span>) },
  ];
}

// ---- the mode ----

function ModeSwitch({ rows, may: allowed, onMode, onPause }: { rows: PolicyRow[]; may: boolean; onMode: (m: Mode, rule?: string) => void; onPause: (w: 'pause' | 'resume') => void }) {
  const row = (what: string) => rows.find((r) => r.what === what);
  const mode = row('mode');
  const pause = row('pause');
  const breaker = row('breaker');
  const paused = pause !== undefined && pause.state !== 'none';
  return (
    <>
      <div class="modes" role="toolbar" aria-label="Mode">
        {MODES.map((m) => (
          <button key={m} type="button" class={mode?.state === m ? 'mode on' : 'mode'} aria-pressed={mode?.state === m} disabled={!allowed && mode?.state !== m}
            onClick={() => { if (mode?.state !== m && allowed) onMode(m); }}>
            <b>{m.toUpperCase()}</b><small>{MEANS[m]}</small>
          </button>
        ))}
      </div>
      <p class="soft">
        {mode?.by ? <>Set by <Wire value={mode.by} prose /> <Ago value={mode.since} />: <Wire value={mode.reason} prose />. </> : 'As the configuration has it. '}
        {allowed && !paused && <button type="button" class="quiet" onClick={() => onPause('pause')}>Pause…</button>}
      </p>
      {paused && <p class="note"><b>Paused</b>{pause.until && <> until <When value={pause.until} /></>}: nothing is stopped. <Wire value={pause.by} prose />: <Wire value={pause.reason} prose /> {allowed && <button type="button" class="secondary" onClick={() => onPause('resume')}>Resume…</button>}</p>}
      {breaker && breaker.state !== 'closed' && <p class="note bad" role="alert"><b>The breaker is {breaker.state}:</b> a cap was met, and nothing more is stopped by itself until a person resumes. <Wire value={breaker.reason} prose /> {allowed && <button type="button" class="secondary" onClick={() => onPause('resume')}>Resume…</button>}</p>}
      <details open={DECIDING.some((s) => row(s))}>
        <summary>Of each policy: at most this mode</summary>
        <div class="filters">{DECIDING.map((s) => {
          const own = row(s);
          return (
            <label key={s}>{STATISTICS[s]} <select value={own?.state ?? 'enforce'} disabled={!allowed} onChange={(e) => {
              onMode(e.currentTarget.value as Mode, s);
              e.currentTarget.value = own?.state ?? 'enforce'; // until it is done
            }}>{MODES.map((m) => <option key={m} value={m}>{m === 'enforce' ? 'as the mode above' : m}</option>)}</select>
              {own && <small><Wire value={own.by} prose />: <Wire value={own.reason} prose /></small>}</label>
          );
        })}</div>
      </details>
    </>
  );
}

// Whose hosts they are.
function BySite({ rows }: { rows: BlockRow[] }) {
  const sites = new Map<string, BlockRow[]>();
  for (const b of rows) sites.set(plain(b.site), [...(sites.get(plain(b.site)) ?? []), b]);
  if (sites.size === 0) return null;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="By site"><table>
      <thead><tr><th scope="col">Site</th><th scope="col">Addresses</th><th scope="col" class="n">Ordinary mail of a week</th></tr></thead>
      <tbody>{[...sites].slice(0, 50).map(([site, of]) => (
        <tr key={site}><th scope="row">{site === '' ? 'no site' : <Wire value={site} prose />}</th><td>{of.slice(0, 5).map((b) => <div key={b.id} class="addr">{b.subject}</div>)}{of.length > 5 && `and ${count(of.length - 5)} more`}</td>
          <td class="n">{count(of.reduce((n, b) => n + b.collateral, 0))}</td></tr>
      ))}</tbody></table></div>
  );
}

// What a mode would change, with numbers, before it does.
function Consequence({ from, to, rows, diff }: { from: Mode | undefined; to: Mode; rows: BlockRow[]; diff: BlocksDiff | undefined }) {
  const inForce = rows.filter((b) => b.state === 'in force');
  const enforced = inForce.filter((b) => b.mode === 'enforce').length;
  const simulated = inForce.length - enforced;
  const mail = inForce.reduce((n, b) => n + b.collateral, 0);
  if (to === 'enforce')
    return (
      <>
        <p>From now on what is decided stops mail. <b>0 addresses are stopped at once:</b> what would be stopped today ({count(simulated)}) needs fresh evidence, or a person.</p>
        {simulated > 0 && <p>If the same hosts go on: {counted(simulated, 'address', 'addresses')}, with {counted(mail, 'ordinary-looking message')} within a week.</p>}
        <BySite rows={inForce.filter((b) => b.mode !== 'enforce')} />
        {diff && <p>The list may grow by {count(diff.rails.growth_limit)} an hour, to at most {count(diff.rails.size_limit)} entries; {diff.consumers.length > 0 ? `${counted(diff.consumers.length, 'firewall')} fetch it` : 'no firewall fetches it yet'}.</p>}
        <p>Way back: mode simulate or off, here or with <code>span25 policy mode off --reason …</code>; the lists empty themselves.</p>
      </>
    );
  return (
    <>
      <p>{to === 'off' ? 'Nothing is decided by itself any more.' : 'It goes on being told what would be stopped.'} {from === 'enforce'
        ? <><b>{counted(enforced, 'block')} that {enforced === 1 ? 'is' : 'are'} in force {enforced === 1 ? 'ends' : 'end'} now</b>; firewalls empty their lists at their next fetch.</>
        : 'No mail is stopped now, so none is let through by this.'}</p>
      {from === 'enforce' && <BySite rows={inForce.filter((b) => b.mode === 'enforce')} />}
      {from !== 'enforce' && to === 'off' && simulated > 0 && <p>{counted(simulated, 'simulated block')} {simulated === 1 ? 'ends' : 'end'}.</p>}
    </>
  );
}

// ---- lists ----

function Lists({ d }: { d: BlocksDiff }) {
  const r = d.rails;
  const rails: [string, string, boolean][] = [
    ['Growth', `+${count(r.growth)} of ${count(r.growth_limit)} an hour${r.waiting > 0 ? `, ${count(r.waiting)} wait` : ''}`, r.waiting === 0],
    ['Size', `${count(r.size)} of ${count(r.size_limit)}`, r.size < r.size_limit],
    ['Registered kept out', count(r.registered), true], ['Asked for, kept out', count(r.permitted), true],
    ['Excepted, kept out', count(r.excepted), true], ['Protected, kept out', count(r.protected), true],
  ];
  return (
    <>
      <p>{d.preview ? 'A preview, nobody loads it: ' : ''}{count(d.before)} → {counted(d.after, 'entry', 'entries')} (+{count(d.added)} −{count(d.gone)} ~{count(d.changed)}).</p>
      {d.lines.length > 0 && <ul class="diff" aria-label="What the next list changes">{d.lines.slice(0, 500).map((l, i) => {
        const kind = plain(l)[0];
        return <li key={i} class={kind === '+' ? 'plus' : kind === '-' ? 'minus' : 'tilde'}><Wire value={l} /></li>;
      })}</ul>}
      {d.lines.length > 500 && <p class="soft">Showing 500 of {count(d.lines.length)}.</p>}
      {d.notes.length > 0 && <details><summary>{counted(d.notes.length, 'address', 'addresses')} kept out or cut</summary><ul class="told">{d.notes.slice(0, 500).map((n, i) => <li key={i}><Wire value={n} prose /></li>)}</ul></details>}
      <h3>Safety rails</h3>
      <dl class="facts small">{rails.map(([k, v, good]) => <div key={k}><dt>{k}</dt><dd>{v}{!good && <small class="warnword">at its limit</small>}</dd></div>)}</dl>
      <Consumers d={d} />
    </>
  );
}

function Consumers({ d }: { d: BlocksDiff }) {
  return (
    <>
      <h3>Consumers</h3>
      {d.consumers.length === 0
        ? <p class="none">No firewall is named in the configuration (consumers), so nobody fetches a list.</p>
        : (
          <div class="scroll" tabIndex={0} role="region" aria-label="Consumers">
            <table><thead><tr><th scope="col">Consumer</th><th scope="col">Format</th><th scope="col">Last fetch</th><th scope="col" class="n">Entries</th><th scope="col">Hash</th><th scope="col">State</th></tr></thead>
              <tbody>{d.consumers.map((c) => <tr key={c.name}><th scope="row">{c.name}</th><td>{c.format}</td><td class="tight"><When value={c.fetched} absent="never" /></td><td class="n">{c.fetched ? count(c.entries) : '–'}</td>
                <td>{c.fetched ? (c.matches ? 'matches' : 'differs') : '–'}</td><td><Fetches c={c} serial={d.serial} /></td></tr>)}</tbody></table>
          </div>
        )}
    </>
  );
}

function Fetches({ c, serial }: { c: Consumer; serial: number }) {
  if (c.fetched === null) return <span class="warnword">has fetched nothing yet: it enforces nothing of ours</span>;
  if (c.late) return <span class="warnword">{c.name} has not fetched for {duration(c.age_s ?? 0)}: it still enforces the list of <Time value={c.fetched} /></span>;
  return <>{c.matches ? 'has the newest list' : `has list ${count(c.serial)}; the newest is ${count(serial)}`}, asks at least every {duration(c.late_after_s)}</>;
}

// Nothing stands against a preview, so it says who fetched what also when no list can be made.
function Refused({ why }: { why: string }) {
  const got = useGet<BlocksDiff>('/blocks/diff', { preview: true });
  return (
    <>
      <p class="note calm">No new list is made: <Wire value={why} prose /> The last good one stays served.</p>
      {got.data && <Consumers d={got.data} />}
    </>
  );
}

// ---- dialogs ----

function Dialogs({ doing, mode, rows, diff, onClose, after }: { doing: Doing; mode: Mode | undefined; rows: BlockRow[]; diff: BlocksDiff | undefined; onClose: () => void; after: () => void }) {
  if (doing === null) return null;
  const said = (messages: string[], otherwise: string) => notifyAll(messages.map((m) => plain(m)), otherwise);
  switch (doing.what) {
    case 'lift': return <LiftDialog subject={doing.row.subject} inadvertent={false} onClose={onClose} after={after} />;
    case 'approve': return (
      <ReasonDialog title={`Approve the block of ${doing.row.subject}`} danger confirm={`Approve ${doing.row.subject}`} onClose={onClose} onDone={after}
        consequence={<><p>Port 25 is closed for {doing.row.subject} for the time below{mode === 'enforce' ? '' : `; the mode is ${mode}, so it is written down and nothing is stopped`}. {counted(doing.row.collateral, 'ordinary-looking message')} of it within a week would have failed.</p><p><Wire value={doing.row.reason} prose /></p></>}
        time={{ label: 'For', values: [['', 'the next step of the ladder'], ...BLOCK_TIMES] }}
        ask={async (why, time) => said((await post('/blocks/approve', { subject: doing.row.subject, reason: why, ...(time ? { for: time } : {}) })).messages, `${doing.row.subject} is approved.`)} />
    );
    case 'refuse': return (
      <ReasonDialog title={`Refuse the block of ${doing.row.subject}`} confirm={`Refuse ${doing.row.subject}`} onClose={onClose} onDone={after}
        consequence={<p>It is not stopped, and the detector leaves it alone for 24 hours.</p>}
        ask={async (why) => said((await post('/blocks/refuse', { subject: doing.row.subject, reason: why })).messages, `${doing.row.subject} is refused.`)} />
    );
    case 'extend': return (
      <ReasonDialog title={`Extend the block of ${doing.row.subject}`} danger confirm={`Extend ${doing.row.subject}`} onClose={onClose} onDone={after}
        consequence={<p>The block of {doing.row.subject} ends so long from now, in place of <Time value={doing.row.until} />.</p>}
        time={{ label: 'From now for', values: BLOCK_TIMES }}
        ask={async (why, time) => said((await post('/blocks/add', { subject: addressOfSubject(doing.row.subject), for: time, reason: why })).messages, `${doing.row.subject} is extended.`)} />
    );
    case 'mode': {
      const { mode: to, rule } = doing;
      const words = rule === undefined ? `mode ${to}` : `${to === 'enforce' ? 'the mode of all' : `mode ${to}`} for ${STATISTICS[rule]}`;
      return (
        <ReasonDialog title={`Set ${words}`} danger={to === 'enforce'} confirm={`Set ${words}`} onClose={onClose} onDone={after}
          consequence={rule === undefined ? <Consequence from={mode} to={to} rows={rows} diff={diff} />
            : <p>{to === 'enforce' ? `What this statistic decides counts as the mode above says: ${mode ?? 'not known'}.`
              : to === 'off' ? 'This statistic decides nothing any more; others do as before.'
                : 'What rests on this statistic alone is told, and stops nothing; others do as before.'}</p>}
          ask={async (why) => said((await post('/policy/mode', { mode: to, reason: why, ...(rule ? { rule } : {}) })).messages, `Set: ${words}.`)} />
      );
    }
    case 'pause': return (
      <ReasonDialog title="Pause" confirm="Pause" onClose={onClose} onDone={after}
        consequence={<p>Nothing is stopped until the time below is over; then it goes on by itself.</p>}
        time={{ label: 'For', values: [['30m', '30 minutes'], ['5m', '5 minutes'], ['2h', '2 hours'], ['24h', '24 hours']] }}
        ask={async (why, time) => said((await post('/policy/pause', { for: time, reason: why })).messages, 'Paused.')} />
    );
    case 'resume': return (
      <ReasonDialog title="Resume" confirm="Resume" onClose={onClose} onDone={after}
        consequence={<p>What is decided counts again from now on, as the mode says.</p>}
        ask={async (why) => said((await post('/policy/resume', { reason: why })).messages, 'Resumed.')} />
    );
    case 'unexcept': return (
      <ReasonDialog title={`End exception ${doing.row.id}`} confirm={`End exception ${doing.row.id}`} onClose={onClose} onDone={after}
        consequence={<p>{doing.row.prefix} is treated as every other host again.</p>}
        ask={async (why) => said((await post('/exceptions/remove', { id: doing.row.id, reason: why })).messages, 'The exception is ended.')} />
    );
    case 'add': return <AddDialog mode={mode} onClose={onClose} after={after} />;
  }
}

function AddDialog({ mode, onClose, after }: { mode: Mode | undefined; onClose: () => void; after: () => void }) {
  return (
    <Dialog title="Block an address" confirm="Block it" danger onClose={onClose}
      consequence={<p>Port 25 is closed both ways for one IPv4 address, or one IPv6 /64. Registered, permitted, excepted and protected hosts are refused.{mode !== 'enforce' && ` The mode is ${mode ?? 'not known'}, so nothing is stopped by it.`}</p>}
      onConfirm={async (form) => {
        const subject = String(form.get('subject') ?? '').trim();
        const a = await post('/blocks/add', { subject, for: String(form.get('for')), reason: String(form.get('reason') ?? '') });
        after();
        notifyAll(a.messages.map((m) => plain(m)), `${subject} is to be stopped.`);
      }}>
      <Field label="Address"><input name="subject" required maxLength={64} autocomplete="off" /></Field>
      <Field label="For"><select name="for">{[ALLOW_TIMES[0], ...BLOCK_TIMES].sort((a, b) => (a[0] === '4h' ? -1 : b[0] === '4h' ? 1 : 0)).map(([v, words]) => <option key={v} value={v}>{words}</option>)}</select></Field>
      <Field label="Reason" hint="Everybody who looks at this later reads it."><input name="reason" required maxLength={1024} autocomplete="off" /></Field>
    </Dialog>
  );
}
