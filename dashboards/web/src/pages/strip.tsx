// A strip of time: what happened about a host or an alert, a lane a kind, with the same as a table.
import { useState } from 'preact/hooks';
import { useStore } from '../store';
import { zone } from '../settings';
import { now } from '../now_data';
import { dateOf, stamp, Time } from '../words';
import { moment } from './desk';

export type Lane = 'seen' | 'evidence' | 'alert' | 'people' | 'blocks' | 'registry';

export interface Mark {
  at: string;
  until?: string | undefined;
  label: string;
  lane: Lane;
}

const LANES: readonly (readonly [Lane, string])[] = [
  ['seen', 'Seen'], ['evidence', 'Evidence'], ['alert', 'Alert'], ['people', 'People'], ['blocks', 'Blocks'], ['registry', 'Registry'],
];
const DAY = 86_400_000;
const HOUR = 3_600_000;
const W = 960;
const STEPS = [6 * HOUR, DAY, 7 * DAY, 28 * DAY, 91 * DAY, 365 * DAY]; // between labels; more than 12 would touch
const LEFT = 84;
const ROW = 24;

// 48 hours that hold `around` near their end, or all of the episode when it is longer.
export function windowOf(from: number, around: number): [number, number] {
  const end = around + 6 * HOUR;
  return [Math.min(from - HOUR, end - 2 * DAY), end];
}

export function Strip({ marks, around, from, caption }: { marks: Mark[]; around: string; from: string; caption: string }) {
  const how = useStore(zone);
  const data = useStore(now)?.data;
  const [table, setTable] = useState(false);
  const t = (v: string | undefined) => dateOf(moment(v ?? null))?.getTime() ?? NaN;
  const [start, end] = windowOf(t(from), t(around));
  const x = (ms: number) => LEFT + ((Math.max(start, Math.min(end, ms)) - start) / (end - start)) * (W - LEFT - 12);
  const known = marks.filter((m) => Number.isFinite(t(m.at))).sort((a, b) => t(a.at) - t(b.at));
  const inside = known.filter((m) => (m.until ? t(m.until) : t(m.at)) >= start && t(m.at) <= end);
  const lanes = LANES.filter(([id]) => inside.some((m) => m.lane === id));
  const gaps = (data?.series ?? []).filter((s) => s.seen === 0 || s.seen === false).map((s) => dateOf(typeof s.t === 'string' ? s.t : s.t)!.getTime())
    .filter((g) => g >= start && g < end);
  const ticks: number[] = [];
  const step = STEPS.find((s) => end - start <= 12 * s) ?? 3650 * DAY;
  for (let at = Math.ceil(start / step) * step; at < end; at += step) ticks.push(at);
  const height = lanes.length * ROW + 30;
  const summary = `${inside.length} of ${known.length} events between ${stamp(new Date(start), how)} and ${stamp(new Date(end), how)}.`;
  return (
    <figure class="strip">
      <figcaption>{caption} <button type="button" class="quiet" aria-pressed={table} onClick={() => setTable(!table)}>{table ? 'Show as a strip' : 'Show as a table'}</button></figcaption>
      {table ? (
        <div class="scroll" tabIndex={0} role="region" aria-label={caption}>
          <table><thead><tr><th scope="col">When</th><th scope="col">Until</th><th scope="col">What</th></tr></thead>
            <tbody>{known.map((m, i) => <tr key={i}><td class="tight"><Time value={moment(m.at) ?? null} seconds /></td><td class="tight">{m.until ? <Time value={moment(m.until) ?? null} /> : '–'}</td><td>{m.label}</td></tr>)}</tbody></table>
        </div>
      ) : (
        <div class="scroll" tabIndex={0} role="region" aria-label={caption}>
          <svg viewBox={`0 0 ${W} ${height}`} role="img" aria-label={`${caption}. ${summary}`} class="stripsvg">
            <defs><pattern id="striphatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path d="M0 0V6" class="hatchline" /></pattern></defs>
            {gaps.map((g) => <rect key={g} x={x(g)} y={0} width={Math.max(2, x(g + 600_000) - x(g))} height={height - 24} fill="url(#striphatch)" />)}
            {ticks.map((at) => <g key={at}><path class="grid" d={`M${x(at)} 0V${height - 22}`} /><text x={x(at)} y={height - 6} text-anchor="middle">{labelOf(at, how, step)}</text></g>)}
            {lanes.map(([id, words], row) => (
              <g key={id}>
                <text x={0} y={row * ROW + 18}>{words}</text>
                <path class="lane" d={`M${LEFT} ${row * ROW + 14}H${W - 12}`} />
                {inside.filter((m) => m.lane === id).map((m, i) => (m.until && t(m.until) > t(m.at)
                  ? <rect key={i} class={`span ${id}`} x={x(t(m.at))} y={row * ROW + 8} width={Math.max(4, x(t(m.until)) - x(t(m.at)))} height={12} rx={2}><title>{m.label}, {stamp(new Date(t(m.at)), how)} to {stamp(new Date(t(m.until)), how)}</title></rect>
                  : <circle key={i} class={`dot ${id}`} cx={x(t(m.at))} cy={row * ROW + 14} r={5}><title>{m.label}, {stamp(new Date(t(m.at)), how, true)}</title></circle>))}
              </g>
            ))}
          </svg>
        </div>
      )}
      <p class="soft">{summary}{gaps.length > 0 && ' Hatched: nothing was captured.'}</p>
    </figure>
  );
}

function labelOf(at: number, how: 'utc' | 'local', step: number): string {
  const text = stamp(new Date(at), how);
  return step > 7 * DAY ? text.slice(0, 10) : step >= DAY ? text.slice(5, 10) : text.slice(11, 16) === '00:00' ? text.slice(5, 10) : text.slice(11, 16);
}
