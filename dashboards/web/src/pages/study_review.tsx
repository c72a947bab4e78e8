// The review of a study: one message at a time, without its host and without what the detector says of it.
import { useState } from 'preact/hooks';
import { post, useGet } from '../api';
import { useKeys } from '../keys';
import { pathOf, type Params } from '../router';
import { Page } from '../shell';
import { Empty, Loaded } from '../state';
import { Wire, type WireText } from '../wire';
import { count } from '../words';
import { failed } from './acts';

const VERDICTS = [['malicious', 'm'], ['ordinary', 'o'], ['unclear', 'u']] as const;

// The columns of the sheet, in its order.
const CELLS = [['subject', 'Subject'], ['from', 'Sender (envelope)'], ['header_from', 'From'], ['attachments', 'Attachments'], ['links', 'Links'],
  ['recipients', 'Recipients'], ['refused', 'Refused'], ['replies', 'Replies'], ['bytes', 'Bytes'], ['helo', 'Kind of name in HELO'],
  ['weekday', 'Day'], ['time', 'Time (UTC)'], ['seen', 'Seen']] as const;

type Message = { number: number } & { [cell in (typeof CELLS)[number][0]]?: WireText };

interface Sheet {
  reviewer: number; // 0: others have the sheet
  of: number;
  done: number;
  said: string | null;
  message: Message | null;
}

export function Review({ params }: { params: Params }) {
  const name = params.name ?? '';
  const [back, setBack] = useState(0); // the number to look at again; 0: the next one
  const got = useGet<Sheet>(`/studies/review/${encodeURIComponent(name)}`, { number: back || null }, { live: false });
  const message = got.data?.message;
  const judge = (verdict: string) => {
    if (message) post('/studies/judge', { name, number: message.number, verdict }).then(() => { setBack(0); got.reload(); }, failed);
  };
  useKeys(Object.fromEntries(VERDICTS.map(([word, key]) => [key, () => judge(word)])));
  return (
    <Page title="Review" question="What is this message, if you knew nothing else?">
      <p><a href={pathOf('study', name)}>The study</a> says what the detector found: look there afterwards.</p>
      <Loaded of={got} what="the next message" rows={8}>
        {(s) => (s.message
          ? <One sheet={s} message={s.message} judge={judge} onBack={setBack} />
          : (
            <Empty title={s.reviewer === 0 ? 'This sheet has its reviewers.' : `All judged: ${count(s.done)} of ${count(s.of)}.`}>
              <p>{s.reviewer === 0 ? 'Two people judge all of it, a third one where they differ.' : 'Do not talk about it before the others are done.'}</p>
            </Empty>
          ))}
      </Loaded>
    </Page>
  );
}

function One({ sheet, message, judge, onBack }: { sheet: Sheet; message: Message; judge: (verdict: string) => void; onBack: (n: number) => void }) {
  return (
    <>
      <p role="status">Message {message.number}; {count(sheet.done)} of {count(sheet.of)} judged.{sheet.said !== null && <> You said: <b>{sheet.said}</b>.</>}</p>
      <dl class="facts">
        {CELLS.map(([key, label]) => message[key] !== undefined && <div key={key}><dt>{label}</dt><dd><Wire value={message[key]} /></dd></div>)}
      </dl>
      <div class="buttons" role="group" aria-label="Verdict">
        {VERDICTS.map(([word, key]) => <button key={word} type="button" class={sheet.said === word ? undefined : 'secondary'} onClick={() => judge(word)}>{word} <kbd>{key}</kbd></button>)}
        {message.number > 1 && sheet.reviewer < 3 && <button type="button" class="quiet" onClick={() => onBack(message.number - 1)}>The one before</button>}
      </div>
      <p class="soft">Unclear: it cannot be told. Each look is journaled.</p>
    </>
  );
}
