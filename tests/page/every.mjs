// every.mjs - every page of the desk for everybody, on the real server and a state with something on each page
//
//     node every.mjs PROGRAM JOURNAL_MAKE [NAME...]
//
// Each route of the router, and each dialog: axe finds nothing, in both themes, wide and at 320 px, which is 400 % of
// 1280; no text is cut; Tab comes to all that can be used; a dialog gives the focus back. What axe cannot see is
// measured by pixels: text and lines on a canvas and in pictures, and the ring around what has the focus. Each page
// says that it loads, that asking failed, that there is nothing, that the sensor is blind.
// 77: no browser, or no node_modules in dashboards/web (tools/setup brings both).
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { changed, contrast, decode, legible } from './pixels.mjs';
import { BOT, CONFIG, readAll, readNothing, STOPPED } from './state.mjs';
import { atWork, axe, browse, check, need, notWide, POLICY, runTests, settled, WEB } from './support.mjs';

const [PROGRAM, MAKE, ...only] = process.argv.slice(2);
const WIDE = { width: 1280, height: 900 };
const NARROW = { width: 320, height: 640 };

need(PROGRAM, MAKE);
const at = atWork(PROGRAM, 'every');
const bare = atWork(PROGRAM, 'bare'); // nothing was ever seen
let base, empty, browser, pages;

// What is looked at of each route. A route that is not here fails the test.
function routes(alert, session) {
  return {
    '/': ['/'],
    '/alerts': ['/alerts', '/alerts?view=all&host=10.9.9.9'],
    '/alerts/:id': [`/alerts/${alert}`, '/alerts/ffffffffffff'],
    '/hosts': ['/hosts'],
    '/hosts/:addr': [`/hosts/${BOT}`, '/hosts/10.20.99.99'],
    '/sessions': ['/sessions', '/sessions?host=10.9.9.9'],
    '/sessions/:id': [`/sessions/${session}`],
    '/registry': ['/registry'],
    '/registry/:part': ['lines', 'sites', 'mismatches', 'candidates'].map((part) => `/registry/${part}`),
    '/registry/:part/:what': ['/registry/form/2026-1'],
    '/blocking': ['/blocking'],
    '/why': ['/why', `/why?q=${STOPPED}`, `/why?q=${BOT}`, '/why?q=10.20.4.300'],
    '/study': ['/study'],
    '/study/:name': ['/study/campus'],
    '/study/:name/review': ['/study/campus/review'],
    '/sensor': ['/sensor'],
    '/audit': ['/audit'],
    '/help': ['/help'],
  };
}

async function prepare() {
  readAll(at, MAKE);
  readNothing(bare);
  for (const place of [at, bare]) place.user('fay', 'admin');
  base = (await at.serve('-c', CONFIG)).desk;
  empty = (await bare.serve('-c', CONFIG)).desk;
  browser = await browse({ forgive: /status of [45]0\d/ });
  const page = await browser.person(base, 'fay');
  const session = await page.evaluate(async (host) => (await (await fetch(`/api/v1/sessions?limit=1&host=${host}`)).json()).data.rows[0].event_id, BOT);
  const known = routes(at.verb('alerts', 'list', '--severity', 'high').rows[0].id, session);
  const drawn = [...readFileSync(join(WEB, 'src', 'main.tsx'), 'utf8').matchAll(/^ {2}\['(\/[^']*)', \w+\],$/gm)].map((m) => m[1]);
  check(drawn.length > 10 && drawn.join() === Object.keys(known).join(), `the routes of the page are ${drawn}`);
  pages = [...Object.values(known).flat(), '/nowhere'];
  await browser.closeAll();
}

// To another view as a link goes there, without asking for the page again: what was brought into it stays.
async function view(page, path) {
  await page.evaluate(async (to) => {
    for (const place of ['/nothing', to]) {
      history.pushState(null, '', place);
      dispatchEvent(new PopStateEvent('popstate'));
      await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    }
  }, path);
}

async function go(page, path) {
  await view(page, path);
  await settled(page);
}

// In the page: texts that somebody cannot read to the end, though nothing scrolls there.
function cutTexts() {
  const out = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const own = node.parentElement;
    if (!node.data.trim() || !own.checkVisibility({ visibilityProperty: true }) || own.closest('.unseen, .skip, svg, option, noscript')) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const text = range.getBoundingClientRect();
    if (text.width === 0) continue;
    for (let box = own; box && box !== document.body; box = box.parentElement) {
      const style = getComputedStyle(box);
      if (['auto', 'scroll'].includes(style.overflowX)) break;
      const r = box.getBoundingClientRect();
      if (['hidden', 'clip'].includes(style.overflowX) && (text.right > r.right + 1 || text.left < r.left - 1 || text.bottom > r.bottom + 2)) {
        out.push(`${node.data.trim().slice(0, 40)} in ${box.tagName}.${box.className}`);
        break;
      }
    }
    if (text.left < -1) out.push(`${node.data.trim().slice(0, 40)} is left of the page`);
  }
  return out;
}

