// One form of the registry: its lines, what was seen of them, what was done, and what is to be decided.
import { useState } from 'preact/hooks';
import { may, post, useGet, useMe } from '../api';
import { Dialog, Field } from '../dialog';
import { notifyAll } from '../live';
import { Page } from '../shell';
import { Empty, Failed, Loaded } from '../state';
import { Table, type Column } from '../table';
import { Wire, type WireText } from '../wire';
import { counted, Time } from '../words';
import { failed } from './acts';
import { STATE_MEANS, type CheckRow, type FormAct, type FormLine, type FormShown, type LineState, type Values } from './registry_data';

interface Action {
  id: string;
  words: string; // on its button
  from: LineState[];
  reason: boolean; // must be given; the site reads it
  until?: string; // what the time means
  danger?: boolean;
  means: string;
}

const ACTIONS: Action[] = [
  { id: 'check', words: 'Checked', from: ['requested'], reason: false, means: 'The office has looked at it; the site sees that.' },
  { id: 'permit', words: 'Approve', from: ['requested'], reason: false, until: 'End of the permit (a date; the usual time when empty)', means: 'The permit is given. The clock runs on until the firewall has it.' },
  { id: 'return', words: 'Return', from: ['requested'], reason: true, means: 'It is sent back: please correct. The clock stands, and the site reads the reason.' },
  { id: 'reject', words: 'Reject', from: ['requested', 'returned'], reason: true, danger: true, means: 'It is refused. The site reads the reason, and may submit it again.' },
  { id: 'suspend', words: 'Suspend', from: ['permitted'], reason: true, danger: true, until: 'When it takes force (in 48 hours when empty)', means: 'The permit stops after its notice.' },
  { id: 'reinstate', words: 'Reinstate', from: ['permitted', 'suspended'], reason: false, means: 'A suspension, or its notice, is taken back.' },
  { id: 'renew', words: 'Renew', from: ['permitted', 'suspended'], reason: false, until: 'New end of the permit (a date; the usual time when empty)', means: 'The permit lasts longer.' },
  { id: 'revoke', words: 'Revoke', from: ['permitted', 'suspended'], reason: true, danger: true, means: 'The permit is taken back at once.' },
];

const STEPS = [['received', 'Received'], ['checked', 'Checked'], ['approved', 'Approved'], ['entered', 'In the firewall'], ['first_mail', 'First mail']] as const;

const fits = (a: Action, l: FormLine) => a.from.includes(l.state) && !(a.id === 'check' && l.checked);

const lineColumns: Column<FormLine>[] = [
  { id: 'line', head: 'Line', cell: (l) => l.line, tight: true },
  { id: 'state', head: 'State', cell: (l) => <span class="chip" title={STATE_MEANS[l.state]}>{l.state}</span> },
  { id: 'address', head: 'Address', tight: true, cell: (l) => <Wire value={l.address} /> },
  { id: 'port', head: 'Port', cell: (l) => <Wire value={l.port} />, tight: true },
  { id: 'use', head: 'Way', cell: (l) => l.direction },
  ...STEPS.map(([key, head]): Column<FormLine> => ({ id: key, head, cell: (l) => <Time value={l[key]} absent="not yet" /> })),
  { id: 'until', head: 'Until', cell: (l) => <Time value={l.until} /> },
  { id: 'due', head: 'Due', cell: (l) => <Time value={l.due} /> },
  { id: 'net', head: 'Clock', cell: (l) => l.net, hint: 'time that counts, of 48 h' },
  { id: 'why', head: 'Reason, note', cell: (l) => <><Wire value={l.reason} prose absent="" /> <Wire value={l.note === ('' as unknown) ? null : l.note} prose absent="" /></> },
];

