// frame.mjs - the frame of the page in a browser, on answers that a real server seldom gives
//
//     node frame.mjs DIST [NAME...]
//
// Hostile text in every place, a blind sensor, data that stopped, answers that fail, a session that ends under a half
// typed form, a shape that no page expects. Pages with hostile text are gone through with axe, at 320 columns and in
// both themes; every.mjs looks at all of them.
// 77: no browser, or no node_modules in dashboards/web (tools/setup brings both).
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { axe, browse, check, closePage, need, notWide, POLICY, runTests, settled } from './support.mjs';

const [DIST, ...only] = process.argv.slice(2);

need(DIST, join(DIST ?? '', 'index.html'));
const EVIL = 'a\u202eb\u0007<img src=x onerror=window.__hit=1><script>window.__hit=1</script>{{7*7}}';
const TYPES = { html: 'text/html', js: 'text/javascript', css: 'text/css', svg: 'image/svg+xml', txt: 'text/plain' };

// ---- a server that says what a test wants ----

const ago = (s) => new Date(Date.now() - s * 1000).toISOString();

const points = Array.from({ length: 100 }, (_, i) => {
  const t = ago((100 - i) * 600);
  return i > 40 && i < 50 ? { t, unregistered: null, registered: null, inbound: null, seen: null }
    : { t, unregistered: i % 7, registered: 20 + (i % 11), inbound: 30, seen: 99 };
});

function usual() {
  return {
    expires: 3600, demo: true, asOf: () => ago(1), fails: {}, asked: [], streams: new Set(),
    data: {
      '/now': {
        headlines: {
          unregistered: { count: 23, rows: [{ host: '10.20.4.17', site: EVIL }] },
          if_blocked: { hosts: 34, likely_legitimate: 3, owners: 12, seen_percent: 98.6 },
          world: { rows: [{ list: EVIL, host: '10.20.4.17', providers: 4, since: ago(9000) }] },
        },
        figures: { open_high: { value: 2, week_ago: 1 }, unregistered_24h: { value: 23 }, blocks: { value: 34 }, due_12h: { value: 1 }, mode: 'simulate' },
        series: points,
        hosts: [{ host: '10.20.4.17', site: EVIL, registered: false, sessions: 12000, rcpt: 40211 }],
        alerts: [{ id: 'a7f3c0', severity: 'high', subject: '10.20.4.17', title: EVIL, last: ago(300) },
          { id: 'b7f3c0', severity: 'low', subject: '10.20.4.18', title: 'Not registered', last: ago(600) }],
        health: { state: 'seeing', seen_percent: 98.6, since: null, checks: [{ state: 'warn', text: EVIL }] },
      },
      '/alerts': { rows: [], next: null, total: 0 },
      '/sensor': {
        doctor: { rows: [{ state: 'fail', text: EVIL, fix: EVIL }, { state: 'ok', text: 'interface span0 up' }] }, metrics: null,
        stats: { timestamp: ago(30), sight: { window_s: 300, packets: 12366000, dropped: 38334, sessions: 812, sessions_oneway: 3 } },
      },
      '/audit': { rows: [{ seq: 7, timestamp: ago(60), event_id: 'aa', kind: 'block', action: 'lift', actor: EVIL, subject: EVIL, reason: EVIL, note: EVIL }], next: null },
      '/studies': { rows: [{ name: 'campus', title: EVIL, from: ago(9e6), to: ago(9e4), status: 'draft', author: EVIL }] },
      '/rules': { rows: [{ id: 'd7581241', title: EVIL, level: 'high' }] },
      '/rules/d7581241': EVIL,
    },
  };
}

let says = usual();
let base, browser;

