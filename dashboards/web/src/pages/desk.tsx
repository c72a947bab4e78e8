// What the pages of the desk share: words, marks, checks, transcripts, and the texts that go into a ticket.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import './desk.css';
import type { Got } from '../api';
import { useGet } from '../api';
import { now } from '../now_data';
import { useStore } from '../store';
import { Dialog } from '../dialog';
import { notify } from '../live';
import { go, hrefOf, patched, usePlace, useQuery } from '../router';
import { useHref } from './filters';
import type { AlertCard, AlertStatus, Check, Explain, Owner, PolicyRow, Registered, Rows, Said, Severity } from '../types';
import { escaped, type WireText } from '../wiretext';
import { Wire } from '../wire';
import { Ago, count, Time, type Moment } from '../words';

// ---- words ----

// UX 9.3; the same text is on the help page.
export const SEVERITY: Record<Severity, { word: string; means: string }> = {
  critical: { word: 'critical', means: 'Harm to others or to our reputation is happening now. Answer at once.' },
  high: { word: 'high', means: 'Harm to others or to our reputation is happening now, with evidence in two independent checks or more. Answer within 1 h.' },
  medium: { word: 'medium', means: 'A policy is violated, or a risk is open. Answer the same day.' },
  low: { word: 'low', means: 'Unusual, or registration is missing. Looked at weekly.' },
  informational: { word: 'info', means: 'A fact for context.' },
};

export function rank(s: Severity): number {
  return ['critical', 'high', 'medium', 'low', 'informational'].indexOf(s);
}

// `bare`: where it stands in a link already
export function SeverityMark({ of, bare = false }: { of: Severity; bare?: boolean }) {
  const s = SEVERITY[of] ?? SEVERITY.informational;
  const kind = `sev ${s.word === 'critical' ? 'high' : s.word}`;
  if (bare) return <span class={kind} title={s.means}>{s.word}</span>;
  return <a class={kind} href="/help#severity" title={s.means}>{s.word}</a>;
}

export const STATUS: Record<AlertStatus, string> = { new: 'new', ack: 'acknowledged', escalated: 'escalated', closed: 'closed' };

// UX 4: the fixed list. It feeds the false-positive rate of the study.
export const CLOSE_REASONS: readonly (readonly [string, string])[] = [
  ['compromised-host', 'true: compromised host'],
  ['misuse', 'true: misuse by user'],
  ['misconfiguration', 'true: misconfiguration'],
  ['legitimate-bulk', 'benign: legitimate bulk'],
  ['test', 'benign: test or scan'],
  ['not-ours', 'benign: not ours (behind NAT, spoofed)'],
  ['duplicate', 'duplicate'],
  ['not-enough-evidence', 'not enough evidence'],
];

export function closeWords(word: string): string {
  return CLOSE_REASONS.find(([w]) => w === word)?.[1] ?? word;
}

const REGISTERED: Record<string, string> = {
  registered: 'Registered', permitted: 'Permit in force', unregistered: 'Not registered', pending: 'Permit asked for',
};

export function RegistrationChip({ state, form, protect }: { state: Registered | null | undefined; form?: WireText | undefined; protect?: boolean }) {
  if (state === null || state === undefined || state === '') return <span class="chip">Registration not known</span>;
  return (
    <span class={state === 'registered' || state === 'permitted' ? 'chip ok' : 'chip'}
      title={state === 'unregistered' ? 'No permit is known for this address. That is not a report of abuse.' : undefined}>
      {REGISTERED[state] ?? state}{form !== undefined && <> · form <Wire value={form} /></>}{protect && ' · protected'}
    </span>
  );
}

export const SIGHT: Record<string, string> = {
  text: 'full text', headers: 'headers', envelope: 'envelope', handshake: 'TLS: handshake only', flow: 'flow only',
};

export const ROLE: Record<string, string> = {
  first: 'First', worst: 'Worst', latest: 'Latest', earliest_mail: 'Earliest mail of the host',
  refused_mail: 'Refused mail of the host', latest_mail: 'Latest mail of the host',
};

// "10.20.4.17" of "10.20.4.17 lease 02:00..." and of "10.20.4.17/32"
export function addressOfSubject(subject: string): string {
  return subject.split(/[ /]/)[0] ?? subject;
}

export function hostHref(subject: string): string {
  return `/hosts/${encodeURIComponent(addressOfSubject(subject))}`;
}

export function alertHref(id: string): string {
  return `/alerts/${encodeURIComponent(id)}`;
}

export function HostLink({ subject }: { subject: string }) {
  return <a href={hostHref(subject)} class="addr">{subject}</a>;
}

// "+0000" as the journal has it is not read everywhere.
export function moment(v: Moment): Moment {
  return typeof v === 'string' ? v.replace(/([+-]\d\d)(\d\d)$/, '$1:$2') : v;
}

