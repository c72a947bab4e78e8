// The only way for wire text into the page. UX: attacker-controlled text.
import { useState } from 'preact/hooks';
import { domainOf, escaped, hiddenExtension, wireParts, WIRE_SHOWN, type Part, type WireText } from './wiretext';
import { notify } from './live';
import { count } from './words';

export type { WireText };

export interface WireProps {
  value: WireText | string | null | undefined;
  // text: as it is; domain, address (also <a path>): A-labels first; file: with its real last extension
  kind?: 'text' | 'domain' | 'address' | 'file';
  prose?: boolean; // our own sentence with their words in it: not monospaced
  shown?: number; // characters before "... more"
  copy?: boolean; // a button that copies the escaped form
  absent?: string; // what stands there when there is none
}

function Parts({ parts }: { parts: Part[] }) {
  return parts.map((p, i) => p.chip === undefined
    ? p.text
    : <span key={i} class="wirechip" title={p.chip}>{p.text}</span>);
}

function Bare({ text, shown }: { text: string; shown: number }) {
  const [all, setAll] = useState(false);
  const { parts, more } = wireParts(text, all ? shown * 16 : shown);
  return (
    <>
      <Parts parts={parts} />
      {more > 0 && (all
        ? <span class="wirenote">… {count(more)} more</span>
        : <button type="button" class="wiremore" onClick={() => setAll(true)}>… {count(more)} more</button>)}
    </>
  );
}

function DomainText({ text, shown }: { text: string; shown: number }) {
  const d = domainOf(text);
  return (
    <>
      <Bare text={d.ascii} shown={shown} />
      {d.unicode !== undefined && <span class="wirenote"> (<Parts parts={wireParts(d.unicode).parts} />)</span>}
      {d.warning !== undefined && <span class="wirechip warn">{d.warning}</span>}
    </>
  );
}

function Address({ text, shown }: { text: string; shown: number }) {
  const at = text.lastIndexOf('@');
  if (at < 0) return <Bare text={text} shown={shown} />;
  const end = text.endsWith('>') ? '>' : '';
  const domain = text.slice(at + 1, text.length - end.length);
  return (
    <>
      <Bare text={text.slice(0, at + 1)} shown={shown} />
      <DomainText text={domain} shown={shown} />
      {end}
    </>
  );
}

function CopyButton({ text }: { text: string }) {
  const copy = () => navigator.clipboard.writeText(escaped(text))
    .then(() => notify('Copied, with what cannot be seen written out.'), () => notify('This browser does not let the page copy.'));
  return <button type="button" class="wirecopy" onClick={copy}>copy</button>;
}

export function Wire({ value, kind = 'text', prose = false, shown = WIRE_SHOWN, copy = false, absent = '–' }: WireProps) {
  if (value === null || value === undefined) return <span class="none">{absent}</span>;
  const text = String(value);
  if (text === '') return <span class="none">empty</span>;
  const extension = kind === 'file' ? hiddenExtension(text) : undefined;
  return (
    <>
      <bdi dir="ltr" class={prose ? 'wire prose' : 'wire'}>
        {kind === 'domain' ? <DomainText text={text} shown={shown} />
          : kind === 'address' ? <Address text={text} shown={shown} />
          : <Bare text={text} shown={shown} />}
      </bdi>
      {extension !== undefined && <span class="wirechip warn" title="the last extension of the name">.{extension}</span>}
      {copy && <CopyButton text={text} />}
    </>
  );
}
