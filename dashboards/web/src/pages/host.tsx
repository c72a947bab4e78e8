// One host: what it does in words that a postmaster knows, who answers for it, and what was decided about it.
import { useState } from 'preact/hooks';
import { may, useGet, useMe } from '../api';
import { hrefOf, type Params } from '../router';
import { Page } from '../shell';
import { Empty, Loaded } from '../state';
import type { BlockRow, Check, ExplainAddress, HostEvent, Rows, SessionRow } from '../types';
import { Wire } from '../wire';
import { count, counted, RATED, share, Time } from '../words';
import { AllowDialog, BlockDialog, LiftDialog } from './acts';
import {
  addressOfSubject, alertHref, CheckTable, Facts, modeOf, moment, OwnerLine, plain, rank, RegistrationChip, SeverityMark,
  STATUS, usePolicy, WasSeen, When,
} from './desk';
import { BlockState, Against } from './blocking_parts';
import { Peers } from './peers';
import { Strip, type Mark } from './strip';

type Doing = 'block' | 'allow' | 'lift' | null;

export function Host({ params }: { params: Params }) {
  const address = params.addr ?? '';
  const who = useMe();
  const got = useGet<ExplainAddress>('/why', { q: address });
  const policy = usePolicy();
  const blocks = useGet<Rows<BlockRow>>('/blocks', { all: true });
  const mails = useGet<Rows<SessionRow>>('/sessions', { host: address, type: 'smtp', limit: 1 });
  const [doing, setDoing] = useState<Doing>(null);
  const mine = blocks.data?.rows.find((b) => addressOfSubject(b.subject) === address);
  const reload = () => { got.reload(); blocks.reload(); };
  const host = got.data?.hosts[0];
  return (
    <Page title={<span class="addr">{address}</span>} question={host ? <Names event={host} /> : undefined}
      actions={got.data && (
        <>
          {may(who, 'registrar') && <a class="btn" href={hrefOf('/registry/candidates', { text: address })}>Start registration</a>}
          {may(who, 'analyst') && <button type="button" class="secondary" onClick={() => setDoing('allow')}>Keep from blocks…</button>}
          {may(who, 'firewall') && mine?.state !== 'in force' && <button type="button" class="secondary" onClick={() => setDoing('block')}>Block…</button>}
          {may(who, 'analyst', 'firewall') && (mine?.state === 'in force' || mine?.state === 'asked') && <button type="button" onClick={() => setDoing('lift')}>Lift…</button>}
        </>
      )}>
      <Loaded of={got} what="the host" rows={10}>
        {(x) => (x.schema !== 'span25.explain'
          ? <Empty title={`${address} is not an address.`}><p><a href={hrefOf('/why', { q: address })}>Look it up</a></p></Empty>
          : <Whole x={x} address={address} block={mine} from={mails.data?.rows[0]} />)}
      </Loaded>
      {doing === 'block' && <BlockDialog address={address} collateral={host?.host.ordinary} mode={modeOf(policy.data)} onClose={() => setDoing(null)} after={reload} />}
      {doing === 'allow' && <AllowDialog address={address} onClose={() => setDoing(null)} after={reload} />}
      {doing === 'lift' && mine && <LiftDialog subject={mine.subject} inadvertent={false} onClose={() => setDoing(null)} after={reload} />}
    </Page>
  );
}

function Names({ event }: { event: HostEvent }) {
  const h = event.host;
  return <>{h.name !== undefined ? <Wire value={h.name} kind="domain" /> : 'name not looked up'}{h.helo !== undefined && <>, calls itself <Wire value={h.helo} kind="domain" /></>}</>;
}

