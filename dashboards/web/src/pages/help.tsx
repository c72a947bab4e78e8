// How do I ...? Keys, searches, rules, words, version, licences.
import { useEffect, useState } from 'preact/hooks';
import { get, useGet, useMe } from '../api';
import { hrefOf, useQuery, type Params } from '../router';
import { SEVERITIES, Severity } from '../sev';
import { KeyTable, Page, Settings } from '../shell';
import { Empty, Failed, Loaded } from '../state';
import { Wire, type WireText } from '../wire';
import { counted } from '../words';
import type { ApiError } from '../api';

const EXAMPLES: readonly (readonly [string, string, string])[] = [
  ['New alerts of severity high', '/alerts', 'status=new&severity=high'],
  ['Everything about one host', '/hosts/10.20.4.17', ''],
  ['Alerts of one site in the last week', '/alerts', 'site=LAKE&since=7d'],
  ['Senders that are not registered', '/hosts', 'registered=unregistered'],
  ['Mail that one host sent', '/sessions', 'host=10.20.4.17&type=smtp'],
  ['Why an address is blocked', '/why', 'q=10.20.4.17'],
];

const GLOSSARY: readonly (readonly [string, string])[] = [
  ['alert', 'One episode of one host and one rule, with what was observed, the limits and the evidence.'],
  ['blind', 'The sensor sees no packets, or only part of them. Nothing seen is then no proof of anything.'],
  ['coverage', 'The share of the mail bytes on the mirrored link that the sensor saw. Every count is at least this, never more.'],
  ['enforce', 'What is decided is put on the lists that firewalls fetch.'],
  ['exception', 'A host or prefix that is not to be alerted on or blocked, with a reason and an end.'],
  ['grace', 'The time after a lift in which an address is not blocked again by itself.'],
  ['not observable', 'It cannot be known by watching: what is under TLS, for example. It is not the same as not observed.'],
  ['not observed', 'It was looked for and was not seen. It is not the same as: it is not there.'],
  ['permit', 'A line of a form that a registrar approved and a firewall administrator entered.'],
  ['session', 'One TCP connection that speaks SMTP.'],
  ['simulate', 'Decisions are made and shown; nothing is blocked.'],
  ['transaction', 'One mail within a session: MAIL FROM, its recipients, its data.'],
  ['unregistered', 'No line of the registry covers the host. Before the date of the block that is allowed, and it is no sign of abuse.'],
  ['would be blocked', 'What the policy would have done in mode enforce.'],
];

interface Rule {
  id: string; // empty where a rule only serves others
  name?: string;
  title: WireText;
  level?: string;
  pack?: string;
  use?: string;
}

type RuleText = { text?: WireText; [name: string]: unknown } | string;

// The text of `rules explain`; as JSON its sections, in their order.
function Explained({ data }: { data: RuleText }) {
  if (typeof data === 'string') return <pre><Wire value={data} shown={8192} /></pre>;
  if (data.text !== undefined) return <pre><Wire value={data.text} shown={8192} /></pre>;
  const parts = Object.entries(data).filter(([name, v]) => !['schema', 'id', 'title', 'file', 'line'].includes(name) && v !== null && v !== '');
  return (
    <dl class="facts rule">
      {parts.map(([name, v]) => (
        <div key={name}><dt>{name.replace(/_/g, ' ')}</dt><dd>
          {Array.isArray(v) ? <ul>{v.map((x, i) => <li key={i}><Wire value={typeof x === 'string' ? x : JSON.stringify(x)} prose shown={2048} /></li>)}</ul>
            : <Wire value={typeof v === 'string' ? v : JSON.stringify(v)} prose shown={4096} />}
        </dd></div>
      ))}
    </dl>
  );
}

function idOf(r: Rule): string {
  return r.id || r.name || String(r.title);
}

// Those of one pack, closed until somebody looks for one.
function Pack({ pack, rows, wanted, open }: { pack: string; rows: Rule[]; wanted: string; open: boolean }) {
  return (
    <details open={open}>
      <summary>{counted(rows.length, 'rule')} of pack <Wire value={pack} prose /></summary>
      <div class="inset">{rows.map((r) => <RuleItem key={idOf(r)} rule={r} open={wanted !== '' && r.id === wanted} />)}</div>
    </details>
  );
}

