// The range of time that a page is about: ?since=24h, as the verbs take it.
import { RANGES } from './settings';
import { useQuery } from './router';

export function rangeOf(query: URLSearchParams): string {
  const r = query.get('since') ?? '';
  return (RANGES as readonly string[]).includes(r) ? r : '';
}

// For `since` of a request; empty: any time.
export function useRange(): string {
  const [query] = useQuery();
  return rangeOf(query);
}