export function When({ value, absent }: { value: Moment; absent?: string }) {
  const v = moment(value);
  return v === null || v === undefined || v === ''
    ? <span class="none">{absent ?? '–'}</span>
    : <span class="when"><Time value={v} /> <small>(<Ago value={v} />)</small></span>;
}

// ---- texts for elsewhere ----

export function plain(value: WireText | string | null | undefined): string {
  return value === null || value === undefined ? '' : escaped(String(value));
}

// Nothing in a ticket becomes a link.
export function defanged(text: string): string {
  return text.replace(/\bhttp(s?):\/\//gi, (_, s: string) => `hxxp${s.toLowerCase()}://`).replace(/\bftp:\/\//gi, 'fxp://');
}

function seconds(v: string): string {
  return String(moment(v)).replace(/\.\d+/, '').replace('+00:00', 'Z');
}

// The sentence that goes into the ticket: what was observed, of what limit, how much of it was seen.
export function justification(card: AlertCard): string {
  const a = card.event.alert;
  const fired = card.checks.filter((c) => c.result === 'fired');
  const checks = fired.map((c) => `${c.words}: ${plain(c.observed)}${c.limit ? ` (limit: ${c.limit})` : ''}`).join('; ');
  const hidden = card.checks.filter((c) => c.result === 'not_observable').map((c) => c.words).join(', ');
  const sight = [...new Set((a.evidence ?? []).map((e) => SIGHT[e.sight] ?? e.sight))].join(', ');
  const said = plain(a.reason);
  return defanged([
    `Alert ${card.id} (${SEVERITY[a.level]?.word ?? a.level}): ${said}.`,
    checks === '' ? '' : `Observed: ${checks}.`,
    `First ${seconds(a.first)}, last ${seconds(a.last)}, ${a.count} events matched.`,
    sight === '' ? '' : `Evidence seen as: ${sight}.`,
    hidden === '' ? '' : `Not observable: ${hidden}.`,
    `Rule ${a.rule}, text ${a.rule_hash}.`,
  ].filter(Boolean).join(' '));
}

export async function copyText(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    notify(`${what} copied.`);
  } catch {
    notify('This browser does not let the page copy. Select the text and copy it by hand.', { bad: true });
  }
}

