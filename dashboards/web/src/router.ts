// Real URLs: a path says the page, the query string its filters, so that every view can be bookmarked and sent.
import { createStore, useStore } from './store';

export type Params = Record<string, string>;

export interface Place {
  path: string;
  query: URLSearchParams;
}

// "/hosts/:addr" on "/hosts/10.0.0.1" gives {addr: "10.0.0.1"}; null when it does not fit.
export function match(pattern: string, path: string): Params | null {
  const want = pattern.split('/').filter(Boolean);
  const have = path.split('/').filter(Boolean);
  if (want.length !== have.length) return null;
  const params: Params = {};
  for (const [i, word] of want.entries()) {
    const given = have[i]!;
    if (!word.startsWith(':')) {
      if (word !== given) return null;
      continue;
    }
    try {
      params[word.slice(1)] = decodeURIComponent(given);
    } catch {
      return null;
    }
  }
  return params;
}

// The path with what was given put in; each segment is encoded.
export function pathOf(...segments: string[]): string {
  return '/' + segments.map(encodeURIComponent).join('/');
}

export type Patch = Record<string, string | number | boolean | null | undefined>;

// The same query with some of its parameters changed; empty ones are taken out.
// A changed filter begins at the first page again.
export function patched(query: URLSearchParams, patch: Patch): URLSearchParams {
  const next = new URLSearchParams(query);
  if (!('after' in patch)) next.delete('after');
  for (const [name, value] of Object.entries(patch)) {
    if (value === null || value === undefined || value === '' || value === false) next.delete(name);
    else next.set(name, String(value));
  }
  return next;
}

export function hrefOf(path: string, query?: URLSearchParams | Patch): string {
  const q = query instanceof URLSearchParams ? query : patched(new URLSearchParams(), query ?? {});
  if (!(query instanceof URLSearchParams) && query?.after) q.set('after', String(query.after));
  const text = q.toString();
  return text === '' ? path : `${path}?${text}`;
}

// Only an address of this page, never one of another server.
export function ownPath(href: string): string | null {
  return /^\/(?![/\\])/.test(href) ? href : null;
}

function here(): Place {
  return { path: location.pathname, query: new URLSearchParams(location.search) };
}

const place = createStore<Place>({ path: '/', query: new URLSearchParams() });

export function usePlace(): Place {
  return useStore(place);
}

export function go(href: string, how: { replace?: boolean } = {}): void {
  if (ownPath(href) === null) return;
  const moved = href.split(/[?#]/)[0] !== location.pathname;
  if (how.replace) history.replaceState(null, '', href);
  else history.pushState(null, '', href);
  place.set(here());
  if (moved) scrollTo(0, 0);
}

// Changes filters of the page that is shown. Typing replaces, choosing pushes.
export function setQuery(patch: Patch, how: { replace?: boolean } = {}): void {
  go(hrefOf(location.pathname, patched(new URLSearchParams(location.search), patch)), how);
}

// The filters, and a way to change them.
export function useQuery(): [URLSearchParams, typeof setQuery] {
  return [usePlace().query, setQuery];
}

// What the server has as a file. Views end in addresses too: /hosts/10.2.3.4.
export function isFile(path: string): boolean {
  return /^\/(api|assets)\/|^\/[^/]*\.[^/]*$/.test(path);
}

// Links stay links: with a modifier, a target or another origin the browser does what it always does.
function onClick(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = (event.target as Element | null)?.closest?.('a');
  const href = link?.getAttribute('href');
  if (!link || !href || link.target !== '' || link.hasAttribute('download')) return;
  if (ownPath(href) === null || /^\/(api|assets)\/|\.(txt|svg)$/.test(href.split(/[?#]/)[0]!)) return;
  event.preventDefault();
  go(href);
}

export function startRouter(): void {
  place.set(here());
  addEventListener('popstate', () => place.set(here()));
  document.addEventListener('click', onClick);
}
