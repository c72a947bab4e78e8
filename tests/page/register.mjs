// register.mjs - a server is registered in a browser, from the letter's link to the permit, on the real server
//
//     node register.mjs PROGRAM
//
// A site contact opens the link of a letter, is told what is missing, loses nothing, submits; a registrar approves; who
// has the firewall reads back its list; the site contact sees each step. Each page is gone through with axe, and no
// policy of a page may be broken. 77: no node_modules in dashboards/web (tools/setup brings them).
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { atWork, axe, browse, check, closePage, FIXTURES, need, notWide, runTests, says } from './support.mjs';

const SERVER = '10.20.5.20';
const [PROGRAM] = process.argv.slice(2);

need(PROGRAM);
const at = atWork(PROGRAM, 'register');
const { span25, state, verb, work } = at;
let browser;

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

async function fillIn(page) {
  for (const [label, text] of [['site-name', 'Web desk'], ['contacts-site-name', 'Ada'], ['contacts-site-phone', '+1 555 0100'], ['contacts-site-mail', 'ada@web.test'], ['signature-name', 'Ada'], ['signature-date', '2026-01-02']])
    await page.fill(`#f-0-${label}`, text);
  await page.click('text=The same person as above');
  await page.fill('#f-1-device', 'Postfix');
}

async function siteSubmits(sites, link) {
  const page = await browser.open(`${sites}/${link}`);
  await says(page, 'what we saw is filled in already');
  check(await page.inputValue('#f-1-address') === SERVER, 'the address that was seen is not filled in');
  await axe(page, page.url(), ['dark']);
  await page.setViewportSize({ width: 320, height: 640 });
  await notWide(page);
  await axe(page);
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.fill('#f-0-site-name', 'Web desk');
  await page.click('text=Submit the form');
  await page.waitForSelector('#faults');
  check(await page.evaluate(() => document.activeElement?.id) === 'faults', 'the list of faults has not the focus');
  await axe(page, page.url(), ['dark']);
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
  await axe(page, page.url(), ['dark']);
  const rows = verb('registry', 'list').rows;
  check(rows.length === 1 && rows[0].state === 'requested' && rows[0].address === SERVER, JSON.stringify(rows));
  return { page, form: rows[0].form };
}

async function deskDecides(desk, form) {
  const page = await browser.person(desk, 'reg');
  await page.goto(`${desk}/registry`);
  await page.waitForSelector(`a[href="/registry/form/${form}"]`);
  await axe(page);
  await page.click(`a[href="/registry/form/${form}"]`);
  await says(page, 'Lines');
  await page.click('text=Read the journal');
  await says(page, 'Attested on the form');
  await axe(page);
  await page.click('button:has-text("Checked 1")');
  await page.click('dialog[open] button[type=submit]');
  await page.waitForSelector('dialog[open]', { state: 'detached' });
  await page.waitForSelector('button:has-text("Checked 1")', { state: 'detached' });
  await page.click('button:has-text("Write the receipt")');
  const receipt = await page.inputValue('textarea[readonly]');
  check(receipt.includes('To: ada@web.test\n') && receipt.includes(SERVER), receipt);
  await axe(page);
  await page.click('button:has-text("Approve 1")');
  await page.click('dialog[open] button[type=submit]');
  await page.waitForSelector('dialog[open]', { state: 'detached' });
  await says(page, 'not yet found in the firewall');
  check(verb('registry', 'list').rows[0].state === 'permitted', 'it is not permitted');
  await closePage(page);
  return /https:\/\/register\.test\/(#[0-9A-Z-]{23}) /.exec(receipt)?.[1] ?? '';
}

// Whoever reads the mail of the contact; the link shows nothing else.
async function contactConfirms(sites, link, form) {
  const shown = () => verb('registry', 'show', form).mail_confirmed;
  const page = await browser.open(`${sites}/${link}`);
  await says(page, `Form ${form}: is this your address?`);
  check(!(await page.innerText('main')).includes(SERVER), 'a link of a receipt shows the form');
  check(shown() === null, 'opened, and confirmed by that');
  await axe(page);
  await page.click('text=Yes, it is my address');
  await says(page, 'Confirmed');
  check(shown() !== null, 'it is not confirmed');
  await closePage(page);
}

async function siteWithdraws(page) {
  await says(page, 'is confirmed');
  await page.click('text=Withdraw…');
  await axe(page);
  await page.click('text=Keep it');
  check(verb('registry', 'list').rows[0].state === 'permitted', 'withdrawn without a yes');
  await page.click('text=Withdraw…');
  await page.click('text=Withdraw it');
  await says(page, 'Withdrawn.');
  const row = verb('registry', 'show', verb('registry', 'list').rows[0].form);
  check(row.lines.rows[0].state === 'ended' && row.history.rows.at(-1).actor === 'public', JSON.stringify(row.lines.rows));
  await says(page, 'ended');
}

async function draftIsDiscarded(sites) {
  const page = await browser.open(`${sites}/`);
  await page.fill('#f-0-site-name', 'Nobody');
  await page.click('text=Save as a draft');
  await says(page, 'Keep this link');
  const link = page.url();
  await page.click('text=Throw this draft away');
  await page.waitForURL(`${sites}/`);
  await page.waitForSelector('#f-0-site-name'); // before that nothing hears that the address changed
  await page.goto(link);
  await says(page, 'There is no form under this link');
  await closePage(page);
}

async function firewallConfirms(desk, form) {
  const page = await browser.person(desk, 'fay');
  await page.goto(`${desk}/registry/form/${form}`);
  await page.click('text=Read back what the firewall has');
  await page.fill('dialog[open] textarea', `${SERVER}\n`);
  await axe(page);
  await page.click('dialog[open] button[type=submit]');
  await page.waitForSelector('dialog[open]', { state: 'detached' });
  check(verb('registry', 'list').rows[0].entered !== null, 'it is not entered');
  await closePage(page);
}

async function nothingElse(sites) {
  for (const path of ['/api/v1/me', '/api/v1/registry/lines', '/api/v1/openapi.json', '/index', '/alerts', '/licences.txt', '/healthz'])
    check((await fetch(`${sites}${path}`)).status === 404, `${path} is there for sites`);
}

const tests = {
  async fromTheLetterToTheFirewall() {
    const config = join(work, 'c.yaml');
    writeFileSync(config, 'registry:\n  deadline: "2099-01-31"\n  url: https://register.test\n');
    at.user('reg', 'registrar');
    at.user('fay', 'firewall,registrar');
    span25('read', '-q', '--home', '10.0.0.0/8', '--state', state, join(FIXTURES, 'lab.pcap'));
    const link = linkOfLetter(config);
    const { desk, sites } = await at.serve('-c', config, '--public-listen', '127.0.0.1:0');
    await nothingElse(sites);
    const { page, form } = await siteSubmits(sites, link);
    const receipt = await deskDecides(desk, form);
    await contactConfirms(sites, receipt, form);
    await firewallConfirms(desk, form);
    await page.reload();
    await says(page, 'permitted');
    check((await page.$$('tbody .none')).length <= 1, 'not each step has its time');
    await siteWithdraws(page);
    await draftIsDiscarded(sites);
  },
};

try {
  browser = await browse();
  await runTests(tests, { browser, at });
} finally {
  await browser?.close();
  at.close();
}
