// The registration page for sites: one form, its draft under a link, and what became of it. No account.
import { render } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { dateOf, stamp, type Moment } from './words';
import { Wire, type WireText } from './wire';

const ROOT = '/api/v1/public/';
const KEPT = 'span25-registration';

interface FieldRow { path: string; label: string; help: string; of: 'form' | 'line'; type: string; must: boolean }
interface About { site: string | null; support: string | null; deadline: string | null; hours: number; lines_most: number; read_only: boolean; fields: FieldRow[] }
interface Fault { path: string; label: string; line: number; asks: boolean; what: string; hint: string | null }
interface LineState { line: number; state: string; address: WireText | null; port: WireText | null; direction: string;
  received: Moment; checked: Moment; approved: Moment; entered: Moment; first_mail: Moment; until: Moment; reason: WireText | null }
interface State { complete: boolean; mail_confirmed: Moment; lines: LineState[]; due: string | null }
interface Link { secret: string | null; kind: string; letter: string | null; form: string | null; changed: string | null; expires: string | null }
interface Address { form: string; mail: string; confirmed: Moment }
type Line = Record<string, string>;
interface Values { fields: Record<string, string>; lines: Line[] }

class Refused extends Error {}

async function ask<T>(method: 'GET' | 'POST', path: string, secret: string, body?: unknown): Promise<T> {
  let response: Response;
  try {
    response = await send(method, path, secret, body);
  } catch {
    throw new Refused('The server was not reached. Nothing that you filled in is lost: try again in a moment.');
  }
  const parsed = await response.json().catch(() => null) as { data?: T; error?: { message?: string } } | null;
  if (!response.ok || parsed?.data === undefined)
    throw new Refused(parsed?.error?.message ?? `The server answered ${response.status}. Nothing that you filled in is lost.`);
  return parsed.data;
}

function send(method: 'GET' | 'POST', path: string, secret: string, body?: unknown): Promise<Response> {
  return fetch(ROOT + path, {
    method, cache: 'no-store', credentials: 'omit',
    headers: { ...(secret === '' ? {} : { 'X-CSRF-Token': secret }), ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
    body: body === undefined ? null : JSON.stringify(body),
  });
}

// ---- what is filled in ----

const BLANK: Values = { fields: {}, lines: [{ port: '25' }] };

function valuesOf(given: Record<string, unknown>): Values {
  const { lines, form: _, ...fields } = given as Record<string, string> & { lines?: Record<string, string | number>[] };
  const rows = ((lines as unknown as Record<string, string | number>[]) ?? [])
    .map((l) => Object.fromEntries(Object.entries(l).map(([k, v]) => [k, String(v)])));
  return { fields: fields as Record<string, string>, lines: rows.length > 0 ? rows : BLANK.lines };
}

// Empty texts are left out; the office gives the numbers.
function bodyOf(v: Values): Record<string, unknown> {
  const filled = (o: Record<string, string>) => Object.fromEntries(Object.entries(o).map(([k, t]) => [k, t.trim()]).filter(([, t]) => t !== ''));
  return { ...filled(v.fields), lines: v.lines.map(filled) };
}

function remember(secret: string, v: Values): void {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify({ secret, v }));
  } catch { /* a browser that keeps nothing: the page itself still has it */ }
}

function forget(): void {
  try {
    sessionStorage.removeItem(KEPT);
  } catch { /* as above */ }
}

function remembered(secret: string): Values | null {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? 'null') as { secret: string; v: Values } | null;
    return kept && kept.secret === secret && Array.isArray(kept.v.lines) ? kept.v : null;
  } catch {
    return null;
  }
}

// "address, port, device" in a line; what a spreadsheet copies has tabs.
export function linesOf(text: string): Line[] {
  return text.split(/\r?\n/).map((t) => t.split(/[,;\t]/).map((c) => c.trim())).filter((c) => c[0] !== undefined && c[0] !== '')
    .map(([address, port, device, domain]) => ({ address: address!, port: port || '25', ...(device ? { device } : {}), ...(domain ? { domain } : {}) }));
}

// ---- parts ----

const GROUPS: [string, string, string, boolean][] = [ // path, title, words, folded
  ['site.', 'Your site', 'The school, department or company whose servers these are.', false],
  ['contacts.site.', 'Who answers for the site', 'We call when mail cannot reach you.', false],
  ['contacts.technical.', 'Who runs the servers', '', false],
  ['contacts.abuse.', 'Who can be reached at any hour', 'If there is somebody.', true],
  ['contacts.billing.', 'Who pays for the connection', 'If we bill you.', true],
  ['conditions.', 'Conditions', 'What you say here is on your word; we look at what the network shows beside it.', false],
  ['totals.', 'To check', 'So that no line gets lost.', true],
  ['signature.', 'Signature', 'One of the people above.', false],
  ['notes', 'Anything else', '', true],
];