const historyColumns: Column<FormAct>[] = [
  { id: 'time', head: 'When', cell: (a) => <Time value={a.time} seconds />, tight: true },
  { id: 'action', head: 'What', cell: (a) => a.action },
  { id: 'lines', head: 'Lines', cell: (a) => a.lines === '' ? 'all' : a.lines },
  { id: 'who', head: 'Who', cell: (a) => <Wire value={a.actor} prose /> },
  { id: 'until', head: 'Until', cell: (a) => <Time value={a.until} /> },
  { id: 'why', head: 'Reason', cell: (a) => <Wire value={a.reason} prose absent="" /> },
  { id: 'record', head: 'Record', cell: (a) => a.audit, num: true, hint: 'number in the chain of records' },
];

const checkColumns: Column<CheckRow>[] = [
  { id: 'address', head: 'Address', cell: (c) => <span class="addr">{c.address}</span>, tight: true },
  { id: 'what', head: 'Looked for', cell: (c) => c.what },
  { id: 'answer', head: 'Answer', cell: (c) => <span class={c.answer === 'observed' && c.violation ? 'chip bad' : 'chip'}>{c.answer.replace('_', ' ')}</span> },
  { id: 'text', head: 'Figures', cell: (c) => <Wire value={c.text} prose /> },
  { id: 'attested', head: 'Attested on the form', cell: (c) => c.attested ?? <span class="none">not asked</span> },
];

const CONDITIONS: [string, string][] = [
  ['conditions.scans_mail', 'Mail is scanned for viruses, in and out'],
  ['conditions.no_open_relay', 'No open relay'],
  ['conditions.smtp_auth', 'Users authenticate'],
  ['conditions.auth_encrypted', 'Credentials are encrypted'],
];

function People({ of, title, part }: { of: Values; title: string; part: string }) {
  const value = (key: string) => of[`contacts.${part}.${key}`] ?? null;
  if (value('name') === null && value('mail') === null && value('phone') === null) return null;
  return (
    <div>
      <dt>{title}</dt>
      <dd><Wire value={value('name')} prose />, <Wire value={value('phone')} prose />, <Wire value={value('mail')} kind="address" /></dd>
    </div>
  );
}

function Facts({ shown }: { shown: FormShown }) {
  const of = shown.form;
  return (
    <dl class="facts">
      <div><dt>Site</dt><dd><Wire value={of['site.name'] ?? null} prose absent="not said" /></dd></div>
      <People of={of} title="Site contact" part="site" />
      {of['contacts.site.mail'] !== undefined && <><dt>Its e-mail</dt><dd>{shown.mail_confirmed ? <>confirmed <Time value={shown.mail_confirmed} /></> : 'not confirmed'}</dd></>}
      <People of={of} title="Technical contact" part="technical" />
      <People of={of} title="Abuse contact" part="abuse" />
      <div><dt>Signed</dt><dd><Wire value={of['signature.name'] ?? null} prose absent="nobody" />, <Wire value={of['signature.date'] ?? null} prose absent="no date" /></dd></div>
      <div><dt>Attested</dt>
      <dd>{CONDITIONS.map(([key, words]) => <div key={key}>{words}: <Wire value={of[key] ?? null} prose absent="not said" /></div>)}
        <small class="soft">Virus scanners cannot be seen on the wire: this is what the signer says.</small></dd></div>
      {of['notes'] !== undefined && <div><dt>Notes</dt><dd><Wire value={of['notes']} prose shown={2000} /></dd></div>}
    </dl>
  );
}

function Faults({ shown }: { shown: FormShown }) {
  if (shown.faults.length === 0) return null;
  return (
    <div class={shown.complete ? 'note' : 'note bad'}>
      <p><b>{shown.complete ? 'To be asked:' : 'Not complete, so the clock does not run:'}</b></p>
      <ul>{shown.faults.map((f, i) => <li key={i}>{f.line > 0 && `line ${f.line}: `}{f.label}: {f.what}{f.hint !== null && `, ${f.hint}`}</li>)}</ul>
    </div>
  );
}

