// One alert: why, on what evidence, and what now. The nine parts stand in the order of the questions.
import { useState } from 'preact/hooks';
import { get, may, useGet, useMe } from '../api';
import { useKeys } from '../keys';
import { hrefOf, type Params } from '../router';
import { Page } from '../shell';
import { Empty, Loaded } from '../state';
import type { AlertCard, AlertRow, BlockRow, Evidence, ExplainAddress, HostRow, Rows, SmtpEvent } from '../types';
import { Wire } from '../wire';
import { bytes, count, counted, dateOf, duration, Time } from '../words';
import { act, AllowDialog, BlockDialog, CloseDialog, failed, ReasonDialog } from './acts';
import {
  addressOfSubject, alertHref, Checks, copyText, defanged, HostLink, isMail, justification, modeOf, moment, OwnerLine, plain,
  rank, RegistrationChip, ROLE, save, SeverityMark, SIGHT, STATUS, Transcript, usePolicy, When,
} from './desk';
import { Strip, type Mark } from './strip';

type Doing = 'close' | 'reopen' | 'block' | 'allow' | 'silence' | null;

export function Alert({ params }: { params: Params }) {
  const id = params.id ?? '';
  const got = useGet<AlertCard>(`/alerts/${encodeURIComponent(id)}`);
  if (got.error?.status === 404 || (got.error?.status === 400 && !got.data))
    return (
      <Page title={`Alert ${id}`}>
        <Empty title="There is no such alert."><p><Wire value={got.error.message} prose /></p>
          <p>Alerts are kept as long as the journal. <a href="/alerts?view=all">All alerts</a></p></Empty>
      </Page>
    );
  return got.data
    ? <Card card={got.data} got={got} />
    : <Page title={`Alert ${id}`}><Loaded of={got} what="the alert" rows={10}>{() => null}</Loaded></Page>;
}

