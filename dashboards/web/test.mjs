// test.mjs - what the page must hold to
//
//     node test.mjs [types|lint|units|style|size]...     all of them unless told
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { lint } from './lint.mjs';
import { pruned } from './pico.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const MOST = 120 * 1024; // bytes, all files gzipped: a page that opens at once on a slow line

function run(program, args) {
  return spawnSync(program, args, { cwd: here, stdio: 'inherit' }).status === 0;
}

async function inTemporary(work) {
  const folder = await mkdtemp(join(tmpdir(), 'span25-page-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

// Sheet, sources, own style, and what is left.
const SHEETS = [
  ['an element that is there', 'p{a:b}', '<p>x</p>', '', 'p{a:b}'],
  ['one that is nowhere', 'p{a:b}nav p,b{c:d}', '<p>x</p>', '', 'p{a:b}'],
  ['some selectors of a list', 'nav,p:hover{a:b}', '<p class="n">', '', 'p:hover{a:b}'],
  ['what must not be there is not needed', 'p:not(nav,[x=y]){a:b}', '<p>', '', 'p:not(nav,[x=y]){a:b}'],
  ['any of those in :is and :where', ':is(nav,p)>b{a:b}:where(i,u)+b{c:d}', '<p><b>', '', ':is(nav,p)>b{a:b}'],
  ['an attribute that no source has', '[x-y]{a:b}[role=tab]{c:d}[role=row]{e:f}', '<p role="row">', '', '[role=row]{e:f}'],
  ['a number of a source is no element', 'b{a:b}', 'a < b', '', ''],
  ['within @media', '@media (x){nav{a:b}}@media (y){p{a:b}}', '<p>', '', '@media (y){p{a:b}}'],
  ['strings hold brackets', 'p{a:url("{;}")}nav{a:b}', '<p>', '', 'p{a:url("{;}")}'],
  ['keyframes stay', '@keyframes x{to{a:b}}', '<p>', '', '@keyframes x{to{a:b}}'],
  ['variables that nothing reads go, one after the other', 'p{--x:var(--y);--y:1;--z:2;a:var(--z)}', '<p>', '', 'p{--z:2;a:var(--z)}'],
  ['one that our style reads stays', 'p{--x:1}', '<p>', 'b { a: var(--x); }', 'p{--x:1}'],
  ['one of the root that is ours goes, one of an element stays', ':root{--x:1}p{--x:2;a:var(--x)}', '<p>', ':root:not(#_) { --x: 3; }', 'p{--x:2;a:var(--x)}'],
];

const parts = {
  types: () => run(process.execPath, [join('node_modules', 'typescript', 'bin', 'tsc'), '--noEmit']),

  async lint() {
    const faults = await lint(join(here, 'src'));
    for (const fault of faults) console.log(fault);
    return faults.length === 0;
  },

  units: () => inTemporary(async (folder) => {
    const all = (await readdir(join(here, 'src'))).filter((name) => /\.test\.tsx?$/.test(name));
    await build({
      absWorkingDir: here, entryPoints: all.map((name) => join('src', name)), outdir: folder, bundle: true,
      platform: 'node', format: 'esm', outExtension: { '.js': '.mjs' }, jsx: 'automatic', jsxImportSource: 'preact',
      logLevel: 'warning',
    });
    const files = (await readdir(folder)).filter((name) => name.endsWith('.mjs')).map((name) => join(folder, name));
    return files.length > 0 && run(process.execPath, ['--test', '--test-reporter=dot', ...files]);
  }),

  style() {
    const faults = SHEETS.filter(([, css, sources, styles, want]) => pruned(css, sources, styles) !== want);
    for (const [why, css, sources, styles] of faults) console.log(`${why}: ${pruned(css, sources, styles)}`);
    return faults.length === 0;
  },

  size: () => inTemporary(async (folder) => {
    if (!run(process.execPath, ['build.mjs', '--out', folder])) return false;
    let sum = 0;
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const n = gzipSync(await readFile(join(entry.path ?? entry.parentPath, entry.name)), { level: 9 }).length;
      console.log(`${String(n).padStart(7)}  ${entry.name}`);
      sum += n;
    }
    console.log(`${String(sum).padStart(7)}  of at most ${MOST}`);
    return sum <= MOST;
  }),
};

const wanted = process.argv.slice(2);
for (const name of wanted.length > 0 ? wanted : Object.keys(parts))
  if (!(await parts[name]())) {
    console.log(`${name}: failed`);
    process.exitCode = 1;
  }
