// A real table with keys j k x Enter, sorting by column and pages from the server.
import type { ComponentChildren } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { useKeys } from './keys';
import { go, hrefOf, patched, useQuery, usePlace } from './router';
import { count } from './words';

export const ROWS_MOST = 500;

export interface Column<Row> {
  id: string;
  head: ComponentChildren;
  cell: (row: Row) => ComponentChildren;
  sortBy?: (row: Row) => string | number | null | undefined; // can be sorted by it
  num?: boolean; // figures, to the right
  tight?: boolean; // one line, as narrow as may be
  hint?: string;
}

export interface TableProps<Row> {
  caption: string; // read out, and shown with `captioned`
  captioned?: boolean;
  columns: Column<Row>[];
  rows: Row[];
  keyOf: (row: Row) => string;
  href?: (row: Row) => string; // where the row leads; its first cell becomes a link
  onOpen?: (row: Row) => void; // instead of href
  selected?: ReadonlySet<string>; // with onSelect: a column of boxes
  onSelect?: (selected: Set<string>) => void;
  keys?: Record<string, (row: Row) => void>; // on the row with the cursor: {e: ack, s: escalate, '.': menu}
  sort?: string; // column, "-column" for descending; remembered here, not by the server
  marked?: (row: Row) => boolean; // a row that asks for attention
  total?: number; // of all pages
  next?: string | null; // cursor of the next page
  keysOff?: boolean; // a second table of a page leaves j and k to the first
}

function compare(a: string | number | null | undefined, b: string | number | null | undefined): number {
  if (a === b) return 0;
  if (a === null || a === undefined) return 1;
  if (b === null || b === undefined) return -1;
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a).localeCompare(String(b), 'en', { numeric: true });
}

function sorted<Row>(rows: Row[], columns: Column<Row>[], by: string): Row[] {
  const down = by.startsWith('-');
  const column = columns.find((c) => c.id === by.replace(/^-/, ''));
  if (!column?.sortBy) return rows;
  const f = column.sortBy;
  return [...rows].sort((a, b) => (down ? -1 : 1) * compare(f(a), f(b)));
}

function Head<Row>({ column, by, onSort }: { column: Column<Row>; by: string; onSort: (by: string) => void }) {
  const mine = by.replace(/^-/, '') === column.id;
  const down = by.startsWith('-');
  const kind = [column.num && 'n', column.tight && 'tight'].filter(Boolean).join(' ') || undefined;
  if (!column.sortBy) return <th scope="col" class={kind} title={column.hint}>{column.head}</th>;
  return (
    <th scope="col" class={kind} title={column.hint} aria-sort={mine ? (down ? 'descending' : 'ascending') : undefined}>
      <button type="button" class="sort" onClick={() => onSort(mine ? (down ? '' : `-${column.id}`) : column.id)}>
        {column.head}<span aria-hidden="true" class="arrow">{mine ? (down ? '▼' : '▲') : ''}</span>
      </button>
    </th>
  );
}

