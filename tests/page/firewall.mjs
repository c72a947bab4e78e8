// firewall.mjs - the job of who runs the firewall, in a browser: preview, enforce, see it loaded, roll back
//
//     node firewall.mjs PROGRAM JOURNAL_MAKE
//
// In namespaces of its own, as root: a live sensor with its server of lists, a firewall that fetches them (and loads them
// into the kernel where nft is there), and the page. What would be stopped is told before it is; what the page says that
// the firewall has is what the firewall has; mode off takes it back. 77: no browser, no root, no namespaces.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { atWork, axe, browse, check, need, notWide, PATIENCE, runTests, says, settled } from './support.mjs';

const [PROGRAM, MAKE, ...only] = process.argv.slice(2);
const OWN = ['--net', '--pid', '--fork', '--kill-child', '--mount-proc'];
const FEEDS = 'http://127.0.0.1:9126'; // of this namespace alone
const TOKEN = 'fw-edge-token-0123456789';
const WOULD = '10.20.4.17'; // is told in simulate mode
const BLOCKED = '10.20.4.18'; // by a person
const KEPT = '10.20.1.10'; // registered

need(PROGRAM, MAKE);
if (process.env.SPAN25_INSIDE !== 'yes') {
  if (process.getuid() !== 0 || spawnSync('unshare', [...OWN, 'ip', 'link', 'set', 'lo', 'up']).status !== 0) {
    console.log('needs root: it makes network namespaces');
    process.exit(77);
  }
  const done = spawnSync('unshare', [...OWN, process.execPath, ...process.argv.slice(1)], { stdio: 'inherit', env: { ...process.env, SPAN25_INSIDE: 'yes' } });
  process.exit(done.status ?? 1);
}

const at = atWork(PROGRAM, 'firewall');
const config = join(at.work, 'c.yaml');
let sensor, desk, browser;
let said = ''; // by the sensor

const CONFIG = `live:
  user: root
network:
  home: [10.20.0.0/16]
sites:
  - {code: LAKE, name: Lakeside HS, prefixes: [10.20.4.0/24], owner: J. Alvarez, contact: +1 555 0100}
feeds:
  listen: 127.0.0.1:9126
  empty: true
  quality_permille: 0
consumers:
  - {name: fw-edge, format: nft, token: ${join(at.work, 'token')}}
  - {name: fw-old, format: text, token: ${join(at.work, 'old')}, late: 1s}
`;

const time = (s) => new Date(Date.now() + s * 1000).toISOString().replace('Z', '000+0000');

function event(kind, id, more) {
  return { timestamp: time(-60), flow_id: 0, flow_seq: id, event_type: kind, event_id: id.toString(16).padStart(16, '0'), ...more };
}

function prepare() {
  mkdirSync(at.state, { recursive: true });
  at.append(MAKE, [
    event('control', 1, { control: { kind: 'policy', action: 'mode', actor: 'mk', reason: 'a trial', mode: 'simulate' } }),
    event('decision', 2, { decision: {
      id: 'd'.repeat(16), action: 'block', mode: 'simulate', subject: `${WOULD}/32`, origin: 'detector', site: 'LAKE',
      reason: '36 organisations written to for the first time', shown: ['s3'], evidence_hash: '5e'.repeat(32), step: 1,
      collateral: 14, until: time(4 * 3600), ttl_s: 4 * 3600 } }),
  ], 'live');
  writeFileSync(join(at.work, 'forms.csv'), `address,site\n${KEPT},Library\n`);
  at.span25('registry', 'import', '--permitted', '--state', at.state, join(at.work, 'forms.csv'));
  writeFileSync(config, CONFIG);
  writeFileSync(join(at.work, 'token'), `${TOKEN}\n`);
  writeFileSync(join(at.work, 'old'), `old-${TOKEN}\n`);
  at.user('fay', 'firewall');
  at.user('vic', 'viewer');
  for (const words of [['link', 'set', 'lo', 'up'], ['link', 'add', 's25a', 'type', 'veth', 'peer', 'name', 's25b'], ['link', 'set', 's25a', 'up'], ['link', 'set', 's25b', 'up']])
    check(spawnSync('ip', words).status === 0, `ip ${words.join(' ')}`);
}

