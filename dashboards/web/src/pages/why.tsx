// Why is this blocked? One field and a plain answer, for who has a caller on the phone.
import { useEffect, useRef, useState } from 'preact/hooks';
import { may, useGet, useMe } from '../api';
import { hrefOf, type Params, useQuery } from '../router';
import { Page } from '../shell';
import { Loaded, Loading } from '../state';
import type { AlertCard, BlockRow, Explain, ExplainAddress, HostRow, Rows } from '../types';
import type { LineRow } from './registry_data';
import { Wire } from '../wire';
import { counted, Time } from '../words';
import { LiftDialog } from './acts';
import { addressOfSubject, alertHref, HostLink, isCard, moment, OwnerLine, plain, SEVERITY, SeverityMark, WasSeen, When } from './desk';
import { Against } from './blocking_parts';

// "10.20.4.300" is not an address: say so here, and guess.
export function almostAddress(text: string): string | null {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((p) => /^\d{1,4}$/.test(p))) return null;
  if (parts.every((p) => Number(p) <= 255)) return null;
  return parts.map((p) => {
    let fixed = p;
    while (Number(fixed) > 255) fixed = fixed.slice(0, -1);
    return fixed;
  }).join('.');
}

export function Why(_: { params: Params }) {
  const [query, setQuery] = useQuery();
  const q = query.get('q')?.trim() ?? '';
  const field = useRef<HTMLInputElement>(null);
  const guess = almostAddress(q);
  const got = useGet<Explain>(q === '' || guess !== null ? null : '/why', { q });
  useEffect(() => { if (q === '') field.current?.focus(); }, []);
  return (
    <Page title="Why is this blocked?" question="Can I help this caller?"
      actions={got.data && <button type="button" class="secondary" onClick={() => print()}>Print</button>}>
      <form class="whyform" role="search" aria-label="Look up why" onSubmit={(e) => {
        e.preventDefault();
        setQuery({ q: field.current?.value.trim() ?? '' });
      }}>
        <label for="why-q">Address, domain, form or ticket; or the id of an alert, decision or event</label>
        <div class="buttons"><input id="why-q" key={q} ref={field} type="search" defaultValue={q} autocomplete="off" spellcheck={false} placeholder="10.20.4.17" /><button type="submit">Look it up</button></div>
      </form>
      {guess !== null && <p class="note" role="alert"><Wire value={q} prose /> is not an address. Did you mean <button type="button" class="link" onClick={() => setQuery({ q: guess })}>{guess}</button>?</p>}
      {q !== '' && guess === null && (got.error?.status === 400 || got.error?.status === 404) && !got.data
        ? <Named q={q} />
        : q !== '' && guess === null && <Loaded of={got} what="the answer" rows={4}>{(x) => <Answer x={x} q={q} reload={got.reload} />}</Loaded>}
    </Page>
  );
}

// A domain, a form's number, a ticket: which addresses stand beside it.
function Named({ q }: { q: string }) {
  const lines = useGet<Rows<LineRow>>('/registry/lines', { text: q, limit: 20 });
  const hosts = useGet<Rows<HostRow>>('/hosts', { text: q, limit: 20 });
  const blocks = useGet<Rows<BlockRow>>('/blocks', { all: true, limit: 500 });
  const low = q.toLowerCase();
  const found = new Map<string, string>();
  for (const b of blocks.data?.rows ?? [])
    if (plain(b.reason).toLowerCase().includes(low)) found.set(addressOfSubject(b.subject), 'named in the reason of a decision');
  for (const h of hosts.data?.rows ?? []) found.set(addressOfSubject(h.host), 'a host of this name');
  for (const l of lines.data?.rows ?? []) if (l.address !== null) found.set(plain(l.address), `form ${l.form}, line ${l.line}, ${l.state}`);
  const error = lines.error ?? hosts.error ?? blocks.error;
  if (!error && (!lines.answer || !hosts.answer || !blocks.answer)) return <Loading what="the answer" rows={2} />;
  return (
    <div class="answer" role="status">
      {found.size > 0
        ? <><p>Addresses that go with <Wire value={q} prose />:</p><ul class="told">{[...found].map(([a, why]) => <li key={a}><a class="addr" href={hrefOf('/why', { q: a })}>{a}</a>: {why}</li>)}</ul></>
        : <p class="note">No address is known for <Wire value={q} prose />. {error && <>Not all could be looked through: <Wire value={error.message} prose /> </>}Ask the caller for the address of the machine that sends, such as 10.20.4.17.</p>}
      <OtherCauses />
    </div>
  );
}

function Answer({ x, q, reload }: { x: Explain; q: string; reload: () => void }) {
  if (isCard(x)) return <OfAlert card={x} />;
  if (x.schema === 'span25.explain') return <OfAddress x={x} address={q} reload={reload} />;
  if (x.schema === 'span25.decisions')
    return <ul class="told">{x.rows.map((d) => <li key={d.id}><Time value={moment(d.time) ?? null} />: <Wire value={d.reason} prose /> [{d.mode}]{d.until && <>, until <When value={d.until} /></>}</li>)}</ul>;
  return <p>This is one event: <a href={`/sessions/${encodeURIComponent(x.event.event_id)}`}>what was said in it</a>.</p>;
}

function OfAlert({ card }: { card: AlertCard }) {
  const a = card.event.alert;
  const address = addressOfSubject(a.subject);
  const got = useGet<ExplainAddress>('/why', { q: address });
  return (
    <>
      <p><a href={alertHref(card.id)}>Alert {card.id}</a> is about <HostLink subject={a.subject} />: <Wire value={a.reason} prose />.</p>
      <Loaded of={got} what="the answer" rows={4}>{(x) => <OfAddress x={x} address={address} reload={got.reload} />}</Loaded>
    </>
  );
}

