// Parts of what is told about blocks, for the pages of a host, of blocking, and of the support desk.
import type { BlockRow, Decision } from '../types';
import { Wire } from '../wire';
import { counted, Time } from '../words';
import { When } from './desk';

export const STANDING: Record<string, string> = {
  'in force': 'in force', asked: 'waits for a human', withheld: 'withheld', over: 'over',
};

// What stood against a block, or made a human be asked, in words.
export function Against({ words }: { words: Record<string, string> | undefined }) {
  const all = Object.entries(words ?? {});
  if (all.length === 0) return null;
  return (
    <details><summary>What stood against a block</summary>
      <ul class="told">{all.map(([word, means]) => <li key={word}><code>{word}</code>: {means}</li>)}</ul>
    </details>
  );
}

export function BlockState({ address, block, decisions }: { address: string; block: BlockRow | undefined; decisions: Decision[] }) {
  if (!block && decisions.length === 0) return <p>Nothing was ever decided about {address}.</p>;
  const past = decisions.filter((d) => d.id !== block?.id);
  return (
    <>
      {block && (
        <p>
          <b>{block.state === 'over' ? 'Not stopped now.' : block.state === 'in force' ? (block.mode === 'enforce' ? 'Port 25 is closed for it.' : 'Would be stopped; the mode is simulate, so it is not.')
            : block.state === 'asked' ? 'A human is asked whether to stop it.' : 'Would not be stopped.'}</b>
          {' '}<Wire value={block.reason} prose />. Since <Time value={block.since} />{block.until && <>, until <When value={block.until} /></>}
          {block.collateral > 0 && <>; {counted(block.collateral, 'ordinary-looking message')} of it within a week</>}.
        </p>
      )}
      {past.length > 0 && (
        <details><summary>{counted(past.length, 'decision')} besides</summary>
          <ul class="told">{past.map((d) => <li key={d.id}><Time value={d.time} />: <Wire value={d.reason} prose /> [{d.mode}]{d.until && <>, until <Time value={d.until} /></>}</li>)}</ul>
        </details>
      )}
    </>
  );
}
