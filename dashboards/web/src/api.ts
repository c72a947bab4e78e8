// What the server is asked, and what it says. Every path is below /api/v1.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { createStore, useStore } from './store';
import { refresh } from './settings';

export type Role = 'viewer' | 'analyst' | 'registrar' | 'firewall' | 'admin';

export interface Me {
  user: string;
  roles: Role[];
  csrf: string;
  site: string;
  version: string;
  demo: boolean;
  expires_s: number;
}

export interface Answer<T> {
  data: T;
  messages: string[];
  partial: boolean;
  as_of: string;
}

export class ApiError extends Error {
  constructor(
    readonly status: number, // 0: the server was not reached
    message: string,
    readonly id = '',
    readonly retryAfter = 0,
  ) {
    super(message);
  }
}

export type Query = Record<string, string | number | boolean | null | undefined>;

const ROOT = '/api/v1';

// undefined: not asked yet; null: nobody is logged in.
export const me = createStore<Me | null | undefined>(undefined);
// When the session ends unless something is asked, in ms of Date.now().
export const deadline = createStore(0);
// A session that was there is gone; the page stays as it is until somebody logs in again.
export const sessionLost = createStore(false);
// The position of the index that the stream last told.
export const position = createStore(0);
// What the stream last told of the sensor's sight.
export const sight = createStore<unknown>(null);

export function useMe(): Me | null | undefined {
  return useStore(me);
}

export function may(who: Me | null | undefined, ...roles: Role[]): boolean {
  return !!who && (who.roles.includes('admin') || roles.some((r) => who.roles.includes(r)));
}

export function addressOf(path: string, params: Query = {}): string {
  const q = new URLSearchParams();
  for (const [name, value] of Object.entries(params))
    if (value !== null && value !== undefined && value !== '' && value !== false) q.set(name, String(value));
  const text = q.toString();
  return ROOT + path + (text === '' ? '' : `?${text}`);
}

const PLAIN: Record<number, string> = {
  401: 'Nobody is signed in.',
  403: 'Your role may not see or do this.',
  404: 'There is no such thing here.',
  429: 'Too many requests from here.',
};

// Any body at all gives an error that can be shown: the server may be a proxy.
export function errorOf(status: number, body: unknown, retryAfter: string | null): ApiError {
  const given = (body as { error?: { message?: unknown; id?: unknown } } | null)?.error;
  const message = typeof given?.message === 'string' && given.message !== ''
    ? given.message
    : PLAIN[status] ?? `The server answered ${status}.`;
  const id = typeof given?.id === 'string' ? given.id : '';
  const wait = Number(retryAfter);
  return new ApiError(status, message, id, Number.isFinite(wait) && wait > 0 ? wait : 0);
}

interface Ask {
  body?: unknown;
  signal?: AbortSignal | undefined;
  // Nobody pressed anything: the page asks by itself, because of this event. The server then does not take the person
  // for present, and the session of an empty chair ends.
  byItself?: boolean;
}

async function ask<T>(method: 'GET' | 'POST', address: string, { body, signal, byItself }: Ask): Promise<Answer<T>> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (byItself) headers['Last-Event-ID'] = String(position.get());
  if (method === 'POST') {
    headers['Content-Type'] = 'application/json';
    headers['X-CSRF-Token'] = me.get()?.csrf ?? '';
  }
  let response: Response;
  try {
    response = await fetch(address, {
      method, headers, signal: signal ?? null, credentials: 'same-origin', cache: 'no-store',
      body: method === 'POST' ? JSON.stringify(body ?? {}) : null,
    });
  } catch (e) {
    if ((e as Error).name === 'AbortError') throw e;
    throw new ApiError(0, 'The server of this page was not reached. What is shown is what was last seen.');
  }
  const parsed: unknown = await response.json().catch(() => null);
  if (!response.ok) {
    if (response.status === 401 && me.get()) sessionLost.set(true);
    throw errorOf(response.status, parsed, response.headers.get('Retry-After'));
  }
  if (typeof parsed !== 'object' || parsed === null) throw new ApiError(response.status, 'The answer of the server cannot be read.');
  const given = parsed as Partial<Answer<T>>;
  return {
    data: (given.data ?? null) as T,
    messages: Array.isArray(given.messages) ? given.messages : [],
    partial: given.partial === true,
    as_of: typeof given.as_of === 'string' ? given.as_of : '',
  };
}

export function get<T>(path: string, params?: Query, signal?: AbortSignal): Promise<Answer<T>> {
  return ask<T>('GET', addressOf(path, params), { signal });
}

export function post<T = null>(path: string, body?: unknown): Promise<Answer<T>> {
  return ask<T>('POST', addressOf(path), { body });
}

