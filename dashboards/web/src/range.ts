// The range of time that a page is about: ?since=24h, as the verbs take it; empty: any time.
import { useQuery } from './router';

export function rangeOf(query: URLSearchParams): string {
  return query.get('since') ?? '';
}

export function useRange(): string {
  const [query] = useQuery();
  return rangeOf(query);
}