// A fact that comes about; asked anew until it does.
async function until(what, why) {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const got = await what();
    if (got) return got;
    check(Date.now() < end, `${why}: ${said.slice(-2000)}`);
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
}

async function fetchList(name = 'fw-edge', token = TOKEN) {
  const got = await fetch(`${FEEDS}/feeds/${name}`, { headers: { Authorization: `Bearer ${token}` } }).catch(() => null);
  return got?.status === 200 ? got.text() : null;
}

// Loads it as a firewall does, and says which addresses the kernel has then; null: no nft here.
function loaded(list) {
  const put = spawnSync('nft', ['-f', '-'], { input: list, encoding: 'utf8' });
  if (put.status !== 0) return null;
  const found = JSON.parse(spawnSync('nft', ['-j', 'list', 'table', 'inet', 'span25_feed'], { encoding: 'utf8' }).stdout);
  return found.nftables.filter((x) => x.set?.name.startsWith('blk')).flatMap((x) => x.set.elem ?? []).length;
}

// ---- on the page ----

async function consumer(page, name) {
  await page.goto(`${desk}/blocking`);
  await settled(page);
  await page.waitForSelector('[aria-label=Consumers] tbody tr');
  return page.$$eval('[aria-label=Consumers] tbody tr', (rows, n) => [...rows].map((r) => [...r.cells].map((c) => c.innerText)).find((r) => r[0] === n), name);
}

async function confirm(page, reason) {
  await page.fill('dialog[open] [name=reason]', reason);
  await page.click('dialog[open] button[type=submit]');
  await page.waitForSelector('dialog[open]', { state: 'detached' });
}