const KEYBOARD: Record<string, 'tel' | 'email' | 'numeric'> = { phone: 'tel', mail: 'email', count: 'numeric' };
const idOf = (path: string, line = 0) => `f-${line}-${path.replace(/\W/g, '-')}`;
const when = (t: Moment) => (dateOf(t) ? stamp(dateOf(t)!, 'local') : null);

function Input({ row, value, onInput, line = 0, fault }: { row: FieldRow; value: string; onInput: (v: string) => void; line?: number; fault: Fault | undefined }) {
  const id = idOf(row.path, line);
  const words = row.label.replace(/^[^:]*contact: /, '');
  const common = {
    id, name: row.path, 'aria-describedby': `${id}-help`, 'aria-required': row.must,
    ...(fault && !fault.asks ? { 'aria-invalid': true } : {}),
  };
  const choices = row.type === 'yesno' ? ['yes', 'no'] : row.type === 'direction' ? ['send', 'receive', 'both'] : null;
  return (
    <div class="field">
      <label for={id}>{words.charAt(0).toUpperCase() + words.slice(1)}{row.must && <span aria-hidden="true"> *</span>}</label>
      {choices ? (
        <select {...common} value={value} onChange={(e) => onInput(e.currentTarget.value)}>
          <option value="">{row.type === 'yesno' ? 'not said' : 'both'}</option>
          {choices.filter((c) => row.type === 'yesno' || c !== 'both').map((c) => <option key={c} value={c}>{c}</option>)}
        </select>
      ) : row.path === 'notes' ? <textarea {...common} rows={4} maxLength={1000} value={value} onInput={(e) => onInput(e.currentTarget.value)} />
        : row.type === 'date' ? <input {...common} type="date" value={value} onInput={(e) => onInput(e.currentTarget.value)} />
        : <input {...common} type="text" inputMode={KEYBOARD[row.type] ?? 'text'} maxLength={1000} autocomplete="off" spellcheck={false} value={value} onInput={(e) => onInput(e.currentTarget.value)} />}
      <small id={`${id}-help`}>{fault ? <b>{fault.what}{fault.hint !== null && `, ${fault.hint}`}</b> : row.help}</small>
    </div>
  );
}

function Faults({ faults, onConfirm }: { faults: Fault[]; onConfirm: () => void }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => box.current?.focus(), [faults]);
  const asks = faults.every((f) => f.asks);
  const toField = (f: Fault) => (e: Event) => {
    e.preventDefault();
    const field = document.getElementById(idOf(f.path, f.line || (document.getElementById(idOf(f.path)) ? 0 : 1)));
    field?.closest('details')?.setAttribute('open', '');
    field?.focus();
  };
  return (
    <div ref={box} class="note bad" role="alert" tabIndex={-1} id="faults">
      <p><b>{asks ? 'Please look at this before you submit:' : 'Not submitted yet. Please put this right:'}</b></p>
      <ul>{faults.map((f, i) => (
        <li key={i}><a href={`#${idOf(f.path, f.line)}`} onClick={toField(f)}>{f.line > 0 && `Server ${f.line}: `}{f.label}</a>: {f.what}{f.hint !== null && `, ${f.hint}`}{f.asks && ' (a question)'}</li>
      ))}</ul>
      {asks && <p><button type="button" onClick={onConfirm}>It is right as it is: submit</button></p>}
    </div>
  );
}