const OTHER_CAUSES = [
  'The device sends on port 25 to a server outside; mail programs must use port 587 or 465.',
  'The server of the recipient refuses it: the bounce has its number (550, 421) and words.',
  'A public block list names the address, or another firewall stops it.',
  'The mailbox is full, the password is wrong, or the name of the server was changed.',
];

function OtherCauses() {
  return (
    <section>
      <h2>Other causes</h2>
      <ul class="told">{OTHER_CAUSES.map((c) => <li key={c}>{c}</li>)}</ul>
    </section>
  );
}

function OfAddress({ x, address, reload }: { x: ExplainAddress; address: string; reload: () => void }) {
  const who = useMe();
  const blocks = useGet<Rows<BlockRow>>('/blocks');
  const [lifting, setLifting] = useState(false);
  const host = x.hosts[0]?.host;
  const block = blocks.data?.rows.find((b) => addressOfSubject(b.subject) === address || coversV6(b.subject, address));
  const stopped = block?.state === 'in force' && block.mode === 'enforce';
  const registered = x.registry?.registered === true || x.hosts[0]?.src_reg?.state === 'registered';
  const open = x.alerts.rows.filter((a) => a.status !== 'closed' && !a.silenced && a.severity !== 'informational');
  const again = () => { reload(); blocks.reload(); };
  if (blocks.data === undefined && !blocks.error) return <Loaded of={blocks} what="the answer" rows={3}>{() => null}</Loaded>;
  return (
    <div class="answer">
      <section class={stopped ? 'verdict is-stopped' : 'verdict'} aria-live="polite">
        {blocks.error && !block ? <p class="plain">Whether {address} is blocked is not known: <Wire value={blocks.error.message} prose /></p>
          : stopped && block ? <p class="plain"><b>Port 25 is closed for {address}{block.until && <> until <When value={block.until} /></>}.</b></p>
            : block?.state === 'in force' ? <p class="plain"><b>{address} is not blocked.</b> It would be{block.until && <> until <When value={block.until} /></>}, but the mode is {block.mode}.</p>
              : block?.state === 'asked' ? <p class="plain"><b>{address} is not blocked.</b> A human is asked whether to block it.</p>
                : <p class="plain"><b>{address} is not blocked by us.</b> Other causes are below.</p>}
        {block && <p>Why: <Wire value={block.reason} prose />. {block.origin === 'human' ? 'A person did it' : 'The detector did it'}, <When value={block.since} />.</p>}
        {!block && <p>{registered ? 'It is registered, and registered hosts are never blocked by themselves.' : 'It is not registered. That alone blocks nothing.'}</p>}
      </section>

      {block && (block.state === 'in force' || block.state === 'asked') && (
        <section>
          <h2>What helps</h2>
          <ol class="told">
            <li>The owner checks the machine: programs that send mail by themselves, a password that became known, a web form.</li>
            <li>If it is a mail server: it is registered, and is then not blocked any more.</li>
            <li>If it should never have been stopped: lift it here, with the number of the ticket.{block.until && <> Without that it ends by itself <When value={block.until} />.</>}</li>
          </ol>
          {may(who, 'analyst', 'firewall')
            ? <p class="buttons"><button type="button" onClick={() => setLifting(true)}>Lift as inadvertent…</button></p>
            : <p class="soft">Your role may not lift it: an analyst, or who runs the firewall, does.</p>}
        </section>
      )}
      {!stopped && <OtherCauses />}

      <section>
        <h2>Whom to call</h2>
        <OwnerLine owner={x.owner} />
      </section>

      <section>
        <h2>What is known of it</h2>
        {host ? <p><HostLink subject={address} />, seen last <When value={host.last} />: {counted(host.sessions, 'connection')}, {counted(host.accepted ?? 0, 'message')} accepted. {registered ? 'Registered.' : 'Not registered.'}</p>
          : <><p><HostLink subject={address} /> was never seen speaking SMTP in what is kept.</p><WasSeen /></>}
        {open.length > 0 && <ul class="told">{open.map((a) => <li key={a.id}><SeverityMark of={a.severity} /> <a href={alertHref(a.id)}>{a.id}</a> <Wire value={a.title} prose />, last <Time value={moment(a.last) ?? null} /></li>)}</ul>}
        {open.length > 0 && <p class="soft">{[...new Set(open.map((a) => `${SEVERITY[a.severity].word}: ${SEVERITY[a.severity].means}`))].join(' ')}</p>}
        <Against words={x.against} />
      </section>
      {lifting && block && <LiftDialog subject={plain(block.subject)} inadvertent onClose={() => setLifting(false)} after={again} />}
    </div>
  );
}

// An IPv6 block is of a /64: its first half says whether an address is in it.
function coversV6(subject: string, address: string): boolean {
  if (!subject.endsWith('/64') || !address.includes(':')) return false;
  const half = (a: string) => {
    const [left = '', right] = a.split('/')[0]!.toLowerCase().split('::');
    const l = left === '' ? [] : left.split(':');
    const r = right === undefined || right === '' ? [] : right.split(':');
    const all = right === undefined ? l : [...l, ...Array<string>(Math.max(0, 8 - l.length - r.length)).fill('0'), ...r];
    return all.slice(0, 4).map((p) => p.replace(/^0+(?=.)/, '')).join(':');
  };
  return half(subject) === half(address);
}
