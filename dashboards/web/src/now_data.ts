// GET /now: asked once, shown by the header and by the first page.
import { createStore } from './store';
import type { Got } from './api';
import type { WireText } from './wiretext';

export interface Figure {
  value?: number | null;
  week_ago?: number | null;
}

export interface Check {
  name?: string;
  state?: string; // ok, warn, fail
  text?: string;
  cause?: string;
  fix?: string;
}

export interface NowData {
  headlines?: {
    unregistered?: { count?: number; exact?: boolean; rows?: { host: string; site?: string; form?: string }[] };
    if_blocked?: { hosts?: number; likely_legitimate?: number; owners?: number; seen_percent?: number | null } | null;
    world?: { count?: number; exact?: boolean; rows?: { list?: WireText; host: string; servers?: number; since?: string }[] } | null;
  };
  figures?: Record<string, Figure | number | string | boolean | null | undefined>;
  series?: { t: string | number; unregistered?: number | null; registered?: number | null; inbound?: number | null; seen?: number | boolean | null }[];
  hosts?: { host: string; site?: string; registered?: boolean | string | null; level?: string; sessions?: number; rcpt?: number; refused?: number }[];
  alerts?: { id: string; severity?: string; subject?: string; host?: string; rule?: string; reason?: WireText; status?: string; first?: string; last?: string; title?: string }[];
  health?: { state?: string; seen_percent?: number | null; since?: string | null; checks?: Check[] };
}

export const now = createStore<Got<NowData> | null>(null);

export function figureOf(data: NowData | undefined, name: string): Figure {
  const f = data?.figures?.[name];
  if (typeof f === 'number') return { value: f };
  return f !== null && typeof f === 'object' ? f : {};
}

export function modeOf(data: NowData | undefined): string {
  const m = data?.figures?.mode as string | { value?: string } | undefined;
  return (typeof m === 'string' ? m : m?.value ?? '').toString();
}