function Steps({ link, state, onWithdraw }: { link: Link; state: State; onWithdraw: ((lines: LineState[]) => void) | null }) {
  const [asked, setAsked] = useState<LineState[]>([]);
  const live = state.lines.filter((l) => l.state !== 'ended');
  const steps = [['received', 'Received'], ['checked', 'Checked'], ['approved', 'Approved'], ['entered', 'Entered in the firewall'], ['first_mail', 'First mail seen']] as const;
  return (
    <section aria-labelledby="state">
      <h2 id="state">Form {link.form}: where it stands</h2>
      {state.due !== null && <p>We finish by <b>{when(state.due)}</b>: 48 hours from the complete form, nights and week-ends included.</p>}
      {!state.complete && <p class="note bad">Something is missing, so the time does not run yet. Please complete the form below.</p>}
      <div class="scroll" tabIndex={0} role="region" aria-label="Steps of each server">
        <table>
          <thead><tr><th scope="col">Server</th><th scope="col">Now</th>{steps.map(([, words]) => <th key={words} scope="col">{words}</th>)}<th scope="col">Until</th>{onWithdraw && <td />}</tr></thead>
          <tbody>{state.lines.map((l) => (
            <tr key={l.line}>
              <th scope="row"><Wire value={l.address} />, port <Wire value={l.port} /></th>
              <td><b>{l.state}</b>{l.reason !== null && <>: <Wire value={l.reason} prose shown={1000} /></>}</td>
              {steps.map(([key]) => <td key={key}>{when(l[key]) ?? <span class="none">not yet</span>}</td>)}
              <td>{when(l.until)}</td>
              {onWithdraw && <td>{l.state !== 'ended' && <button type="button" class="secondary" aria-label={`Withdraw ${l.address}`} onClick={() => setAsked([l])}>Withdraw…</button>}</td>}
            </tr>
          ))}</tbody>
        </table>
      </div>
      {onWithdraw && asked.length > 0 && (
        <div class="note" role="alert">
          <p>{asked.map((l, i) => <span key={l.line}>{i > 0 && ', '}<Wire value={l.address} />, port <Wire value={l.port} /></span>)}: no longer registered, and from the day of the block stopped. It can be asked for again.</p>
          <p class="buttons"><button type="button" onClick={() => { setAsked([]); onWithdraw(asked); }}>Withdraw it</button> <button type="button" class="secondary" onClick={() => setAsked([])}>Keep it</button></p>
        </div>
      )}
      <p>The e-mail address of the site contact is {state.mail_confirmed ? <>confirmed, {when(state.mail_confirmed)}</> : 'not confirmed yet: open the link in our receipt, which is sent to that address'}.</p>
      <p class="buttons"><button type="button" class="secondary" onClick={() => print()}>Print</button>
        {onWithdraw && live.length > 1 && <button type="button" class="secondary" onClick={() => setAsked(live)}>Withdraw the whole form…</button>}</p>
    </section>
  );
}

function Keep({ secret, expires }: { secret: string; expires: string | null }) {
  return (
    <div class="card">
      <p><b>Keep this link.</b> It leads back to this form and says how far it is. Who has it can change the form.</p>
      <p><a href={`/#${secret}`}>{`${location.origin}/#${secret}`}</a></p>
      {expires !== null && <p class="soft">It is kept until {when(expires)}.</p>}
    </div>
  );
}

// From the receipt: who reads that mail has this link.
function Confirm({ secret, given }: { secret: string; given: Address }) {
  const [address, setAddress] = useState(given);
  const [error, setError] = useState('');
  const confirm = () => ask<Address>('POST', 'address', secret, {}).then(setAddress, (e: Error) => setError(e.message));
  return (
    <section role="status">
      <h2>Form {address.form}: is this your address?</h2>
      <p><b><Wire value={address.mail} kind="address" /></b></p>
      {address.confirmed ? <p class="note calm">Confirmed, {when(address.confirmed)}. Thank you.</p>
        : <><p>The form names it as that of the site contact.</p><p><button type="button" onClick={() => { void confirm(); }}>Yes, it is my address</button></p></>}
      {error !== '' && <p class="note bad" role="alert"><Wire value={error} prose shown={1000} /></p>}
    </section>
  );
}

// ---- the page ----