function Card({ card, got }: { card: AlertCard; got: ReturnType<typeof useGet<AlertCard>> }) {
  const who = useMe();
  const can = may(who, 'analyst');
  const [doing, setDoing] = useState<Doing>(null);
  const a = card.event.alert;
  const address = addressOfSubject(a.subject);
  const policy = usePolicy();
  const about = useGet<ExplainAddress>('/why', { q: address });
  const sentence = justification(card);
  const closed = card.status === 'closed';
  const doNow = (action: 'ack' | 'escalate') => { if (can) act(action, [a.id], {}, got.reload).catch(failed); };
  const copy = () => { void copyText(sentence, 'The justification was'); };
  useKeys({
    e: () => doNow('ack'),
    s: () => doNow('escalate'),
    c: () => { if (can) setDoing(closed ? 'reopen' : 'close'); },
    y: copy,
  });
  const last = card.history[card.history.length - 1];
  return (
    <Page title={<>Alert {card.id}: <Wire value={a.signature} prose /></>}
      actions={<a href="/alerts">Back to the inbox</a>}>
      <Loaded of={got} what="the alert">{() => null}</Loaded>

      <section class="cardhead" aria-label="What it is">
        <p class="chips">
          <SeverityMark of={a.level} />
          <span class="chip">{STATUS[card.status]}{last?.control.actor !== undefined && <> by <Wire value={last.control.actor} prose /></>}</span>
          <Episode card={card} />
          <RegistrationChip state={card.event.src_reg?.state} form={card.event.src_reg?.form} />
          {card.silenced && <span class="chip warn">silenced by an exception</span>}
        </p>
        <p class="soft">Opened <When value={a.first} />, last match <When value={a.last} />, {counted(a.count, 'event')} matched. Host <HostLink subject={a.subject} /></p>
      </section>

      <section aria-label="Reason">
        <p class="reason"><Wire value={a.reason} prose />.</p>
        <p class="buttons"><button type="button" class="secondary" onClick={copy}>Copy the justification for a ticket <kbd>y</kbd></button></p>
        <details><summary>The sentence that is copied</summary><p class="sentence" data-sentence>{sentence}</p></details>
      </section>

      <section>
        <h2>Why is this flagged</h2>
        <Checks checks={card.checks} />
        {a.matched && a.matched.length > 0 && (
          <details><summary>What the rule asked for, and what it met</summary>
            <ul class="matched">{a.matched.map((m, i) => <li key={i}><Wire value={m} /></li>)}</ul>
            <p class="soft">Scores in thousandths.</p>
          </details>
        )}
        <RuleText id={a.rule} />
        {a.metadata?.attack && <p class="soft">ATT&amp;CK {a.metadata.attack.join(', ')}</p>}
      </section>

      <section>
        <h2>Evidence</h2>
        <EvidenceList card={card} />
      </section>

      <section>
        <h2>Timeline</h2>
        <Timeline card={card} about={about.data} />
      </section>

      <section>
        <h2>What would be blocked</h2>
        <Blocked card={card} mode={modeOf(policy.data)} />
      </section>

      <section>
        <h2>Related</h2>
        <Related card={card} />
      </section>

      <section>
        <h2>Actions</h2>
        <OwnerLine owner={card.owner} />
        <div class="bar desk-actions" role="toolbar" aria-label="Actions">
          {can && card.status === 'new' && <button type="button" onClick={() => doNow('ack')}>Acknowledge <kbd>e</kbd></button>}
          {can && !closed && card.status !== 'escalated' && <button type="button" class="secondary" onClick={() => doNow('escalate')}>Escalate <kbd>s</kbd></button>}
          {can && !closed && <button type="button" class={card.status === 'new' ? 'secondary' : ''} onClick={() => setDoing('close')}>Close as… <kbd>c</kbd></button>}
          {can && closed && <button type="button" onClick={() => setDoing('reopen')}>Open again… <kbd>c</kbd></button>}
          {may(who, 'firewall') && a.block?.scope && <button type="button" class="secondary" onClick={() => setDoing('block')}>Block…</button>}
          {can && <button type="button" class="secondary" onClick={() => setDoing('allow')}>Keep from blocks…</button>}
          {can && <button type="button" class="secondary" onClick={() => setDoing('silence')}>Do not alert on this again…</button>}
          {may(who, 'registrar') && <a class="btn" href={hrefOf('/registry/candidates', { text: address })}>Start registration for this host</a>}
          {isMail(card.owner) && <a class="btn" href={letter(card)}>Contact owner</a>}
          <Export card={card} sentence={sentence} />
        </div>
        {!can && <p class="soft">Your role looks at alerts; analysts close them.</p>}
      </section>

      <section>
        <h2>History</h2>
        <History card={card} />
      </section>

      {doing === 'close' && <CloseDialog ids={[a.id]} what={`alert ${card.id}`} sentence={sentence} onClose={() => setDoing(null)} after={got.reload} />}
      {doing === 'reopen' && <ReasonDialog title={`Open alert ${card.id} again`} confirm="Open again" onClose={() => setDoing(null)} onDone={got.reload}
        consequence={<p>It is new again, and back in the inbox. That it was closed stays in its history.</p>}
        ask={(reason) => act('reopen', [a.id], { reason }, got.reload)} />}
      {doing === 'block' && <BlockDialog address={address} collateral={a.block?.collateral} mode={modeOf(policy.data)} onClose={() => setDoing(null)} after={got.reload} />}
      {doing === 'allow' && <AllowDialog address={address} onClose={() => setDoing(null)} after={got.reload} />}
      {doing === 'silence' && <AllowDialog address={address} rule={{ id: a.rule, title: plain(a.signature) }} onClose={() => setDoing(null)} after={got.reload} />}
    </Page>
  );
}

// "ongoing", or "ended 08:24, lasted 10 min"
function Episode({ card }: { card: AlertCard }) {
  const a = card.event.alert;
  if (a.state !== 'ended') return <span class="chip">ongoing</span>;
  const from = dateOf(moment(a.first));
  const to = dateOf(moment(a.last));
  const s = from && to ? (to.getTime() - from.getTime()) / 1000 : null;
  return <span class="chip">ended, lasted {s === null ? 'an unknown time' : duration(s)}</span>;
}

// ---- the rule ----

function RuleText({ id }: { id: string }) {
  const [open, setOpen] = useState(false);
  const got = useGet<{ text?: string } | string>(open ? `/rules/${encodeURIComponent(id)}` : null, {}, { live: false });
  const text = typeof got.data === 'string' ? got.data : got.data?.text ?? (got.data ? JSON.stringify(got.data, null, 1) : undefined);
  return (
    <details onToggle={(e) => setOpen(e.currentTarget.open)}>
      <summary>The rule: why it matters, its limit, known benign causes, what to do</summary>
      {open && (text === undefined && !got.data && got.answer?.messages.length
        ? <pre>{got.answer.messages.join('\n')}</pre>
        : <Loaded of={got} what="the rule">{() => <pre>{text}</pre>}</Loaded>)}
      <p class="soft">Rule <code>{id}</code></p>
    </details>
  );
}

