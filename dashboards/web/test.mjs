// test.mjs - what the page must hold to
//
//     node test.mjs [types|lint|units|size]...     all of them unless told
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { lint } from './lint.mjs';

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
