// build.mjs - bundles src into a folder of files with hashed names
//
//     node build.mjs [--out DIR]      dist/ beside this file unless told
import { build } from 'esbuild';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pico } from './pico.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const at = process.argv.indexOf('--out');
const out = at > 0 ? process.argv[at + 1] : join(here, 'dist');

// What is bundled, with its licence, for the help page and for packagers.
async function licences() {
  const wanted = JSON.parse(await readFile(join(here, 'package.json'), 'utf8')).dependencies;
  const parts = [];
  for (const name of Object.keys(wanted).sort()) {
    const folder = join(here, 'node_modules', name);
    const { version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
    const text = await readFile(join(folder, 'LICENSE'), 'utf8')
      .catch(() => readFile(join(folder, 'LICENSE.md'), 'utf8'));
    parts.push(`${name} ${version} (${license})\n\n${text.trim()}\n`);
  }
  return parts.join(`\n${'-'.repeat(72)}\n\n`);
}

await rm(out, { recursive: true, force: true });
await mkdir(join(out, 'assets'), { recursive: true });

const common = {
  absWorkingDir: here,
  outdir: join(out, 'assets'),
  entryNames: '[name]-[hash]',
  chunkNames: 'part-[hash]',
  bundle: true,
  minify: true,
  metafile: true,
  target: ['es2022', 'chrome100', 'firefox100', 'safari16'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  charset: 'utf8',
  legalComments: 'none',
  logLevel: 'warning',
  plugins: [pico(join(here, 'src'))],
};
// Both pages share what they have in common; early.ts is to run before anything is drawn, so it is no module.
const made = [
  await build({ ...common, entryPoints: ['src/main.tsx', 'src/public.tsx'], format: 'esm', splitting: true }),
  await build({ ...common, entryPoints: ['src/early.ts'], format: 'iife' }),
];

// What came of a source: its file, its style, and the parts that it needs.
function madeOf(source) {
  const address = (path) => `/assets/${path.split('/').pop()}`;
  for (const { metafile } of made)
    for (const [path, { entryPoint, cssBundle, imports }] of Object.entries(metafile.outputs))
      if (entryPoint === source)
        return { script: address(path), style: cssBundle && address(cssBundle), parts: imports.map((i) => address(i.path)) };
  throw new Error(`nothing came of ${source}`);
}
const app = madeOf('src/main.tsx');
const sites = madeOf('src/public.tsx');
const early = madeOf('src/early.ts');

await writeFile(join(out, 'licences.txt'), await licences());
await writeFile(join(out, 'favicon.svg'), await readFile(join(here, 'src/favicon.svg')));

// What listener 0 shows as index.html, and listener 1 as public.html.
const page = (title, { script, parts }, head, without) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<link rel="icon" href="/favicon.svg" type="image/svg+xml">
${head}<link rel="stylesheet" href="${app.style}">
${parts.map((part) => `<link rel="modulepreload" href="${part}">\n`).join('')}<script type="module" src="${script}"></script>
</head>
<body>
<div id="app"><noscript>This page needs JavaScript. ${without}</noscript></div>
</body>
</html>
`;
await writeFile(join(out, 'index.html'), page('span25', app, `<script src="${early.script}"></script>\n`,
  'Every view has a verb on the command line: span25 --help.'));
await writeFile(join(out, 'public.html'), page('Register a mail server', sites, '',
  'The form can be printed instead: <a href="/api/v1/public/blank">an empty form</a>.'));
