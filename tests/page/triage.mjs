// triage.mjs - the analyst's and the support desk's job in a browser, on the real server and a real state
//
//     node triage.mjs PROGRAM JOURNAL_MAKE [NAME...]
//
// An analyst takes an alert from the inbox to closed, with the justification pasted, by keyboard alone; who has a caller
// on the phone lifts a block that should not have been. What was done is then looked up in the journal by the verbs.
// Each page is gone through with axe in both themes and at 320 columns, and no policy of the page may be broken.
// 77: no browser, or no node_modules in dashboards/web (tools/setup brings both).
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));
const WEB = join(HERE, '..', '..', 'dashboards', 'web');
const FIXTURES = join(HERE, '..', 'fixtures');
const BROWSER = process.env.SPAN25_BROWSER ?? '/usr/bin/chromium';
const PATIENCE = 60_000;
const BOT = '10.20.4.17';
const STOPPED = '10.20.6.30';
const [PROGRAM, MAKE, ...only] = process.argv.slice(2);

if (!existsSync(join(WEB, 'node_modules', 'playwright-core')) || !existsSync(BROWSER)) {
  console.log('no browser, or no node_modules in dashboards/web: tools/setup brings both');
  process.exit(77);
}
const require = createRequire(join(WEB, 'package.json'));
const { chromium } = require('playwright-core');
const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const work = mkdtempSync(join(tmpdir(), 'span25-triage-'));
const state = join(work, 'state');
const users = join(work, 'users');
let server, base, browser;
let told = ''; // by the server, on standard error
let failures = 0;

function check(good, why) {
  if (!good) throw new Error(why);
}

function span25(...args) {
  const done = spawnSync(PROGRAM, args, { encoding: 'utf8', timeout: PATIENCE });
  check(done.status === 0, `span25 ${args.join(' ')}: ${done.status} ${done.stderr}`);
  return done.stdout;
}

const verb = (...args) => JSON.parse(span25(...args, '--json', '--state', state));

// ---- a state, and who may log in ----

function append(events) {
  const done = spawnSync(MAKE, [state], { input: events.map((e) => `${JSON.stringify(e)}\n`).join(''), encoding: 'utf8', timeout: PATIENCE });
  check(done.status === 0, `journal_make: ${done.stderr}`);
}

// A block in force now: the capture's own are of another year.
function blockNow(subject) {
  const time = (s) => new Date(Date.now() + s * 1000).toISOString().replace('Z', '000+0000');
  const event = {
    timestamp: time(-60), flow_id: 0, flow_seq: 1, event_type: 'decision', event_id: '6465000000000001',
    decision: {
      id: 'd'.repeat(16), action: 'block', mode: 'enforce', subject: `${subject}/32`, origin: 'detector',
      reason: `${subject}/32 is stopped: 36 organisations written to for the first time`, evidence_hash: '5e'.repeat(32),
      step: 1, collateral: 14, until: time(4 * 3600),
    },
  };
  append([event]);
}

function manyAlerts(n) {
  const at = '2026-01-04T08:00:00.000000+0000';
  return Array.from({ length: n }, (_, i) => ({
    timestamp: at, flow_id: 0, flow_seq: i, event_type: 'alert', event_id: `61${i.toString(16).padStart(14, '0')}`,
    src_ip: `10.30.${i >> 8}.${i & 255}`,
    alert: {
      id: (0x100000 + i).toString(16).split('').reverse().join('').padEnd(16, '0'), state: 'ended', signature_id: 7, signature: 'Many at once',
      severity: 3, category: 'behaviour', rule: 'many-at-once', rule_hash: '0'.repeat(16), level: 'low', subject: `10.30.${i >> 8}.${i & 255}`,
      site: 'BULK', reason: 'one of many', first: at, last: at, count: 1,
    },
  }));
}

function prepare() {
  span25('read', '-q', '-c', join(FIXTURES, 'bot.yaml'), '--registry', join(FIXTURES, 'bot-registry.csv'), '--state', state,
    join(FIXTURES, 'bot.pcap.gz'));
  blockNow(STOPPED);
  for (const [name, roles] of [['ana', 'analyst'], ['vic', 'viewer'], ['fay', 'firewall,analyst']]) {
    writeFileSync(join(work, name), `secret of ${name}\n`, { mode: 0o600 });
    span25('serve', 'user', name, '--users', users, '--roles', roles, '--password-file', join(work, name));
  }
}

