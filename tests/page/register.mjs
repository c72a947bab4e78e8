// register.mjs - a server is registered in a browser, from the letter's link to the permit, on the real server
//
//     node register.mjs PROGRAM
//
// A site contact opens the link of a letter, is told what is missing, loses nothing, submits; a registrar approves; who
// has the firewall reads back its list; the site contact sees each step. Each page is gone through with axe, and no
// policy of a page may be broken. 77: no node_modules in dashboards/web (tools/setup brings them).
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));
const WEB = join(HERE, '..', '..', 'dashboards', 'web');
const FIXTURES = join(HERE, '..', 'fixtures');
const BROWSER = process.env.SPAN25_BROWSER ?? '/usr/bin/chromium';
const PATIENCE = 60_000;
const SERVER = '10.20.5.20';
const [PROGRAM] = process.argv.slice(2);

if (!existsSync(join(WEB, 'node_modules', 'playwright-core'))) {
  console.log('no node_modules in dashboards/web: tools/setup brings them');
  process.exit(77);
}
const require = createRequire(join(WEB, 'package.json'));
const { chromium } = require('playwright-core');
const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const work = mkdtempSync(join(tmpdir(), 'span25-register-'));
const state = join(work, 'state');
const broken = [];
let server, browser;

function check(good, why) {
  if (!good) throw new Error(why);
}

function span25(...args) {
  const done = spawnSync(PROGRAM, args, { encoding: 'utf8', timeout: PATIENCE });
  check(done.status === 0, `span25 ${args.join(' ')}: ${done.status} ${done.stderr}`);
  return done.stdout;
}

const verb = (...args) => JSON.parse(span25(...args, '--json', '--state', state));

// The letter of the server's owner has a link; its path is that of the page, wherever that is.
function linkOfLetter(config) {
  const letters = join(work, 'letters');
  span25('registry', 'letters', '-c', config, '--state', state, '--out', letters);
  for (const name of readdirSync(letters).filter((n) => n.endsWith('.txt'))) {
    const text = readFileSync(join(letters, name), 'utf8');
    const at = /https:\/\/register\.test\/(#[0-9A-Z-]{23}) /.exec(text);
    if (text.includes(SERVER) && at) return at[1];
  }
  throw new Error('no letter with a link');
}

async function serve(config, users) {
  let told = '';
  server = spawn(PROGRAM, ['serve', '-c', config, '--state', state, '--users', users, '--listen', '127.0.0.1:0', '--public-listen', '127.0.0.1:0'],
    { stdio: ['ignore', 'ignore', 'pipe'] });
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`no address was told: ${told}`)), PATIENCE);
    server.stderr.on('data', (d) => {
      told += d;
      const desk = /serving at (http:\S+)\//.exec(told);
      const sites = /registration at (http:\S+)\//.exec(told);
      if (desk && sites) {
        clearTimeout(late);
        resolve({ desk: desk[1], sites: sites[1] });
      }
    });
    server.on('exit', (code) => reject(new Error(`serve ended: ${code} ${told}`)));
  });
}

async function open(address) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  page.on('console', (m) => {
    if (m.type() === 'error' && !/status of 40[0-9]/.test(m.text())) broken.push(`${page.url()}: ${m.text()}`);
  });
  page.on('pageerror', (e) => broken.push(`${page.url()}: ${e.message}`));
  await page.goto(address);
  return page;
}

async function logIn(base, name) {
  const page = await open(`${base}/`);
  await page.fill('input[name=user]', name);
  await page.fill('input[name=password]', `secret of ${name}`);
  await page.keyboard.press('Enter');
  await page.waitForSelector('.frame main h1');
  return page;
}

const says = (page, text) => page.waitForFunction((t) => document.body.innerText.includes(t), text);

// Its text comes past the policy of the page, which allows no eval.
async function axe(page) {
  const session = await page.context().newCDPSession(page);
  const run = async (expression) => (await session.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true })).result.value;
  await run(`${AXE};0`);
  const faults = JSON.parse(await run("axe.run(document,{resultTypes:['violations']}).then((r)=>JSON.stringify(r.violations.map((v)=>v.id+': '+v.nodes.map((n)=>n.target.join(' ')).join(', '))))") ?? '["axe did not run"]');
  check(faults.length === 0, `${page.url()}: ${faults.join('; ')}`);
  await session.detach();
}

async function fillIn(page) {
  for (const [label, text] of [['site-name', 'Web desk'], ['contacts-site-name', 'Ada'], ['contacts-site-phone', '+1 555 0100'], ['contacts-site-mail', 'ada@web.test'], ['signature-name', 'Ada'], ['signature-date', '2026-01-02']])
    await page.fill(`#f-0-${label}`, text);
  await page.click('text=The same person as above');
  await page.fill('#f-1-device', 'Postfix');
}

