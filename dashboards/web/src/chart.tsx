// Lines over time. uPlot draws on a canvas, so it also says in a sentence and in a table what it shows.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { colour, onColours } from './theme';
import { useStore } from './store';
import { zone } from './settings';
import { count, stamp } from './words';

export interface Series {
  label: string;
  values: (number | null)[]; // null: not seen, never zero
}

export interface ChartProps {
  caption: string;
  times: number[]; // seconds since 1970, ascending
  series: Series[]; // at most 4
  gaps?: [number, number][]; // blind from, to: hatched
  unit?: string; // "sessions in 10 min"
  summary?: string; // one line; made from the figures when it is not given
  height?: number;
  x?: { label: string; text: (x: number) => string; mark: string }; // no times but another measure; gaps are what `mark` says
}

const TONES = ['--line-1', '--line-2', '--line-3', '--line-4'];
const DASHES: number[][] = [[], [7, 4], [2, 3], [9, 3, 2, 3]];

// Blind where all of them saw nothing.
export function gapsOf(times: number[], series: Series[]): [number, number][] {
  const step = times.length > 1 ? times[1]! - times[0]! : 0;
  const out: [number, number][] = [];
  times.forEach((t, i) => {
    if (series.length === 0 || !series.every((s) => s.values[i] === null || s.values[i] === undefined)) return;
    const last = out[out.length - 1];
    if (last && last[1] >= t) last[1] = t + step;
    else out.push([t, t + step]);
  });
  return out;
}

function summaryOf(p: ChartProps, how: 'utc' | 'local'): string {
  return p.series.map((s) => {
    let top = -1;
    let last = -1;
    s.values.forEach((v, i) => {
      if (v === null || v === undefined) return;
      last = i;
      if (top < 0 || v > s.values[top]!) top = i;
    });
    if (last < 0) return `${s.label}: nothing seen.`;
    return `${s.label}: ${count(s.values[last])} at last, at most ${count(s.values[top])} at ${stamp(new Date(p.times[top]! * 1000), how)}.`;
  }).join(' ');
}

function hatch(u: uPlot, gaps: [number, number][]): void {
  const { ctx, bbox } = u;
  ctx.save();
  for (const [from, to] of gaps) {
    const left = Math.max(bbox.left, u.valToPos(from, 'x', true));
    const right = Math.min(bbox.left + bbox.width, u.valToPos(to, 'x', true));
    if (right <= left) continue;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, bbox.top, right - left, bbox.height);
    ctx.clip();
    ctx.strokeStyle = colour('--soft');
    ctx.globalAlpha = 0.8;
    ctx.lineWidth = devicePixelRatio;
    ctx.beginPath();
    for (let x = left - bbox.height; x < right; x += 11 * devicePixelRatio) {
      ctx.moveTo(x, bbox.top + bbox.height);
      ctx.lineTo(x + bbox.height, bbox.top);
    }
    ctx.stroke();
    ctx.restore();
  }
  ctx.restore();
}

// A value between two that are not known makes no line: it is a point.
function alone(values: ArrayLike<number | null | undefined>): number[] {
  const none = (i: number) => values[i] === null || values[i] === undefined;
  return Array.from(values, (_, i) => i).filter((i) => !none(i) && none(i - 1) && none(i + 1));
}

function options(p: ChartProps, width: number, how: 'utc' | 'local', gaps: [number, number][], onCursor: (i: number | null) => void): uPlot.Options {
  const ink = colour('--soft');
  const grid = { stroke: colour('--rule'), width: 1 };
  const axis = { stroke: ink, grid, ticks: grid, font: '12px system-ui, sans-serif' };
  return {
    width,
    height: p.height ?? 220,
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { size: 7 } },
    ...(how === 'utc' ? { tzDate: (ts: number) => uPlot.tzDate(new Date(ts * 1e3), 'Etc/UTC') } : {}),
    scales: { x: p.x ? { time: false, distr: p.times[0]! > 0 ? 3 : 1 } : { time: true }, y: { range: (_u, _min, max) => [0, Math.max(1, (max ?? 0) * 1.08)] } },
    axes: [
      p.x ? { ...axis, values: (_u, ticks) => ticks.map((v) => (v === null ? '' : p.x!.text(v))) } : { ...axis, values: [
        [86400, '{YYYY}-{MM}-{DD}', null, null, null, null, null, null, 1],
        [3600, '{HH}:{mm}', '\n{MM}-{DD}', null, '\n{MM}-{DD}', null, null, null, 1],
        [60, '{HH}:{mm}', '\n{MM}-{DD}', null, '\n{MM}-{DD}', null, null, null, 1],
      ] },
      { ...axis, size: 56, values: (_u, ticks) => ticks.map((v) => (Number.isInteger(v) ? count(v) : '')) },
    ],
    series: [{}, ...p.series.map((s, i) => ({
      label: s.label, stroke: colour(TONES[i % TONES.length]!), width: 2, dash: DASHES[i % DASHES.length]!, spanGaps: false,
      points: { show: false, filter: (u: uPlot, i: number) => alone(u.data[i]!), size: 5, fill: colour(TONES[i % TONES.length]!) },
    }))],
    hooks: {
      drawClear: [(u) => hatch(u, gaps)],
      setCursor: [(u) => onCursor(u.cursor.idx ?? null)],
    },
  };
}