const TESTS = {
  async theListIsPreviewed() {
    const page = await browser.person(desk, 'fay');
    const row = await consumer(page, 'fw-edge');
    check(row[2] === 'never' && row[5].includes('enforces nothing of ours'), `before its first fetch: ${row}`);
    await says(page, 'A preview, nobody loads it');
    await page.waitForSelector(`.diff .plus:has-text("${WOULD}/32")`);
    await says(page, 'of 5,000'); // rails
    const first = await until(() => fetchList(), 'no list is served');
    check(!first.includes(WOULD), 'simulated, and listed');
    await axe(page, 'blocking', ['dark']);
    await page.setViewportSize({ width: 320, height: 800 });
    await notWide(page);
  },

  async itIsEnforcedAndLoaded() {
    const page = await browser.person(desk, 'fay');
    await page.goto(`${desk}/blocking`);
    await page.click('.mode:has-text("ENFORCE")');
    await says(page, '0 addresses are stopped at once');
    check((await page.innerText('dialog[open] [aria-label="By site"]')).includes('LAKE'), 'no site in the preview');
    await axe(page, 'what enforce would change', ['dark']);
    await confirm(page, 'change 4711');
    await page.waitForSelector('.mode.on:has-text("ENFORCE")');
    await page.click('text=Block an address');
    await page.fill('dialog[open] [name=subject]', KEPT);
    await page.fill('dialog[open] [name=reason]', 'a mistake');
    await page.click('dialog[open] button[type=submit]');
    await page.waitForSelector('dialog[open] [role=alert]');
    await page.fill('dialog[open] [name=subject]', BLOCKED);
    await confirm(page, 'ticket 4712');
    const list = await until(async () => { const l = await fetchList(); return l?.includes(BLOCKED) && l; }, 'it is not listed');
    check(!list.includes(KEPT) && !list.includes(WOULD), `listed: ${list}`);
    const kernel = loaded(list);
    const row = await until(async () => { const r = await consumer(page, 'fw-edge'); return r[4] === 'matches' && r; }, 'its hash does not match');
    check(row[3] === '1' && row[5].startsWith('has the newest list'), `the firewall has it: ${row}`);
    check(kernel === null || kernel === Number(row[3]), `the kernel has ${kernel}, the page says ${row[3]}`);
    console.log(kernel === null ? 'no nft here: the list was not loaded' : 'the kernel has what the page says');
  },

  async aPolicyHasAModeOfItsOwn() {
    const page = await browser.person(desk, 'fay');
    await page.goto(`${desk}/blocking`);
    await page.click('summary:has-text("Of each policy")');
    await page.selectOption('label:has-text("malicious files") select', 'simulate');
    await confirm(page, 'too new');
    await says(page, 'too new');
    const own = at.verb('policy', 'show').rows.find((r) => r.what === 's5');
    check(own?.state === 'simulate' && own.by === 'fay', JSON.stringify(own));
  },

  async aConsumerFallsSilent() {
    const page = await browser.person(desk, 'fay');
    check(await fetchList('fw-old', `old-${TOKEN}`), 'fw-old cannot fetch');
    await until(async () => (await consumer(page, 'fw-old'))[5].startsWith('fw-old has not fetched for'), 'nobody says that fw-old is silent');
    await says(page, 'it still enforces the list of');
    await axe(page, 'a silent consumer', ['dark']);
  },

  async aTicketLeadsToItsAddress() {
    const page = await browser.person(desk, 'vic');
    await page.goto(`${desk}/why?q=4712`);
    await page.click(`a[href="/why?q=${BLOCKED}"]`);
    await says(page, `Port 25 is closed for ${BLOCKED}`);
    await page.goto(`${desk}/why?q=mail.nowhere.test`);
    await says(page, 'No address is known for');
    await says(page, 'Other causes');
    await axe(page, 'why, by a name', ['dark']);
  },

  async itIsRolledBack() {
    const page = await browser.person(desk, 'fay');
    await page.goto(`${desk}/blocking`);
    await page.waitForSelector('.mode.on:has-text("ENFORCE")');
    const from = Date.now();
    await page.click('.mode:has-text("OFF")');
    await says(page, '1 block that is in force ends now');
    await confirm(page, 'roll back 4711');
    await page.waitForSelector('.mode.on:has-text("OFF")');
    const list = await until(async () => { const l = await fetchList(); return l !== null && !l.includes(BLOCKED) && l; }, 'the list does not empty itself');
    console.log(`roll back, from the click to the empty list: ${((Date.now() - from) / 1000).toFixed(1)} s`);
    const kernel = loaded(list);
    check(kernel === null || kernel === 0, `the kernel still has ${kernel}`);
    const row = await until(async () => { const r = await consumer(page, 'fw-edge'); return r[4] === 'matches' && r; }, 'its hash does not match');
    check(row[3] === '0', `the firewall still has it: ${row}`);
  },

  async whoOnlyLooksChangesNothing() {
    const page = await browser.person(desk, 'vic');
    await page.goto(`${desk}/blocking`);
    await page.waitForSelector('.mode.on:has-text("OFF")');
    check(await page.$$eval('.mode:not(.on)', (all) => all.every((b) => b.disabled)), 'a viewer may switch');
    check(!(await page.$('text=Block an address')), 'a viewer may block');
  },
};

try {
  prepare();
  sensor = spawn(PROGRAM, ['live', '-i', 's25b', '--state', at.state, '-c', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  sensor.stderr.on('data', (d) => { said = (said + d).slice(-8000); });
  await until(async () => (await fetch(`${FEEDS}/feeds/none`).catch(() => null))?.status === 401, 'no list is served'); // fw-edge has not asked yet
  said = '';
  ({ desk } = await at.serve('-c', config));
  browser = await browse();
  await runTests(TESTS, { only, browser, at });
} catch (e) {
  console.log(`FAILED  ${e.stack ?? e.message}\n${said}`);
  process.exitCode = 1;
} finally {
  await browser?.close();
  sensor?.kill('SIGTERM');
  at.close();
}
