// triage.mjs - the analyst's and the support desk's job in a browser, on the real server and a real state
//
//     node triage.mjs PROGRAM JOURNAL_MAKE [NAME...]
//
// An analyst takes an alert from the inbox to closed, with the justification pasted, by keyboard alone; who has a caller
// on the phone lifts a block that should not have been. What was done is then looked up in the journal by the verbs.
// No policy of the page may be broken; every.mjs looks at the pages themselves.
// 77: no browser, or no node_modules in dashboards/web (tools/setup brings both).
import { blockNow, BOT, CONFIG, readBot, STOPPED } from './state.mjs';
import { atWork, browse, check, closePage, need, runTests, says, tabTo } from './support.mjs';

const [PROGRAM, MAKE, ...only] = process.argv.slice(2);

need(PROGRAM, MAKE);
const at = atWork(PROGRAM, 'triage');
const { verb } = at;
let base, browser;

const person = (name) => browser.person(base, name);

// ---- a state, and who may log in ----

function manyAlerts(n) {
  const when = '2026-01-04T08:00:00.000000+0000';
  return Array.from({ length: n }, (_, i) => ({
    timestamp: when, flow_id: 0, flow_seq: i, event_type: 'alert', event_id: `61${i.toString(16).padStart(14, '0')}`,
    src_ip: `10.30.${i >> 8}.${i & 255}`,
    alert: {
      id: (0x100000 + i).toString(16).split('').reverse().join('').padEnd(16, '0'), state: 'ended', signature_id: 7, signature: 'Many at once',
      severity: 3, category: 'behaviour', rule: 'many-at-once', rule_hash: '0'.repeat(16), level: 'low', subject: `10.30.${i >> 8}.${i & 255}`,
      site: 'BULK', reason: 'one of many', first: when, last: when, count: 1,
    },
  }));
}

async function prepare() {
  readBot(at);
  blockNow(at, MAKE, STOPPED);
  at.user('ana', 'analyst');
  at.user('vic', 'viewer');
  at.user('fay', 'firewall,analyst');
  base = (await at.serve('-c', CONFIG)).desk;
  browser = await browse();
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
    await closePage(page);
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
    await closePage(page);
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
    await closePage(page);
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
    await closePage(page);
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
    await closePage(page);
  },

  // The last one: lists are long from here on.
  async allThatMatch() {
    const n = 620; // more than a page, and more than one request takes
    at.append(MAKE, manyAlerts(n));
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
    await closePage(page);
  },
};

// ----

try {
  await prepare();
  await runTests(tests, { only, browser, at });
} finally {
  await browser?.close();
  at.close();
}
