import { test } from 'node:test';
import assert from 'node:assert/strict';
import { domainOf, escaped, hiddenExtension, punycode, scriptsOf, wireParts } from './wiretext';

const shown = (text: string, most?: number) => wireParts(text, most).parts.map((p) => (p.chip === undefined ? p.text : `[${p.text}]`)).join('');

test('plain text stays what it is', () => {
  assert.equal(shown('mx1.example.net'), 'mx1.example.net');
  assert.equal(shown('<img src=x onerror=alert(1)>'), '<img src=x onerror=alert(1)>');
  assert.equal(shown('Grüße, 日本語'), 'Grüße, 日本語');
  assert.equal(shown(''), '');
});

test('what turns text round is named', () => {
  assert.equal(shown('invoice_\u202efdp.exe'), 'invoice_[U+202E]fdp.exe');
  for (const c of '\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069')
    assert.match(shown(`a${c}b`), /^a\[U\+[0-9A-F]{4}\]b$/);
});

test('controls, unseen characters and odd spaces are named', () => {
  assert.equal(shown('a\x00b\x07\x1b[31m\x7f\x85'), 'a[U+0000]b[U+0007][U+001B][31m[U+007F][U+0085]');
  assert.equal(shown('a\r\n\tb'), 'a[CR][LF][TAB]b');
  assert.equal(shown('pay\u200bpal\ufeff\u2028\u00ad'), 'pay[U+200B]pal[U+FEFF][U+2028][U+00AD]');
  assert.equal(shown('a\u00a0b\u3000c'), 'a[U+00A0]b[U+3000]c');
  assert.equal(shown('a\u{e0041}b'), 'a[U+E0041]b');
  assert.equal(shown('a\ud800b\ufffd'), 'a[U+D800]b[U+FFFD]');
});

test('every code point below U+3000 is plain or named, and none vanishes', () => {
  for (let c = 0; c < 0x3000; c++) {
    if (c === 0x20) continue;
    const { parts } = wireParts(`a${String.fromCharCode(c)}b`);
    assert.equal(parts.map((p) => p.text).join('').length >= 3, true, c.toString(16));
    if (/\p{C}|\p{Z}/u.test(String.fromCharCode(c)) && !/\p{Cn}/u.test(String.fromCharCode(c)))
      assert.equal(parts.some((p) => p.chip !== undefined), true, `U+${c.toString(16)} is not named`);
  }
});

test('spaces at the ends are shown, those between words are not', () => {
  assert.equal(shown(' a b '), '[␠]a b[␠]');
  assert.equal(shown('   a  '), '[␠×3]a[␠×2]');
  assert.equal(shown('   '), '[␠×3]');
});

test('length is limited by characters, and says what is left out', () => {
  const { parts, more } = wireParts('x'.repeat(3616));
  assert.equal(parts.map((p) => p.text).join('').length, 512);
  assert.equal(more, 3104);
  assert.equal(wireParts('😀😀😀', 2).more, 1);
});

test('marks piled on one letter are named beyond the third', () => {
  assert.equal(shown('e\u0301\u0301\u0301\u0301\u0301x'), 'e\u0301\u0301\u0301[U+0301][U+0301]x');
});

test('the copied form cannot act', () => {
  assert.equal(escaped('a\u202e\x1b\\b'), 'a\\u{202e}\\x1b\\\\b');
});

test('punycode, RFC 3492 7.1', () => {
  assert.equal(punycode('egbpdaj6bu4bxfgehfvwxn'), 'ليهمابتكلموشعربي؟');
  assert.equal(punycode('ihqwcrb4cv8a8dqg056pqjye'), '他们为什么不说中文');
  assert.equal(punycode('b1abfaaepdrnnbgefbadotcwatmq2g4l'), 'почемужеонинеговорятпорусски');
  assert.equal(punycode('bcher-kva'), 'bücher');
  assert.equal(punycode('99999999'), null);
  assert.equal(punycode('ü'), null);
});

test('a domain is shown by its A-labels first', () => {
  assert.deepEqual(domainOf('mail.example.net'), { ascii: 'mail.example.net' });
  assert.deepEqual(domainOf('xn--bcher-kva.example'), { ascii: 'xn--bcher-kva.example', unicode: 'bücher.example' });
  assert.deepEqual(domainOf('bücher.example'), { ascii: 'xn--bcher-kva.example', unicode: 'bücher.example' });
});

test('a domain that may deceive is not shown in Unicode', () => {
  assert.deepEqual(domainOf('xn--80ak6aa92e.com'), { ascii: 'xn--80ak6aa92e.com', warning: 'looks like Latin letters' });
  assert.equal(domainOf('pаypal.com').warning, 'mixed script');
  assert.equal(domainOf('pаypal.com').unicode, undefined);
  assert.equal(domainOf('xn--99999999.com').warning, 'mixed script');
  assert.equal(domainOf('bü cher.example').warning, 'no domain name');
  assert.equal(domainOf('ü@b.example/x').warning, 'no domain name');
});

test('scripts', () => {
  assert.deepEqual(scriptsOf('mail-1'), ['Latin']);
  assert.deepEqual(scriptsOf('мail').sort(), ['Cyrillic', 'Latin']);
});

test('the last extension is told where the name hides it', () => {
  assert.equal(hiddenExtension('report.pdf'), undefined);
  assert.equal(hiddenExtension('report.pdf.exe'), 'exe');
  assert.equal(hiddenExtension('invoice_\u202efdp.exe'), 'exe');
  assert.equal(hiddenExtension('report.pdf       .scr '), 'scr');
  assert.equal(hiddenExtension('none'), undefined);
});
