// Is it blind, or slow? What doctor says, with what to do, then the counts behind it.
import { useGet } from '../api';
import { notify } from '../live';
import type { Params } from '../router';
import { Page } from '../shell';
import { Empty, Loaded } from '../state';
import { Wire, type WireText } from '../wire';
import { Ago, bytes, count, percent, Time } from '../words';

interface DoctorRow {
  state?: string;
  check?: string;
  name?: string;
  text?: WireText;
  cause?: WireText;
  fix?: WireText;
}

type Tree = { [name: string]: Tree | Leaf | Leaf[] };
type Leaf = string | number | boolean | null;

// stats: the newest stats event, its time and what stands in its stats.
interface SensorData {
  doctor?: { rows?: DoctorRow[]; checks?: DoctorRow[] } | string | null;
  metrics?: Tree | string | null;
  stats?: (Tree & { timestamp?: string }) | null;
}

const LINE = /^(ok|warn|fail)\s+(.*)$/;

// doctor's rows, or its lines of text: "warn  kernel drops 0.31 % ..."
function rowsOf(doctor: SensorData['doctor']): DoctorRow[] {
  if (typeof doctor !== 'string') return doctor?.rows ?? doctor?.checks ?? [];
  return doctor.split('\n').flatMap((line) => {
    const m = LINE.exec(line.trim());
    return m ? [{ state: m[1]!, text: m[2] as unknown as WireText }] : [];
  });
}

const WORST = ['fail', 'warn', 'ok'];
const WORDS: Record<string, string> = { fail: 'fails', warn: 'look at it', ok: 'ok' };
const KINDS: Record<string, string> = { fail: 'bad', warn: 'warn', ok: 'ok' };

