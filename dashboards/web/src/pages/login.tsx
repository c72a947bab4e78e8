// Sign-in: a page of its own, and a form above what somebody was writing.
import { useState } from 'preact/hooks';
import { ApiError, askMe, post, type Me } from '../api';
import { Wire } from '../wire';
import { duration } from '../words';

export function SignIn({ user }: { user?: string }) {
  const [error, setError] = useState<ApiError>();
  const [busy, setBusy] = useState(false);
  const send = async (name: string, password: string) => {
    setBusy(true);
    try {
      await post<Me>('/login', { user: name, password });
      await askMe();
    } catch (e) {
      setError(e instanceof ApiError ? e : new ApiError(0, (e as Error).message));
    }
    setBusy(false);
  };
  const read = (root: HTMLElement) => {
    const value = (name: string) => root.querySelector<HTMLInputElement>(`input[name=${name}]`)!.value;
    void send(value('user'), value('password'));
  };
  // Within a dialog there is a form already, so this is none of its own.
  return (
    <div class="signin" onKeyDown={(e) => {
      if (e.key !== 'Enter' || (e.target as HTMLElement).tagName !== 'INPUT') return;
      e.preventDefault();
      read(e.currentTarget as HTMLElement);
    }}>
      <label>User<input name="user" autoComplete="username" required defaultValue={user ?? ''} autoFocus={user === undefined} maxLength={64} /></label>
      <label>Password<input name="password" type="password" autoComplete="current-password" required autoFocus={user !== undefined} maxLength={1024} /></label>
      {error && (
        <p class="note bad" role="alert">
          <Wire value={error.status === 401 ? 'User or password is wrong.' : error.message} prose />
          {error.retryAfter > 0 && <> Try again in {duration(error.retryAfter)}.</>}
        </p>
      )}
      <button type="button" aria-busy={busy} disabled={busy} onClick={(e) => read((e.currentTarget as HTMLElement).closest('.signin') as HTMLElement)}>Sign in</button>
    </div>
  );
}

export function Login() {
  return (
    <main class="login">
      <h1>span25</h1>
      <p class="soft">Who sends mail here, who behaves like a spam bot, and what would happen if they were blocked.</p>
      <SignIn />
    </main>
  );
}
