// Text that somebody else chose: what of it may be shown as it is, and what must be named instead.

// What came off the wire. It is no string to the compiler, so that only <Wire> can show it.
export interface WireText {
  readonly __wire: 'shown by <Wire> only';
}

export interface Part {
  text: string;
  chip?: string; // why it is a chip, in words
}

export const WIRE_SHOWN = 512; // characters, before "... more"
const MARKS = 3; // combining marks on one letter; more of them cover other lines

const NAMED: Record<number, string> = { 9: 'TAB', 10: 'LF', 13: 'CR' };

function inRanges(c: number, ranges: readonly (readonly [number, number])[]): boolean {
  return ranges.some(([from, to]) => c >= from && c <= to);
}

const CONTROLS = [[0x00, 0x1f], [0x7f, 0x9f], [0xfff9, 0xfffb]] as const;
const BIDI = [[0x061c, 0x061c], [0x200e, 0x200f], [0x202a, 0x202e], [0x2066, 0x2069]] as const;
const UNSEEN = [
  [0x00ad, 0x00ad], [0x034f, 0x034f], [0x115f, 0x1160], [0x17b4, 0x17b5], [0x180b, 0x180f], [0x200b, 0x200d],
  [0x2028, 0x2029], [0x2060, 0x2065], [0x206a, 0x206f], [0x2800, 0x2800], [0x3164, 0x3164], [0xfe00, 0xfe0f],
  [0xfeff, 0xfeff], [0xffa0, 0xffa0], [0x1bca0, 0x1bca3], [0x1d173, 0x1d17a], [0xe0000, 0xe0fff],
] as const;
const SPACES = [[0x00a0, 0x00a0], [0x1680, 0x1680], [0x2000, 0x200a], [0x202f, 0x202f], [0x205f, 0x205f], [0x3000, 0x3000]] as const;

// Why a character is not shown as itself; undefined when it is.
function reasonOf(c: number): string | undefined {
  if (inRanges(c, CONTROLS)) return 'control character';
  if (inRanges(c, BIDI)) return 'changes the direction of text';
  if (inRanges(c, UNSEEN)) return 'invisible character';
  if (inRanges(c, SPACES)) return 'unusual space';
  if (c >= 0xd800 && c <= 0xdfff) return 'half of a character';
  if (c === 0xfffd) return 'bytes that are no text';
  if ((c >= 0xe000 && c <= 0xf8ff) || c >= 0xf0000) return 'private character';
  if (c !== 0x20 && /^[\p{C}\p{Z}]$/u.test(String.fromCodePoint(c))) return 'invisible character'; // what the lists forgot
  return undefined;
}

export function codeOf(c: number): string {
  return NAMED[c] ?? `U+${c.toString(16).toUpperCase().padStart(4, '0')}`;
}

// The text as parts that are safe to show, and how many characters were left out.
export function wireParts(value: string, shown = WIRE_SHOWN): { parts: Part[]; more: number } {
  const letters = [...value];
  const used = letters.slice(0, shown);
  const parts: Part[] = [];
  let plain = '';
  let marks = 0;
  const chip = (text: string, why: string) => {
    if (plain !== '') parts.push({ text: plain });
    plain = '';
    parts.push({ text, chip: why });
  };
  let from = 0;
  let to = used.length;
  while (from < to && used[from] === ' ') from++;
  while (to > from && used[to - 1] === ' ') to--;
  if (letters.length > used.length) to = used.length;
  const spaces = (n: number, where: string) => {
    if (n > 0) chip(n === 1 ? '␠' : `␠×${n}`, `${n === 1 ? 'space' : `${n} spaces`} at the ${where}`);
  };
  spaces(from, 'start');
  for (const letter of used.slice(from, to)) {
    const c = letter.codePointAt(0)!;
    const why = reasonOf(c);
    marks = /^\p{M}$/u.test(letter) ? marks + 1 : 0;
    if (why !== undefined) chip(codeOf(c), why);
    else if (marks > MARKS) chip(codeOf(c), 'mark beyond the third on one letter');
    else plain += letter;
  }
  if (plain !== '') parts.push({ text: plain });
  plain = '';
  spaces(used.length - to, 'end');
  return { parts, more: letters.length - used.length };
}

// For the clipboard: nothing in it acts, and it reads the same everywhere.
export function escaped(value: string): string {
  let out = '';
  for (const letter of value) {
    const c = letter.codePointAt(0)!;
    if (letter === '\\') out += '\\\\';
    else if (reasonOf(c) === undefined) out += letter;
    else if (c < 0x100) out += `\\x${c.toString(16).padStart(2, '0')}`;
    else out += `\\u{${c.toString(16)}}`;
  }
  return out;
}

// ---- domains ----

