import { test } from 'node:test';
import assert from 'node:assert/strict';
import { addressOf, ApiError, askMe, errorOf, get, may, me, post, sessionLost, type Me } from './api';

const WHO: Me = { user: 'ada', roles: ['analyst'], csrf: 'tok', site: 'campus', version: '1', demo: false, expires_s: 60 };

function answer(status: number, body: unknown, headers: Record<string, string> = {}): { calls: [string, RequestInit][] } {
  const seen = { calls: [] as [string, RequestInit][] };
  globalThis.fetch = (async (url: string, init: RequestInit) => {
    seen.calls.push([url, init]);
    return new Response(typeof body === 'string' ? body : JSON.stringify(body), { status, headers });
  }) as typeof fetch;
  return seen;
}

test('parameters that say nothing are left out', () => {
  assert.equal(addressOf('/alerts', { status: 'new', host: '', text: undefined, silenced: false, limit: 0 }), '/api/v1/alerts?status=new&limit=0');
});

test('an answer is what the server says, with nothing missing', async () => {
  answer(200, { data: { a: 1 }, partial: true });
  assert.deepEqual(await get('/now'), { data: { a: 1 }, messages: [], partial: true, as_of: '' });
});

test('a change carries the token and no cache', async () => {
  me.set(WHO);
  const seen = answer(200, { data: null, messages: ['done'] });
  assert.deepEqual((await post('/blocks/lift', { subject: '10.0.0.1' })).messages, ['done']);
  const [url, init] = seen.calls[0]!;
  assert.equal(url, '/api/v1/blocks/lift');
  assert.equal((init.headers as Record<string, string>)['X-CSRF-Token'], 'tok');
  assert.equal(init.body, '{"subject":"10.0.0.1"}');
  assert.equal(init.credentials, 'same-origin');
});

test('an error has the words of the verb and its id', async () => {
  answer(409, { error: { message: 'protected address', id: 'abc' } });
  await assert.rejects(post('/blocks/add'), (e: ApiError) => e.status === 409 && e.message === 'protected address' && e.id === 'abc');
});

test('any body makes an error that can be shown', async () => {
  answer(502, '<html>Bad gateway');
  await assert.rejects(get('/now'), (e: ApiError) => e.message === 'The server answered 502.');
  assert.equal(errorOf(429, { error: { message: 7 } }, '30').retryAfter, 30);
  assert.equal(errorOf(403, null, 'soon').message, 'Your role may not see or do this.');
});

test('an answer that is cut is an error, not nothing', async () => {
  answer(200, '{"data":{"a":');
  await assert.rejects(get('/now'), (e: ApiError) => e.message === 'The answer of the server cannot be read.');
});

test('no answer at all is an error of its own', async () => {
  globalThis.fetch = (async () => { throw new TypeError('refused'); }) as typeof fetch;
  await assert.rejects(get('/now'), (e: ApiError) => e.status === 0);
});

test('a session that is lost keeps the person, so that the page stays', async () => {
  me.set(WHO);
  sessionLost.set(false);
  answer(401, { error: { message: 'no session', id: 'x' } });
  await assert.rejects(get('/alerts'));
  assert.equal(sessionLost.get(), true);
  assert.equal(me.get(), WHO);
  answer(200, { data: WHO });
  await askMe();
  assert.equal(sessionLost.get(), false);
});

test('what the page asks by itself says so', async () => {
  const seen = answer(200, { data: WHO });
  await askMe(true);
  await askMe();
  assert.deepEqual(seen.calls.map(([, init]) => 'Last-Event-ID' in (init.headers as object)), [true, false]);
});

test('roles', () => {
  assert.equal(may(WHO, 'analyst'), true);
  assert.equal(may(WHO, 'firewall'), false);
  assert.equal(may({ ...WHO, roles: ['admin'] }, 'firewall'), true);
  assert.equal(may(null, 'analyst'), false);
});
