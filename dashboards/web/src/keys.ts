// Single keys, as EveBox has them. They can be switched off (WCAG 2.1.4), and never act while somebody types.
import { useEffect, useRef } from 'preact/hooks';
import { singleKeys } from './settings';

export type Keys = Record<string, (event: KeyboardEvent) => void>;

// What the help page and the "?" dialog list.
export const KEY_LIST: readonly (readonly [string, string])[] = [
  ['j / k', 'next, previous row'],
  ['Enter or o', 'open the row'],
  ['x', 'choose the row'],
  ['e', 'acknowledge what is chosen'],
  ['s', 'escalate'],
  ['c', 'close with a reason, or open again'],
  ['u', 'undo what was just done'],
  ['y', 'copy the justification of an alert'],
  ['l', 'lift the block of the row'],
  ['.', 'actions of the row'],
  ['+ / -', 'only this value, all but this value'],
  ['/', 'search'],
  ['g n', 'go to Now'],
  ['g i', 'go to Alerts'],
  ['g h', 'go to Hosts'],
  ['g s', 'go to Sessions'],
  ['g r', 'go to Registry'],
  ['g b', 'go to Blocking'],
  ['g w', 'go to Why blocked?'],
  ['?', 'this list'],
];

const layers: { current: Keys }[] = [];
const SECOND_MS = 1500; // after a "g"
let pending = '';
let pendingAt = 0;

function typing(target: EventTarget | null): boolean {
  const e = target as HTMLElement | null;
  return !!e?.closest?.('input, textarea, select, [contenteditable], dialog');
}

function onKey(event: KeyboardEvent): void {
  if (singleKeys.get() === 'off' || event.defaultPrevented || event.isComposing) return;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const box = (event.target as HTMLInputElement | null)?.type === 'checkbox';
  if (typing(event.target) && !(box && !(event.target as HTMLElement).closest('dialog') && event.key.length === 1 && event.key !== ' ')) return;
  if (event.key === 'Enter' && (event.target as HTMLElement | null)?.closest?.('a, button, summary')) return;
  const two = pending !== '' && Date.now() - pendingAt < SECOND_MS ? `${pending} ${event.key}` : '';
  pending = '';
  for (const name of two === '' ? [event.key] : [two, event.key])
    for (const layer of [...layers].reverse()) {
      const act = layer.current[name];
      if (!act) continue;
      event.preventDefault();
      act(event);
      return;
    }
  if (layers.some((l) => Object.keys(l.current).some((k) => k.startsWith(`${event.key} `)))) {
    pending = event.key;
    pendingAt = Date.now();
  }
}

// Keys of a component while it is on the page; the newest component is asked first. "g i" is g, then i.
export function useKeys(keys: Keys): void {
  const layer = useRef(keys);
  layer.current = keys;
  useEffect(() => {
    layers.push(layer);
    return () => {
      layers.splice(layers.indexOf(layer), 1);
    };
  }, []);
}

export function startKeys(): void {
  document.addEventListener('keydown', onKey);
}