async function serve() {
  server = spawn(PROGRAM, ['serve', '-c', join(FIXTURES, 'bot.yaml'), '--state', state, '--users', users, '--listen', '127.0.0.1:0'], { stdio: ['ignore', 'ignore', 'pipe'] });
  base = await new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`no address was told: ${told}`)), PATIENCE);
    server.stderr.on('data', (d) => {
      told = (told + d).slice(-4000);
      const at = /127\.0\.0\.1:([1-9]\d*)/.exec(told);
      if (at) {
        clearTimeout(late);
        resolve(`http://${at[0]}`);
      }
    });
    server.on('exit', (code) => reject(new Error(`serve ended: ${code} ${told}`)));
  });
}

// ---- a person at a browser ----

const broken = [];

async function person(name, more = {}) {
  const context = await browser.newContext({ viewport: { width: 1360, height: 950 }, ...more });
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: base });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  page.on('console', (m) => {
    if (m.type() === 'error' && !/status of 40[0-9]/.test(m.text())) broken.push(`${page.url()}: ${m.text()}`);
  });
  page.on('pageerror', (e) => broken.push(`${page.url()}: ${e.message}`));
  await page.goto(`${base}/`);
  await tabTo(page, 'input[name=user]');
  await page.keyboard.type(name);
  await tabTo(page, 'input[name=password]');
  await page.keyboard.type(`secret of ${name}`);
  await page.keyboard.press('Enter');
  await page.waitForSelector('.frame main h1');
  return page;
}