// ---- evidence ----

function EvidenceList({ card }: { card: AlertCard }) {
  const told = card.event.alert.evidence ?? [];
  const gone = told.filter((t) => !card.evidence.some((e) => e.event.event_id === t.event_id));
  if (card.content === false)
    return (
      <>
        <p class="note calm">What was said in these sessions is content of mail: analysts see it, and each look is written down.</p>
        <ul class="told">{told.map((t) => <li key={t.role}>{ROLE[t.role] ?? t.role}: <Time value={moment(t.when) ?? null} seconds /> <span class="chip">{SIGHT[t.sight] ?? t.sight}</span></li>)}</ul>
      </>
    );
  if (card.evidence.length === 0)
    return <p class="none">{told.length === 0 ? 'The alert names no event.' : 'The journal does not have these events any more: what is older than its time is deleted.'}</p>;
  return (
    <>
      {card.evidence.map((e, i) => {
        const roles = told.filter((t) => t.event_id === e.event.event_id);
        return <OneEvidence key={`${e.role}${i}`} of={e} title={roles.length > 0 ? roles.map((r) => ROLE[r.role] ?? r.role).join(', ').replace(/, (\w)/g, (m) => m.toLowerCase()) : ROLE[e.role] ?? e.role}
          sight={roles[0]?.sight} open={i === worstOf(card)} />;
      })}
      {gone.length > 0 && new Set(gone.map((g) => g.event_id)).size > 0 && <p class="none">{counted(new Set(gone.map((g) => g.event_id)).size, 'more event')} named by the alert {gone.length === 1 ? 'is' : 'are'} not in the journal any more.</p>}
    </>
  );
}

// The one that is shown open: a conversation rather than figures.
function worstOf(card: AlertCard): number {
  for (const role of ['worst', 'refused_mail', 'latest_mail', 'earliest_mail', 'latest', 'first']) {
    const i = card.evidence.findIndex((e) => e.role === role && e.said.some((l) => l.who !== ''));
    if (i >= 0) return i;
  }
  return 0;
}

function OneEvidence({ of, title, sight, open }: { of: Evidence; title: string; sight: string | undefined; open: boolean }) {
  const e = of.event;
  const tls = of.session?.smtp?.starttls;
  return (
    <details class="evidence" open={open}>
      <summary>
        <b>{title}</b> <Time value={moment(e.timestamp) ?? null} seconds />
        {sight !== undefined && <> <span class="chip">{SIGHT[sight] ?? sight}</span></>}
        {e.event_type === 'host' && ' statistics of the host'}
      </summary>
      <EvidenceFacts event={e} session={of.session} />
      {(e.event_type !== 'host' || of.said.length > 0) && <Transcript said={of.said} />}
      {tls?.used && <p class="soft">Not observable after STARTTLS: subject, recipients, attachments.</p>}
      {e.event_type !== 'host' && <p><a href={`/sessions/${encodeURIComponent(e.event_id)}`}>This session by itself</a></p>}
    </details>
  );
}

// [2001:db8::1]:25, for without brackets the port would be one more group.
export function end(ip: string | undefined, port: number | null | undefined): string {
  return ip === undefined ? '?' : port ? `${ip.includes(':') ? `[${ip}]` : ip}:${port}` : ip;
}

function endsOf(e: SmtpEvent): string {
  return e.dest_ip === undefined ? end(e.src_ip, e.src_port) : `${end(e.src_ip, e.src_port)} → ${end(e.dest_ip, e.dest_port)}`;
}

