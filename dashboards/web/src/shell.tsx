// The frame of every page: who, where, in what mode, how much was seen, and the way elsewhere.
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { askMe, deadline, may, me, post, sessionLost, useGet, useMe } from './api';
import { Dialog } from './dialog';
import { KEY_LIST, useKeys } from './keys';
import { LiveRegion, newAlerts, notify, streamOpen, Toasts } from './live';
import { SignIn } from './pages/login';
import { modeOf, now, figureOf, type NowData } from './now_data';
import { rangeOf } from './range';
import { go, hrefOf, pathOf, setQuery, usePlace } from './router';
import { RANGES, refresh, singleKeys, zone } from './settings';
import { Blind } from './state';
import { useStore, type Store } from './store';
import { THEMES, theme } from './theme';
import { Wire } from './wire';
import { count, dateOf, duration, percent, stamp, Time, useNow } from './words';

const NAV: readonly (readonly [string, readonly (readonly [string, string])[]])[] = [
  ['Watch', [['/', 'Now'], ['/alerts', 'Alerts'], ['/hosts', 'Hosts'], ['/sessions', 'Sessions']]],
  ['Decide', [['/registry', 'Registry'], ['/blocking', 'Blocking'], ['/why', 'Why blocked?']]],
  ['Report', [['/study', 'Study']]],
  ['Operate', [['/sensor', 'Sensor'], ['/audit', 'Audit'], ['/help', 'Help']]],
];
const RANGED = ['/alerts', '/sessions', '/audit'];
const STALE_MS = 10 * 60_000;
const WARN_MS = 2 * 60_000; // before a session ends
const LOOK_MS = 30_000; // between two looks whether it still does

// Where a thing that somebody typed is found.
export function placeOf(text: string): string {
  const q = text.trim();
  if (/^\d{4}-\d+$/.test(q)) return hrefOf('/registry', { form: q });
  if (/^[\da-f]*:[\da-f:.]+$/i.test(q) || /^\d{1,3}(\.\d{1,3}){3}$/.test(q)) return pathOf('hosts', q);
  if (/^(A-)?[\da-f]{4,64}$/i.test(q)) return hrefOf('/why', { q });
  if (/[/@]|\s/.test(q) || /\.\w/.test(q)) return hrefOf('/alerts', { text: q, status: 'all' });
  return hrefOf('/why', { q });
}

function isOn(path: string, target: string): boolean {
  return target === '/' ? path === '/' : path === target || path.startsWith(`${target}/`);
}

