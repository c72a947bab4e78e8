// What changes without being asked for: messages, Undo, and the server's stream of events.
import type { ComponentChildren } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { createStore, useStore } from './store';
import { me, position, sight } from './api';
import { useKeys } from './keys';

export interface Notice {
  id: number;
  text: ComponentChildren;
  undo?: (() => void | Promise<void>) | undefined;
  bad?: boolean | undefined;
}

const STAY_MS = 10_000; // with Undo: until it is closed or 60 s went by
const STAY_UNDO_MS = 60_000;

const notices = createStore<Notice[]>([]);
let nextId = 1;

function drop(id: number): void {
  notices.set(notices.get().filter((n) => n.id !== id));
}

// Says what was changed. `undo` where it can be undone; then it stays longer.
export function notify(text: ComponentChildren, how: { undo?: () => void | Promise<void>; bad?: boolean } = {}): void {
  const id = nextId++;
  notices.set([...notices.get().slice(-3), { id, text, undo: how.undo, bad: how.bad }]);
  if (!how.bad) setTimeout(() => drop(id), how.undo ? STAY_UNDO_MS : STAY_MS);
}

// The messages of an answer of the server, or what is said when it said nothing.
export function notifyAll(messages: string[], otherwise: string, undo?: () => void | Promise<void>): void {
  const text = messages.length > 0 ? messages.join(' ') : otherwise;
  notify(text, undo ? { undo } : {});
}

export function Toasts() {
  const all = useStore(notices);
  const undo = (n: Notice) => {
    drop(n.id);
    Promise.resolve(n.undo?.()).catch((e: Error) => notify(`Not undone: ${e.message}`, { bad: true }));
  };
  const last = [...all].reverse().find((n) => n.undo);
  useKeys(last ? { u: () => undo(last) } : {});
  return (
    <div class="toasts" role="status" aria-live="polite" aria-relevant="additions">
      {all.map((n) => (
        <div key={n.id} class={n.bad ? 'toast bad' : 'toast'}>
          <span>{n.text}</span>
          {n.undo && <button type="button" class="quiet" onClick={() => undo(n)}>Undo{n === last && <> <kbd>u</kbd></>}</button>}
          <button type="button" class="quiet" aria-label="Close this message" onClick={() => drop(n.id)}>Close</button>
        </div>
      ))}
    </div>
  );
}

const said = createStore('');

// For screen readers only: what loaded, what moved.
export function say(text: string): void {
  said.set(text);
}

export function LiveRegion() {
  return <div class="unseen" aria-live="polite">{useStore(said)}</div>;
}

// ---- the stream ----

export interface StreamAlert {
  id: string;
  severity: string;
  subject: string;
}

export const newAlerts = createStore<StreamAlert[]>([]); // since the list of alerts was last looked at
export const streamOpen = createStore(true);

const MOST_NEW = 500;

function parsed<T>(e: Event): T | null {
  try {
    return JSON.parse((e as MessageEvent<string>).data) as T;
  } catch {
    return null;
  }
}

export function startStream(): void {
  let source: EventSource | null = null;
  const follow = () => {
    const wanted = !!me.get();
    if (wanted && source === null) {
      source = new EventSource('/api/v1/stream');
      source.addEventListener('position', (e) => {
        const seq = parsed<{ seq: number }>(e)?.seq;
        if (typeof seq === 'number') position.set(seq);
      });
      source.addEventListener('alert', (e) => {
        const a = parsed<StreamAlert>(e);
        if (a && typeof a.id === 'string' && newAlerts.get().every((x) => x.id !== a.id))
          newAlerts.set([...newAlerts.get(), a].slice(-MOST_NEW));
      });
      source.addEventListener('health', (e) => sight.set(parsed(e)));
      source.onopen = () => streamOpen.set(true);
      source.onerror = () => streamOpen.set(false);
    } else if (!wanted && source !== null) {
      source.close();
      source = null;
    }
  };
  me.subscribe(follow);
  follow();
}

// ---- rows that do not move under the hand ----

export interface Held<Row> {
  rows: Row[];
  fresh: number; // rows that are there but not shown yet
  show(): void;
}

// Rows keep their place while somebody looks: known ones are brought up to date where they stand, new ones wait for
// show(). `key` names what is listed: another one starts anew. Rows that are gone stay until show().
export function useHeld<Row>(rows: Row[] | undefined, keyOf: (row: Row) => string, key: string): Held<Row> {
  const order = useRef<{ key: string; rows: Row[] } | null>(null);
  const [, again] = useState(0);
  // where nothing stands nothing can move
  if (rows && (order.current === null || order.current.key !== key || order.current.rows.length === 0)) order.current = { key, rows };
  const held = order.current?.key === key ? order.current.rows : [];
  const { shown, fresh } = useMemo(() => {
    const now = new Map((rows ?? []).map((r) => [keyOf(r), r]));
    const known = new Set(held.map(keyOf));
    return {
      shown: held.map((r) => now.get(keyOf(r)) ?? r),
      fresh: [...now.keys()].filter((k) => !known.has(k)).length,
    };
  }, [rows, held]);
  const gone = rows !== undefined && shown.length > 0 && rows.length < shown.length && fresh === 0;
  useEffect(() => { // only shorter, as after an action of one's own: nothing comes in between
    if (gone && rows) {
      order.current = { key, rows };
      again((n) => n + 1);
    }
  }, [gone, rows]);
  return {
    rows: shown,
    fresh,
    show() {
      if (rows) order.current = { key, rows };
      again((n) => n + 1);
    },
  };
}

export function FreshButton({ held, what }: { held: Held<unknown>; what: string }) {
  if (held.fresh === 0) return null;
  return <button type="button" class="fresh" onClick={held.show}>{held.fresh} new {what}</button>;
}