export function EvidenceFacts({ event: e, session: s }: { event: SmtpEvent; session?: SmtpEvent | null | undefined }) {
  const smtp = e.smtp;
  const flow = s?.flow ?? e.flow;
  const tls = s?.smtp?.starttls ?? smtp?.starttls;
  const rows: [string, preact.ComponentChildren][] = [['Connection', <span class="addr">{endsOf(e)}</span>]];
  if (smtp?.helo !== undefined) rows.push(['HELO', <Wire value={smtp.helo} kind="domain" />]);
  if (smtp?.mail_from !== undefined) rows.push(['MAIL FROM', <Wire value={smtp.mail_from} kind="address" />]);
  if (smtp?.rcpt_offered !== undefined) rows.push(['Recipients', `${count(smtp.rcpt_offered)} offered, ${count(smtp.rcpt_accepted ?? 0)} accepted, ${count(smtp.rcpt_refused ?? 0)} refused`]);
  if (smtp?.final_code !== undefined) rows.push(['Answer', <>{smtp.final_code} {smtp.final_class} {smtp.outcome && `(${smtp.outcome})`}</>]);
  if (tls) rows.push(['TLS', tls.used ? 'handshake only' : tls.offered ? 'offered, not used' : 'not offered']);
  if (flow?.bytes_toserver !== undefined) rows.push(['Bytes', `${bytes(flow.bytes_toserver)} to the server, ${bytes(flow.bytes_toclient)} back`]);
  if (e.email?.subject !== undefined) rows.push(['Subject', <Wire value={e.email.subject} />]);
  if (e.host) {
    rows.push(['Until then', `${counted(e.host.sessions, 'connection')}, ${counted(e.host.rcpt_offered ?? 0, 'recipient')} offered, ${count(e.host.rcpt_unknown ?? 0)} of them unknown users`]);
  }
  if (e.quality && ((e.quality.gaps ?? 0) > 0 || e.quality.oneway || e.quality.midstream))
    rows.push(['Seen', [e.quality.oneway && 'one direction only', e.quality.midstream && 'from the middle on', (e.quality.gaps ?? 0) > 0 && counted(e.quality.gaps ?? 0, 'gap')].filter(Boolean).join(', ')]);
  return <dl class="facts small">{rows.map(([k, v]) => <div key={k}><dt>{k}</dt><dd>{v}</dd></div>)}</dl>;
}

// ---- timeline ----

function Timeline({ card, about }: { card: AlertCard; about: ExplainAddress | undefined }) {
  const a = card.event.alert;
  const marks: Mark[] = [
    { at: a.first, label: 'alert opened', lane: 'alert' },
    { at: a.last, label: a.state === 'ended' ? 'last match; then quiet' : 'last match', lane: 'alert' },
    ...(a.evidence ?? []).map((e): Mark => ({ at: e.when, label: `${ROLE[e.role] ?? e.role} evidence`.toLowerCase(), lane: 'evidence' })),
    ...card.history.map((h): Mark => ({ at: h.control.time ?? h.timestamp, label: `${h.control.action} by ${plain(h.control.actor)}`, lane: 'people' })),
    ...(about?.decisions?.rows ?? []).map((d): Mark => ({ at: d.time, until: d.until ?? undefined, label: `${d.action}, ${d.mode}`, lane: 'blocks' })),
    ...(about?.exceptions?.rows ?? []).filter((x) => x.since).map((x): Mark => ({ at: x.since!, until: x.until ?? undefined, label: `exception ${x.id}`, lane: 'registry' })),
  ];
  const host = about?.hosts?.[0]?.host;
  if (host) marks.push({ at: host.first, until: host.last, label: 'host seen speaking SMTP', lane: 'seen' });
  return <Strip marks={marks} around={a.last} from={a.first} caption={`Events around alert ${card.id}`} />;
}

// ---- blocked ----

const STANDS: Record<string, string> = {
  'in force': 'A decision about this host is in force', asked: 'A human is asked about this host', withheld: 'A block of this host is withheld', over: 'The last decision about it is over',
};

function Blocked({ card, mode }: { card: AlertCard; mode: string | undefined }) {
  const blocks = useGet<Rows<BlockRow>>('/blocks');
  const mine = blocks.data?.rows.find((b) => addressOfSubject(b.subject) === addressOfSubject(card.event.alert.subject));
  return (
    <>
      <ul class="told">
        {card.block.map((line, i) => <li key={i} class={plain(line).startsWith('Collateral') ? 'collateral' : undefined}><Wire value={line} prose /></li>)}
      </ul>
      <p>
        Mode: <b>{mode ?? 'not known'}</b>{mode === 'simulate' && ', so nothing is blocked'}{mode === 'off' && ', so nothing is decided by itself'}.
        {mine && <> {STANDS[mine.state]}{mine.until && mine.state !== 'withheld' && <> until <Time value={mine.until} /></>}. <a href="/blocking">Blocking</a></>}
      </p>
    </>
  );
}

// ---- related ----