function Sample({ index }: { index: number }) {
  return (
    <svg class={`sample tone-${index % 4 + 1}`} width="28" height="8" aria-hidden="true" focusable="false">
      <line x1="1" y1="4" x2="27" y2="4" stroke-width="2" stroke-dasharray={DASHES[index % 4]!.join(' ') || undefined} />
    </svg>
  );
}

function Figures({ p, how }: { p: ChartProps; how: 'utc' | 'local' }) {
  return (
    <div class="scroll figures" tabIndex={0} role="region" aria-label={`${p.caption}, as a table`}>
      <table>
        <thead><tr><th scope="col">{p.x?.label ?? 'Time'}</th>{p.series.map((s) => <th key={s.label} scope="col" class="n">{s.label}</th>)}</tr></thead>
        <tbody>
          {p.times.map((t, i) => (
            <tr key={t}>
              <th scope="row" class="t">{p.x ? p.x.text(t) : stamp(new Date(t * 1000), how)}</th>
              {p.series.map((s) => <td key={s.label} class="n">{s.values[i] === null || s.values[i] === undefined ? 'not seen' : count(s.values[i])}</td>)}
            </tr>
          )).reverse()}
        </tbody>
      </table>
    </div>
  );
}

export function Chart(p: ChartProps) {
  const how = useStore(zone);
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [asTable, setAsTable] = useState(false);
  const [index, setIndex] = useState<number | null>(null);
  const gaps = useMemo(() => p.gaps ?? gapsOf(p.times, p.series), [p.gaps, p.times, p.series]);
  const summary = p.summary ?? summaryOf(p, how);
  const labels = p.series.map((s) => s.label).join('|');
  const data = useMemo(() => [p.times, ...p.series.map((s) => s.values)] as uPlot.AlignedData, [p.times, p.series]);

  useEffect(() => {
    const place = box.current;
    if (!place || asTable) return;
    const draw = () => {
      plot.current?.destroy();
      plot.current = new uPlot(options(p, Math.max(200, place.clientWidth), how, gaps, setIndex), data, place);
    };
    draw();
    const size = new ResizeObserver(() => plot.current?.setSize({ width: Math.max(200, place.clientWidth), height: p.height ?? 220 }));
    size.observe(place);
    const off = onColours(draw);
    return () => {
      off();
      size.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [asTable, how, labels, p.height, data, gaps]);

  const at = index !== null && p.times[index] !== undefined ? index : null;
  return (
    <figure class="chart">
      <figcaption>
        <b>{p.caption}</b>{p.unit && <span class="soft"> {p.unit}</span>}
        <button type="button" class="quiet" aria-pressed={asTable} onClick={() => setAsTable(!asTable)}>{asTable ? 'Show as chart' : 'Show as table'}</button>
      </figcaption>
      <ul class="legend" aria-hidden={asTable}>
        {p.series.map((s, i) => (
          <li key={s.label}><Sample index={i} />{s.label}{at !== null && <b class="at">{s.values[at] === null || s.values[at] === undefined ? 'not seen' : count(s.values[at])}</b>}</li>
        ))}
        {gaps.length > 0 && <li><svg class="sample hatched" width="28" height="10" aria-hidden="true"><path d="M2 10L12 0M10 10L20 0M18 10L28 0" /></svg>{p.x?.mark ?? 'nothing seen'}</li>}
        {at !== null && <li class="soft">{p.x ? p.x.text(p.times[at]!) : stamp(new Date(p.times[at]! * 1000), how)}</li>}
      </ul>
      {asTable ? <Figures p={p} how={how} /> : <div class="plot" ref={box} role="img" aria-label={`${p.caption}. ${summary}`} />}
      <p class="soft summary">{summary}</p>
    </figure>
  );
}