// A spreadsheet takes such a cell as a formula.
function csvCell(v: unknown): string {
  let text = v === null || v === undefined ? '' : plain(String(v) as string);
  if (/^[=+\-@\t\r]/.test(text)) text = `'${text}`;
  return /[",\n\r]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}

export function csvOf<Row extends object>(rows: Row[], keys: (keyof Row & string)[]): string {
  return [keys.join(','), ...rows.map((r) => keys.map((k) => csvCell(r[k])).join(','))].join('\r\n') + '\r\n';
}

export function save(name: string, type: string, text: string): void {
  const link = document.createElement('a');
  const url = URL.createObjectURL(new Blob([text], { type }));
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

// ---- checks ----

const RESULT: Record<string, { word: string; mark: string }> = {
  fired: { word: 'at its limit', mark: '■' },
  passed: { word: 'below its limit', mark: '□' },
  not_observable: { word: 'not observable', mark: '–' },
};

export function Result({ of }: { of: string }) {
  const r = RESULT[of] ?? { word: of, mark: '' };
  return <span class={`result result-${of}`}><span aria-hidden="true">{r.mark}</span> {r.word}</span>;
}

export function CheckTable({ checks, caption }: { checks: Check[]; caption: string }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={caption}>
      <table class="checks">
        <caption class="unseen">{caption}</caption>
        <thead><tr><th scope="col">Check</th><th scope="col">Result</th><th scope="col">Observed</th><th scope="col">Limit</th><th scope="col">Usual</th></tr></thead>
        <tbody>
          {checks.map((c) => (
            <tr key={c.name} class={c.result === 'fired' ? 'fired' : undefined}>
              <th scope="row">{c.words}</th>
              <td class="tight"><Result of={c.result} />{c.met_earlier && <small class="block">met by the rule earlier</small>}</td>
              <td><Wire value={c.observed} prose /></td>
              <td>{c.limit ?? '–'}</td>
              <td>{c.baseline ?? <span class="none">not known</span>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

// Those that fired in the table, the others in a line that opens.
export function Checks({ checks }: { checks: Check[] }) {
  const fired = checks.filter((c) => c.result === 'fired');
  const rest = checks.filter((c) => c.result !== 'fired');
  const passed = rest.filter((c) => c.result === 'passed').length;
  const hidden = rest.length - passed;
  return (
    <>
      {fired.length > 0 ? <CheckTable checks={fired} caption="Checks at their limit" />
        : <p>No statistic of the host is at its limit.</p>}
      {rest.length > 0 && (
        <details class="rest">
          <summary>{passed} {passed === 1 ? 'check' : 'checks'} passed, {hidden} not observable</summary>
          <CheckTable checks={rest} caption="Checks that passed or are not observable" />
        </details>
      )}
    </>
  );
}

// ---- what was said ----

export function Transcript({ said }: { said: Said[] }) {
  if (said.length === 0) return <p class="none">Nothing was said that could be seen.</p>;
  return (
    <ol class="said" aria-label="What client and server said; AUTH is masked, message bodies are never kept">
      {said.map((l, i) => (
        <li key={i} class={l.who === 'C' ? 'c' : l.who === 'S' ? 's' : 'n'}>
          <b>{l.who === 'C' ? 'C:' : l.who === 'S' ? 'S:' : ''}</b> <Wire value={l.text} />
        </li>
      ))}
    </ol>
  );
}

// ---- owner ----

// A contact of the configuration may be a telephone number; that stands in the text.
export function isMail(owner: Owner): boolean {
  return plain(owner.mail).includes('@');
}

export function OwnerLine({ owner }: { owner: Owner | undefined }) {
  if (!owner) return null;
  return <p class="owner"><Wire value={owner.text} prose />{isMail(owner) && <> · <Wire value={owner.mail} kind="address" copy /></>}</p>;
}

// ---- mode ----

export function modeOf(policy: Rows<PolicyRow> | undefined | null): string | undefined {
  return policy?.rows.find((r) => r.what === 'mode')?.state;
}

export function usePolicy(): Got<Rows<PolicyRow>> {
  return useGet<Rows<PolicyRow>>('/policy');
}

// ---- values ----

export interface Fact {
  label: string;
  value: ComponentChildren;
  hint?: string;
}

export function Facts({ facts, label }: { facts: (Fact | null | false | undefined)[]; label: string }) {
  return (
    <dl class="facts" aria-label={label}>
      {facts.map((f) => f && <div key={f.label} title={f.hint}><dt>{f.label}</dt><dd>{f.value}</dd></div>)}
    </dl>
  );
}

// A value that can be filtered by: only it, with it, without it, grouped by it.
export function Value({ field, value, children }: { field: string; value: string | null | undefined; children?: ComponentChildren }) {
  const [open, setOpen] = useState(false);
  if (value === null || value === undefined || value === '') return <span class="none">–</span>;
  return (
    <>
      <button type="button" class="value" aria-haspopup="dialog" title="Filter by this value" onClick={(e) => { e.stopPropagation(); setOpen(true); }}>{children ?? value}</button>
      {open && <ValueMenu field={field} value={value} onClose={() => setOpen(false)} />}
    </>
  );
}

export function ValueMenu({ field, value, onClose, title, more }: {
  field: string; value: string; onClose: () => void; title?: ComponentChildren; more?: ComponentChildren;
}) {
  const href = useHref();
  const choose = (to: string) => { onClose(); go(to); };
  const link = (words: string, to: string) => (
    <li><a href={to} onClick={(e) => { e.preventDefault(); e.stopPropagation(); choose(to); }}>{words}</a></li>
  );
  return (
    <Dialog title={title ?? <Wire value={value} />} onClose={onClose}>
      {more}
      <ul class="menu">
        {link('Only this value, without other filters', href.only(field, value))}
        {link('Include: this value besides the other filters', href.include(field, value))}
        {link('Exclude this value', href.exclude(field, value))}
        {link(`Group by ${field}`, href.group(field))}
        {field === 'host' && link('Open the host', hostHref(value))}
        {field === 'host' && link('Its sessions', hrefOf('/sessions', { host: addressOfSubject(value) }))}
      </ul>
    </Dialog>
  );
}

export function isCard(x: Explain): x is AlertCard {
  return x.schema === 'span25.alert';
}

// A page of the server may be empty and not be the last.
export function Further({ next }: { next: string | null | undefined }) {
  const [query] = useQuery();
  const { path } = usePlace();
  return next ? <p>Not all was looked through. <a href={hrefOf(path, patched(query, { after: next }))}>Look further</a></p> : null;
}

// ---- quiet or blind ----

// Under an empty list: whether nothing happened, or nothing was seen.
export function WasSeen() {
  const data = useStore(now)?.data;
  const state = data?.health?.state;
  const sessions = (data?.series ?? []).reduce((n, s) => n + (s.unregistered ?? 0) + (s.registered ?? 0) + (s.inbound ?? 0), 0);
  if (state === 'blind')
    return <p>The sensor is blind{data?.health?.since ? <> since <Time value={data.health.since} /></> : null}: that nothing is listed does not say that nothing happened. <a href="/sensor">Checks and likely causes</a></p>;
  if (state === 'no sensor')
    return <p>No sensor runs: what is here was read from captures. <a href="/sensor">Sensor</a></p>;
  if (sessions > 0) return <p>In the last 48 h the sensor saw {count(sessions)} sessions, so this is quiet, not blind.</p>;
  return null;
}