async function siteSubmits(sites, link) {
  const page = await open(`${sites}/${link}`);
  await says(page, 'what we saw is filled in already');
  check(await page.inputValue('#f-1-address') === SERVER, 'the address that was seen is not filled in');
  await axe(page);
  await page.fill('#f-0-site-name', 'Web desk');
  await page.click('text=Submit the form');
  await page.waitForSelector('#faults');
  check(await page.evaluate(() => document.activeElement?.id) === 'faults', 'the list of faults has not the focus');
  await axe(page);
  await page.click('#faults a >> text=Device or application');
  check(await page.evaluate(() => document.activeElement?.id) === 'f-1-device', 'a fault does not lead to its field');
  check(await page.inputValue('#f-0-site-name') === 'Web desk', 'what was filled in is lost');
  await fillIn(page);
  await page.click('text=Save as a draft');
  await says(page, 'Saved as a draft');
  await page.reload();
  await page.waitForFunction(() => document.querySelector('#f-1-device')?.value === 'Postfix');
  await page.click('text=Submit the form');
  await says(page, 'Received as form');
  await says(page, 'We finish by');
  await axe(page);
  const rows = verb('registry', 'list').rows;
  check(rows.length === 1 && rows[0].state === 'requested' && rows[0].address === SERVER, JSON.stringify(rows));
  return { page, form: rows[0].form };
}

async function deskDecides(desk, form) {
  const page = await logIn(desk, 'reg');
  await page.goto(`${desk}/registry`);
  await page.waitForSelector(`a[href="/registry/form/${form}"]`);
  await axe(page);
  await page.click(`a[href="/registry/form/${form}"]`);
  await says(page, 'Lines');
  await page.click('text=Read the journal');
  await says(page, 'Attested on the form');
  await axe(page);
  await page.click('button:has-text("Approve 1")');
  await page.click('dialog[open] button[type=submit]');
  await page.waitForSelector('dialog[open]', { state: 'detached' });
  await says(page, 'not yet found in the firewall');
  check(verb('registry', 'list').rows[0].state === 'permitted', 'it is not permitted');
  await page.context().close();
}

async function firewallConfirms(desk, form) {
  const page = await logIn(desk, 'fay');
  await page.goto(`${desk}/registry/form/${form}`);
  await page.click('text=Read back what the firewall has');
  await page.fill('dialog[open] textarea', `${SERVER}\n`);
  await axe(page);
  await page.click('dialog[open] button[type=submit]');
  await page.waitForSelector('dialog[open]', { state: 'detached' });
  check(verb('registry', 'list').rows[0].entered !== null, 'it is not entered');
  for (const part of ['lines', 'sites', 'mismatches', 'candidates']) {
    await page.goto(`${desk}/registry/${part}`);
    await page.waitForFunction(() => document.querySelector('main table, main .empty'));
    await axe(page);
  }
  await page.context().close();
}

async function nothingElse(sites) {
  for (const path of ['/api/v1/me', '/api/v1/registry/lines', '/api/v1/openapi.json', '/index', '/alerts', '/licences.txt', '/healthz'])
    check((await fetch(`${sites}${path}`)).status === 404, `${path} is there for sites`);
}

async function main() {
  const config = join(work, 'c.yaml');
  const users = join(work, 'users');
  writeFileSync(config, 'registry:\n  deadline: "2099-01-31"\n  url: https://register.test\n');
  for (const [name, roles] of [['reg', 'registrar'], ['fay', 'firewall,registrar']]) {
    writeFileSync(join(work, name), `secret of ${name}\n`, { mode: 0o600 });
    span25('serve', 'user', name, '--users', users, '--roles', roles, '--password-file', join(work, name));
  }
  span25('read', '-q', '--home', '10.0.0.0/8', '--state', state, join(FIXTURES, 'lab.pcap'));
  const link = linkOfLetter(config);
  const at = await serve(config, users);
  browser = await chromium.launch({ executablePath: BROWSER, args: ['--no-sandbox'] });
  await nothingElse(at.sites);
  const { page, form } = await siteSubmits(at.sites, link);
  await deskDecides(at.desk, form);
  await firewallConfirms(at.desk, form);
  await page.reload();
  await says(page, 'permitted');
  check((await page.$$('tbody .none')).length <= 2, 'not each step has its time');
  check(broken.length === 0, broken.join('\n'));
  console.log(`form ${form}: from the letter to the firewall`);
}

try {
  await main();
} catch (e) {
  console.log(e.stack ?? e.message);
  process.exitCode = 1;
} finally {
  await browser?.close();
  server?.removeAllListeners('exit');
  server?.kill();
  rmSync(work, { recursive: true, force: true });
}
