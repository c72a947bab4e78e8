// pico.mjs - Pico without the rules that no element of ours can match
//
// An element that no source writes as <name or 'name', an attribute that none names and a value that none quotes are
// nowhere on the page: rules that need them are left out. What is in :not() is not needed. Such words are more than the
// elements are, so too much is kept, never too little. Then go variables that nothing reads, and of those of the root
// the ones that our own style gives a value in :root:not(#_), which is stronger than every rule of Pico's.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

// Where the block that opens at `at` ends: behind its bracket. Strings may hold brackets.
function endOf(css, at) {
  let depth = 0;
  for (let i = at; i < css.length; i++) {
    if (css[i] === '"' || css[i] === "'") {
      const quote = css[i];
      for (i++; i < css.length && css[i] !== quote; i++) if (css[i] === '\\') i++;
    } else if (css[i] === '{') depth++;
    else if (css[i] === '}' && --depth === 0) return i + 1;
  }
  throw new Error('a block of the style sheet has no end');
}

// Parts between `mark`, which in brackets and strings is none.
export function split(text, mark) {
  const out = [];
  let depth = 0;
  let from = 0;
  let quote = '';
  for (let i = 0; i < text.length; i++) {
    if (quote !== '') {
      if (text[i] === '\\') i++;
      else if (text[i] === quote) quote = '';
    } else if (text[i] === '"' || text[i] === "'") quote = text[i];
    else if ('(['.includes(text[i])) depth++;
    else if (')]'.includes(text[i])) depth--;
    else if (text[i] === mark && depth === 0) {
      out.push(text.slice(from, i));
      from = i + 1;
    }
  }
  out.push(text.slice(from));
  return out;
}

function withoutNot(selector) {
  let out = selector;
  for (let at; (at = out.indexOf(':not(')) >= 0;) {
    let depth = 0;
    let end = at + 4;
    do {
      if (out[end] === '(') depth++;
      if (out[end] === ')') depth--;
      end++;
    } while (depth > 0 && end < out.length);
    out = out.slice(0, at) + out.slice(end);
  }
  return out;
}

// What browsers, theme.ts and uPlot make by themselves.
const GIVEN = ['html', 'head', 'body', 'canvas', 'open', 'data-theme', 'dark', 'light'];

export function wordsOf(sources) {
  const words = new Set(GIVEN);
  for (const [, name] of sources.matchAll(/<([a-z][a-z0-9]*)\b/g)) words.add(name);
  for (const [word] of sources.matchAll(/(?<=["'`])[\w-]+(?=["'`])|\b(?:true|false)\b/g)) words.add(word);
  const attributes = new Set([...words, ...sources.match(/[a-zA-Z][\w-]*/g)].map((w) => w.toLowerCase()));
  return { words, attributes };
}

// Of :is(a,b) and the like any one will do: they are looked at alone.
export function canMatch(selector, of) {
  const plain = withoutNot(selector);
  const any = /:(?:is|where)\(((?:[^()]|\([^()]*\))*)\)/.exec(plain);
  if (any)
    return split(any[1], ',').some((one) => canMatch(plain.replace(any[0], () => ` ${one}`), of));
  for (const [, name, value] of plain.matchAll(/\[([\w-]+)(?:[~|^$*]?="?([\w-]+)"?\s*i?)?\]/g))
    if (!of.attributes.has(name) || (value !== undefined && !of.words.has(value))) return false;
  const names = plain.replace(/\[[^\]]*\]/g, '').replace(/::?[\w-]+(\([^)]*\))?/g, '').match(/[a-zA-Z][\w-]*/g) ?? [];
  return names.every((name) => of.words.has(name));
}

function rules(css, of) {
  let out = '';
  for (let at = 0; at < css.length;) {
    const open = css.indexOf('{', at);
    const semicolon = css.indexOf(';', at);
    if (css[at] === '@' && semicolon >= 0 && (open < 0 || semicolon < open)) { // @charset
      out += css.slice(at, semicolon + 1);
      at = semicolon + 1;
      continue;
    }
    if (open < 0) return out + css.slice(at);
    const end = endOf(css, open);
    const head = css.slice(at, open);
    const body = css.slice(open + 1, end - 1);
    at = end;
    if (/^@(media|supports)/.test(head)) {
      const inner = rules(body, of);
      if (inner !== '') out += `${head}{${inner}}`;
    } else if (head.startsWith('@')) {
      out += `${head}{${body}}`;
    } else {
      const kept = split(head, ',').filter((s) => canMatch(s, of));
      if (kept.length > 0) out += `${kept.join(',')}{${body}}`;
    }
  }
  return out;
}

function declarations(css, keep) {
  let selector = '';
  return css.replace(/[^{}]+(?=[{}])/g, (text, at) => {
    if (css[at + text.length] === '{') {
      selector = text.replace('@charset "UTF-8";', '');
      return text;
    }
    return split(text, ';').filter((d) => keep(selector, /^\s*(--[\w-]+)\s*:/.exec(d)?.[1])).join(';');
  }).replace(/[^{}]+\{\}/g, '');
}

const OF_ROOT = /^(?::host(?:\([^{]*?\))?,)?(?::root(?::not\(\[data-theme(?:=dark)?\]\))?)(?:,\[data-theme=light\])?$|^\[data-theme=dark\]$/;

// Until nothing goes any more: a variable may have been read by one that went.
function variables(css, styles) {
  const ours = new Set([...(/:root:not\(#_\) \{([^}]*)\}/.exec(styles)?.[1] ?? '').matchAll(/(--[\w-]+):/g)].map((m) => m[1]));
  for (let before = ''; before !== css;) {
    before = css;
    const read = new Set([...(css + styles).matchAll(/var\(\s*(--[\w-]+)/g)].map((m) => m[1]));
    css = declarations(css, (selector, name) => name === undefined || (read.has(name) && !(ours.has(name) && OF_ROOT.test(selector))));
  }
  return css;
}

export function pruned(css, sources, styles) {
  return variables(rules(css.replace(/\/\*[^]*?\*\//g, ''), wordsOf(sources)), styles);
}

export const pico = (folder) => ({
  name: 'pico',
  setup(build) {
    build.onLoad({ filter: /@picocss[\\/].*\.css$/ }, async ({ path }) => {
      let sources = '';
      let styles = '';
      for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
        const file = join(entry.path ?? entry.parentPath, entry.name);
        if (/\.tsx?$/.test(entry.name) && !entry.name.includes('.test.')) sources += await readFile(file, 'utf8');
        if (/\.css$/.test(entry.name)) styles += await readFile(file, 'utf8');
      }
      return { contents: pruned(await readFile(path, 'utf8'), sources, styles), loader: 'css' };
    });
  },
});
