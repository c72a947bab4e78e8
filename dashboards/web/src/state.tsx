// The states of what is asked for: loading, failed, nothing there, nothing seen, not allowed.
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import type { ApiError, Got } from './api';
import { say } from './live';
import { dateOf, duration, Time, useNow } from './words';
import { Wire } from './wire';

// Rows at their final height. Style shows them only after 300 ms.
export function Loading({ what, rows = 6 }: { what: string; rows?: number }) {
  useEffect(() => {
    const timer = setTimeout(() => say(`Loading ${what}…`), 300);
    return () => clearTimeout(timer);
  }, [what]);
  return (
    <div class="loading" aria-busy="true">
      <p>Loading {what}…</p>
      {Array.from({ length: rows }, (_, i) => <div key={i} class="bone" />)}
    </div>
  );
}

// What failed, what still holds, what to do, and an id to quote.
export function Failed({ error, what, retry, stays = false }: {
  error: ApiError; what: string; retry?: () => void; stays?: boolean;
}) {
  if (error.status === 403) return <NotAllowed what={what} />;
  return (
    <div class="note bad" role="alert">
      <p><b>Could not load {what}.</b> <Wire value={error.message} prose /></p>
      {stays && <p>What is shown below was loaded before and may be out of date.</p>}
      {error.retryAfter > 0 && <p>Try again in {duration(error.retryAfter)}.</p>}
      <p>
        {retry && <button type="button" class="secondary" onClick={retry}>Try again</button>}
        {error.id !== '' && <small> Quote this when you ask for help: <code>{error.id}</code></small>}
      </p>
    </div>
  );
}

export function NotAllowed({ what }: { what: string }) {
  return <div class="note"><p><b>You may not see {what}.</b> This needs another role; an administrator of span25 gives roles.</p></div>;
}

// Nothing to list. The text says what was seen all the same.
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return <div class="empty"><p><b>{title}</b></p>{children}</div>;
}

export function Blind({ since, children }: { since?: string | null; children?: ComponentChildren }) {
  const t = useNow();
  const when = dateOf(since);
  return (
    <div class="note bad" role="alert">
      <p><b>BLIND{when ? <> since <Time value={since} />: no packets for {duration((t - when.getTime()) / 1000)}. Data stopped at <Time value={since} /></> : null}.</b>
        {' '}That nothing is shown does not mean that nothing happened. <a href="/sensor">Checks and likely causes</a></p>
      {children}
    </div>
  );
}

// Above data that are partial, or older than they should be.
export function Partial({ messages }: { messages: string[] }) {
  return (
    <div class="note">
      <p><b>Part of it only.</b> {messages.map((m, i) => <span key={i}><Wire value={m} prose /> </span>)}</p>
    </div>
  );
}

// The usual frame: loading first, then what is there, with a note when a newer answer failed.
export function Loaded<T>({ of, what, rows, children }: {
  of: Got<T>; what: string; rows?: number; children: (data: T) => ComponentChildren;
}) {
  const known = of.data !== undefined && of.data !== null;
  if (!known && of.error) return <Failed error={of.error} what={what} retry={of.reload} />;
  if (!known && of.loading) return <Loading what={what} {...(rows === undefined ? {} : { rows })} />;
  if (!known) return <Empty title={`No ${what}.`} />;
  return (
    <div class={of.error ? 'stale' : undefined}>
      {of.error && <Failed error={of.error} what={what} retry={of.reload} stays />}
      {of.answer?.partial && <Partial messages={of.answer.messages} />}
      {children(of.data as T)}
    </div>
  );
}