function DecideDialog({ number, action, lines, chosen, onClose, onDone }: {
  number: string; action: Action; lines: FormLine[]; chosen: Set<string>; onClose: () => void; onDone: () => void;
}) {
  const picked = lines.filter((l) => chosen.has(String(l.line)));
  const fit = (picked.length > 0 ? picked : lines).filter((l) => fits(action, l));
  const left = picked.length - fit.length;
  const run = async (data: FormData) => {
    const text = (name: string) => String(data.get(name) ?? '').trim();
    const { messages } = await post('/registry/decide', {
      form: number, action: action.id, lines: fit.map((l) => l.line).join(','),
      ...(text('why') === '' ? {} : { reason: text('why') }),
      ...(text('until') === '' ? {} : { until: text('until') }),
      ...(text('reference') === '' ? {} : { reference: text('reference') }),
    });
    notifyAll(messages, `${action.words}: ${counted(fit.length, 'line')} of form ${number}.`);
    onDone();
  };
  return (
    <Dialog title={`${action.words} ${counted(fit.length, 'line')} of form ${number}`} onClose={onClose} danger={action.danger ?? false}
      confirm={`${action.words} ${counted(fit.length, 'line')}`} onConfirm={run}
      consequence={<>
        <p>{action.means}</p>
        <ul>{fit.slice(0, 20).map((l) => <li key={l.line}>line {l.line}: <Wire value={l.address} />, port <Wire value={l.port} /></li>)}</ul>
        {fit.length > 20 && <p>and {counted(fit.length - 20, 'line')} more</p>}
        {left > 0 && <p>{counted(left, 'chosen line')} cannot be: another state.</p>}
      </>}>
      {action.reason && <Field label="Reason" hint="The site reads it: say which field, and give an example."><textarea name="why" required maxLength={1000} rows={3} /></Field>}
      {action.until !== undefined && <Field label={action.until}><input name="until" type="date" /></Field>}
      {action.id === 'permit' && <Field label="Permit number" hint="as the office files it; may be empty"><input name="reference" maxLength={200} /></Field>}
    </Dialog>
  );
}

function ConfirmDialog({ onClose, onDone }: { onClose: () => void; onDone: () => void }) {
  const run = async (data: FormData) => {
    const { messages } = await post<WireText>('/registry/confirm', { text: String(data.get('list') ?? '') });
    notifyAll(messages, 'The list of the firewall was read.');
    onDone();
  };
  return (
    <Dialog title="Read back what the firewall has" wide onClose={onClose} confirm="Read this list" onConfirm={run}
      consequence={<p>Permitted lines that are in it are entered, and their clock stops. Lines that were entered and are not in it are lost, and their clock starts anew. Of all forms, not of this one alone.</p>}>
      <Field label="The firewall's list" hint="what nft list or ipset save prints, or addresses, one a line">
        <textarea name="list" required rows={10} spellcheck={false} autocomplete="off" />
      </Field>
    </Dialog>
  );
}

// What the office sends by its own mail; the program sends none.
function Receipt({ number }: { number: string }) {
  const [text, setText] = useState('');
  const make = () => post<{ text: string }>('/registry/receipt', { form: number, receipt: true }).then((a) => setText(a.data.text), failed);
  return text === ''
    ? <p><button type="button" class="secondary" onClick={() => { void make(); }}>Write the receipt</button> <small class="soft">How far each line is, and a link by which the contact confirms the address. Nothing is sent.</small></p>
    : <Field label="To be sent to the site contact"><textarea rows={14} readOnly value={text} /></Field>;
}