// RFC 3492; null when the label is none.
export function punycode(label: string): string | null {
  const out: number[] = [];
  const cut = label.lastIndexOf('-');
  for (const letter of cut > 0 ? label.slice(0, cut) : '') {
    if (letter.charCodeAt(0) > 0x7f) return null;
    out.push(letter.charCodeAt(0));
  }
  let n = 128, i = 0, bias = 72;
  for (let at = cut > 0 ? cut + 1 : 0; at < label.length;) {
    const before = i;
    for (let w = 1, k = 36; ; k += 36) {
      const c = label.charCodeAt(at++);
      const digit = c >= 0x30 && c <= 0x39 ? c - 22 : c >= 0x61 && c <= 0x7a ? c - 97 : c >= 0x41 && c <= 0x5a ? c - 65 : 99;
      if (digit > 35) return null; // also at the end of the label
      i += digit * w;
      const t = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias;
      if (digit < t) break;
      w *= 36 - t;
      if (i > 0x7fffffff || w > 0x7fffffff) return null;
    }
    const size = out.length + 1;
    let delta = before === 0 ? Math.floor((i - before) / 700) : (i - before) >> 1;
    delta += Math.floor(delta / size);
    let k = 0;
    for (; delta > 455; k += 36) delta = Math.floor(delta / 35);
    bias = k + Math.floor((36 * delta) / (delta + 38));
    n += Math.floor(i / size);
    if (n > 0x10ffff) return null;
    i %= size;
    out.splice(i++, 0, n);
  }
  return String.fromCodePoint(...out);
}

const SCRIPTS = ['Latin', 'Greek', 'Cyrillic', 'Armenian', 'Hebrew', 'Arabic', 'Devanagari', 'Bengali', 'Thai', 'Georgian',
  'Hangul', 'Hiragana', 'Katakana', 'Bopomofo', 'Han', 'Ethiopic', 'Cherokee'];
const SCRIPT_TESTS = SCRIPTS.map((s) => [s, new RegExp(`^\\p{Script=${s}}$`, 'u')] as const);
// UTS #39 section 5.2, "highly restrictive", without Latin: scripts that one language writes together.
const TOGETHER = [['Han', 'Hiragana', 'Katakana'], ['Han', 'Bopomofo'], ['Han', 'Hangul']];
// Letters of Cyrillic and Greek that look like Latin ones.
const LOOKALIKE = /^[аеорсухіјѕԁԛԝһӏвкмнтгαικνορυχω]+$/u;

export function scriptsOf(text: string): string[] {
  const found = new Set<string>();
  for (const letter of text) {
    if (/^[\p{Script=Common}\p{Script=Inherited}]$/u.test(letter)) continue;
    found.add(SCRIPT_TESTS.find(([, test]) => test.test(letter))?.[0] ?? 'another');
  }
  return [...found];
}

export interface Domain {
  ascii: string; // what is shown first
  unicode?: string; // only when it is of one script and shows nothing unseen
  warning?: string;
}

// A domain as its A-labels; Unicode only where it cannot deceive.
export function domainOf(value: string): Domain {
  let ascii = value;
  if (/[^\x00-\x7f]/.test(value)) {
    if (/[\s\x00-\x20/@:?#\\%[\]<>|^]/.test(value)) return { ascii: value, warning: 'no domain name' };
    try {
      ascii = new URL(`http://${value}`).hostname;
    } catch {
      return { ascii: value, warning: 'no domain name' };
    }
  }
  if (!/(^|\.)xn--/i.test(ascii)) return { ascii };
  let mixed = false;
  let confusable = false;
  const labels = ascii.split('.').map((label) => {
    if (!/^xn--/i.test(label)) return label;
    const text = punycode(label.slice(4));
    if (text === null || wireParts(text).parts.some((p) => p.chip !== undefined)) {
      mixed = true;
      return label;
    }
    const scripts = scriptsOf(text);
    const fits = scripts.length === 1 && scripts[0] !== 'another' || TOGETHER.some((t) => scripts.length > 0 && scripts.every((s) => t.includes(s)));
    mixed ||= !fits;
    confusable ||= fits && LOOKALIKE.test(text.replace(/[-\d]/g, ''));
    return text;
  });
  if (mixed) return { ascii, warning: 'mixed script' };
  if (confusable) return { ascii, warning: 'looks like Latin letters' };
  return { ascii, unicode: labels.join('.') };
}

// The extension a system goes by, where the name hides it: several dots, or characters that are not shown.
export function hiddenExtension(name: string): string | undefined {
  const extension = /\.([\p{L}\p{N}_]{1,8})[\s.]*$/u.exec(name)?.[1];
  if (extension === undefined) return undefined;
  const odd = [...name].some((letter) => reasonOf(letter.codePointAt(0)!) !== undefined);
  return odd || (name.match(/\.\w/g) ?? []).length > 1 || / {3,}/.test(name) ? extension : undefined;
}
