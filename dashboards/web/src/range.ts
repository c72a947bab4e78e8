// The range of time that a page is about: ?range=24h.
import { RANGES } from './settings';
import { useQuery } from './router';

export const RANGE_DEFAULT = '24h';

export function rangeOf(query: URLSearchParams): string {
  const r = query.get('range') ?? '';
  return (RANGES as readonly string[]).includes(r) ? r : RANGE_DEFAULT;
}

// For `since` of a request.
export function useRange(): string {
  const [query] = useQuery();
  return rangeOf(query);
}