function Register({ about, secret, given, link, state, onLink }: {
  about: About; secret: string; given: Values; link: Link | null; state: State | null; onLink: (l: Link, s: State | null) => void;
}) {
  const [values, setValues] = useState<Values>(given);
  const [faults, setFaults] = useState<Fault[]>([]);
  const [message, setMessage] = useState<{ text: string; bad: boolean } | null>(null);
  const [busy, setBusy] = useState(false);
  const change = (next: Values) => { setValues(next); remember(secret, next); };
  const setField = (path: string) => (v: string) => change({ ...values, fields: { ...values.fields, [path]: v } });
  const setLine = (i: number, path: string) => (v: string) => change({ ...values, lines: values.lines.map((l, k) => (k === i ? { ...l, [path]: v } : l)) });
  const faultOf = (path: string, line: number) => faults.find((f) => f.path === path && f.line === line);

  const doing = async (what: () => Promise<void>) => {
    if (busy) return;
    setBusy(true);
    setMessage(null);
    try {
      await what();
    } catch (e) {
      setMessage({ text: (e as Error).message, bad: true });
    }
    setBusy(false);
  };
  const save = () => doing(async () => {
    const kept = await ask<Link>('POST', 'draft', secret, bodyOf(values));
    forget();
    setMessage({ text: 'Saved as a draft. Nothing was submitted yet.', bad: false });
    onLink(kept, state);
  });
  const submit = (confirmed: boolean) => doing(async () => {
    const said = await ask<{ submitted: boolean; faults?: Fault[]; state?: State } & Link>('POST', confirmed ? 'submit?confirm=yes' : 'submit', secret, bodyOf(values));
    setFaults(said.faults ?? []);
    if (!said.submitted) return;
    forget();
    setMessage({ text: `Received as form ${said.form}. Thank you.`, bad: false });
    onLink(said, said.state ?? null);
    scrollTo(0, 0);
  });
  const withdraw = (lines: LineState[]) => void doing(async () => {
    const said = await ask<{ state: State }>('POST', `withdraw?lines=${lines.map((l) => l.line).join(',')}`, secret, {});
    setMessage({ text: 'Withdrawn.', bad: false });
    onLink(link!, said.state);
  });
  const discard = () => doing(async () => {
    await ask('POST', 'discard', secret, {});
    forget();
    location.replace('/');
  });
  const toPrint = () => doing(async () => {
    const response = await send('POST', 'print', secret, bodyOf(values));
    if (!response.ok) throw new Refused('The form could not be made ready to print. Nothing that you filled in is lost.');
    const address = URL.createObjectURL(await response.blob());
    const a = document.createElement('a');
    a.href = address;
    a.download = 'registration.html';
    a.click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  });
  const sameAs = () => {
    const fields = { ...values.fields };
    for (const key of ['name', 'position', 'phone', 'mail'])
      fields[`contacts.technical.${key}`] = fields[`contacts.site.${key}`] ?? '';
    change({ ...values, fields });
  };

  const formRows = about.fields.filter((f) => f.of === 'form');
  const lineRows = about.fields.filter((f) => f.of === 'line');
  const often = ['address', 'port', 'device', 'domain', 'direction', 'volume'];
  const open = state === null || !state.complete || state.lines.some((l) => l.state === 'returned' || l.state === 'ended');
  return (
    <>
      <div role="status" aria-live="polite">{message && !message.bad && <p class="note calm">{message.text}</p>}</div>
      {message?.bad && <p class="note bad" role="alert"><Wire value={message.text} prose shown={2000} /></p>}
      {faults.length > 0 && <Faults faults={faults} onConfirm={() => { void submit(true); }} />}
      {link?.secret && (link.kind !== 'letter') && <Keep secret={link.secret} expires={link.expires} />}
      {link && state && <Steps link={link} state={state} onWithdraw={about.read_only ? null : withdraw} />}
      <details open={open}>
        <summary>{state === null ? 'The form' : 'The form, to correct it'}</summary>
        {link?.letter && state === null && <p class="note calm">From our letter {link.letter}: what we saw is filled in already. Please check it, and add who you are.</p>}
        <p>What has a star must be filled in. Everything else helps us to ask less.</p>
        <form noValidate onSubmit={(e) => { e.preventDefault(); void submit(false); }}>
          <section>
            <h2>Your mail servers and other devices that send mail</h2>
            {values.lines.map((l, i) => (
              <fieldset key={i}>
                <legend>Server {i + 1}</legend>
                <div class="fields">{often.map((p) => lineRows.find((r) => r.path === p)).map((r) => r && <Input key={r.path} row={r} line={i + 1} value={l[r.path] ?? ''} onInput={setLine(i, r.path)} fault={faultOf(r.path, i + 1)} />)}</div>
                <details>
                  <summary>More about server {i + 1}</summary>
                  <div class="fields">{lineRows.filter((r) => !often.includes(r.path)).map((r) => <Input key={r.path} row={r} line={i + 1} value={l[r.path] ?? ''} onInput={setLine(i, r.path)} fault={faultOf(r.path, i + 1)} />)}</div>
                </details>
                {values.lines.length > 1 && <button type="button" class="secondary" onClick={() => change({ ...values, lines: values.lines.filter((_, k) => k !== i) })}>Remove server {i + 1}</button>}
              </fieldset>
            ))}
            <p class="buttons"><button type="button" class="secondary" onClick={() => change({ ...values, lines: [...values.lines, { port: '25' }].slice(0, about.lines_most) })}>Add a server</button></p>
            <details>
              <summary>Many servers: paste a list</summary>
              <label for="many">One in a line: address, port, device, name. From a spreadsheet or a CSV file.</label>
              <textarea id="many" rows={5} spellcheck={false} placeholder="192.0.2.25, 25, Postfix, mail.example.org" />
              <button type="button" class="secondary" onClick={() => {
                const box = document.getElementById('many') as HTMLTextAreaElement;
                const more = linesOf(box.value);
                change({ ...values, lines: [...values.lines.filter((l) => l.address), ...more].slice(0, about.lines_most) });
                if (more.length > 0) box.value = '';
              }}>Add these</button>
            </details>
          </section>
          {GROUPS.map(([path, title, words, folded]) => {
            const rows = formRows.filter((r) => r.path.startsWith(path));
            const inside = (
              <>
                {words !== '' && <p class="soft">{words}</p>}
                {path === 'contacts.technical.' && <p><button type="button" class="secondary" onClick={sameAs}>The same person as above</button></p>}
                <div class="fields">{rows.map((r) => <Input key={r.path} row={r} value={values.fields[r.path] ?? ''} onInput={setField(r.path)} fault={faultOf(r.path, 0)} />)}</div>
              </>
            );
            return folded ? <details key={path}><summary>{title}</summary>{inside}</details> : <fieldset key={path}><legend>{title}</legend>{inside}</fieldset>;
          })}
          <div class="buttons">
            <button type="submit" disabled={busy || about.read_only} aria-busy={busy}>{state === null ? 'Submit the form' : 'Submit it again'}</button>
            <button type="button" class="secondary" disabled={busy || about.read_only} onClick={() => { void save(); }}>Save as a draft</button>
            <button type="button" class="secondary" disabled={busy} onClick={() => { void toPrint(); }}>Printable form, filled in</button>
            {link && link.form === null && <button type="button" class="secondary" disabled={busy || about.read_only} onClick={() => { void discard(); }}>Throw this draft away</button>}
            <a href={`${ROOT}blank`} download>Empty form to print</a>
          </div>
        </form>
      </details>
    </>
  );
}

