// build.mjs - bundles src into a folder of files with hashed names
//
//     node build.mjs [--out DIR]      dist/ beside this file unless told
import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

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

async function keep(name, text) {
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 8);
  const path = name.replace(/\.(\w+)$/, `-${hash}.$1`);
  await writeFile(join(out, 'assets', path), text);
  return `/assets/${path}`;
}

await rm(out, { recursive: true, force: true });
await mkdir(join(out, 'assets'), { recursive: true });

const made = await build({
  absWorkingDir: here,
  entryPoints: { app: 'src/main.tsx', early: 'src/early.ts', public: 'src/public.tsx' },
  outdir: '/out',
  bundle: true,
  minify: true,
  write: false,
  format: 'iife',
  target: ['es2022', 'chrome100', 'firefox100', 'safari16'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  charset: 'utf8',
  legalComments: 'none',
  logLevel: 'warning',
});

const file = {};
for (const { path, text } of made.outputFiles)
  file[path.split('/').pop()] = await keep(path.split('/').pop(), text);
await writeFile(join(out, 'licences.txt'), await licences());
await writeFile(join(out, 'favicon.svg'), await readFile(join(here, 'src/favicon.svg')));

// What listener 0 shows as index.html, and listener 1 as public.html.
const page = (title, script, early) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<link rel="icon" href="/favicon.svg" type="image/svg+xml">
${early}<link rel="stylesheet" href="${file['app.css']}">
<script src="${script}" defer></script>
</head>
<body>
<div id="app"><noscript>This page needs JavaScript. ${script === file['app.js']
    ? 'Every view has a verb on the command line: span25 --help.'
    : 'The form can be printed instead: <a href="/api/v1/public/blank">an empty form</a>.'}</noscript></div>
</body>
</html>
`;
await writeFile(join(out, 'index.html'), page('span25', file['app.js'], `<script src="${file['early.js']}"></script>\n`));
await writeFile(join(out, 'public.html'), page('Register a mail server', file['public.js'], ''));