function Related({ card }: { card: AlertCard }) {
  const a = card.event.alert;
  const rule = useGet<Rows<AlertRow>>('/alerts', { rule: a.rule, limit: 500 });
  const host = useGet<Rows<AlertRow>>('/alerts', { host: addressOfSubject(a.subject), limit: 500 });
  const others = new Set((rule.data?.rows ?? []).filter((r) => r.rule === a.rule).map((r) => r.subject));
  others.delete(a.subject);
  const also = (host.data?.rows ?? []).filter((r) => r.subject === a.subject && r.alert !== a.id)
    .sort((x, y) => rank(x.severity) - rank(y.severity));
  return (
    <ul class="told">
      <li>{rule.data ? <>The same rule is met by <a href={hrefOf('/alerts', { view: 'all', rule: a.rule, group: 'host' })}>{counted(others.size, 'other host')}</a>.</> : 'Looking for the same rule on other hosts…'}</li>
      {also.map((r) => <li key={r.alert}>Same host: <a href={alertHref(r.id)}>{r.id}</a> <SeverityMark of={r.severity} /> <Wire value={r.title} prose />, {STATUS[r.status]}</li>)}
      <Near card={card} />
      {card.related.map((r, i) => <li key={i}><HostLink subject={r.subject} /> {r.words}</li>)}
      {card.related.length === 0 && <li class="soft">No other host is known that speaks the same way, sends the same mail or gives the same name.</li>}
      <li><a href={hrefOf('/alerts', { view: 'all', site: plain(a.site) })}>Alerts at the same site</a> · <a href={hrefOf('/sessions', { host: addressOfSubject(a.subject) })}>Its sessions</a></li>
    </ul>
  );
}

// Who else speaks SMTP at the site and in the same /24.
function Near({ card }: { card: AlertCard }) {
  const a = card.event.alert;
  const address = addressOfSubject(a.subject);
  const got = useGet<Rows<HostRow>>('/hosts', { limit: 500 });
  const net = /^\d+\.\d+\.\d+\./.exec(address)?.[0];
  const others = (got.data?.rows ?? []).filter((h) => addressOfSubject(h.host) !== address);
  const site = others.filter((h) => plain(h.site) !== '' && plain(h.site) === plain(a.site));
  const near = net === undefined ? [] : others.filter((h) => h.host.startsWith(net));
  if (!got.data) return null;
  const told = (rows: HostRow[]) => `${counted(rows.length, 'other host')}, ${count(rows.filter((h) => h.registered === 'registered').length)} registered`;
  return (
    <>
      {plain(a.site) !== '' && <li>At the same site: <a href={hrefOf('/hosts', { site: plain(a.site) })}>{told(site)}</a></li>}
      {net !== undefined && <li>In {net}0/24: <a href={hrefOf('/hosts', { text: net })}>{told(near)}</a></li>}
    </>
  );
}

// ---- actions ----

// A draft in the reader's own mail program: facts, never an accusation.
function letter(card: AlertCard): string {
  const a = card.event.alert;
  const body = [
    `We observed mail traffic of ${a.subject} that needs your attention (our reference: alert ${card.id}).`, '',
    defanged(plain(a.reason)) + '.', '',
    `First seen ${a.first}, last ${a.last} (UTC).`, '',
    'Please check the machine and tell us what you found. If it is a mail server, please register it.',
  ].join('\r\n');
  return `mailto:${encodeURIComponent(plain(card.owner.mail))}?subject=${encodeURIComponent(`Mail traffic of ${a.subject}, reference ${card.id}`)}&body=${encodeURIComponent(body)}`;
}

function Export({ card, sentence }: { card: AlertCard; sentence: string }) {
  const json = async () => {
    const { data } = await get<AlertCard>(`/alerts/${encodeURIComponent(card.event.alert.id)}`);
    save(`alert-${card.id}.json`, 'application/json', JSON.stringify(data, null, 1));
  };
  const text = () => save(`alert-${card.id}.txt`, 'text/plain', [
    sentence, '', ...card.checks.map((c) => `${c.result === 'fired' ? '*' : ' '} ${c.words}: ${plain(c.observed)}${c.limit ? ` (limit: ${c.limit})` : ''}`),
    '', ...card.block.map(plain), `Owner: ${plain(card.owner.text)}`, '', ...card.told.map(plain), '',
  ].map(defanged).join('\n'));
  return (
    <details class="export">
      <summary>Export</summary>
      <p class="buttons">
        <button type="button" class="secondary" onClick={text}>Text for a ticket</button>
        <button type="button" class="secondary" onClick={() => { json().catch(failed); }}>JSON</button>
      </p>
      <p class="soft">Packets: <code>span25 alerts show {card.id} --pcap FILE</code>, where a live sensor keeps them (evidence.packets). AUTH is masked in it.</p>
    </details>
  );
}

// ---- history ----

function History({ card }: { card: AlertCard }) {
  return <ol class="told history">{card.told.map((line, i) => <li key={i}><Wire value={line} prose /></li>)}</ol>;
}
