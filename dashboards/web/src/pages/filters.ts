// Filters of a list, in the address: "host=10.0.0.1", excluded values as "not=host:10.0.0.1", repeated.
import { useMemo } from 'preact/hooks';
import { patched, usePlace } from '../router';

export type Filtered = Record<string, string | null | undefined>;

const KEPT = ['view', 'group']; // stay where "only" clears the filters

function withQuery(path: string, q: URLSearchParams): string {
  const text = q.toString();
  return text === '' ? path : `${path}?${text}`;
}

export function hrefsOf(path: string, query: URLSearchParams) {
  return {
    only(field: string, value: string): string {
      const q = new URLSearchParams();
      for (const k of KEPT) {
        const v = query.get(k);
        if (v !== null) q.set(k, v);
      }
      q.set(field, value);
      return withQuery(path, q);
    },
    include: (field: string, value: string) => withQuery(path, patched(query, { [field]: value })),
    exclude(field: string, value: string): string {
      const q = patched(query, {});
      if (!q.getAll('not').includes(`${field}:${value}`)) q.append('not', `${field}:${value}`);
      return withQuery(path, q);
    },
    group: (field: string) => withQuery(path, patched(query, { group: field })),
    without(field: string): string {
      return withQuery(path, patched(query, { [field]: null }));
    },
    withoutNot(pair: string): string {
      const q = patched(query, {});
      const rest = q.getAll('not').filter((n) => n !== pair);
      q.delete('not');
      for (const n of rest) q.append('not', n);
      return withQuery(path, q);
    },
  };
}

export function useHref() {
  const { path, query } = usePlace();
  return useMemo(() => hrefsOf(path, query), [path, query]);
}

// What the server is not asked: excluded values, and those that it does not filter by.
export function kept<Row>(rows: Row[], query: URLSearchParams, of: (row: Row) => Filtered): Row[] {
  const nots = query.getAll('not').map((n) => {
    const at = n.indexOf(':');
    return [n.slice(0, at), n.slice(at + 1)] as const;
  });
  return nots.length === 0 ? rows : rows.filter((r) => {
    const f = of(r);
    return nots.every(([field, value]) => f[field] !== value);
  });
}
