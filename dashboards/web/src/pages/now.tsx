// Is something wrong, and can I trust what I see?
import { useGet, type Got } from '../api';
import { Chart, type Series } from '../chart';
import { figureOf, modeOf, now, type Figure, type NowData } from '../now_data';
import { pathOf, type Params } from '../router';
import { Page } from '../shell';
import { Severity, SeverityLink } from '../sev';
import { Empty, Loaded } from '../state';
import { useStore } from '../store';
import { Table, type Column } from '../table';
import { Wire } from '../wire';
import { Ago, count, counted, dateOf, percent, Time } from '../words';

const SHOWN = 4;

type Headlines = NonNullable<NowData['headlines']>;
type HostRow = NonNullable<NowData['hosts']>[number];
type AlertRow = NonNullable<NowData['alerts']>[number];

function More({ rest, href, what }: { rest: number; href: string; what: string }) {
  return <p class="foot"><a href={href}>{rest > 0 ? `${what}, ${count(rest)} more` : what}</a></p>;
}

// Not known is not nothing.
function Unknown({ what, why, to, label }: { what: string; why: string; to: string; label: string }) {
  return (
    <section class="card headline">
      <h2><b class="big">–</b>{what}</h2>
      <p>{why}</p>
      <More rest={0} href={to} what={label} />
    </section>
  );
}

function Unregistered({ of }: { of: Headlines['unregistered'] }) {
  const rows = of?.rows ?? [];
  const n = of?.count ?? rows.length;
  if (!of) return <Unknown what="senders nobody told you about" why="There is no registry, or nothing was seen yet." to="/registry" label="The registry" />;
  if (n === 0)
    return (
      <section class="card headline">
        <h2><b class="big">0</b>senders nobody told you about</h2>
        <p>Every host that was seen sending mail across the border is registered.</p>
        <More rest={0} href="/registry/lines" what="What is registered" />
      </section>
    );
  return (
    <section class="card headline">
      <h2><b class="big">{of.exact === false ? `more than ${count(n)}` : count(n)}</b>{n === 1 ? 'sender' : 'senders'} nobody told you about</h2>
      <ul>
        {rows.slice(0, SHOWN).map((r) => (
          <li key={r.host}><a class="addr" href={pathOf('hosts', r.host)}>{r.host}</a>{r.site && <span class="soft"> <Wire value={r.site} prose /></span>}</li>
        ))}
      </ul>
      <p class="soft">Not registered does not mean that anything is wrong with them.</p>
      <More rest={n - Math.min(rows.length, SHOWN)} href="/registry/candidates" what="A form for each, filled in" />
    </section>
  );
}

function IfBlocked({ of }: { of: Headlines['if_blocked'] }) {
  if (!of || of.hosts === undefined)
    return <Unknown what="hosts stopped, if you blocked today" why="Nothing was decided yet on what was seen. A study replays the policy over weeks." to="/study" label="Studies" />;
  return (
    <section class="card headline">
      <h2><b class="big">{count(of.hosts)}</b>{of.hosts === 1 ? 'host' : 'hosts'} stopped, if you blocked today</h2>
      <ul>
        <li><b>{count(of.likely_legitimate)}</b> of them likely legitimate</li>
        <li><b>{count(of.owners)}</b> {of.owners === 1 ? 'owner' : 'owners'} to write to</li>
        <li>{of.seen_percent === null || of.seen_percent === undefined ? 'How much of the traffic was seen is not known' : <><b>{percent(of.seen_percent)}</b> of the traffic was seen</>}</li>
      </ul>
      <More rest={0} href="/blocking" what="Who, why, and what it would cost" />
    </section>
  );
}

function World({ of }: { of: Headlines['world'] }) {
  const rows = of?.rows ?? [];
  const n = of?.count ?? rows.length;
  if (!of) return <Unknown what="what the world says about you" why="What other people's servers said about a host, and the block lists that they cited, stands on the page of the host." to="/hosts" label="Hosts" />;
  return (
    <section class="card headline">
      <h2><b class="big">{n === 0 ? '0' : of.exact === false ? `more than ${count(n)}` : count(n)}</b>{n === 1 ? 'listing' : 'listings'}: what the world says about you</h2>
      {n === 0 && <p>No reply of another server named a block list that holds one of your hosts, in the last 7 days that were seen.</p>}
      <ul>
        {rows.slice(0, SHOWN).map((r, i) => (
          <li key={`${r.host} ${i}`}>
            <Wire value={r.list} /> lists <a class="addr" href={pathOf('hosts', r.host)}>{r.host}</a>
            <span class="soft">, cited by {counted(r.servers ?? 0, 'server')}{r.since && <> since <Time value={r.since} /></>}</span>
          </li>
        ))}
      </ul>
      <p class="soft">Read from the replies of other people's servers.</p>
      {rows.length > SHOWN && <More rest={n - SHOWN} href="/hosts?sort=listed" what="All hosts" />}
    </section>
  );
}

function change(f: Figure): string {
  if (f.value === null || f.value === undefined || f.week_ago === null || f.week_ago === undefined) return '';
  const d = f.value - f.week_ago;
  return d === 0 ? 'as at this hour last week' : `${d > 0 ? '+' : '−'}${count(Math.abs(d))} on this hour last week`;
}

function FigureBox({ f, label, href, least }: { f: Figure; label: string; href: string; least?: boolean }) {
  return <a class="figure" href={href}><b>{least ? 'at least ' : ''}{count(f.value)}</b>{label}<span>{change(f)}</span></a>;
}

