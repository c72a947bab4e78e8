// lists.mjs - sessions and alerts of the desk in a browser, on the real server and a real state
//
//     node lists.mjs PROGRAM JOURNAL_MAKE [NAME...]
//
// By keyboard: what was said in a session is opened, read and closed again. An export has every event that the filters
// leave, and what a search did not find can be looked for in a wider time. Alerts show how they went over time.
// 77: no browser, or no node_modules in dashboards/web (tools/setup brings both).
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { atWork, axe, browse, check, closePage, FIXTURES, need, runTests, says } from './support.mjs';

const BOT = '10.20.4.17';
const [PROGRAM, , ...only] = process.argv.slice(2);
need(PROGRAM);
const at = atWork(PROGRAM, 'lists');
let base, browser;

const tests = {
  async drawerByKeyboard() {
    const page = await browser.person(base, 'ana');
    await page.goto(`${base}/sessions?host=${BOT}`);
    await page.waitForSelector('table.rows tbody tr');
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.waitForSelector('dialog[open]');
    await says(page, 'RCPT TO:');
    check(await page.evaluate(() => document.querySelector('dialog[open]').contains(document.activeElement)), 'the drawer has not the focus');
    await axe(page, 'the drawer', ['dark']);
    check(new URL(page.url()).searchParams.get('open'), 'the address does not say which session is open');
    await page.keyboard.press('Escape');
    await page.waitForSelector('dialog[open]', { state: 'detached' });
    check(!new URL(page.url()).searchParams.get('open'), page.url());
    check(await page.evaluate(() => document.activeElement.closest('table.rows tbody tr') !== null), 'the row has not the focus again');
    await closePage(page);
  },

  async exportOfAll() {
    const page = await browser.person(base, 'ana');
    await page.goto(`${base}/sessions?type=smtp_session&not=host:${BOT}`);
    await page.waitForSelector('table.rows tbody tr');
    const shown = (await page.$$('table.rows tbody tr')).length;
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Export CSV' }).click()]);
    const lines = readFileSync(await download.path(), 'utf8').trim().split('\r\n');
    check(lines[0].startsWith('timestamp,event_type'), lines[0]);
    check(lines.length - 1 === 217 && shown < 217, `${lines.length - 1} events, ${shown} shown`);
    check(!lines.some((l) => l.includes(BOT)), 'what was filtered out is in the export');
    await says(page, '217 events exported.');
    await closePage(page);
  },

  async widerTime() {
    const page = await browser.person(base, 'ana');
    await page.goto(`${base}/sessions?host=${BOT}&since=1h`);
    await says(page, 'No sessions match.');
    await page.getByRole('link', { name: 'Last 7d' }).click();
    await page.waitForFunction(() => new URL(location.href).searchParams.get('since') === '7d');
    check(new URL(page.url()).searchParams.get('host') === BOT, page.url());
    await closePage(page);
  },

  async trends() {
    const page = await browser.person(base, 'ana');
    await page.goto(`${base}/alerts?view=all`);
    await page.waitForSelector('.trend svg rect');
    const said = await page.$$eval('.trend', (all) => all.map((e) => [e.textContent.trim(), e.querySelector('svg').getAttribute('aria-label')]));
    check(said.length > 3 && said.every(([word, label]) => label.startsWith(`${word}; in 12 equal parts`)), JSON.stringify(said));
    check(said.some(([word]) => word === 'steady') && said.some(([word]) => word === 'rising'), JSON.stringify(said));
    await closePage(page);
  },
};

async function prepare() {
  at.span25('read', '-q', '-c', join(FIXTURES, 'bot.yaml'), '--registry', join(FIXTURES, 'bot-registry.csv'), '--state', at.state,
    join(FIXTURES, 'bot.pcap.gz'));
  at.user('ana', 'analyst');
  base = (await at.serve('-c', join(FIXTURES, 'bot.yaml'))).desk;
  browser = await browse();
}

try {
  await prepare();
  await runTests(tests, { only, browser, at });
} finally {
  await browser?.close();
  at.close();
}