// Both themes, which are the same at both widths, and both widths.
async function forEverybody(page, what) {
  for (const size of [WIDE, NARROW]) {
    await page.setViewportSize(size);
    await notWide(page, `${what}, ${size.width} px`);
    const cut = await page.evaluate(cutTexts);
    check(cut.length === 0, `${what}, ${size.width} px, cut: ${cut.join('; ')}`);
    await axe(page, `${what}, ${size.width} px`, size === WIDE ? ['dark'] : []);
  }
  await page.setViewportSize(WIDE);
}

// In the page: what can be used now, and is remembered when it gets the focus.
function usable() {
  const one = new Set();
  return [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')].filter((e) => {
    if (e.disabled || !e.checkVisibility({ visibilityProperty: true }) || e.closest('[inert]')) return false;
    if (e.type !== 'radio') return true;
    const group = document.querySelectorAll(`input[type=radio][name="${CSS.escape(e.name)}"]`);
    if (one.has(e.name) || ![...group].every((r) => !r.checked || r === e)) return false;
    return one.add(e.name);
  });
}

async function open(path = '/', more = {}) {
  const page = await browser.person(base, 'fay', { viewport: WIDE, ...more });
  await go(page, path);
  return page;
}

async function dialogOf(page, opener, key, what) {
  await opener.focus();
  await opener.evaluate((e) => { window.__opener = e; });
  await page.keyboard.press(key);
  await page.waitForSelector('dialog[open]').catch(() => { throw new Error(`${what}: ${key} opens no dialog`); });
  check(await page.evaluate(() => document.activeElement.closest('dialog') !== null), `${what}: the focus is not in the dialog`);
}

// At 3 pixels a point the inside of a stroke has the colour that was asked for.
async function shot(page, selector, nth = 0) {
  const part = page.locator(selector).nth(nth);
  await part.scrollIntoViewIfNeeded();
  return decode(await part.screenshot());
}

// Where it is and what it is, in pixels of the picture of `selector`.
const placesIn = (page, selector, inner) => page.evaluate(([s, i]) => {
  const from = document.querySelector(s).getBoundingClientRect();
  return [...document.querySelectorAll(`${s} ${i}`)].map((e) => {
    const r = e.getBoundingClientRect();
    const z = devicePixelRatio;
    return { what: e.textContent.slice(0, 40), x: (r.x - from.x) * z, y: (r.y - from.y) * z, width: r.width * z, height: r.height * z };
  });
}, [selector, inner]);

const THEMES = ['light', 'dark'];
const CHART = [20, 60, 40]; // unregistered, registered, inbound: level lines apart

// The contrast of each part of the chart of linesAndTextOnTheCanvasAreLegible(), 3 pixels a point.
function onChart(picture) {
  const z = 3;
  const { width, height } = picture;
  const [left, top, bottom] = [56 * z, 17 * z, height - 50 * z]; // of what is drawn; axes are outside of it
  const out = {
    'figures of y': legible(picture, { x: 0, y: 0, width: left - 12 * z, height: bottom }, 60),
    'times of x': legible(picture, { x: left, y: bottom + 14 * z, width: width - left, height: height - bottom - 14 * z }, 60),
    hatching: legible(picture, { x: left + (width - left) * 0.42, y: 30 * z, width: (width - left) * 0.05, height: 20 * z }, 60),
  };
  // Each line at its height, in the first quarter, where nothing is hatched.
  for (const [i, of] of CHART.entries())
    out[`line ${i + 1}`] = legible(picture, { x: left + 20 * z, y: top + (1 - of / (Math.max(...CHART) * 1.08)) * (bottom - top) - 3 * z, width: width / 4, height: 6 * z }, 200);
  return out;
}

