// support.mjs - what the tests of the page in a browser share
//
//     import { atWork, axe, browse, check, runTests } from './support.mjs';
//
// The program with a state and users of its own, its server, one browser, people who are signed in, axe, and what the
// browser said against the page: any error, any breach of the policy. A test ends with 77 where something is missing.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));
export const WEB = join(HERE, '..', '..', 'dashboards', 'web');
const BROWSER = process.env.SPAN25_BROWSER ?? '/usr/bin/chromium';

export const FIXTURES = join(HERE, '..', 'fixtures');
export const PATIENCE = 60_000; // a machine may be slow; nothing waits that long when it works
export const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; "
  + "form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

export function check(good, why) {
  if (!good) throw new Error(why);
}

// Before all else; `files` are what the test was given to look at.
export function need(...files) {
  const missing = [join(WEB, 'node_modules', 'playwright-core'), BROWSER, ...files].find((f) => !f || !existsSync(f));
  if (missing === undefined && files.every(Boolean)) return;
  console.log(`no browser, or no node_modules in dashboards/web: tools/setup brings both (${missing})`);
  process.exit(77);
}

// ---- the program ----

// A folder with a state, and the program in it. close() ends the server and takes the folder away.
export function atWork(program, name) {
  const work = mkdtempSync(join(tmpdir(), `span25-${name}-`));
  const state = join(work, 'state');
  const users = join(work, 'users');
  let server;
  let told = ''; // by the server, on standard error

  function run(tool, args, input) {
    const done = spawnSync(tool, args, { encoding: 'utf8', timeout: PATIENCE, input });
    check(done.status === 0, `${tool} ${args.join(' ')}: ${done.status} ${done.stderr}`);
    return done.stdout;
  }
  const span25 = (...args) => run(program, args);

  return {
    work, state, span25,

    verb: (...args) => JSON.parse(span25(...args, '--json', '--state', state)),

    // Events as a sensor would have written them.
    append: (make, events, ...kind) => run(make, [state, ...kind], events.map((e) => `${JSON.stringify(e)}\n`).join('')),

    user(who, roles) {
      const secret = join(work, `secret-${who}`);
      writeFileSync(secret, `secret of ${who}\n`, { mode: 0o600 });
      span25('serve', 'user', who, '--users', users, '--roles', roles, '--password-file', secret);
    },

    // Where the desk is, and where the sites are if they are served.
    async serve(...args) {
      server = spawn(program, ['serve', '--state', state, '--users', users, '--listen', '127.0.0.1:0', ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
      const sitesToo = args.includes('--public-listen');
      return new Promise((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`no address was told: ${told}`)), PATIENCE);
        server.stderr.on('data', (d) => {
          told = (told + d).slice(-4000);
          const desk = /serving at (http:\S+)\//.exec(told);
          const sites = /registration at (http:\S+)\//.exec(told);
          if (!desk || (sitesToo && !sites)) return;
          clearTimeout(late);
          resolve({ desk: desk[1], sites: sites?.[1] });
        });
        server.on('exit', (code) => reject(new Error(`serve ended: ${code} ${told}`)));
      });
    },

    // Why the server ended, if it did.
    ended: () => (server && (server.exitCode !== null || server.signalCode !== null) ? `${server.exitCode ?? server.signalCode}: ${told}` : null),

    close() {
      server?.removeAllListeners('exit');
      server?.kill('SIGTERM');
      rmSync(work, { recursive: true, force: true });
    },
  };
}

// ---- the browser ----