function answer(request, reply) {
  const url = new URL(request.url, 'http://localhost');
  reply.setHeader('Content-Security-Policy', POLICY);
  if (!url.pathname.startsWith('/api/v1/')) {
    const file = /\.\w+$/.test(url.pathname) ? url.pathname : '/index.html';
    if (!existsSync(join(DIST, file))) return reply.writeHead(404).end();
    reply.setHeader('Content-Type', `${TYPES[file.split('.').pop()]}; charset=utf-8`);
    return reply.end(readFileSync(join(DIST, file)));
  }
  const path = url.pathname.slice('/api/v1'.length);
  const { asked } = says;
  asked.push({ path, byItself: request.headers['last-event-id'] !== undefined });
  if (path === '/stream') {
    reply.writeHead(200, { 'Content-Type': 'text/event-stream' });
    reply.write('event: position\ndata: {"seq":1}\n\n');
    says.streams.add(reply);
    return reply.on('close', () => says.streams.delete(reply));
  }
  reply.setHeader('Content-Type', 'application/json');
  const refuse = (status, message) => reply.writeHead(status).end(JSON.stringify({ error: { message, id: '9f3a21' } }));
  if (path === '/login') {
    delete says.fails['*'];
    says.expires = 3600;
    return reply.end('{"data":null}');
  }
  if (says.fails['*'] || says.fails[path]) return refuse(says.fails['*'] ?? says.fails[path], EVIL);
  const me = { user: 'ada', roles: ['admin'], csrf: 'x', site: EVIL, version: '0.1.0', demo: says.demo, expires_s: says.expires };
  const data = path === '/me' ? me : says.data[path];
  if (data === undefined) return refuse(404, `nothing at ${path}`);
  return reply.end(JSON.stringify({ data, messages: [], partial: false, as_of: says.asOf() }));
}

// ---- what is looked at ----

const PAGES = ['/', '/sensor', '/audit', '/study', '/help'];

async function open(path, more, clock = false) {
  const page = await browser.open(clock ? 'about:blank' : base + path, more);
  if (clock) {
    await page.clock.install();
    await page.goto(base + path);
  }
  await page.waitForSelector('main h1');
  return page;
}

// The page's own clock goes on until it is seen: nothing waits for what the page does every few seconds.
async function inTime(page, selector) {
  for (let i = 0; i < 200; i++) {
    if (await page.locator(selector).first().isVisible()) return;
    await page.clock.runFor(1000);
  }
  throw new Error(`${selector} does not come`);
}

