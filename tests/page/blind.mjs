// blind.mjs - an operator notices in a browser that the sensor is blind, and that it sees again
//
//     serve_live_test.py --page blind.mjs [--measure N] PROGRAM JOURNAL_MAKE
//
// A real sensor, real mail that goes by all the time. The mirror falls silent, the interface is taken down, the sensor is
// killed: each time every page says so by itself, with the time since, the likely cause and what to do, and takes it back.
// With a number: how long so many mails take from their last line to the list of sessions on the screen.
import { createInterface } from 'node:readline';
import { axe, browse, check, closePage, need, runTests, says, settled } from './support.mjs';

const [BASE, MANY] = process.argv.slice(2);

need();
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
let browser;

// Who runs us does it, and says when it is done.
async function does(what) {
  process.stdout.write(`do ${what}\n`);
  const { value } = await answers.next();
  return JSON.parse(value);
}

const shot = async (page, name) => { if (process.env.SPAN25_SHOTS) await page.screenshot({ path: `${process.env.SPAN25_SHOTS}/${name}.png` }); };
const main = (page) => page.locator('main').innerText();
const chip = (page, kind) => page.waitForSelector(`header .chip.${kind}`);

// What every page says while nothing is seen; Now is open.
async function isBlind(page, cause) {
  await chip(page, 'blind');
  const said = await page.locator('header .chip.blind').innerText();
  check(/BLIND since\s[^]*\d\d:\d\d/.test(said), `the header: ${said}`);
  await says(page, cause);
  const text = await main(page);
  for (const what of [/No packets for \d+ (s|min)/i, /Data stopped at .*\d\d:\d\d/]) check(what.test(text), `${what}: ${text.slice(0, 400)}`);
  const [grey, soft] = await page.evaluate(() => [
    getComputedStyle(document.querySelector('.figure b')).color, getComputedStyle(document.querySelector('.figure')).color]);
  const ink = await page.evaluate(() => getComputedStyle(document.querySelector('main h1')).color);
  check(grey !== ink, `the figures are not grey: ${grey}, ${soft}`);
}

// What the page of the sensor says: the worst first, with what to do.
async function isExplained(page, cause, todo) {
  await page.click('header .chip.blind');
  await page.waitForSelector('table caption');
  await says(page, cause);
  const first = await page.locator('main tbody tr').first().innerText();
  check(/fails/.test(first) && first.includes(cause) && first.includes(todo), `the first check: ${first}`);
  check(await page.locator('.stale').count() === 0, 'the checks are greyed, which are new');
}

// Mail has to go on, or it is quiet again.
async function seesAgain(page) {
  const fine = () => !!document.querySelector('header .chip.seeing') && !/Data stopped/.test(document.body.innerText) && !document.querySelector('.stale');
  for (let turn = 0; turn < 20; turn++) {
    await does('mail');
    if (await page.waitForFunction(fine, null, { timeout: 3000 }).then(() => true, () => false)) return;
  }
  check(false, `it is not seen that the sensor sees: ${await page.locator('body').innerText()}`);
}

async function toNow(page) {
  await page.click('header a.brand');
  await page.waitForSelector('.figure b');
}

const tests = {
  async operatorNotices() {
    await does('mail');
    const page = await browser.person(BASE, 'vic');
    await chip(page, 'seeing');
    for (const [begin, end, cause, todo] of [
      ['mirror off', 'mirror on', 'no packet on s25b', 'mirror session'],
      ['kill', 'start', 'no sensor runs', 'start it']]) {
      await toNow(page);
      await seesAgain(page);
      await does(begin);
      await isBlind(page, cause);
      await shot(page, `now-${begin.replace(' ', '-')}`);
      if (begin === 'kill') await axe(page, 'Now, blind', ['dark']);
      await isExplained(page, cause, todo);
      await shot(page, `sensor-${begin.replace(' ', '-')}`);
      await does(end);
      await seesAgain(page);
    }
    await closePage(page);
  },

  // A night that was watched for the most part: serve_live_test.py made it.
  async gapsAreNoZeros() {
    const page = await browser.person(BASE, 'vic');
    await page.waitForSelector('.chart');
    await settled(page);
    await says(page, 'nothing seen');
    await shot(page, 'now-gaps');
    const ink = await hatching(page);
    await page.click('.chart button[aria-pressed]');
    const rows = await page.$$eval('.chart tbody tr', (all) => all.map((r) => r.innerText.split('\t').map((c) => c.trim())));
    const at = (hours) => rows[Math.round(hours * 6)].slice(1);
    for (const [hours, seen] of [[1.5, true], [2.5, false], [3.5, true], [4.5, false], [6.5, true], [30, false]])
      check(at(hours).every((v) => (v === 'not seen') === !seen), `${hours} h ago: ${at(hours)}`);
    check(ink.gap > 0 && ink.quiet === 0, `hatched: ${JSON.stringify(ink)}`);
    await closePage(page);
  },
};

// How many points of a line across the plot are drawn on, in a gap and in a quiet time, of 10 minutes each.
async function hatching(page) {
  return page.evaluate(() => {
    const canvas = document.querySelector('.chart canvas');
    const over = document.querySelector('.chart .u-over').getBoundingClientRect();
    const place = canvas.getBoundingClientRect();
    const scale = canvas.width / place.width;
    const of = (hours) => {
      const x = (over.left - place.left + over.width * (1 - hours / 48)) * scale;
      const width = Math.round(over.width / 48 * 0.5 * scale);
      const drawn = (share) => canvas.getContext('2d').getImageData(Math.round(x), Math.round((over.top - place.top + over.height * share) * scale), width, 1)
        .data.filter((v, i) => i % 4 === 3 && v > 0).length;
      return Math.min(...[0.31, 0.34, 0.37].map(drawn)); // not all three are on lines of the grid
    };
    return { gap: of(2.7), quiet: of(3.7) };
  });
}

// ---- how long it takes ----

async function measure(n) {
  const page = await browser.person(BASE, 'vic');
  await does('send 2');
  await page.click('nav.rail a[href="/sessions"]:visible');
  await page.waitForSelector('table.rows tbody tr');
  await page.evaluate(() => {
    window.shown = [];
    let taken = 0;
    const look = () => {
      const button = document.querySelector('button.fresh');
      const fresh = parseInt(button?.textContent ?? '0', 10);
      while (window.shown.length < taken + fresh) window.shown.push(Date.now());
      if (fresh < 40) return;
      taken += fresh;
      button.click();
    };
    new MutationObserver(look).observe(document.querySelector('main'), { subtree: true, childList: true, characterData: true });
  });
  const sent = await does(`send ${n}`);
  await page.waitForFunction((m) => window.shown.length >= m, n);
  const shown = await page.evaluate(() => window.shown);
  const took = sent.map((t, i) => shown[i] / 1000 - t).sort((a, b) => a - b);
  const of = (share) => took[Math.min(n - 1, Math.floor(share * n))].toFixed(3);
  console.log(`${n} mails, from the last line of the message to the list of sessions in Chromium: p50 ${of(0.5)} s, p90 ${of(0.9)} s, p99 ${of(0.99)} s, max ${took[n - 1].toFixed(3)} s`);
}

try {
  browser = await browse({ forgive: /status of 40[0-9]|willReadFrequently/ }) /* the test itself reads the canvas */;
  if (MANY) await measure(Number(MANY));
  else await runTests(tests, { browser });
} catch (e) {
  console.log(`FAILED  ${e.message}`);
  process.exitCode = 1;
} finally {
  await browser?.close();
  process.stdin.destroy();
}