// One browser for all; each page has a context of its own, closed with closePage(). `forgive` is an expression for
// what the browser may say of an answer that was asked for.
export async function browse({ forgive = /status of 40[0-9]/ } = {}) {
  const { chromium } = createRequire(join(WEB, 'package.json'))('playwright-core');
  const browser = await chromium.launch({ executablePath: BROWSER, args: ['--no-sandbox'] });
  const broken = []; // what the browser said against the page
  const cookies = new Map(); // of those who signed in, by server and name

  async function open(address, more = {}) {
    const context = await browser.newContext({ viewport: { width: 1360, height: 950 }, colorScheme: 'light', ...more });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    page.on('console', (m) => {
      if (['error', 'warning'].includes(m.type()) && !forgive.test(m.text())) broken.push(`${page.url()}: ${m.text()}`);
    });
    page.on('pageerror', (e) => broken.push(`${page.url()}: ${e.message}`));
    await page.goto(address);
    return page;
  }

  return {
    broken, open,

    // Signed in by name; the first time at the form and by keyboard, then with the same session.
    async person(base, name, more = {}) {
      const key = `${base} ${name}`;
      const known = cookies.get(key);
      const page = await open(`${base}/`, { ...more, ...(known ? { storageState: known } : {}) });
      const context = page.context();
      await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: base });
      if (!known) {
        await tabTo(page, 'input[name=user]');
        await page.keyboard.type(name);
        await tabTo(page, 'input[name=password]');
        await page.keyboard.type(`secret of ${name}`);
        await page.keyboard.press('Enter');
      }
      await page.waitForSelector('.frame main h1');
      if (!known) cookies.set(key, { cookies: (await context.storageState()).cookies, origins: [] });
      return page;
    },

    closeAll: () => Promise.all(browser.contexts().map((c) => c.close())),
    close: () => browser.close(),
  };
}

export const closePage = (page) => page.context().close();

// ---- what is done and seen on a page ----

// As somebody without a mouse gets there.
export async function tabTo(page, selector, most = 80) {
  for (let i = 0; i <= most; i++) {
    if (await page.evaluate((s) => document.activeElement?.matches(s) ?? false, selector)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab does not come to ${selector}`);
}

export const says = (page, text) => page.waitForFunction((t) => document.body.innerText.includes(t), text);

// Nothing is being loaded any more.
export async function settled(page) {
  await page.waitForSelector('main h1');
  await page.waitForFunction(() => !document.querySelector('[aria-busy=true]'));
}

export async function notWide(page, what = page.url()) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  check(over <= 0, `${what}: ${over} px too wide`);
}

const AXE_TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

// All rules in the theme that is on, then the rules about colours in each theme of `also`. axe comes by the protocol,
// past the policy of the page, which allows no eval.
export async function axe(page, what = page.url(), also = []) {
  const session = await page.context().newCDPSession(page);
  const run = async (expression) => (await session.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true })).result.value;
  const faults = async (only) => {
    const said = await run(`axe.run(document,{resultTypes:['violations'],runOnly:${JSON.stringify(only)},rules:{'target-size':{enabled:true}}})`
      + ".then((r)=>JSON.stringify([r.passes.length,...r.violations.map((v)=>v.id+': '+v.nodes.map((n)=>n.target.join(' ')).join(', '))]))");
    const [passes, ...found] = JSON.parse(said ?? '[0,"it did not run"]');
    check(passes > 0, `${what}: axe looked at nothing`);
    check(found.length === 0, `${what}: ${found.join('; ')}`);
  };
  if (!(await run("typeof axe==='object'")))
    await run(`${readFileSync(createRequire(join(WEB, 'package.json')).resolve('axe-core/axe.min.js'), 'utf8')};0`);
  await faults(AXE_TAGS);
  for (const colorScheme of also) {
    await page.emulateMedia({ colorScheme });
    await faults(['color-contrast']);
  }
  if (also.length > 0) await page.emulateMedia({ colorScheme: 'light' });
  await session.detach();
}

// ----

// Runs those named, or all. Each begins with begin(), and fails also by what the browser said against the page.
export async function runTests(tests, { only = [], browser, at, begin = () => undefined }) {
  for (const [name, test] of Object.entries(tests)) {
    if (only.length > 0 && !only.includes(name)) continue;
    begin();
    const from = Date.now();
    try {
      await test();
      check(browser.broken.length === 0, `said by the browser: ${browser.broken.join('\n')}`);
      console.log(`ok      ${name} (${Date.now() - from} ms)`);
    } catch (e) {
      process.exitCode = 1;
      console.log(`FAILED  ${name}: ${e.message}`);
      const ended = at?.ended();
      if (ended) console.log(`the server ended: ${ended}`);
    }
    browser.broken.splice(0);
    await browser.closeAll();
  }
}