function Checks({ rows }: { rows: DoctorRow[] }) {
  const order = (r: DoctorRow) => (WORST.indexOf(r.state ?? '') + WORST.length + 1) % (WORST.length + 1);
  const sorted = [...rows].sort((a, b) => order(a) - order(b));
  if (rows.length === 0) return <Empty title="No checks."><p>No sensor runs on this state; <code>span25 doctor</code> looks at a machine before one does.</p></Empty>;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Checks">
      <table>
        <caption class="unseen">Checks</caption>
        <thead><tr><th scope="col">State</th><th scope="col">Check</th><th scope="col">Likely cause, and what to do</th></tr></thead>
        <tbody>
          {sorted.map((r, i) => (
            <tr key={i}>
              <td><span class={`chip ${KINDS[r.state ?? ''] ?? ''}`}>{WORDS[r.state ?? ''] ?? r.state}</span></td>
              <td><Wire value={r.text ?? r.check ?? r.name} prose /></td>
              <td>{r.cause && <p><Wire value={r.cause} prose /></p>}{r.fix && <Wire value={r.fix} prose />}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function at(tree: Tree | null | undefined, path: string): Leaf | undefined {
  let here: Tree | Leaf | Leaf[] | undefined = tree ?? undefined;
  for (const name of path.split('.')) {
    if (typeof here !== 'object' || here === null || Array.isArray(here)) return undefined;
    here = here[name];
  }
  return typeof here === 'object' ? undefined : here;
}

function number(tree: Tree | null | undefined, path: string): number | undefined {
  const v = at(tree, path);
  return typeof v === 'number' ? v : undefined;
}

function ratio(part: number | undefined, rest: number | undefined): string {
  if (part === undefined || rest === undefined || part + rest === 0) return '–';
  return percent((100 * part) / (part + rest));
}

function Facts({ stats }: { stats: Tree }) {
  const n = (path: string) => number(stats, path);
  const window = n('sight.window_s');
  const rate = (v: number | undefined) => (v === undefined || !window ? '–' : `${count(Math.round(v / window))}/s`);
  const facts: [string, string, string][] = [
    ['Packets', rate(n('sight.packets')), window === undefined ? '' : `over ${count(window)} s`],
    ['Dropped by kernel or card', ratio(n('sight.dropped'), n('sight.packets')), count(n('sight.dropped'))],
    ['Mail bytes never seen', ratio(n('sight.bytes_unseen'), n('sight.bytes_seen')), bytes(n('sight.bytes_unseen'))],
    ['Seen one way only', n('sight.sessions') ? percent((100 * (n('sight.sessions_oneway') ?? 0)) / n('sight.sessions')!) : '–', `${count(n('sight.sessions_oneway'))} of ${count(n('sight.sessions'))} sessions`],
    ['Records lost', count(n('sight.records_lost')), 'from worker to core'],
    ['Connections given up', count(n('tcp.flows_evicted')), 'a table was full'],
    ['Clock', at(stats, 'sight.clock_synchronised') === true ? 'synchronised' : at(stats, 'sight.clock_synchronised') === false ? 'not synchronised' : '–',
      n('sight.clock_offset_us') === undefined ? '' : `offset ${count(Math.round(n('sight.clock_offset_us')! / 1000))} ms`],
  ];
  return (
    <dl class="facts">
      {facts.map(([name, value, note]) => <div key={name}><dt>{name}</dt><dd>{value}{note !== '' && note !== '–' && <small>{note}</small>}</dd></div>)}
    </dl>
  );
}

// Everything that was counted, by its name in events(7).
function leaves(tree: Tree | Leaf | Leaf[], path = ''): [string, string][] {
  if (typeof tree !== 'object' || tree === null) return [[path, typeof tree === 'number' ? count(tree) : String(tree)]];
  if (Array.isArray(tree)) return [[path, tree.map((x) => (typeof x === 'object' ? JSON.stringify(x) : String(x))).join(', ')]];
  return Object.entries(tree).flatMap(([name, value]) => leaves(value, path === '' ? name : `${path}.${name}`));
}

function Counts({ title, tree }: { title: string; tree: Tree }) {
  const rows = leaves(tree);
  if (rows.length === 0) return null;
  return (
    <details>
      <summary>{title}: {count(rows.length)} values</summary>
      <div class="scroll" tabIndex={0} role="region" aria-label={title}>
        <table>
          <thead><tr><th scope="col">Name, see events(7)</th><th scope="col" class="n">Value</th></tr></thead>
          <tbody>{rows.map(([name, value]) => <tr key={name}><th scope="row"><Wire value={name} /></th><td class="n"><Wire value={value} /></td></tr>)}</tbody>
        </table>
      </div>
    </details>
  );
}

function copyText(rows: DoctorRow[]): void {
  const text = rows.map((r) => `${(r.state ?? '').padEnd(5)} ${String(r.text ?? r.check ?? r.name ?? '')}${r.fix ? `  Fix: ${String(r.fix)}` : ''}`).join('\n');
  navigator.clipboard.writeText(text).then(() => notify('Copied what the checks say.'), () => notify('This browser does not let the page copy.'));
}

export function Sensor(_: { params: Params }) {
  const got = useGet<SensorData>('/sensor');
  const rows = rowsOf(got.data?.doctor);
  return (
    <Page title="Sensor" question="Is it blind, or slow?"
      actions={rows.length > 0 && <button type="button" class="secondary" onClick={() => copyText(rows)}>Copy what the checks say</button>}>
      <Loaded of={got} what="the sensor's checks">
        {(data) => (
          <>
            <Checks rows={rowsOf(data.doctor)} />
            {data.stats ? (
              <>
                <h2>What it sees <small class="soft">last told <Ago value={data.stats.timestamp} />, <Time value={data.stats.timestamp} seconds /></small></h2>
                <Facts stats={data.stats} />
                <Counts title="All counts" tree={data.stats} />
              </>
            ) : <Empty title="No counts."><p>A sensor writes them once a minute; this state has none.</p></Empty>}
            {typeof data.metrics === 'string' ? <details><summary>Metrics</summary><pre><Wire value={data.metrics} shown={16384} /></pre></details>
              : data.metrics ? <Counts title="Metrics" tree={data.metrics} /> : null}
          </>
        )}
      </Loaded>
    </Page>
  );
}
