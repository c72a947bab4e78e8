// study.mjs - the network engineer's job in a browser: from the first study to the published one, on the real server
//
//     node study.mjs PROGRAM [SHOTS]
//
// A study is begun on a state made from a capture, and ends; a limit is swept; two people judge messages blindly, by
// keyboard, and a third one where they differ; it is counted, a study takes it, and is published; the report is opened in
// a tab that has no rights. Each new view goes through axe in both themes, and at 320 columns. SHOTS: a folder for pictures.
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { atWork, axe, browse, check, closePage, FIXTURES, need, notWide, runTests, says, settled } from './support.mjs';

const [PROGRAM, , SHOTS] = process.argv.slice(2);
need(PROGRAM);

const at = atWork(PROGRAM, 'study');
const CONFIG = join(FIXTURES, 'bot.yaml');
const THEMES = ['dark'];
const NAME = 'before-the-block';
let browser, desk;

async function look(page, name) {
  await settled(page);
  if (SHOTS) {
    mkdirSync(SHOTS, { recursive: true });
    await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true });
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.screenshot({ path: join(SHOTS, `${name}-dark.png`), fullPage: true });
    await page.emulateMedia({ colorScheme: 'light' });
  }
  await axe(page, name, THEMES);
  const size = page.viewportSize();
  await page.setViewportSize({ width: 320, height: 700 });
  await notWide(page, name);
  if (SHOTS) await page.screenshot({ path: join(SHOTS, `${name}-320.png`) });
  await page.setViewportSize(size);
}

const confirmed = async (page) => {
  await page.click('dialog[open] button[type=submit]');
  await page.waitForSelector('dialog[open]', { state: 'detached' });
};

async function begins(page) {
  await page.goto(`${desk}/study`);
  await says(page, 'Need at least 14 days; you have less than 1.');
  await says(page, 'No study yet.');
  await look(page, 'empty');
  await page.click('text=Start a study…');
  check(await page.inputValue('input[name=from]') === '2026-01-05' && await page.inputValue('input[name=to]') === '2026-01-06', 'the window is not what was recorded');
  await look(page, 'start');
  await page.fill('input[name=name]', NAME);
  await page.fill('input[name=title]', 'Before the block');
  await page.click('dialog summary');
  await page.fill('dialog details textarea', readFileSync(join(FIXTURES, 'study.yaml'), 'utf8'));
  await confirmed(page);
  await page.waitForSelector(`table a[href="/study/${NAME}"]`);
  await says(page, 'Done: the study');
}

async function sweeps(page) {
  await page.goto(`${desk}/study`);
  await page.click('text=Sweep a limit…');
  await look(page, 'sweep');
  await page.fill('input[name=name]', NAME); // it is there already
  await page.click('dialog[open] button[type=submit]');
  await says(page, 'nothing is written over');
  await page.fill('input[name=name]', 'swept');
  await confirmed(page);
  await page.waitForSelector('table a[href="/study/swept"]');
  await page.click('table a[href="/study/swept"]');
  await says(page, 'Where the limits come from');
  await page.waitForSelector('figure.chart canvas');
  await look(page, 'swept');
  await page.click('figure.chart figcaption button');
  check((await page.$$('figure.chart tbody tr')).length === 9, 'the table has not nine steps');
  check((await page.textContent('figure.chart tbody tr:last-child')).startsWith('5'), 'the least limit is not 5');
}

async function shown(page) {
  await page.goto(`${desk}/study/${NAME}`);
  await says(page, 'registered hosts stopped'); // a criterion of the plan
  await says(page, 'gaps were not measured');
  await says(page, 'Would be stopped');
  await look(page, 'study');
  await page.click('text=Draw messages…');
  await look(page, 'draw');
  await page.fill('input[name=sample]', '20');
  await confirmed(page);
  await says(page, '13 messages drawn.');
}