// As somebody without a mouse gets there.
async function tabTo(page, selector, most = 80) {
  for (let i = 0; i <= most; i++) {
    if (await page.evaluate((s) => document.activeElement?.matches(s) ?? false, selector)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab does not come to ${selector}`);
}

const says = (page, text) => page.waitForFunction((t) => document.body.innerText.includes(t), text);

// Light with all rules, dark with those about colours. Its text comes past the policy of the page, which allows no eval.
async function axe(page) {
  const session = await page.context().newCDPSession(page);
  const run = async (expression) => (await session.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true })).result.value;
  const found = (rules) => run(`axe.run(document,{resultTypes:['violations']${rules}}).then((r)=>JSON.stringify(r.violations.map((v)=>v.id+': '+v.nodes.map((n)=>n.target.join(' ')).join(', '))))`);
  await run(`${AXE};0`);
  for (const [colorScheme, rules] of [['light', ''], ['dark', ',runOnly:["color-contrast"]']]) {
    await page.emulateMedia({ colorScheme });
    const faults = JSON.parse(await found(rules) ?? '["axe did not run"]');
    check(faults.length === 0, `${page.url()}, ${colorScheme}: ${faults.join('; ')}`);
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await session.detach();
}

// ---- what they do ----

const tests = {
  async analystByKeyboard() {
    const page = await person('ana');
    await page.keyboard.press('g');
    await page.keyboard.press('i');
    await page.waitForSelector('table.rows tbody tr');
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.reason');
    await says(page, 'Why is this flagged');
    const headings = await page.$$eval('main h2', (all) => all.map((h) => h.textContent));
    check(['Why is this flagged', 'Evidence', 'Timeline', 'What would be blocked', 'Related', 'Actions', 'History']
      .every((h, i) => headings[i] === h), `the parts of the card: ${headings}`);
    const id = decodeURIComponent(new URL(page.url()).pathname.split('/')[2]);
    check(verb('alerts', 'show', id).event.alert.level === 'high', 'the first alert of the inbox is not a high one');
    await says(page, 'RCPT TO:');
    await page.keyboard.press('y');
    await says(page, 'justification was copied');
    const sentence = await page.$eval('[data-sentence]', (e) => e.textContent);
    check(/first contacts refused/.test(sentence) && /limit: score/.test(sentence), `the sentence: ${sentence}`);

    await page.keyboard.press('c');
    await page.waitForSelector('dialog[open]');
    await page.keyboard.press('Control+Enter'); // without a reason nothing is sent
    check(verb('alerts', 'show', id).status === 'new', 'closed without a reason');
    await page.keyboard.press('1');
    await tabTo(page, 'textarea[name=note]');
    await page.keyboard.press('Control+V');
    await page.keyboard.press('Control+Enter');
    await page.waitForSelector('dialog[open]', { state: 'detached' });
    const card = verb('alerts', 'show', id);
    const last = card.history.at(-1).control;
    check(card.status === 'closed' && last.actor === 'ana' && last.reason === 'compromised-host', JSON.stringify(last));
    check(last.note === sentence.slice(0, 1024), `the note: ${last.note}`);
    await says(page, 'true: compromised host');

    await page.keyboard.press('g');
    await page.keyboard.press('i');
    await page.waitForSelector('table.rows tbody tr');
    check(!(await page.$(`a[href="/alerts/${id}"]`)), 'a closed alert is in the inbox');
    await page.keyboard.press('u');
    await says(page, 'pened again');
    check(verb('alerts', 'show', id).status === 'new', 'Undo did not open it again');
    await page.context().close();
  },

  async analystOnSeveral() {
    const page = await person('ana');
    await page.goto(`${base}/alerts?severity=high`);
    await page.waitForSelector('table.rows tbody tr');
    const rows = await page.$$eval('table.rows tbody tr', (all) => all.length);
    check(rows === 2, `${rows} rows`);
    for (const key of ['j', 'x', 'j', 'x']) await page.keyboard.press(key);
    await says(page, '2 alerts chosen');
    await page.keyboard.press('e');
    await says(page, '2 alerts acknowledged.');
    await page.goto(`${base}/alerts?view=mine`);
    await page.waitForSelector('table.rows tbody tr');
    check((await page.$$('table.rows tbody tr')).length === 2, 'Mine has not the two');
    const mine = verb('alerts', 'list', '--status', 'ack').rows;
    check(mine.length === 2 && mine.every((a) => a.by === 'ana'), JSON.stringify(mine.map((a) => a.by)));

    // any value filters; the address of the page says how, and Back takes it back
    await page.goto(`${base}/alerts?view=all`);
    await page.waitForSelector('table.rows tbody tr');
    const all = (await page.$$('table.rows tbody tr')).length;
    await page.keyboard.press('j');
    await page.keyboard.press('-');
    await page.waitForSelector('dialog[open]');
    await page.keyboard.press('Enter');
    await page.waitForFunction((n) => document.querySelectorAll('table.rows tbody tr').length < n, all);
    check(new URL(page.url()).searchParams.get('not')?.startsWith('host:'), page.url());
    await page.goBack();
    await page.waitForFunction((n) => document.querySelectorAll('table.rows tbody tr').length === n, all);
    await page.context().close();
  },

  async supportDesk() {
    const page = await person('fay');
    await page.keyboard.press('g');
    await page.keyboard.press('w');
    await page.waitForSelector('#why-q:focus');
    await page.keyboard.type('10.20.6.300');
    await page.keyboard.press('Enter');
    await says(page, 'is not an address. Did you mean');
    await page.goto(`${base}/why?q=${STOPPED}`);
    await says(page, `Port 25 is closed for ${STOPPED}`);
    await says(page, 'J. Alvarez');
    await page.waitForSelector('.answer button');
    await tabTo(page, '.answer button');
    await page.keyboard.press('Enter');
    await page.waitForSelector('dialog[open]');
    check(await page.isChecked('dialog input[name=box]'), 'it is not told as a mistake of ours');
    await tabTo(page, 'dialog input[name=reason]');
    await page.keyboard.press('End');
    await page.keyboard.type('5512');
    await page.keyboard.press('Enter');
    await page.waitForSelector('dialog[open]', { state: 'detached' });
    await says(page, `${STOPPED} is not blocked by us.`);
    const row = verb('blocks', 'list', '--all').rows.find((b) => b.subject === `${STOPPED}/32`);
    check(row.state === 'over' && row.reason === 'fay: inadvertent, ticket 5512', JSON.stringify(row));
    await page.goto(`${base}/why?q=10.20.99.99`);
    await says(page, '10.20.99.99 is not blocked by us.');
    await says(page, 'Other causes');
    await page.context().close();
  },

  async blocking() {
    const page = await person('fay');
    await page.goto(`${base}/blocking`);
    await page.waitForSelector('button.mode.on');
    await page.click('button.mode:not(.on) >> text=OFF');
    await page.waitForSelector('dialog[open] .consequence');
    await says(page, 'Nothing is decided by itself any more.');
    await page.fill('dialog input[name=reason]', 'a drill');
    await page.click('dialog button[type=submit]');
    await page.waitForSelector('dialog[open]', { state: 'detached' });
    await page.waitForSelector('button.mode.on >> text=OFF');
    check(verb('policy', 'show').rows.find((r) => r.what === 'mode').state === 'off', 'the mode is not off');
    await page.context().close();
  },

  async viewerLooks() {
    const page = await person('vic');
    await page.goto(`${base}/alerts`);
    await page.waitForSelector('table.rows tbody tr');
    check(!(await page.$('.bulk')), 'a viewer may act');
    await page.goto(`${base}/alerts/${verb('alerts', 'list').rows[0].id}`);
    await says(page, 'analysts see it');
    check(!(await page.$('ol.said')), 'a viewer sees what was said');
    await page.goto(`${base}/hosts/${BOT}`);
    await says(page, 'RCPT commands');
    check((await page.$$('.pagehead button')).length === 0, 'a viewer may block');
    await page.context().close();
  },

  async pagesHold() {
    const id = verb('alerts', 'list').rows[0].id;
    const paths = ['/alerts', '/alerts?view=all&host=10.9.9.9', `/alerts/${id}`, '/alerts/ffffffffffff', '/hosts', `/hosts/${BOT}`,
      '/hosts/10.20.99.99', '/sessions', '/sessions?host=10.9.9.9', '/blocking', '/why', `/why?q=${BOT}`];
    const page = await person('fay');
    for (const path of paths) {
      await page.goto(base + path);
      await page.waitForSelector('.frame main h1');
      await page.waitForFunction(() => !document.querySelector('main [aria-busy=true]'));
      await axe(page);
      await page.setViewportSize({ width: 320, height: 700 });
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      check(over <= 0, `${path} is ${over} px too wide at 320`);
      await page.setViewportSize({ width: 1360, height: 950 });
    }
    await page.context().close();
  },

  // The last one: lists are long from here on.
  async allThatMatch() {
    const n = 620; // more than a page, and more than one request takes
    append(manyAlerts(n));
    const page = await person('ana');
    await page.goto(`${base}/alerts?site=BULK`);
    await page.waitForSelector('table.rows tbody tr');
    await page.click('text=Act on all that match');
    await page.click(`text=Close all ${n} matching`);
    await page.waitForSelector('dialog[open]');
    await page.keyboard.press('7');
    await page.keyboard.press('Control+Enter');
    await page.waitForSelector('dialog[open]', { state: 'detached' });
    await says(page, `${n} alerts closed.`);
    const closed = verb('alerts', 'list', '--status', 'closed').rows.filter((a) => a.site === 'BULK');
    check(closed.length === n && closed.every((a) => a.said === 'duplicate'), `${closed.length} of ${n} are closed`);
    await page.context().close();
  },
};

// ----

try {
  prepare();
  await serve();
  browser = await chromium.launch({ executablePath: BROWSER, args: ['--no-sandbox'] });
  for (const [name, test] of Object.entries(tests)) {
    if (only.length > 0 && !only.includes(name)) continue;
    const began = Date.now();
    try {
      await test();
      check(broken.length === 0, `said by the browser: ${broken.splice(0).join('; ')}`);
      console.log(`ok      ${name}  ${Date.now() - began} ms`);
    } catch (e) {
      failures++;
      console.log(`failed  ${name}: ${e.message}`);
      if (server.exitCode !== null || server.signalCode !== null) console.log(`the server ended: ${server.exitCode ?? server.signalCode}: ${told}`);
      for (const c of browser.contexts()) await c.close();
    }
  }
} catch (e) {
  failures++;
  console.log(`failed  to begin: ${e.message}`);
} finally {
  await browser?.close();
  server?.removeAllListeners('exit');
  server?.kill('SIGTERM');
  rmSync(work, { recursive: true, force: true });
}
process.exitCode = failures > 0 ? 1 : 0;