const tests = {
  async policyIsTheOneAgreed() {
    const headers = (await fetch(`${base}/`)).headers;
    check(headers.get('content-security-policy') === POLICY, headers.get('content-security-policy'));
    // That a breach would be seen here at all:
    const page = await open();
    await page.evaluate(() => { try { document.createElement('p').innerHTML = '<b>x</b>'; } catch { /* as it should */ } });
    await page.waitForFunction(() => true);
    check(browser.broken.splice(0).some((b) => /TrustedHTML/.test(b)), 'a breach of the policy is not seen');
  },

  async everyPageIsForEverybody() {
    const page = await open();
    for (const path of pages) {
      await go(page, path);
      await page.evaluate(() => document.querySelectorAll('main details:not(details details)').forEach((d) => { d.open = true; }));
      await settled(page);
      await forEverybody(page, path);
    }
  },

  async tabComesToAllThatCanBeUsed() {
    const page = await open();
    await page.evaluate(() => addEventListener('focusin', (e) => { e.target.__had = true; }));
    const short = { '/alerts': '/alerts?severity=high', '/sessions': '/sessions?host=10.20.7.3&type=tls' };
    for (const path of pages.map((p) => short[p] ?? p)) {
      await go(page, path);
      const n = await page.evaluate(`(${usable})().length`);
      const missing = () => page.evaluate(`(${usable})().filter((e) => !e.__had).map((e) => e.outerHTML.slice(0, 90))`);
      let left;
      for (let i = 0; i < 2 && left?.length !== 0; i++) { // a second time, for what scrolls takes the focus too
        for (let k = 0; k < n + 4; k++) await page.keyboard.press('Tab');
        left = await missing();
      }
      check(left.length === 0, `${path}: Tab does not come to ${left.join('; ')}`);
    }
  },

  async everyDialogIsForEverybody() {
    const page = await open();
    const seen = new Set(); // the same button stands on many pages and rows
    for (const path of pages) {
      await go(page, path);
      const openers = page.locator('main button:not(.wiremore):visible:enabled').filter({ hasText: '…' });
      const modes = page.locator('main button.mode:not(.on):enabled');
      for (const all of [openers, modes])
        for (let i = 0; i < await all.count(); i++) {
          const opener = all.nth(i);
          const words = await opener.innerText();
          const what = `${path}, ${words}`;
          if (seen.has(words)) continue;
          seen.add(words);
          await dialogOf(page, opener, i % 2 === 0 ? 'Enter' : 'Space', what);
          await forEverybody(page, what);
          await page.keyboard.press('Escape');
          await page.waitForSelector('dialog[open]', { state: 'detached' });
          check(await page.evaluate(() => document.activeElement === window.__opener), `${what}: the focus does not come back`);
        }
    }
    check(seen.size >= 12, `only these dialogs were found: ${[...seen]}`);
  },

  async menuAndKeysAreForEverybody() {
    const page = await open();
    for (const [selector, size] of [['details.menu.user > summary', WIDE], ['details.menu.pages > summary', NARROW]]) {
      await page.setViewportSize(size);
      await page.locator(selector).focus();
      await page.keyboard.press('Enter');
      await axe(page, selector, ['dark']);
      await notWide(page, selector);
      await page.keyboard.press('Escape');
      check(await page.locator(selector).evaluate((e) => document.activeElement === e && !e.parentElement.open), `${selector}: Escape does not close it`);
    }
    await page.keyboard.press('?');
    await page.waitForSelector('dialog[open]');
    await forEverybody(page, 'the keys');
  },

  async everyStateIsSaid() {
    const page = await open();
    let how = 'hold';
    let held = [];
    await page.route(/\/api\/v1\/(?!me$|stream|now)/, (route) => {
      if (how === 'hold') held.push(route);
      else if (how === 'fail') route.fulfill({ status: 503, contentType: 'application/json', body: '{"error":{"message":"the store is busy","id":"9f3a21"}}' });
      else route.continue();
    });
    await page.route(/\/api\/v1\/now/, async (route) => {
      if (how !== 'blind') return route.continue();
      const answer = await route.fetch();
      const body = await answer.json();
      body.data.health = { state: 'blind', seen_percent: null, since: '2026-11-23T03:02:00Z', checks: [] };
      return route.fulfill({ response: answer, json: body });
    });
    const asking = pages.filter((p) => !['/', '/why', '/nowhere', '/help'].includes(p) && !p.includes('300'));
    for (const path of asking) {
      how = 'hold';
      await view(page, path);
      await page.waitForSelector('main [aria-busy=true]').catch(() => { throw new Error(`${path}: it does not say that it loads`); });
      await page.waitForFunction(() => [...document.querySelectorAll('main .loading')].every((l) => getComputedStyle(l).visibility === 'visible'));
      if (path === '/hosts') await axe(page, `${path}, loading`, ['dark']);
      how = 'fail';
      held.splice(0).forEach((route) => route.fulfill({ status: 503, contentType: 'application/json', body: '{"error":{"message":"the store is busy","id":"9f3a21"}}' }));
      await page.waitForSelector('main .note.bad').catch(() => { throw new Error(`${path}: it does not say that asking failed`); });
      await settled(page);
      const text = await page.locator('main').innerText();
      check(/9f3a21/.test(text) && /Try again/.test(text), `${path}: no id to quote, or no way to try again`);
      await axe(page, `${path}, failed`);
    }
    how = 'blind';
    await page.reload();
    await page.waitForSelector('.chip.blind');
    for (const path of pages) {
      await go(page, path);
      check(/BLIND since/.test(await page.locator('main [role=alert]').first().innerText()), `${path}: not said to be blind`);
    }
    await axe(page, 'blind', ['dark']);
  },

  async nothingWasEverSeen() {
    const page = await browser.person(empty, 'fay', { viewport: WIDE });
    for (const path of pages.filter((p) => !/^\/(alerts|sessions|study|registry\/form)\/./.test(p))) {
      await go(page, path);
      await axe(page, `${path}, empty`);
      check(!(await page.$('main table.rows tbody:empty')), `${path}: a table without rows`);
    }
  },

  async linesAndTextOnTheCanvasAreLegible() {
    for (const theme of THEMES) {
      const page = await open('/nowhere', { colorScheme: theme, deviceScaleFactor: 3 });
      await page.route(/\/api\/v1\/now/, async (route) => {
        const answer = await route.fetch();
        const body = await answer.json();
        const from = Date.parse('2026-11-20T00:00:00Z');
        body.data.series = Array.from({ length: 200 }, (_, i) => ({ t: new Date(from + i * 600_000).toISOString(), seen: i > 80 && i < 100 ? null : 99,
          ...(i > 80 && i < 100 ? { unregistered: null, registered: null, inbound: null } : { unregistered: CHART[0], registered: CHART[1], inbound: CHART[2] }) }));
        return route.fulfill({ response: answer, json: body });
      });
      await page.goto(`${base}/`);
      await page.waitForSelector('.plot canvas');
      await settled(page);
      const least = { 'figures of y': 4.5, 'times of x': 4.5, 'line 1': 3, 'line 2': 3, 'line 3': 3, hatching: 3 };
      const found = onChart(await shot(page, '.plot canvas'));
      for (const [what, ratio] of Object.entries(least))
        check(found[what] >= ratio, `${theme}: ${what} on the canvas: only ${found[what].toFixed(2)} : 1`);

      // Paler colours are seen to be too pale: the pixels are those of what is measured.
      await page.evaluate((pale) => ['soft', 'line-1', 'line-2', 'line-3'].forEach((name) => document.documentElement.style.setProperty(`--${name}`, pale)),
        theme === 'light' ? '#9aa' : '#455');
      for (const colorScheme of [...THEMES.filter((t) => t !== theme), theme]) {
        await page.evaluate(() => { window.__canvas = document.querySelector('.plot canvas'); });
        await page.emulateMedia({ colorScheme });
        await page.waitForFunction(() => document.querySelector('.plot canvas') !== window.__canvas); // drawn anew
      }
      const pale = onChart(await shot(page, '.plot canvas'));
      for (const [what, ratio] of Object.entries(least))
        check(pale[what] < ratio, `${theme}: ${what} in a paler colour: still ${pale[what].toFixed(2)} : 1`);
      await browser.closeAll();
    }
  },

  async picturesAreLegible() {
    for (const theme of THEMES) {
      const page = await open('/', { colorScheme: theme, deviceScaleFactor: 3 });
      const ground = (await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).match(/\d+/g).slice(0, 3).map(Number);
      for (const path of pages.filter((p) => /^\/(alerts|hosts|study)\/./.test(p))) {
        await go(page, path);
        await page.evaluate(() => document.querySelectorAll('main details:not(details details)').forEach((d) => { d.open = true; }));
        await settled(page);
        for (let i = 0; i < await page.locator('main svg[role=img]').count(); i++) {
          await page.locator('main svg[role=img]').nth(i).evaluate((e, n) => { e.id = `picture${n}`; }, i);
          const picture = await shot(page, `#picture${i}`);
          for (const text of await placesIn(page, `#picture${i}`, 'text')) {
            const ratio = legible(picture, text);
            check(ratio >= 4.5, `${path}, ${theme}: "${text.what}" in picture ${i} is only ${ratio.toFixed(2)} : 1`);
          }
          for (const mark of await placesIn(page, `#picture${i}`, ':is(.dot, .span, .ecdf, .me)')) {
            const ratio = legible(picture, mark, 12, ground);
            check(ratio >= 3, `${path}, ${theme}: a mark in picture ${i} is only ${ratio.toFixed(2)} : 1`);
          }
        }
      }
      await browser.closeAll();
    }
  },

  async theFocusIsSeen() {
    for (const theme of THEMES) {
      const page = await open('/', { colorScheme: theme });
      const known = new Set();
      for (const path of ['/', '/alerts?severity=high', pages[3], '/blocking', '/registry/form/2026-1', '/audit', '/help']) {
        await go(page, path);
        const all = await page.$$('header a, header summary, header input, header button, .rail a, main a[href], main button, main input, main select, main summary, main [tabindex="0"]');
        for (const e of all) {
          const kind = await e.evaluate((n) => (n.checkVisibility() && !n.disabled && !n.matches('.skip, .scroll') ? `${n.tagName} ${n.className} ${n.type ?? ''} ${n.closest('.note, .bar, .card, header, .rail, td, th')?.className}` : ''));
          if (kind === '' || known.has(kind)) continue;
          known.add(kind);
          await page.keyboard.press('Shift'); // a person at a keyboard: rings are shown
          await e.evaluate((n) => { document.activeElement.blur(); n.scrollIntoView({ block: 'center' }); });
          const r = await e.boundingBox();
          const clip = { x: Math.max(0, r.x - 8), y: Math.max(0, r.y - 8), width: Math.min(r.width + 16, 1270 - r.x), height: r.height + 16 };
          const before = decode(await page.screenshot({ clip }));
          await e.evaluate((n) => n.focus({ preventScroll: true, focusVisible: true }));
          const after = decode(await page.screenshot({ clip }));
          const n = changed(before, after);
          check(n >= Math.min(r.width, 600) + r.height, `${path}, ${theme}: the ring of ${kind} has only ${n} pixels for ${r.width} x ${r.height}`);
        }
      }
      check(known.size >= 15, `only ${known.size} kinds of controls`);
      await browser.closeAll();
    }
  },

  async motionColoursAndPaperAreHeeded() {
    const page = await open('/', { reducedMotion: 'reduce' });
    await page.route(/\/api\/v1\/hosts/, () => undefined);
    await view(page, '/hosts');
    await page.waitForSelector('main .loading');
    const long = await page.evaluate(() => document.getAnimations().filter((a) => a.effect.getComputedTiming().duration > 50).length);
    check(long === 0, `${long} things move all the same`);
    await page.unroute(/\/api\/v1\/hosts/);
    for (const path of ['/alerts', '/blocking']) {
      await go(page, path);
      await page.emulateMedia({ forcedColors: 'active' });
      await page.keyboard.press('Shift');
      const told = await page.evaluate(() => {
        const link = document.querySelector('.rail a[aria-current]');
        const button = document.querySelector('main button:not(.quiet, .link, .sort)');
        button.focus({ focusVisible: true });
        return [link, button].map((e) => getComputedStyle(e).outlineStyle);
      });
      check(told.every((t) => t !== 'none'), `${path}: with forced colours the page shown and the focus are ${told}`);
      await page.emulateMedia({ forcedColors: 'none' });
    }
    for (const path of [`/why?q=${STOPPED}`, '/registry/form/2026-1']) {
      await go(page, path);
      await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
      const kept = await page.evaluate(() => ({
        ground: getComputedStyle(document.body).backgroundColor, ink: getComputedStyle(document.querySelector('main h1')).color,
        rest: [...document.querySelectorAll('.rail, .search, .menu, .actions, main button:not(.sort, .link, td *, th *, dd *)')].filter((e) => e.checkVisibility()).map((e) => e.textContent.slice(0, 30)),
      }));
      const rgb = (text) => text.match(/\d+/g).slice(0, 3).map(Number);
      check(contrast(rgb(kept.ground), rgb(kept.ink)) > 10 && rgb(kept.ground)[0] === 255, `${path} on paper: ${kept.ink} on ${kept.ground}`);
      check(kept.rest.length === 0, `${path} on paper has ${kept.rest}`);
      await page.emulateMedia({ media: 'screen', colorScheme: 'light' });
    }
  },
};

try {
  await prepare();
  await runTests(tests, { only, browser, at });
} finally {
  await browser?.close();
  at.close();
  bare.close();
}