const tests = {
  async textOfOthersDoesNothing() {
    for (const path of PAGES) {
      const page = await open(path, { viewport: { width: 320, height: 640 } });
      await settled(page);
      check(await page.locator('.chip.demo').isVisible(), `${path}: not marked DEMO`);
      if (path === '/help') {
        await page.locator('h2#rules ~ div details summary').first().click();
        await page.locator('details.rule summary').first().click();
        await page.waitForSelector('details[open] pre .wirechip');
      }
      const seen = await page.evaluate(() => ({
        hit: window.__hit, images: document.querySelectorAll('main img, main script').length, text: document.body.innerText,
        chips: [...document.querySelectorAll('.wirechip')].map((c) => c.textContent),
      }));
      check(seen.hit === undefined && seen.images === 0, `${path}: markup of others took force`);
      check(!/[\u202e\u0007]/.test(seen.text), `${path}: a character that turns text is on the page`);
      check(seen.chips.includes('U+202E') && seen.chips.includes('U+0007'), `${path}: it is not told: ${seen.chips}`);
      await notWide(page, path);
      await axe(page, path, ['dark']);
      await closePage(page);
    }
  },

  async blindIsSaidOnEveryPage() {
    says.data['/now'].health = { state: 'blind', seen_percent: null, since: ago(5000), checks: [] };
    for (const path of ['/', '/audit']) {
      const page = await open(path);
      await page.waitForSelector('.chip.blind');
      check(/BLIND since/.test(await page.locator('main [role=alert]').first().innerText()), `${path}: no banner`);
      await closePage(page);
    }
  },

  async dataThatStoppedIsSaid() {
    says.asOf = () => ago(3600);
    const page = await open('/audit');
    await page.getByText('Data stopped at').waitFor();
    await closePage(page);
  },

  async whatFailsLeavesWhatIsThere() {
    const page = await open('/sensor', {}, true);
    await page.getByText('interface span0 up').waitFor();
    says.fails['/sensor'] = 503;
    await page.evaluate(() => localStorage.setItem('span25.refresh', '10 s'));
    for (const s of says.streams) s.write('event: position\ndata: {"seq":2}\n\n');
    await inTime(page, 'text=Could not load');
    const text = await page.locator('main').innerText();
    check(/interface span0 up/.test(text), 'what was there is gone');
    check(/9f3a21/.test(text), 'no id to quote');
    check(says.asked.some((a) => a.path === '/sensor' && a.byItself), 'what the page asks by itself does not say so');
    check(says.asked.some((a) => a.path === '/sensor' && !a.byItself), 'what a person asks says that nobody did');
    await closePage(page);
  },

  async aFaultOfOnePageStaysThere() {
    says.data['/audit'] = {};
    const page = await open('/audit');
    await page.getByText('cannot be drawn').waitFor();
    browser.broken.splice(0); // the fault was asked for
    await page.getByRole('link', { name: 'Help' }).first().click();
    await page.getByRole('heading', { name: 'Keys' }).waitFor();
    await closePage(page);
  },

  async aSessionEndsUnderAForm() {
    const page = await open('/audit', {}, true);
    await page.locator('input[name=who]').fill('half typed');
    says.fails['*'] = 401;
    for (const s of says.streams) s.write('event: position\ndata: {"seq":3}\n\n');
    await inTime(page, 'dialog[open]');
    await page.keyboard.press('Escape');
    check(await page.locator('dialog[open]').count() === 1, 'the way in can be closed');
    check(await page.evaluate(() => document.activeElement.name) === 'password', 'the password has not the focus');
    await page.keyboard.type('secret');
    await page.keyboard.press('Enter');
    await page.waitForSelector('dialog', { state: 'detached' });
    check(await page.locator('input[name=who]').inputValue() === 'half typed', 'what was typed is gone');
    await closePage(page);
  },

  async keysActAndCanBeSwitchedOff() {
    const page = await open('/');
    await page.waitForSelector('table.rows tbody tr');
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    check(/Not registered/.test(await page.locator('tr.cursor').innerText()), 'j does not go down');
    await page.keyboard.press('?');
    await page.waitForSelector('dialog[open]');
    await page.keyboard.press('Escape');
    await page.waitForSelector('dialog', { state: 'detached' });
    await page.keyboard.press('g');
    await page.keyboard.press('s');
    await page.waitForURL('**/sessions');
    await page.goBack();
    await page.locator('details.user > summary').click();
    await page.getByRole('group', { name: 'Single-key shortcuts' }).getByLabel('off').click();
    await page.keyboard.press('Escape');
    await page.locator('h1').click();
    await page.keyboard.press('?');
    check(await page.locator('dialog').count() === 0, 'keys act though they are off');
    await closePage(page);
  },

  async aChartIsATableToo() {
    const page = await open('/');
    const label = await page.locator('.plot').getAttribute('aria-label');
    check(/unregistered, out: \d+ at last, at most \d+ at/.test(label), `the picture says ${label}`);
    await page.getByRole('button', { name: 'Show as table' }).click();
    check(await page.locator('.figures tbody tr').count() === points.length, 'the table has not every point');
    check(/not seen/.test(await page.locator('.figures').innerText()), 'a gap is a zero');
    await closePage(page);
  },
};

const server = createServer(answer);
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
base = `http://127.0.0.1:${server.address().port}`;
browser = await browse({ forgive: /status of [45]0\d/ });
try {
  await runTests(tests, { only, browser, begin: () => { says = usual(); } });
} finally {
  await browser.close();
  server.closeAllConnections();
  server.close();
}
