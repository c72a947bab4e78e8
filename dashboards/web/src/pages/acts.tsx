// What can be done about alerts, hosts and blocks. Each says first what it will do, then what it changed, with Undo where
// that can be undone.
import { useEffect, useRef, useState } from 'preact/hooks';
import { post } from '../api';
import { Dialog, Field } from '../dialog';
import { notify, notifyAll } from '../live';
import { counted } from '../words';
import { CLOSE_REASONS, copyText, plain } from './desk';

export type Act = 'ack' | 'escalate' | 'close' | 'reopen';

const DONE: Record<Act, string> = { ack: 'acknowledged', escalate: 'escalated', close: 'closed', reopen: 'opened again' };
const AT_ONCE = 500; // ids of one request
const NOTE_MAX = 1024; // as the verb takes it
const UNDO = 'undone on the page: closed by mistake';

// As many at a time as the server takes.
async function sent(action: Act, ids: string[], more: { [field: string]: string }): Promise<string[]> {
  const messages: string[] = [];
  for (let i = 0; i < ids.length; i += AT_ONCE) {
    const a = await post('/alerts/act', { action, ids: ids.slice(i, i + AT_ONCE), ...more });
    messages.push(...a.messages);
  }
  return messages;
}

// Closing can be undone; what was acknowledged or escalated stays in the history, and closing ends it.
export async function act(action: Act, ids: string[], more: { [field: string]: string }, after: () => void): Promise<void> {
  const messages = await sent(action, ids, more).finally(after);
  const undo = async () => {
    const back = await sent('reopen', ids, { reason: UNDO }).finally(after);
    notify(ids.length === 1 && back.length > 0 ? plain(back.join(' ')) : `${counted(ids.length, 'alert')} opened again.`);
  };
  const said = ids.length === 1 && messages.length > 0 ? messages.join(' ') : `${counted(ids.length, 'alert')} ${DONE[action]}.`;
  notify(plain(said), action === 'close' ? { undo } : {});
}

export function failed(e: unknown): void {
  notify(`Nothing was changed: ${plain((e as Error).message)}`, { bad: true });
}

// A close without a reason cannot be sent. 1 to 8 choose one; Ctrl+Enter closes.
export function CloseDialog({ ids, what, sentence, onClose, after }: {
  ids: string[]; what: string; sentence?: string | undefined; onClose: () => void; after: () => void;
}) {
  const [reason, setReason] = useState('');
  const [note, setNote] = useState('');
  const box = useRef<HTMLFieldSetElement>(null);
  useEffect(() => {
    box.current?.querySelector('input')?.focus();
  }, []);

  const close = async () => {
    if (reason === '') throw new Error('Choose a reason: an alert is not closed without one.');
    await act('close', ids, note === '' ? { reason } : { reason, note }, after);
  };
  const onKey = (e: KeyboardEvent) => {
    const target = e.target as HTMLElement;
    if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) {
      e.preventDefault();
      target.closest('form')?.requestSubmit();
      return;
    }
    const at = Number(e.key) - 1;
    if (target.tagName === 'TEXTAREA' || e.ctrlKey || e.metaKey || e.altKey || !CLOSE_REASONS[at]) return;
    e.preventDefault();
    setReason(CLOSE_REASONS[at][0]);
    (box.current?.querySelectorAll('input')[at] as HTMLInputElement | undefined)?.focus();
  };
  return (
    <Dialog title={`Close ${what}`} onClose={onClose} confirm={`Close ${what}`} onConfirm={close}
      consequence={<p>{ids.length === 1 ? 'The alert is' : `${counted(ids.length, 'alert')} are`} taken out of the inbox, with your reason. The episode itself goes on by its rule; a new one is a new alert. The reason counts for the false-positive rate of the study.</p>}>
      <div onKeyDown={onKey}>
        <fieldset class="reasons" ref={box}>
          <legend>Why</legend>
          {CLOSE_REASONS.map(([word, words], i) => (
            <label key={word}>
              <input type="radio" name="reason" value={word} required checked={reason === word} onChange={() => setReason(word)} />
              <kbd aria-hidden="true">{i + 1}</kbd> {words}
            </label>
          ))}
        </fieldset>
        <Field label="Note" hint={`${note.length} of ${NOTE_MAX} characters; kept in the history. Ctrl+Enter closes.`}>
          <textarea name="note" rows={4} maxLength={NOTE_MAX} value={note} onInput={(e) => setNote(e.currentTarget.value)} />
        </Field>
        {sentence !== undefined && (
          <p class="sentence-tools">
            <button type="button" class="secondary" onClick={() => setNote(sentence.slice(0, NOTE_MAX))}>Put the justification into the note</button>
            {' '}<button type="button" class="secondary" onClick={() => { void copyText(sentence, 'The justification was'); }}>Copy it for a ticket</button>
          </p>
        )}
      </div>
    </Dialog>
  );
}