function Whole({ x, address, block, from }: { x: ExplainAddress; address: string; block: BlockRow | undefined; from: SessionRow | undefined }) {
  const host = x.hosts[0];
  return (
    <>
      {host ? <FactStrip event={host} from={from} /> : (
        <Empty title={`${address} was never seen speaking SMTP in what is kept.`}><WasSeen /></Empty>
      )}

      <section>
        <h2>Registration</h2>
        <p class="chips">
          <RegistrationChip state={x.registry ? (x.registry.registered ? 'registered' : 'unregistered') : host?.src_reg?.state} form={host?.src_reg?.form} protect={x.registry?.protected === true} />
          {x.registry === null && <span class="soft">no forms are kept in this state; what is shown is from the list of servers it was read with</span>}
        </p>
        <OwnerLine owner={x.owner} />
        {x.registry !== null && <p><a href={hrefOf('/registry/lines', { text: address })}>Its lines in the registry</a></p>}
      </section>

      <section>
        <h2>Blocks</h2>
        <BlockState address={address} block={block} decisions={x.decisions.rows} />
        <Against words={x.against} />
        {x.exceptions.rows.length > 0 && (
          <ul class="told">
            {x.exceptions.rows.map((e) => <li key={e.id}>Exception {e.id}: kept from {e.from === 'both' ? 'alerts and blocks' : `${e.from}s`}{e.until ? <> until <Time value={moment(e.until) ?? null} /></> : ', without an end'}. <Wire value={e.reason} prose /></li>)}
          </ul>
        )}
      </section>

      {host && x.hosts.map((h, i) => (
        <section key={h.event_id}>
          <h2>Checks{x.hosts.length > 1 && i > 0 ? ', another speaker at this address' : ''}</h2>
          <CheckTable checks={x.checks[i] ?? []} caption="Statistics with their limits" />
          <Requirements event={h} checks={x.checks[i] ?? []} />
        </section>
      ))}

      {host && host.host.home && (
        <section>
          <h2>Compared with others</h2>
          <Peers address={address} />
        </section>
      )}

      <section>
        <h2>Timeline</h2>
        <HostTimeline x={x} address={address} />
      </section>

      <section>
        <h2>Alerts</h2>
        {x.alerts.rows.length === 0 ? <p class="none">No alert is about this host.</p> : (
          <div class="scroll" tabIndex={0} role="region" aria-label="Alerts about this host">
            <table>
              <thead><tr><th scope="col">Alert</th><th scope="col">Severity</th><th scope="col">Rule</th><th scope="col">State</th><th scope="col" class="n">Matches</th><th scope="col">Last</th></tr></thead>
              <tbody>
                {[...x.alerts.rows].sort((a, b) => rank(a.severity) - rank(b.severity)).map((a) => (
                  <tr key={a.id}><th scope="row"><a href={alertHref(a.id)}>{a.id}</a></th><td><SeverityMark of={a.severity} /></td><td><Wire value={a.title} prose /></td>
                    <td>{STATUS[a.status]}{a.silenced && ', silenced'}</td><td class="n">{count(a.count)}</td><td class="tight"><Time value={moment(a.last) ?? null} /></td></tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
        <p><a href={hrefOf('/sessions', { host: address })}>Its sessions</a> · <a href={hrefOf('/alerts', { view: 'all', host: address })}>Its alerts in the inbox</a></p>
      </section>
    </>
  );
}

// The words of SNDS, which postmasters know. What we cannot see is said, not left out.
function FactStrip({ event, from }: { event: HostEvent; from: SessionRow | undefined }) {
  const h = event.host;
  const offered = h.rcpt_offered ?? 0;
  return (
    <Facts label="What it does" facts={[
      { label: 'Activity start', value: <When value={h.first} /> },
      { label: 'Activity end', value: <When value={h.last} /> },
      { label: 'Connections', value: <>{count(h.sessions)}{h.sessions_tls !== undefined && <small>{count(h.sessions_tls)} under TLS</small>}</> },
      { label: 'RCPT commands', value: count(h.rcpt_offered) },
      { label: 'DATA commands', value: <>{count(h.transactions)}<small>{count(h.accepted)} messages accepted</small></>, hint: 'mail transactions, also those that failed' },
      { label: 'Message recipients', value: <>{count(h.rcpt_accepted)}<small>accepted, of those offered</small></> },
      { label: 'Unknown users', value: h.rcpt_unknown === undefined ? 'not observable' : offered < RATED ? <>{count(h.rcpt_unknown)} of {count(offered)}<small>n &lt; {RATED}: not rated</small></> : share(h.rcpt_unknown, offered), hint: 'in place of trap hits, which no passive sensor sees' },
      { label: 'Organisations in the last hour', value: count(h.hour?.organisations) },
      { label: 'Cited by block lists', value: h.s6?.organisations === undefined ? 'not observable' : `by ${counted(h.s6.organisations, 'organisation')}`, hint: 'in replies of other servers, within a day' },
      { label: 'Sample HELO', value: <>{h.helo === undefined ? 'none seen' : <Wire value={h.helo} kind="domain" />}{(h.helo_names ?? 0) > 1 && <small>{count(h.helo_names)} names</small>}</> },
      { label: 'Sample MAIL FROM', value: <>{from?.mail_from == null ? <span class="none">none kept</span> : <Wire value={from.mail_from} kind="address" shown={80} />}{(h.senders ?? 0) > 1 && <small>{counted(h.senders!, 'sender')}</small>}</> },
      { label: 'Complaint rate', value: <span class="none">not observable</span>, hint: 'complaints go to mailbox providers, not past this sensor' },
      { label: 'Like a mail server', value: h.queueing ? 'yes: it tries again' : 'no' },
      { label: 'Ordinary-looking mail', value: <>{count(h.ordinary)}<small>in a week; a block would stop it too</small></> },
    ]} />
  );
}

// UX 8.4: observed, violated, or not observable; never "none" for "not seen".
function Requirements({ event, checks }: { event: HostEvent; checks: Check[] }) {
  const h = event.host;
  const tls = h.sessions_tls ?? 0;
  const plainText = h.sessions - tls;
  const auth = h.auth;
  const rows: [string, string, preact.ComponentChildren][] = [
    ['Alive', 'observed', <>seen <When value={h.last} /></>],
    ['One name', (h.helo_names ?? 0) === 0 ? 'not observable' : (h.helo_names ?? 0) === 1 ? 'observed' : 'observed mismatch', h.helo === undefined ? 'no HELO seen' : <>{counted(h.helo_names ?? 1, 'name')}, such as <Wire value={h.helo} kind="domain" /></>],
    ['Authentication', auth === undefined || plainText === 0 ? 'not observable' : 'observed', auth === undefined ? 'not seen' : plainText === 0 ? 'all sessions are under TLS' : `${counted(auth.successes ?? 0, 'success', 'successes')}, ${counted(auth.failures ?? 0, 'failure')} within a day, in ${count(plainText)} readable sessions`],
    ['One machine', h.identity?.conflict ? 'observed mismatch' : h.identity?.macs ? 'observed' : 'not observable', h.identity?.conflict ? 'its packets come from several MAC addresses' : `${counted(h.identity?.macs ?? 0, 'MAC address', 'MAC addresses')}`],
    ['Virus scanning', 'not observable', 'attested by who signs the form'],
    ['No open relay', 'not observable', 'relaying can be seen when it happens; that none was seen proves nothing'],
  ];
  const hidden = checks.filter((c) => c.result === 'not_observable');
  return (
    <details>
      <summary>What a form asks for, as far as it can be seen{hidden.length > 0 && `; ${counted(hidden.length, 'statistic')} not observable`}</summary>
      <div class="scroll" tabIndex={0} role="region" aria-label="Requirements">
        <table><thead><tr><th scope="col">Requirement</th><th scope="col">Seen</th><th scope="col">What was seen</th></tr></thead>
          <tbody>{rows.map(([what, seen, how]) => <tr key={what}><th scope="row">{what}</th><td class="tight">{seen}</td><td>{how}</td></tr>)}</tbody></table>
      </div>
    </details>
  );
}

function HostTimeline({ x, address }: { x: ExplainAddress; address: string }) {
  const marks: Mark[] = [];
  for (const h of x.hosts) marks.push({ at: h.host.first, until: h.host.last, label: 'seen speaking SMTP', lane: 'seen' });
  for (const a of x.alerts.rows) marks.push({ at: a.last, label: `alert ${a.id}, last match: ${plain(a.title)}`, lane: 'alert' });
  for (const d of x.decisions.rows) marks.push({ at: d.time, until: d.until ?? undefined, label: `${d.action}, ${d.mode}`, lane: 'blocks' });
  for (const e of x.exceptions.rows) if (e.since) marks.push({ at: e.since, until: e.until ?? undefined, label: `exception ${e.id}`, lane: 'registry' });
  if (marks.length === 0) return <p class="none">Nothing is known about {address}.</p>;
  const times = marks.map((m) => m.at).sort();
  const last = x.hosts[0]?.host.last ?? times[times.length - 1]!;
  return <Strip marks={marks} from={x.hosts[0]?.host.first ?? times[0]!} around={last} caption={`Events of ${address}`} />;
}