function RuleItem({ rule, open }: { rule: Rule; open: boolean }) {
  const [text, setText] = useState<RuleText>();
  const [error, setError] = useState<ApiError>();
  const load = () => {
    if (text !== undefined) return;
    get<RuleText>(`/rules/${encodeURIComponent(idOf(rule))}`).then(({ data, messages }) => setText(data ?? messages.join('\n')), setError);
  };
  useEffect(() => {
    if (open) load();
  }, [open]);
  return (
    <details class="rule" open={open} onToggle={(e) => { if ((e.target as HTMLDetailsElement).open) load(); }}>
      <summary><Severity of={rule.level} /> <Wire value={rule.title} prose /></summary>
      {error && <Failed error={error} what="the text of the rule" />}
      {text !== undefined && <Explained data={text} />}
    </details>
  );
}

function Rules() {
  const got = useGet<{ rows?: Rule[] }>('/rules', { limit: 500 }, { live: false });
  const [query] = useQuery();
  const [find, setFind] = useState('');
  const wanted = query.get('rule') ?? '';
  return (
    <Loaded of={got} what="the rules">
      {(data) => {
        const all = data.rows ?? [];
        const rows = all.filter((r) => String(r.title).toLowerCase().includes(find.toLowerCase()) || (find !== '' && r.id.startsWith(find)));
        const packs = [...new Set(rows.map((r) => r.pack ?? 'site'))];
        if (all.length === 0) return <Empty title="No rules are loaded." />;
        return (
          <>
            <div class="filters"><label>Find a rule <input type="text" value={find} onInput={(e) => setFind((e.target as HTMLInputElement).value)} maxLength={100} /></label>
              <span class="soft">{counted(rows.length, 'rule')}</span></div>
            {packs.map((pack) => {
              const own = rows.filter((r) => (r.pack ?? 'site') === pack);
              return <Pack key={pack} pack={pack} rows={own} wanted={wanted} open={find !== '' || own.some((r) => wanted !== '' && r.id === wanted)} />;
            })}
          </>
        );
      }}
    </Loaded>
  );
}

function Licences() {
  const [text, setText] = useState('');
  const load = () => {
    if (text === '') fetch('/licences.txt').then((r) => (r.ok ? r.text() : Promise.reject(new Error()))).then(setText, () => setText('The file licences.txt of this page was not found.'));
  };
  return (
    <details onToggle={load}>
      <summary>Licences of what this page is made with</summary>
      <pre><Wire value={text} shown={32768} /></pre>
    </details>
  );
}

export function Help(_: { params: Params }) {
  const who = useMe();
  useEffect(() => {
    if (location.hash !== '') document.getElementById(location.hash.slice(1))?.scrollIntoView();
  }, []);
  return (
    <Page title="Help" question="How do I …?">
      <div class="split">
        <section>
          <h2 id="keys">Keys</h2>
          <KeyTable />
        </section>
        <section>
          <h2 id="severity">What the severities mean</h2>
          <dl>{SEVERITIES.map(([word, means, answer]) => <div key={word}><dt><Severity of={word} /></dt><dd>{means} <span class="soft">({answer})</span></dd></div>)}</dl>
          <h2 id="searches">Views to start from</h2>
          <p>Every filter stands in the address, so a view can be kept as a bookmark and sent to a colleague.</p>
          <ul>{EXAMPLES.map(([label, path, q]) => <li key={label}><a href={hrefOf(path, new URLSearchParams(q))}>{label}</a></li>)}</ul>
          <h2 id="settings">This browser</h2>
          <Settings />
        </section>
      </div>
      <h2 id="rules">Rules</h2>
      <p>Why each rule matters, its limit and how that was chosen, benign causes, and what to do. <code>span25 rules explain</code> prints the same.</p>
      <Rules />
      <h2 id="words">Words</h2>
      <dl class="glossary">{GLOSSARY.map(([word, means]) => <div key={word}><dt>{word}</dt><dd>{means}</dd></div>)}</dl>
      <h2 id="version">Version</h2>
      <p>span25 {who?.version ?? '–'}, Apache License 2.0. The interface of this page is described in <a href="/api/v1/openapi.json" download="span25-openapi.json">openapi.json</a>.</p>
      <Licences />
    </Page>
  );
}
