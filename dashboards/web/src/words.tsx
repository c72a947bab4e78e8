// Numbers and times as people read them. Counts come before shares; few are not rated.
import { useEffect, useState } from 'preact/hooks';
import { useStore } from './store';
import { zone } from './settings';

export const RATED = 30; // below it a share says nothing

const whole = new Intl.NumberFormat('en-GB');

export function count(n: number | null | undefined): string {
  return n === null || n === undefined || !Number.isFinite(n) ? '–' : whole.format(n);
}

export function counted(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

// A percentage that is there already: only all is 100 %, only none is 0 %.
export function percent(p: number | null | undefined): string {
  if (p === null || p === undefined || !Number.isFinite(p)) return '–';
  if (p > 99.9 && p < 100) return '>99.9 %';
  if (p > 0 && p < 0.1) return '<0.1 %';
  const digits = p !== 0 && p !== 100 && (p < 10 || p > 90) ? 1 : 0;
  return `${p.toFixed(digits)} %`;
}

// "128 of 412 (31 %)"; of fewer than 30 the count alone.
export function share(part: number, of: number): string {
  const text = `${count(part)} of ${count(of)}`;
  return of < RATED ? text : `${text} (${percent((100 * part) / of)})`;
}

export function bytes(n: number | null | undefined): string {
  if (n === null || n === undefined) return '–';
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let i = 0;
  for (; n >= 1024 && i < units.length - 1; i++) n /= 1024;
  return i === 0 ? `${n} bytes` : `${n.toFixed(n < 10 ? 1 : 0)} ${units[i]}`;
}

export function duration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  const two = (n: number) => String(n).padStart(2, '0');
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${two(Math.floor((s % 3600) / 60))} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

const parts = { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;

// "2026-03-07 08:14Z", or local with its offset: "2026-03-07 09:14 +01:00".
export function stamp(when: Date, how: 'utc' | 'local', seconds = false): string {
  if (Number.isNaN(when.getTime())) return '–';
  const f = new Intl.DateTimeFormat('en-GB', {
    ...parts, ...(seconds ? { second: '2-digit' } as const : {}), ...(how === 'utc' ? { timeZone: 'UTC' } : {}) });
  const p = Object.fromEntries(f.formatToParts(when).map((x) => [x.type, x.value]));
  const text = `${p.year}-${p.month}-${p.day} ${p.hour}:${p.minute}${seconds ? `:${p.second}` : ''}`;
  if (how === 'utc') return `${text}Z`;
  const east = -when.getTimezoneOffset();
  const two = (n: number) => String(n).padStart(2, '0');
  return `${text} ${east < 0 ? '−' : '+'}${two(Math.floor(Math.abs(east) / 60))}:${two(Math.abs(east) % 60)}`;
}

export type Moment = string | number | null | undefined; // RFC 3339, or seconds since 1970

export function dateOf(value: Moment): Date | null {
  if (value === null || value === undefined || value === '' || value === 0) return null;
  // an offset without its colon, as events have it, is not what every browser reads
  const d = typeof value === 'number' ? new Date(value * 1000) : new Date(value.replace(/([+-]\d\d)(\d\d)$/, '$1:$2'));
  return Number.isNaN(d.getTime()) ? null : d;
}

// A time in the zone that the person chose, the other one in its title.
export function Time({ value, seconds = false, absent = '–' }: { value: Moment; seconds?: boolean; absent?: string }) {
  const how = useStore(zone);
  const when = dateOf(value);
  if (when === null) return <span class="none">{absent}</span>;
  const other = stamp(when, how === 'utc' ? 'local' : 'utc', true);
  return <time class="t" dateTime={when.toISOString()} title={other}>{stamp(when, how, seconds)}</time>;
}

// The time now, once in `every` ms.
export function useNow(every = 30_000): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}

// "4 min ago", "in 31 h": the moment itself stands in the title.
export function Ago({ value, absent = '–' }: { value: Moment; absent?: string }) {
  const now = useNow();
  const how = useStore(zone);
  const when = dateOf(value);
  if (when === null) return <span class="none">{absent}</span>;
  const s = (now - when.getTime()) / 1000;
  const text = Math.abs(s) < 5 ? 'now' : s < 0 ? `in ${duration(-s)}` : `${duration(s)} ago`;
  return <time class="t" dateTime={when.toISOString()} title={stamp(when, how, true)}>{text}</time>;
}