const secretOf = () => (/^#[0-9A-Za-z-]{20,40}$/.test(location.hash) ? location.hash.slice(1) : '');

function App() {
  const [about, setAbout] = useState<About | null>(null);
  const [secret, setSecret] = useState(secretOf());
  const [opened, setOpened] = useState<{ of: string; given: Values; link: Link | null; state: State | null } | null>(null);
  const [address, setAddress] = useState<Address | null>(null);
  const [error, setError] = useState('');

  useEffect(() => {
    const moved = () => { if (secretOf() !== '') setSecret(secretOf()); };
    addEventListener('hashchange', moved);
    return () => removeEventListener('hashchange', moved);
  }, []);
  useEffect(() => {
    if (opened?.of === secret && opened.link !== null) return; // it got its link just now
    const start = async () => {
      setError('');
      if (about === null) setAbout(await ask<About>('GET', 'about', ''));
      if (secret === '') {
        setOpened({ of: '', given: remembered('') ?? BLANK, link: null, state: null });
        return;
      }
      // the link of a form, or that of a receipt
      const got = await ask<Link & { values: Record<string, unknown>; state: State | null }>('GET', 'form', secret)
        .catch((e: Error) => ask<Address>('GET', 'address', secret).then((a) => { setAddress(a); return null; }, (other: Error) => { throw other.message.includes('contact') ? other : e; }));
      if (got === null) return;
      const { values, state, ...link } = got;
      setOpened({ of: secret, given: remembered(secret) ?? valuesOf(values), link, state });
    };
    start().catch((e: Error) => setError(e.message));
  }, [secret]);

  const onLink = (link: Link, state: State | null) => {
    const now = link.secret ?? secret;
    setOpened((o) => (o ? { ...o, of: now, link, state } : o));
    if (now !== '' && now !== secret) {
      history.replaceState(null, '', `/#${now}`);
      setSecret(now);
    }
  };

  return (
    <main class="public">
      <h1>Register a mail server</h1>
      <p>{about?.deadline ? <>From <b>{about.deadline}</b> only registered servers can send mail to or receive mail from outside on port 25{about.site ? <>, in the network of {about.site}</> : null}. </> : null}
        Mail programs of people (ports 587 and 465) need no registration. Permits are entered within {about?.hours ?? 48} hours of a complete form.</p>
      {error !== '' && (
        <div class="note bad" role="alert"><p><Wire value={error} prose shown={1000} /></p>
          <p><a href="/" onClick={() => { forget(); setTimeout(() => location.reload(), 0); }}>Fill in a new form</a></p></div>
      )}
      {address && <Confirm secret={secret} given={address} />}
      {about && error === '' && address === null && opened && <Register about={about} secret={secret} given={opened.given} link={opened.link} state={opened.state} onLink={onLink} />}
      {about?.support && <footer><p><b>Questions?</b> <Wire value={about.support} prose /></p></footer>}
    </main>
  );
}

render(<App />, document.getElementById('app')!);