function Nav({ path, range, open }: { path: string; range: string; open: number | null }) {
  const who = useMe();
  return (
    <nav class="rail" aria-label="Pages">
      {NAV.map(([group, links]) => (
        <div key={group}>
          <h2>{group}</h2>
          <ul>
            {links.filter(([to]) => to !== '/audit' || may(who)).map(([to, label]) => (
              <li key={to}>
                <a href={hrefOf(to, range !== '' && RANGED.includes(to) ? { since: range } : {})} aria-current={isOn(path, to) ? 'page' : undefined}>
                  {label}{to === '/alerts' && open !== null && open > 0 && <span class="badge" title="open alerts of severity high">{count(open)}<span class="unseen"> open, severity high</span></span>}
                </a>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </nav>
  );
}

function ModeChip({ mode }: { mode: string }) {
  if (mode === '') return null;
  const says: Record<string, string> = {
    off: 'nothing is decided or blocked', simulate: 'decisions are made, nothing is blocked', enforce: 'what is decided is blocked',
  };
  return <a class={`chip mode-${mode}`} href="/blocking" title={says[mode]}><span class="unseen">Mode: </span>{mode.toUpperCase()}</a>;
}

function CoverageChip({ health }: { health: NowData['health'] }) {
  if (!health) return null;
  if (health.state === 'blind')
    return <a class="chip blind" href="/sensor">BLIND{health.since && <> since <Time value={health.since} /></>}</a>;
  if (health.state === 'no sensor')
    return <a class="chip" href="/sensor" title="No sensor runs on this state; what is shown was recorded before">NO SENSOR</a>;
  return <a class="chip seeing" href="/sensor">seeing {health.seen_percent === null || health.seen_percent === undefined ? 'packets' : percent(health.seen_percent)}</a>;
}

function Clock() {
  const t = useNow(1000);
  const how = useStore(zone);
  return (
    <button type="button" class="quiet clock" title="Times are shown like this; press to change between UTC and local"
      onClick={() => zone.set(how === 'utc' ? 'local' : 'utc')}>
      <span class="t">{stamp(new Date(t), how).slice(11)}</span> <small>{how === 'utc' ? 'UTC' : 'local'}</small>
    </button>
  );
}

function Choice<T extends string>({ label, store, of }: { label: string; store: Store<T>; of: readonly T[] }) {
  const value = useStore(store);
  const name = useId(); // the menu and the help page may show it at a time
  return (
    <fieldset class="choice">
      <legend>{label}</legend>
      {of.map((v) => (
        <label key={v}><input type="radio" name={name} checked={value === v} onChange={() => store.set(v)} />{v}</label>
      ))}
    </fieldset>
  );
}

export function Settings() {
  return (
    <div class="settings">
      <Choice label="Theme" store={theme} of={THEMES} />
      <Choice label="Times" store={zone} of={['local', 'utc']} />
      <Choice label="Fresh data" store={refresh} of={['live', '10 s', '60 s', 'off']} />
      <Choice label="Single-key shortcuts" store={singleKeys} of={['on', 'off']} />
    </div>
  );
}

// A <details> that closes with Escape and with a press elsewhere.
function Menu({ label, children, kind }: { label: ComponentChildren; children: ComponentChildren; kind: string }) {
  const box = useRef<HTMLDetailsElement>(null);
  const { path } = usePlace();
  useEffect(() => {
    if (box.current) box.current.open = false;
  }, [path]);
  useEffect(() => {
    const outside = (e: Event) => {
      const d = box.current;
      if (!d?.open) return;
      if (e instanceof KeyboardEvent ? e.key !== 'Escape' : d.contains(e.target as Node)) return;
      d.open = false;
      if (e instanceof KeyboardEvent) d.querySelector('summary')?.focus();
    };
    document.addEventListener('click', outside);
    document.addEventListener('keydown', outside);
    return () => {
      document.removeEventListener('click', outside);
      document.removeEventListener('keydown', outside);
    };
  }, []);
  return <details ref={box} class={`menu ${kind}`}><summary>{label}</summary><div class="menubox">{children}</div></details>;
}

async function signOut(): Promise<void> {
  try {
    await post('/logout');
  } catch (e) {
    notify((e as Error).message, { bad: true });
  }
  me.set(null);
  go('/');
}

function Search() {
  const field = useRef<HTMLInputElement>(null);
  useKeys({ '/': () => field.current?.focus() });
  return (
    <form role="search" class="search" aria-label="All of it" onSubmit={(e) => {
      e.preventDefault();
      const q = field.current!.value.trim();
      if (q !== '') go(placeOf(q));
    }}>
      <input ref={field} type="search" name="q" aria-label="Search: address, alert, form number or domain" placeholder="Address, alert, form or domain"
        autoComplete="off" spellcheck={false} maxLength={256} />
    </form>
  );
}

function Header({ data }: { data: NowData | undefined }) {
  const who = useMe();
  const { path, query } = usePlace();
  const open = figureOf(data, 'open_high').value ?? null;
  const range = rangeOf(query);
  return (
    <header class="top">
      <a class="skip" href="#main" onClick={(e) => { e.preventDefault(); document.getElementById('main')?.focus(); }}>Skip to the page</a>
      <Menu kind="pages" label="Menu"><Nav path={path} range={range} open={open} /></Menu>
      <a class="brand" href="/"><svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true"><path d="M3 17h6l3-9 6 17 3-8h8" /></svg>span25</a>
      {who?.site && <span class="site"><Wire value={who.site} prose shown={64} /></span>}
      {who?.demo && <span class="chip demo" title="Made traffic, to try the page with">DEMO</span>}
      <ModeChip mode={modeOf(data)} />
      <CoverageChip health={data?.health} />
      <Search />
      {RANGED.includes(path) && (
        <label class="range"><span class="unseen">Range of time</span>
          <select value={range} onChange={(e) => setQuery({ since: (e.target as HTMLSelectElement).value })}>
            <option value="">any time</option>
            {range !== '' && !(RANGES as readonly string[]).includes(range) && <option value={range}>since {range.slice(0, 24)}</option>}
            {RANGES.map((r) => <option key={r} value={r}>last {r.replace('h', ' h').replace('d', ' days')}</option>)}
          </select>
        </label>
      )}
      <Clock />
      <Menu kind="user" label={who?.user ?? 'Settings'}>
        {who && <p class="soft">{who.user}: {who.roles.join(', ')}</p>}
        <Settings />
        {who && <button type="button" class="secondary" onClick={signOut}>Sign out</button>}
      </Menu>
    </header>
  );
}

export function KeyTable() {
  return (
    <table class="keys">
      <thead><tr><th scope="col">Key</th><th scope="col">Does</th></tr></thead>
      <tbody>{KEY_LIST.map(([key, does]) => <tr key={key}><th scope="row"><kbd>{key}</kbd></th><td>{does}</td></tr>)}</tbody>
    </table>
  );
}

// A session that ends soon says so; one that ended lets the form on the page stay as it is.
function SessionWatch() {
  const end = useStore(deadline);
  const lost = useStore(sessionLost);
  const who = useMe();
  const t = useNow(5000);
  const left = end - t;
  const looked = useRef(0);
  const soon = !!who && end > 0 && left < WARN_MS;
  useEffect(() => {
    if (!soon || lost || Date.now() - looked.current < LOOK_MS) return;
    looked.current = Date.now(); // work that was done since may have moved the end
    askMe(true).catch(() => undefined);
  }, [soon, lost, t]);
  if (who && (lost || (end > 0 && left <= 0))) {
    return (
      <Dialog title="Sign in again" onClose={() => undefined} keep
        consequence="The session has ended. The page and what you typed stay as they are.">
        <SignIn user={who.user} />
      </Dialog>
    );
  }
  if (!soon) return null;
  return (
    <div class="note sessionnote" role="alert">
      <p>You will be signed out in {duration(left / 1000)}. <button type="button" class="secondary" onClick={() => { askMe().catch((e: Error) => notify(e.message, { bad: true })); }}>Stay signed in</button></p>
    </div>
  );
}

function Banners({ data, asOf }: { data: NowData | undefined; asOf: string }) {
  const streaming = useStore(streamOpen);
  const t = useNow();
  const when = dateOf(asOf);
  if (data?.health?.state === 'blind') return <Blind since={data.health.since ?? null} />;
  if (when && data?.health?.state === 'seeing' && t - when.getTime() > STALE_MS)
    return <div class="note bad" role="alert"><p><b>Data stopped at <Time value={asOf} />.</b> What is shown is from then. <a href="/sensor">Checks and likely causes</a></p></div>;
  if (!streaming) return <p class="soft offline" role="status">The server does not answer; trying again. What is shown stays.</p>;
  return null;
}

export function Shell({ children }: { children: ComponentChildren }) {
  const got = useGet<NowData>('/now');
  const { path, query } = usePlace();
  const [help, setHelp] = useState(false);
  useEffect(() => now.set(got), [got.data, got.error, got.loading]);
  useEffect(() => {
    if (isOn(path, '/alerts')) newAlerts.set([]);
  }, [path]);
  useKeys({
    '?': () => setHelp(true),
    'g n': () => go('/'), 'g i': () => go('/alerts'), 'g h': () => go('/hosts'), 'g s': () => go('/sessions'),
    'g r': () => go('/registry'), 'g b': () => go('/blocking'), 'g w': () => go('/why'),
  });
  const open = figureOf(got.data, 'open_high').value ?? null;
  return (
    <>
      <Header data={got.data} />
      <div class="frame">
        <Nav path={path} range={rangeOf(query)} open={open} />
        <main id="main" tabIndex={-1}>
          <Banners data={got.data} asOf={got.answer?.as_of ?? ''} />
          <SessionWatch />
          <div class={got.data?.health?.state === 'blind' && path !== '/sensor' ? 'stale' : undefined}>{children}</div>
        </main>
      </div>
      <Toasts />
      <LiveRegion />
      {help && <Dialog title="Keys" onClose={() => setHelp(false)}><KeyTable /><p class="soft">They can be switched off in the menu with your name.</p></Dialog>}
    </>
  );
}

// The head of a page: its title, the question that it answers, and what can be done.
export function Page({ title, question, actions, children }: {
  title: ComponentChildren; question?: ComponentChildren; actions?: ComponentChildren; children: ComponentChildren;
}) {
  const head = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${head.current?.textContent ?? ''} · span25`;
  });
  return (
    <>
      <div class="pagehead">
        <div>
          <h1 ref={head}>{title}</h1>
          {question && <p class="soft">{question}</p>}
        </div>
        {actions && <div class="actions">{actions}</div>}
      </div>
      {children}
    </>
  );
}