function Checks({ number, shown }: { number: string; shown: FormShown }) {
  const [asked, setAsked] = useState(false);
  const got = useGet<FormShown>(asked ? '/registry/show' : null, { what: number, checks: true }, { live: false });
  return (
    <section>
      <h2>What was seen, beside what was attested</h2>
      {!asked && <p><button type="button" class="secondary" onClick={() => setAsked(true)}>Read the journal for {counted(shown.lines.rows.length, 'line')}</button> <small class="soft">This takes seconds to minutes, by how much is kept.</small></p>}
      {asked && <Loaded of={got} what="what was seen">
        {(d) => (d.checks?.rows.length ?? 0) === 0
          ? <Empty title="Nothing of these addresses was seen, so nothing is observable." />
          : <Table caption="Requirements, as far as the wire shows them" columns={checkColumns} rows={d.checks!.rows} keyOf={(c) => `${c.line} ${c.address} ${c.requirement}`} keysOff />}
      </Loaded>}
      <p class="soft">Observed, none observed, not observable: that nothing was seen is no proof. What went on under TLS is in no figure.</p>
    </section>
  );
}

function Shown({ number, shown, reload }: { number: string; shown: FormShown; reload: () => void }) {
  const who = useMe();
  const [chosen, setChosen] = useState<Set<string>>(new Set());
  const [doing, setDoing] = useState<Action | 'confirm' | null>(null);
  const lines = shown.lines.rows;
  const registrar = may(who, 'registrar');
  const waiting = lines.filter((l) => l.state === 'permitted' && !l.entered).length;
  const done = () => { setChosen(new Set()); reload(); };
  return (
    <>
      <Facts shown={shown} />
      {registrar && <Receipt number={number} />}
      <Faults shown={shown} />
      <section>
        <h2>Lines</h2>
        {registrar && (
          <div class="bar" role="group" aria-label="Decide about lines">
            <span>{chosen.size > 0 ? `${counted(chosen.size, 'line')} chosen` : 'All lines that it fits'}:</span>
            {ACTIONS.map((a) => {
              const n = lines.filter((l) => fits(a, l) && (chosen.size === 0 || chosen.has(String(l.line)))).length;
              return n > 0 && <button key={a.id} type="button" class={a.id === 'permit' ? undefined : 'secondary'} onClick={() => setDoing(a)}>{a.words} {n}…</button>;
            })}
          </div>
        )}
        <Table caption={`Lines of form ${number}`} columns={lineColumns} rows={lines} keyOf={(l) => String(l.line)}
          {...(registrar ? { selected: chosen, onSelect: setChosen } : {})} />
        {waiting > 0 && (
          <p class="note">{counted(waiting, 'line')} permitted, and not yet found in the firewall's list.
            {' '}{may(who, 'firewall') && <button type="button" class="secondary" onClick={() => setDoing('confirm')}>Read back what the firewall has…</button>}</p>
        )}
      </section>
      <Checks number={number} shown={shown} />
      <section>
        <h2>History</h2>
        <Table caption={`What was done about form ${number}`} columns={historyColumns} rows={shown.history.rows} keyOf={(a) => String(a.audit)} keysOff />
      </section>
      {doing === 'confirm' && <ConfirmDialog onClose={() => setDoing(null)} onDone={done} />}
      {doing !== null && doing !== 'confirm' && <DecideDialog number={number} action={doing} lines={lines} chosen={chosen} onClose={() => setDoing(null)} onDone={done} />}
    </>
  );
}

export function RegistryForm({ number }: { number: string }) {
  const got = useGet<FormShown>('/registry/show', { what: number });
  const shown = got.data;
  return (
    <Page title={<>Form {number}</>} question="What is asked for, what was seen of it, and what is to be decided?"
      actions={<><a href="/registry">All forms</a> <button type="button" class="secondary" onClick={() => print()}>Print</button></>}>
      {shown && shown.schema !== 'span25.registry.form' ? <Empty title={`${number} is no form of the registry.`} />
        : got.error && !shown ? <Failed error={got.error} what={`form ${number}`} retry={got.reload} />
        : <Loaded of={got} what={`form ${number}`}>{(d) => <Shown number={number} shown={d} reload={got.reload} />}</Loaded>}
    </Page>
  );
}