// Who is signed in, and until when. `byItself`: only to look, which keeps no session alive.
export async function askMe(byItself = false): Promise<void> {
  try {
    const { data } = await ask<Me>('GET', addressOf('/me'), { byItself });
    deadline.set(data.expires_s > 0 ? Date.now() + data.expires_s * 1000 : 0);
    me.set(data);
    sessionLost.set(false);
  } catch (e) {
    if (!(e instanceof ApiError)) throw e;
    if (e.status === 401 && !me.get()) me.set(null);
    else if (e.status !== 401) throw e;
  }
}

export interface Got<T> {
  data: T | undefined; // the last good one, also while a newer is loading or failed
  answer: Answer<T> | undefined;
  error: ApiError | undefined;
  loading: boolean;
  age: number; // ms since the last good answer; 0 when there is none
  reload(): void;
  stop(): void; // gives up what is asked now
}

export interface How {
  every?: number; // ms; overrides what the person chose
  live?: boolean; // follows the stream, as often as the person chose; true unless said otherwise
}

const PACES: Record<string, number> = { live: 250, '10 s': 10_000, '60 s': 60_000 };
const SILENT_MS = 60_000; // asked again so often when the stream is silent, or more seldom at a slower pace
const TURN_MS = 400; // how late an answer that came meanwhile may be noticed
const REST = 4; // an answer that took long is asked for again after so many times that

// Asks, keeps, and asks again. A null path asks nothing. What is on screen stays when a newer answer fails.
export function useGet<T>(path: string | null, params?: Query, how: How = {}): Got<T> {
  const address = path === null ? null : addressOf(path, params);
  const [state, setState] = useState<{ of: string | null; answer?: Answer<T>; error?: ApiError; loading: boolean; at: number }>(
    { of: address, loading: address !== null, at: 0 });
  const [turn, setTurn] = useState(0);
  const chosen = useStore(refresh);
  const live = how.live !== false;
  const pace = how.every ?? (live ? PACES[chosen] ?? 0 : 0);
  const reload = useCallback(() => setTurn((n) => n + 1), []);
  const due = useRef(0); // Infinity while it is asked
  const byItself = useRef(false);
  const stopper = useRef<AbortController | null>(null);

  useEffect(() => {
    if (address === null) return;
    const stop = new AbortController();
    const asked = Date.now();
    due.current = Infinity;
    setState((s) => (s.of === address ? { ...s, loading: true } : { of: address, loading: true, at: 0 }));
    const asking = { signal: stop.signal, byItself: byItself.current };
    byItself.current = false;
    const rested = () => { due.current = Math.max(asked + pace, Date.now() + REST * (Date.now() - asked)); };
    stopper.current = stop;
    ask<T>('GET', address, asking).then(
      (answer) => {
        rested();
        setState({ of: address, answer, loading: false, at: Date.now() });
      },
      (e: Error) => {
        if (e.name === 'AbortError') return;
        rested();
        const error = e instanceof ApiError ? e : new ApiError(0, e.message);
        setState((s) => ({ ...s, error, loading: false }));
      });
    return () => stop.abort();
  }, [address, turn]);

  // Asked again when the index went on, never more often than the pace; at once when the sensor went blind or sees again;
  // and when the stream is silent.
  useEffect(() => {
    if (address === null || pace === 0) return;
    let timer = 0;
    const again = () => {
      timer = 0;
      const wait = due.current - Date.now();
      if (wait > 0) {
        timer = window.setTimeout(again, Math.min(wait, TURN_MS));
        return;
      }
      byItself.current = true;
      reload();
    };
    const soon = () => {
      if (!document.hidden && timer === 0) again();
    };
    const offs = live ? [position.subscribe(soon), sight.subscribe(() => {
      due.current = Math.min(due.current, Date.now());
      soon();
    })] : [];
    const beat = setInterval(soon, how.every ?? Math.max(SILENT_MS, pace));
    document.addEventListener('visibilitychange', soon);
    return () => {
      document.removeEventListener('visibilitychange', soon);
      for (const off of offs) off();
      clearInterval(beat);
      clearTimeout(timer);
    };
  }, [address, pace, live]);

  const mine = state.of === address;
  return {
    data: mine ? state.answer?.data : undefined,
    answer: mine ? state.answer : undefined,
    error: mine ? state.error : undefined,
    loading: address !== null && (!mine || state.loading),
    age: mine && state.at > 0 ? Date.now() - state.at : 0,
    reload,
    stop() {
      stopper.current?.abort();
      setState((s) => ({ ...s, loading: false, error: new ApiError(0, 'The search was stopped. Narrow the time or name a host.') }));
    },
  };
}
