// One value that many components show.
import { useEffect, useState } from 'preact/hooks';

export interface Store<T> {
  get(): T;
  set(value: T): void;
  subscribe(listener: () => void): () => void;
}

export function createStore<T>(first: T): Store<T> {
  let value = first;
  const listeners = new Set<() => void>();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of [...listeners]) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

// A setting of this browser. Storage may be forbidden; then it lasts as long as the page.
export function createSetting<T extends string>(name: string, allowed: readonly T[]): Store<T> {
  const key = `span25.${name}`;
  let first = allowed[0]!;
  try {
    const kept = localStorage.getItem(key) as T | null;
    if (kept !== null && allowed.includes(kept)) first = kept;
  } catch { /* as said above */ }
  const store = createStore<T>(first);
  store.subscribe(() => {
    try {
      localStorage.setItem(key, store.get());
    } catch { /* as said above */ }
  });
  return store;
}

export function useStore<T>(store: Store<T>): T {
  const [, again] = useState(0);
  useEffect(() => {
    let seen = store.get();
    const look = () => {
      if (Object.is(seen, store.get())) return;
      seen = store.get();
      again((n) => n + 1);
    };
    again((n) => n + 1); // it may have changed since the first drawing
    return store.subscribe(look);
  }, [store]);
  return store.get();
}