export function Table<Row>(p: TableProps<Row>) {
  const [by, setBy] = useState(p.sort ?? '');
  const [cursor, setCursor] = useState<string | null>(null);
  const body = useRef<HTMLTableSectionElement>(null);
  const all = useRef<HTMLInputElement>(null);
  const rows = useMemo(() => sorted(p.rows.slice(0, ROWS_MOST), p.columns, by), [p.rows, p.columns, by]);
  const choosing = p.selected !== undefined && p.onSelect !== undefined;
  const chosen = p.selected ?? new Set<string>();
  const shownChosen = rows.filter((r) => chosen.has(p.keyOf(r))).length;

  useEffect(() => {
    if (all.current) all.current.indeterminate = shownChosen > 0 && shownChosen < rows.length;
  }, [shownChosen, rows.length]);

  const toggle = (key: string) => {
    const next = new Set(chosen);
    if (!next.delete(key)) next.add(key);
    p.onSelect?.(next);
  };
  const toggleAll = () => p.onSelect?.(shownChosen === rows.length ? new Set() : new Set(rows.map(p.keyOf)));
  const open = (row: Row) => {
    if (p.onOpen) p.onOpen(row);
    else if (p.href) go(p.href(row));
  };
  const at = rows.findIndex((r) => p.keyOf(r) === cursor);
  const move = (to: number) => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, to))];
    if (!row) return;
    setCursor(p.keyOf(row));
    const tr = body.current?.rows[rows.indexOf(row)];
    tr?.focus({ preventScroll: true });
    tr?.scrollIntoView({ block: 'nearest' });
  };
  const here = rows[at];
  const own = Object.fromEntries(Object.entries(p.keys ?? {}).map(([key, act]) => [key, () => { if (here) act(here); }]));
  useKeys(p.keysOff ? {} : {
    j: () => move(at + 1),
    k: () => move(at < 0 ? 0 : at - 1),
    ...(here && (p.href || p.onOpen) ? { Enter: () => open(here), o: () => open(here) } : {}),
    ...(choosing && here ? { x: () => toggle(p.keyOf(here)) } : {}),
    ...own,
  });

  return (
    <>
      <div class="scroll" tabIndex={0} role="region" aria-label={p.caption}>
        <table class="rows">
          <caption class={p.captioned ? undefined : 'unseen'}>{p.caption}</caption>
          <thead>
            <tr>
              {choosing && <th scope="col" class="box"><input ref={all} type="checkbox" aria-label="Choose all rows shown" checked={rows.length > 0 && shownChosen === rows.length} onChange={toggleAll} /></th>}
              {p.columns.map((c) => <Head key={c.id} column={c} by={by} onSort={setBy} />)}
            </tr>
          </thead>
          <tbody ref={body}>
            {rows.map((row) => {
              const key = p.keyOf(row);
              const kind = [key === cursor && 'cursor', p.marked?.(row) && 'marked', chosen.has(key) && 'chosen'].filter(Boolean).join(' ');
              return (
                <tr key={key} tabIndex={-1} class={kind || undefined} aria-current={key === cursor ? 'true' : undefined}
                  onClick={() => setCursor(key)}>
                  {choosing && <td class="box"><input type="checkbox" aria-label={`Choose ${key}`} checked={chosen.has(key)} onChange={() => toggle(key)} /></td>}
                  {p.columns.map((c, i) => {
                    const cell = c.cell(row);
                    const kindOf = [c.num && 'n', c.tight && 'tight'].filter(Boolean).join(' ') || undefined;
                    if (i > 0 || !(p.href || p.onOpen)) return <td key={c.id} class={kindOf}>{cell}</td>;
                    return (
                      <th key={c.id} scope="row" class={kindOf}>
                        {p.href ? <a href={p.href(row)}>{cell}</a> : <button type="button" class="link" onClick={() => open(row)}>{cell}</button>}
                      </th>
                    );
                  })}
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      <Paging shown={rows.length} total={p.total} next={p.next} />
    </>
  );
}

// "Showing 500 of 2,113", with the way to the next page; the cursor is `after` in the address.
export function Paging({ shown, total, next }: { shown: number; total?: number | undefined; next?: string | null | undefined }) {
  const [query] = useQuery();
  const { path } = usePlace();
  const later = query.has('after');
  if (!later && !next && (total === undefined || total <= shown)) return null;
  return (
    <nav class="paging" aria-label="More rows">
      <span>{total !== undefined && total > shown ? `Showing ${count(shown)} of ${count(total)}. ` : `Showing ${count(shown)}. `}
        {total !== undefined && total > ROWS_MOST && 'A narrower filter shows them all.'}</span>
      {later && <a href={hrefOf(path, patched(query, {}))}>First page</a>}
      {next && <a href={hrefOf(path, patched(query, { after: next }))} rel="next">Next page</a>}
    </nav>
  );
}
