import { test } from 'node:test';
import assert from 'node:assert/strict';
import { hrefOf, isFile, match, ownPath, patched, pathOf } from './router';

test('a pattern gives its parameters, decoded', () => {
  assert.deepEqual(match('/', '/'), {});
  assert.deepEqual(match('/hosts/:addr', '/hosts/2001%3Adb8%3A%3A1'), { addr: '2001:db8::1' });
  assert.equal(match('/hosts/:addr', '/hosts'), null);
  assert.equal(match('/hosts', '/alerts'), null);
  assert.equal(match('/hosts/:addr', '/hosts/%E0%A4%A'), null);
});

test('what goes into a path is encoded', () => {
  assert.equal(pathOf('hosts', 'a/../b?c'), '/hosts/a%2F..%2Fb%3Fc');
  assert.deepEqual(match('/hosts/:addr', pathOf('hosts', '../x')), { addr: '../x' });
});

test('a changed filter begins at the first page', () => {
  const q = new URLSearchParams('status=new&after=abc');
  assert.equal(patched(q, { severity: 'high' }).toString(), 'status=new&severity=high');
  assert.equal(patched(q, { after: 'def' }).toString(), 'status=new&after=def');
  assert.equal(patched(q, { status: '' }).toString(), '');
  assert.equal(q.toString(), 'status=new&after=abc');
});

test('addresses', () => {
  assert.equal(hrefOf('/alerts'), '/alerts');
  assert.equal(hrefOf('/alerts', { text: 'a b&c', none: null }), '/alerts?text=a+b%26c');
});

test('no link leads to another server', () => {
  assert.equal(ownPath('/alerts'), '/alerts');
  for (const bad of ['//evil.example', '/\\evil.example', 'https://evil.example', 'javascript:alert(1)', ''])
    assert.equal(ownPath(bad), null, bad);
});

test('a view may end in an address', () => {
  assert.equal(isFile('/hosts/10.20.4.17'), false);
  assert.equal(isFile('/alerts'), false);
  for (const file of ['/licences.txt', '/assets/main-AB.js', '/api/v1/studies/x'])
    assert.equal(isFile(file), true, file);
});