// A change that needs a reason in words of one's own, and maybe a time.
export function ReasonDialog({ title, consequence, confirm, danger = false, ask, time, first = '', box, onClose, onDone }: {
  title: string; consequence: preact.ComponentChildren; confirm: string; danger?: boolean;
  ask: (why: string, time: string, ticked: boolean) => Promise<void>;
  time?: { label: string; values: readonly (readonly [string, string])[] } | undefined;
  first?: string; box?: { label: string; hint: string; ticked: boolean } | undefined;
  onClose: () => void; onDone: () => void;
}) {
  return (
    <Dialog title={title} consequence={consequence} confirm={confirm} danger={danger} onClose={onClose}
      onConfirm={async (form) => {
        const reason = String(form.get('reason') ?? '').trim();
        if (reason === '') throw new Error('A reason is needed; nothing was changed.');
        await ask(reason, String(form.get('for') ?? ''), form.get('box') === 'on');
        onDone();
      }}>
      {time && (
        <Field label={time.label}>
          <select name="for">{time.values.map(([v, words]) => <option key={v} value={v}>{words}</option>)}</select>
        </Field>
      )}
      <Field label="Reason" hint="Everybody who looks at this later reads it: a ticket number, who asked, what was found.">
        <input name="reason" required maxLength={1024} defaultValue={first} autocomplete="off" />
      </Field>
      {box && <label class="tick"><input type="checkbox" name="box" defaultChecked={box.ticked} /> {box.label}<small class="block soft">{box.hint}</small></label>}
    </Dialog>
  );
}

export const BLOCK_TIMES = [['1h', '1 hour'], ['4h', '4 hours'], ['24h', '24 hours'], ['7d', '7 days']] as const;
export const ALLOW_TIMES = [['48h', '48 hours'], ['24h', '24 hours'], ['7d', '7 days'], ['30d', '30 days']] as const;

export function BlockDialog({ address, collateral, mode, onClose, after }: {
  address: string; collateral: number | undefined; mode: string | undefined; onClose: () => void; after: () => void;
}) {
  return (
    <ReasonDialog title={`Block ${address}`} danger confirm={`Block ${address}`} onClose={onClose} onDone={after}
      consequence={<p>Port 25 is closed for 1 address, both ways, for the time below.
        {collateral !== undefined && <> {counted(collateral, 'ordinary-looking message')} of it in the last 7 days would have failed.</>}
        {mode === 'simulate' && <> The mode is simulate: it is written down, and nothing is stopped.</>}
        {mode === 'off' && <> The mode is off: nothing is stopped.</>}
        {' '}Registered, permitted, excepted and protected hosts are refused.</p>}
      time={{ label: 'For', values: [BLOCK_TIMES[1], BLOCK_TIMES[0], BLOCK_TIMES[2], BLOCK_TIMES[3]] }}
      ask={async (reason, time) => {
        const a = await post('/blocks/add', { subject: address, for: time, reason });
        notifyAll(a.messages.map((m) => plain(m)), `${address} is to be stopped.`, () => undoBlock(address, after));
      }} />
  );
}

async function undoBlock(address: string, after: () => void): Promise<void> {
  const a = await post('/blocks/lift', { subject: address, reason: 'undone on the page' });
  after();
  notifyAll(a.messages.map((m) => plain(m)), `${address} is lifted.`);
}

export function AllowDialog({ address, rule, onClose, after }: { address: string; rule?: { id: string; title: string } | undefined; onClose: () => void; after: () => void }) {
  return (
    <ReasonDialog title={`Except ${address}`} confirm={`Except ${address}`} onClose={onClose} onDone={after}
      consequence={<p>Until the time below {rule ? <>nobody is shown alerts of the rule “{rule.title}” about it</> : <>it is kept from automatic blocks</>}. Its mail goes on being seen and counted, and the exception is in the list under Blocking.</p>}
      time={{ label: 'For', values: ALLOW_TIMES }}
      ask={async (reason, time) => {
        const a = await post('/exceptions/add', { prefix: address, from: rule ? 'alert' : 'block', for: time, reason, ...(rule ? { rule: rule.id } : {}) });
        notifyAll(a.messages.map((m) => plain(m)), `${address} is excepted.`);
      }} />
  );
}

export function LiftDialog({ subject, inadvertent, onClose, after }: { subject: string; inadvertent: boolean; onClose: () => void; after: () => void }) {
  return (
    <ReasonDialog title={`Lift ${subject}`} confirm={`Lift ${subject}`} onClose={onClose} onDone={after}
      consequence={<p>What is in force about {subject} ends, its counters begin anew, and the detector leaves it alone for 24 hours. Firewalls take it up at their next fetch, usually within 5 min.</p>}
      box={{ label: 'It should not have been stopped', hint: 'Counts as a mistake of ours: two of these within a day turn enforcing off.', ticked: inadvertent }}
      first={inadvertent ? 'inadvertent, ticket ' : ''}
      ask={async (reason, _time, mistake) => {
        const a = await post('/blocks/lift', { subject, reason, ...(mistake ? { mistake: true } : {}) });
        notifyAll(a.messages.map((m) => plain(m)), `${subject} is lifted. Firewalls pick this up at their next fetch.`);
      }} />
  );
}