function Figures({ data }: { data: NowData }) {
  const mode = modeOf(data);
  const blocks = mode === 'enforce' ? 'blocks in force' : mode === 'simulate' ? 'blocks simulated' : 'blocks';
  return (
    <div class="figures-strip">
      <FigureBox f={figureOf(data, 'open_high')} label="open alerts, severity high" href="/alerts?severity=high" />
      <FigureBox f={figureOf(data, 'unregistered_24h')} label="unregistered senders, 24 h" href="/hosts?registered=unregistered"
        least={data.figures?.unregistered_24h_exact as unknown === false} />
      <FigureBox f={figureOf(data, 'blocks')} label={blocks} href="/blocking" />
      <FigureBox f={figureOf(data, 'due_12h')} label="forms due within 12 h" href="/registry" />
    </div>
  );
}

function Traffic({ data }: { data: NowData }) {
  const points = data.series ?? [];
  const times = points.map((p) => (dateOf(p.t)?.getTime() ?? 0) / 1000);
  const line = (label: string, key: 'unregistered' | 'registered' | 'inbound'): Series => ({
    label, values: points.map((p) => (p.seen ? p[key] ?? null : null)),
  });
  if (points.length < 2) return null;
  return (
    <Chart caption="Sessions" unit="in 10 min, last 48 h" times={times} series={[
      line('unregistered, out', 'unregistered'), line('registered, out', 'registered'), line('inbound', 'inbound')]} />
  );
}

const REGISTERED: Record<string, string> = { true: 'yes', false: 'no', registered: 'yes', unregistered: 'no', undefined: '–', null: '–' };

const HOSTS: Column<HostRow>[] = [
  { id: 'host', head: 'Host', cell: (r) => r.host, tight: true },
  { id: 'site', head: 'Site', cell: (r) => <Wire value={r.site} prose /> },
  { id: 'reg', head: 'Registered', cell: (r) => REGISTERED[String(r.registered)] ?? String(r.registered ?? '–') },
  { id: 'sessions', head: 'Sessions', num: true, cell: (r) => count(r.sessions), sortBy: (r) => r.sessions },
  { id: 'rcpt', head: 'Recipients', num: true, cell: (r) => count(r.rcpt), sortBy: (r) => r.rcpt },
];

const ALERTS: Column<AlertRow>[] = [
  { id: 'what', head: 'Alert', cell: (r) => <Wire value={r.title ?? r.rule ?? r.id} prose /> },
  { id: 'severity', head: 'Severity', tight: true, cell: (r) => <Severity of={r.severity} /> },
  { id: 'host', head: 'Host', tight: true, cell: (r) => r.subject ?? r.host ?? '–' },
  { id: 'last', head: 'Last', tight: true, cell: (r) => <Ago value={r.last ?? r.first} /> },
];

function Quiet({ data }: { data: NowData }) {
  const seen = (data.series ?? []).reduce((n, p) => n + (p.unregistered ?? 0) + (p.registered ?? 0) + (p.inbound ?? 0), 0);
  return (
    <Empty title="No open alerts.">
      <p>{seen > 0 ? `The sensor saw ${count(seen)} sessions in the last 48 h, so this is quiet, not blind.` : 'No sessions were seen in the last 48 h: this may be quiet, or blind.'} <a href="/sensor">What the sensor sees</a></p>
    </Empty>
  );
}

function Health({ data }: { data: NowData }) {
  const bad = (data.health?.checks ?? []).filter((c) => c.state !== 'ok');
  if (bad.length === 0 || data.health?.state === 'no sensor') return null;
  return (
    <div class="note">
      <p><b>{counted(bad.length, 'check of the sensor is', 'checks of the sensor are')} not well.</b> <a href="/sensor">Causes, and what to do</a></p>
      <ul>{bad.slice(0, 3).map((c, i) => <li key={i}><Wire value={c.text ?? c.name ?? ''} prose /></li>)}</ul>
    </div>
  );
}

function Body({ data }: { data: NowData }) {
  return (
    <>
      <Health data={data} />
      <div class="cards">
        <Unregistered of={data.headlines?.unregistered} />
        <IfBlocked of={data.headlines?.if_blocked} />
        <World of={data.headlines?.world} />
      </div>
      <Figures data={data} />
      <Traffic data={data} />
      <div class="split">
        <section>
          <h2>Newest alerts</h2>
          {(data.alerts ?? []).length === 0 ? <Quiet data={data} />
            : <Table caption="Newest alerts" columns={ALERTS} rows={data.alerts ?? []} keyOf={(r) => r.id} href={(r) => pathOf('alerts', r.id)} />}
          <p><a href="/alerts">All alerts</a> · <SeverityLink /></p>
        </section>
        <section>
          <h2>Hosts that send most</h2>
          {(data.hosts ?? []).length === 0 ? <Empty title="No host was seen sending." />
            : <Table caption="Hosts that send most" columns={HOSTS} rows={data.hosts ?? []} keyOf={(r) => r.host} href={(r) => pathOf('hosts', r.host)} keysOff />}
          <p><a href="/hosts">All hosts</a></p>
        </section>
      </div>
    </>
  );
}

export function Now(_: { params: Params }) {
  const shared = useStore(now);
  const oldest = useGet<{ rows?: { id: string }[] }>('/alerts', { status: 'new', severity: 'high', limit: 500 }, { live: false });
  const rows = oldest.data?.rows ?? [];
  const last = rows[rows.length - 1];
  const empty: Got<NowData> = { data: undefined, answer: undefined, error: undefined, loading: true, age: 0, reload: () => undefined, stop: () => undefined };
  return (
    <Page title="Now" question="Is something wrong, and can I trust what I see?"
      actions={last && <a role="button" href={pathOf('alerts', last.id)}>Open the oldest new alert of severity high</a>}>
      <Loaded of={shared ?? empty} what="what is going on" rows={9}>{(data) => <Body data={data} />}</Loaded>
    </Page>
  );
}
