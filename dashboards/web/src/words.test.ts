import { test } from 'node:test';
import assert from 'node:assert/strict';
import { bytes, count, counted, dateOf, duration, percent, share, stamp } from './words';

test('numbers as the report writes them', () => {
  assert.equal(count(1234567), '1,234,567');
  assert.equal(count(undefined), '–');
  assert.equal(counted(1, 'host'), '1 host');
  assert.equal(counted(2, 'reply', 'replies'), '2 replies');
  assert.equal(bytes(812), '812 bytes');
  assert.equal(bytes(4096), '4.0 KiB');
});

test('only all is 100 %, only none is 0 %, few are not rated', () => {
  assert.equal(percent(100), '100 %');
  assert.equal(percent(99.96), '>99.9 %');
  assert.equal(percent(0.02), '<0.1 %');
  assert.equal(percent(31.2), '31 %');
  assert.equal(share(3, 10), '3 of 10');
  assert.equal(share(128, 412), '128 of 412 (31 %)');
});

test('times', () => {
  assert.equal(stamp(new Date('2026-03-07T08:14:09Z'), 'utc'), '2026-03-07 08:14Z');
  assert.match(stamp(new Date('2026-03-07T08:14:09Z'), 'local'), /^2026-03-0\d \d\d:\d\d [+−]\d\d:\d\d$/);
  assert.equal(dateOf('rubbish'), null);
  assert.equal(dateOf('2026-11-23T18:02:09.009629+0000')?.toISOString(), '2026-11-23T18:02:09.009Z');
  assert.equal(dateOf('2026-11-23')?.toISOString(), '2026-11-23T00:00:00.000Z');
  assert.equal(duration(59), '59 s');
  assert.equal(duration(14400), '4 h 00 min');
  assert.equal(duration(2430000), '28 d 3 h');
});