// Everything by keyboard, until nothing is left. `keys` gives the key for each number.
async function judges(name, keys, first) {
  const page = await browser.person(desk, name);
  await page.goto(`${desk}/study/${NAME}/review`);
  await page.waitForFunction(() => /Message \d+;|All judged/.test(document.body.innerText));
  const words = await page.innerText('main');
  check(!/10\.20\.|detector:|stratum/.test(words.replace('the detector found', '')), `not blind: ${words}`);
  if (first) await look(page, 'review');
  for (let last = 0; ;) {
    const n = await page.waitForFunction((before) => {
      const text = document.querySelector('main').innerText;
      if (text.includes('All judged')) return 'end';
      const m = /Message (\d+);/.exec(text);
      return m && Number(m[1]) !== before ? m[1] : null;
    }, last).then((h) => h.jsonValue());
    if (n === 'end') break;
    last = Number(n);
    if (first && last === 3) { // what was said is kept over a reload
      await page.reload();
      await says(page, 'Message 3; 2 of 13 judged');
      await page.click('text=The one before');
      await says(page, 'You said: malicious.');
      await page.keyboard.press('u');
      await says(page, 'Message 3;');
    }
    await page.keyboard.press(keys(last));
  }
  if (first) await look(page, 'judged');
  await closePage(page);
}

async function counts(page) {
  await page.goto(`${desk}/study/${NAME}`);
  await page.click('button:has-text("Count")');
  await says(page, 'Counted. The next study can take what people judged.');
  await page.goto(`${desk}/study`);
  await page.click('text=Start a study…');
  await page.fill('input[name=name]', 'reviewed');
  await page.selectOption('select[name=reviewed]', NAME);
  await page.check('input[name=final]');
  await confirmed(page);
  await page.waitForSelector('table a[href="/study/reviewed"]');
  const study = JSON.parse(readFileSync(join(at.state, 'studies', 'reviewed.json'), 'utf8'));
  check(study.review.there && study.cover.status === 'final' && study.hosts.some((h) => h.reviewed), 'the review is not in the study');
}

async function publishes(page) {
  await page.goto(`${desk}/study/reviewed`);
  await page.click('text=Publish this study…');
  await says(page, 'It cannot be taken back or changed');
  await look(page, 'publish');
  await page.fill('dialog input[name=reason]', 'agreed at the meeting');
  await confirmed(page);
  await says(page, 'agreed at the meeting');
  await look(page, 'published');
  const cio = await browser.person(desk, 'cora');
  await cio.goto(`${desk}/study`);
  await cio.waitForSelector('table');
  check((await cio.textContent('tbody tr:first-child')).includes('published'), 'what was published is not first');
  check((await cio.$$('text=Start a study')).length === 0, 'who only looks is offered to start one');
  await cio.goto(`${desk}/study/reviewed`);
  check((await cio.$$('text=Publish this study')).length === 0, 'what is published can be published');
  await cio.click('text=Open the report');
  await cio.waitForSelector('#decision');
  const said = await cio.evaluate(() => ({ origin: self.origin, sheet: getComputedStyle(document.body).margin, cookies: (() => { try { return document.cookie; } catch { return 'none'; } })() }));
  check(said.origin === 'null' && said.cookies === 'none' && said.sheet === '0px', JSON.stringify(said));
  if (SHOTS) await cio.screenshot({ path: join(SHOTS, 'report.png') });
}

const tests = {
  async 'an engineer studies, people judge, the CIO reads'() {
    const page = await browser.person(desk, 'fay');
    await begins(page);
    await sweeps(page);
    await shown(page);
    await judges('ana', () => 'm', true);
    await judges('ben', (n) => (n % 3 === 0 ? 'o' : 'm'));
    await judges('cyd', () => 'o');
    await counts(page);
    await publishes(page);
  },
};

try {
  at.span25('read', '-q', '-c', CONFIG, '--registry', join(FIXTURES, 'bot-registry.csv'), '--state', at.state, join(FIXTURES, 'bot.pcap.gz'));
  for (const [name, roles] of [['fay', 'firewall'], ['ana', 'analyst'], ['ben', 'analyst'], ['cyd', 'analyst'], ['cora', 'viewer']]) at.user(name, roles);
  ({ desk } = await at.serve('-c', CONFIG));
  browser = await browse();
  await runTests(tests, { browser, at });
} finally {
  await browser?.close();
  at.close();
}
