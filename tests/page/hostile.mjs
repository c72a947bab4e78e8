// hostile.mjs - all that strangers can write, hostile, on every page of the real server in a real browser
//
//     node hostile.mjs PROGRAM JOURNAL_MAKE
//
// Mail conversations whose banner, HELO, envelope, header fields, file names, replies and server name are payloads are
// read from a capture; events with payloads as titles, reasons and names of hosts stand beside them in the journal;
// people write payloads into forms, notes and reasons. Then every page, card and drawer is opened: no script runs, no
// dialog comes, nothing is asked of another host, no policy is broken, no element or link is there that the page has
// not of itself, and each payload can be read. The same for what is printed and exported.
// 77: no browser, or no node_modules in dashboards/web (tools/setup brings both).
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { atWork, browse, check, closePage, need, PATIENCE, runTests, settled } from './support.mjs';

const [PROGRAM, MAKE, ...only] = process.argv.slice(2);
const SCENARIO = join(dirname(fileURLToPath(import.meta.url)), '..', 'support', 'scenario.py');

need(PROGRAM, MAKE);
const at = atWork(PROGRAM, 'hostile');
let desk, sites, browser, admin;

// ---- what is tried ----

const hit = 'window.__hit=1';
const tag = String.fromCharCode;
const PAYLOADS = [
  `<script>${hit}</script>`, `<ScRiPt>${hit}</sCrIpT>`, `</script><script>${hit}</script>`, `<script src=//evil.test/x.js></script>`,
  `<script>${hit}//`, `<<script>${hit}</script>`, `<script/x>${hit}</script>`, `<img src=x onerror=${hit}>`, `<img src=x onerror="${hit}"`,
  `"><img src=x onerror=${hit}>`, `'><img src=x onerror=${hit}>`, `" onmouseover=${hit} x="`, `' onfocus=${hit} autofocus '`,
  '` onclick=`window.__hit=1', `<svg onload=${hit}>`, `<svg><script>${hit}</script></svg>`, `<svg><animate onbegin=${hit} attributeName=x>`,
  '<svg><use href="data:image/svg+xml,<svg id=x xmlns=http://www.w3.org/2000/svg><script>1</script></svg>#x">',
  `<body onload=${hit}>`, `<iframe srcdoc="<script>parent.__hit=1</script>">`, `<iframe src="javascript:parent.__hit=1">`,
  `<object data="data:text/html,<script>parent.__hit=1</script>">`, '<embed src=//evil.test/x>', `<details open ontoggle=${hit}>`,
  `<video><source onerror=${hit}></video>`, `<audio src=x onerror=${hit}>`, `<marquee onstart=${hit}>`, `<input autofocus onfocus=${hit}>`,
  `<select autofocus onfocus=${hit}>`, `<textarea autofocus onfocus=${hit}>`, `<keygen autofocus onfocus=${hit}>`, '<base href=//evil.test/>',
  '<meta http-equiv=refresh content="0;url=//evil.test/">', '<link rel=stylesheet href=//evil.test/x.css>', '<style>@import "//evil.test/x.css"</style>',
  '<style>*{background:url(//evil.test/b)}</style>', '<p style="background:url(//evil.test/c)">', '"style="position:fixed;inset:0;background:red',
  '<a href="javascript:window.__hit=1">go</a>', 'javascript:window.__hit=1', 'JaVaScRiPt:window.__hit=1', 'java\tscript:window.__hit=1',
  'data:text/html,<script>window.__hit=1</script>', 'vbscript:msgbox(1)', '//evil.test/', 'https://evil.test/?a=b&c=d',
  '<form action=//evil.test/><button>Sign in</button></form>', '<form id=main><input name=attributes>', '<a id=location href=//evil.test/>',
  '<img name=getElementById>', '<a id=__hit><a id=__hit name=x>', '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=x onerror=window.__hit=1&gt;">',
  '<noscript><p title="</noscript><img src=x onerror=window.__hit=1>">', '<template><script>window.__hit=1</script></template>',
  '<svg></p><style><a title="</style><img src=x onerror=window.__hit=1>">', '<xmp><p title="</xmp><img src=x onerror=window.__hit=1>">',
  '<!--><img src=x onerror=window.__hit=1>-->', '<![CDATA[<script>window.__hit=1</script>]]>', '&lt;script&gt;window.__hit=1&lt;/script&gt;',
  '&#60;img src=x onerror=window.__hit=1&#62;', '%3Cscript%3Ewindow.__hit=1%3C/script%3E', '\\u003cscript\\u003ewindow.__hit=1\\u003c/script\\u003e',
  '\\x3cscript\\x3ewindow.__hit=1\\x3c/script\\x3e', '{{constructor.constructor("window.__hit=1")()}}', '${window.__hit=1}', '#{window.__hit=1}', '<%= 7*7 %>',
  '"};window.__hit=1;//', "';window.__hit=1;//", '\\";window.__hit=1;//', '"}]},"data":{"x":"', '__proto__', 'constructor.prototype.__hit',
  '{"__html":"<img src=x onerror=window.__hit=1>"}', '{"type":"script","props":{"children":"window.__hit=1"}}',
  '=HYPERLINK("http://evil.test/","x")', '+cmd|\' /C calc\'!A0', '-2+3+cmd|\' /C calc\'!A0', '@SUM(1+1)', '\t=1+1', ';=1+1',
  `${tag(27)}[31mred${tag(27)}]0;title${tag(7)}`, `${tag(8)}${tag(8)}${tag(8)}gone`, `${tag(0x202e)}fdp.exe${tag(0x202c)}`, `${tag(0x2066)}a${tag(0x2069)}${tag(0x200f)}b`,
  `zero${tag(0x200b)}width${tag(0xfeff)}${tag(0xad)}`, `line${tag(0x2028)}end${tag(0x2029)}${tag(0x85)}`, 'p\u0430yp\u0430l.test', 'xn--pypal-4ve.test', `Z${'\u0301\u0489\u0335'.repeat(30)}`,
  `\ud83d\ude00\ud83c\udff4${String.fromCodePoint(0xe0067, 0xe007f)}`, 'invoice.pdf                                    .exe', `${'A'.repeat(600)}<img src=x onerror=window.__hit=1>`,
  `\uff1cscript\uff1ewindow.__hit=1\uff1c/script\uff1e`, '<script\u2028>window.__hit=1</script>', 'a\u00a0b\u3000c', `\u{10ffff}\ue000`, '../../../../etc/passwd', '%00', '%s%n%x',
];
// As bytes, where a field takes bytes: no UTF-8, overlong, cut, NUL.
const BYTES = ['\\xff\\xfe<script>window.__hit=1</script>', '\\xc0\\xbcscript\\xc0\\xbe', '\\xe2\\x80', '\\xed\\xa0\\x80\\xed\\xb0\\x80', '\\xf4\\x90\\x80\\x80', 'a\\x00<img src=x onerror=window.__hit=1>',
  '+ADw-script+AD4-window.__hit=1+ADw-/script+AD4-', '\\x1b$B<img src=x onerror=window.__hit=1>\\x1b(B'];
const N = PAYLOADS.length + BYTES.length;
check(PAYLOADS.length >= 60, 'too few payloads');

const mark = (field, i) => `x${field}${String(i).padStart(3, '0')}`;
const octets = (text) => [...Buffer.from(text, 'utf8')].map((b) => (b < 0x20 || b >= 0x7f || b === 0x22 || b === 0x5c ? `\\x${b.toString(16).padStart(2, '0')}` : String.fromCharCode(b))).join('');
// A field's text for a scenario: the mark that is looked for, then the payload.
const wire = (field, i) => mark(field, i) + (i < PAYLOADS.length ? octets(PAYLOADS[i]) : BYTES[i - PAYLOADS.length]);
const text = (field, i) => mark(field, i) + (PAYLOADS[i] ?? 'x');
const each = (f) => Array.from({ length: N }, (_, i) => f(i));

// Several to a reason or note, which are at most 1,024 bytes.
function chunks(field, most) {
  const out = [''];
  PAYLOADS.forEach((p, i) => {
    const one = `${text(field, i)} `.replace(/[\u0000-\u001f\u007f]/g, ' ');
    if (Buffer.byteLength(one) > most) return;
    if (Buffer.byteLength(out.at(-1) + one) > most) out.push('');
    out[out.length - 1] += one;
  });
  return out;
}

// ---- mail ----

function clientHello(name) {
  const host = Buffer.from(name, 'latin1');
  const u16 = (n) => Buffer.from([n >> 8, n & 255]);
  const vec = (b) => Buffer.concat([u16(b.length), b]);
  const sni = Buffer.concat([u16(0), vec(vec(Buffer.concat([Buffer.from([0]), vec(host)])))]);
  const body = Buffer.concat([Buffer.from([3, 3]), Buffer.alloc(32, 0x11), Buffer.from([0]), vec(Buffer.from([0xc0, 0x2f])), Buffer.from([1, 0]), vec(sni)]);
  const shake = Buffer.concat([Buffer.from([1, 0]), u16(body.length), body]);
  return [...Buffer.concat([Buffer.from([0x16, 3, 1]), vec(shake)])].map((b) => `\\x${b.toString(16).padStart(2, '0')}`).join('');
}

// NUL and line ends would end a field; its own delimiters are put otherwise.
const line = (t) => t.replace(/\\x0[0ad]/g, '');
const quoted = (t) => line(t).replace(/\\x22|\\x5c/g, '');

function conversation(i) {
  const f = (name) => line(wire(name, i));
  const coded = i < PAYLOADS.length ? `=?utf-8?B?${Buffer.from(text('c', i)).toString('base64')}?=` : f('c');
  const said = [
    `conn ${i + 1}`, `client 10.66.${i >> 6}.${(i & 63) + 1}`, `server 198.51.100.${i + 1}`,
    `S "220 ${f('b')}\\r\\n"`, `C "EHLO ${f('h')}\\r\\n"`, `S "250-${f('e')}\\r\\n250 PIPELINING\\r\\n"`,
    `C "MAIL FROM:<\\"${quoted(wire('m', i))}\\"@evil.test>\\r\\n"`, `S "250 ${f('r')}\\r\\n"`,
    `C "RCPT TO:<\\"${quoted(wire('t', i))}\\"@mx.test>\\r\\n"`, `S "${i % 3 ? '250 2.1.5' : '550 5.1.1'} ${f('q')}\\r\\n"`,
    ...(i % 3 === 0 ? ['C "RCPT TO:<b@mx.test>\\r\\n"', 'S "250 ok\\r\\n"'] : []),
    'C "DATA\\r\\n"', 'S "354 go\\r\\n"',
    `C "Subject: ${i % 2 ? f('s') : coded}\\r\\nFrom: \\"${quoted(wire('f', i))}\\" <a@evil.test>\\r\\nTo: ${f('o')}\\r\\nX-Mailer: ${f('x')}\\r\\nMessage-ID: <${f('i')}@evil.test>\\r\\n"`,
    `C "MIME-Version: 1.0\\r\\nContent-Type: multipart/mixed; boundary=b\\r\\n\\r\\n--b\\r\\nContent-Type: application/octet-stream; name=\\"${quoted(wire('n', i))}\\"\\r\\n"`,
    `C "Content-Disposition: attachment; filename*=utf-8''${encodeURIComponent(text('a', i).toWellFormed())}\\r\\n\\r\\nMZ\\r\\n--b--\\r\\n.\\r\\n"`,
    `S "250 2.0.0 ${f('w')}\\r\\n"`, `C "${line(wire('v', i)).slice(0, 200).replace(/\\x?.?$/, '')}\\r\\n"`, 'S "500 what\\r\\n"', 'bye',
  ];
  return said;
}

function secret(i) {
  const name = Buffer.from(text('k', i)).subarray(0, 250).toString('latin1');
  return [
    `conn ${N + i + 1}`, `client 10.67.${i >> 6}.${(i & 63) + 1}`, 'server 198.51.100.250', 'S "220 mx.test\\r\\n"', 'C "EHLO a.test\\r\\n"',
    'S "250-mx.test\\r\\n250 STARTTLS\\r\\n"', 'C "STARTTLS\\r\\n"', 'S "220 go\\r\\n"', `C "${clientHello(name)}"`, 'C "\\x17\\x03\\x03\\x00\\x10" bytes 16 zero',
  ];
}

function capture() {
  const words = join(at.work, 'h.smtp');
  const out = join(at.work, 'h.pcap');
  writeFileSync(words, [...each(conversation).flat(), ...PAYLOADS.map((_, i) => secret(i)).flat()].join('\n') + '\n');
  const done = spawnSync('python3', [SCENARIO, words, '-o', out], { encoding: 'utf8', timeout: PATIENCE });
  check(done.status === 0, `scenario.py: ${done.stderr.slice(-600)}`);
  return out;
}

// ---- events of the sensor, and what people write ----

const hex = (from, i) => (BigInt(from) + BigInt(i)).toString(16).padStart(16, '0');

function events() {
  const when = (s) => new Date(Date.now() - s * 1000).toISOString().replace('Z', '000+0000');
  const base = (i, type, from) => ({ timestamp: when(900 - i), flow_id: 7, flow_seq: i, event_type: type, event_id: hex(from, i), src_ip: `10.68.${i >> 6}.${(i & 63) + 1}` });
  const seen = at.verb ? readFileSync(join(at.state, 'journal', '00000000000000000001.jsonl'), 'utf8').split('\n').filter((l) => l.includes('"event_type":"smtp_session"')).map((l) => JSON.parse(l).event_id) : [];
  return PAYLOADS.flatMap((_, i) => {
    const t = (field) => text(field, i);
    const subject = `10.68.${i >> 6}.${(i & 63) + 1}`;
    return [
      { ...base(i, 'alert', '0x6100000000000000'), alert: {
        id: hex('0x7000000000000000', i * 65537), state: 'opened', signature_id: 7, signature: t('A'), severity: 1, category: t('C'), rule: t('R').slice(0, 60), rule_hash: '0'.repeat(16), level: 'high',
        subject, site: t('S').slice(0, 60), reason: t('Y'), first: when(900), last: when(800 - i), count: 3, matched: [t('M')],
        checks: [{ name: 's1', result: 'fired', observed: t('O'), limit: '3' }], evidence: [{ role: 'first', event_id: seen[i] ?? hex(0, i), when: when(900), sight: 'full' }] } },
      { ...base(i, 'decision', '0x6400000000000000'), decision: {
        id: hex('0x6d00000000000000', i * 65537), action: 'block', mode: 'enforce', subject: `${subject}/32`, origin: 'detector', reason: t('D'), evidence_hash: '5e'.repeat(32), step: 1, collateral: 14,
        until: new Date(Date.now() + 4e6).toISOString().replace('Z', '000+0000'), site: t('Z').slice(0, 60) } },
      { ...base(i, 'dns', '0x6500000000000000'), dest_ip: '10.0.0.53', dns: { rrname: t('N'), rrtype: 'MX', rcode: 'NOERROR', answers: [t('P')] } },
    ];
  });
}

async function api(path, body, base = desk) {
  const to = `${base}/api/v1${path}`;
  const headers = { Origin: base, ...(admin && base === desk ? { Cookie: admin.cookie, 'X-CSRF-Token': admin.csrf } : {}), ...(body ? { 'Content-Type': 'application/json' } : {}) };
  const r = await fetch(to, { method: body ? 'POST' : 'GET', headers, ...(body ? { body: JSON.stringify(body) } : {}) });
  const said = await r.text();
  check(r.headers.get('x-content-type-options') === 'nosniff', `${path}: it may be sniffed`);
  return { status: r.status, headers: r.headers, said, data: /json/.test(r.headers.get('content-type')) ? JSON.parse(said) : null };
}

async function logIn() {
  admin = null;
  const r = await api('/login', { user: 'ada', password: 'secret of ada' });
  check(r.status === 200, `log-in: ${r.status} ${r.said}`);
  admin = { cookie: r.headers.get('set-cookie').split(';')[0], csrf: r.data.data.csrf };
}

// A line of a form for each payload, and the form's own fields.
function form(from, to) {
  const t = (field, i) => text(field, i).replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, ' ').slice(0, 200).toWellFormed();
  const person = (i) => ({ name: t('pn', i), position: t('pp', i), phone: '+1 555 0100', mail: 'a@evil.test' });
  return {
    site: { name: t('sn', from) }, contacts: { site: person(from), technical: person(from + 1) }, totals: { addresses: to - from, ports: 1 },
    conditions: { scans_mail: 'yes', no_open_relay: 'yes', smtp_auth: 'yes', auth_encrypted: 'yes' }, signature: { name: t('gn', from), title: t('gt', from), date: '2026-01-02' },
    lines: Array.from({ length: to - from }, (_, k) => ({
      port: '25', address: `10.69.${(from + k) >> 6}.${((from + k) & 63) + 1}`, device: t('dv', from + k), domain: t('dm', from + k), relay_for: t('rm', from + k), direction: 'both', volume: '10' })), notes: t('no', from + 3),
  };
}

async function write() {
  await logIn();
  const rows = (await api('/alerts?limit=500')).data.data.rows.map((r) => r.alert ?? r.id);
  check(rows.length >= PAYLOADS.length, `${rows.length} alerts: ${JSON.stringify((await api('/alerts?limit=3')).data).slice(0, 600)}`);
  const notes = chunks('an', 1000);
  for (const [i, note] of notes.entries()) {
    const r = await api('/alerts/act', { action: 'ack', ids: [rows[i]], note });
    check(r.status === 200, `a note: ${r.status} ${r.said}`);
  }
  for (const [i, reason] of chunks('er', 1000).entries()) {
    const r = await api('/exceptions/add', { prefix: `10.71.${i}.0/24`, from: 'alert', for: '4h', reason });
    check(r.status === 200, `a reason of an exception: ${r.status} ${r.said}`);
  }
  for (const [i, reason] of chunks('br', 1000).entries()) {
    const r = await api('/blocks/add', { subject: `10.72.0.${i + 1}`, for: '4h', reason });
    check(r.status === 200, `a reason of a block: ${r.status} ${r.said}`);
  }
  const r = await api('/policy/mode', { mode: 'simulate', reason: chunks('pr', 1000)[0] });
  check([200, 409].includes(r.status), `a reason of a mode: ${r.status} ${r.said}`);
}

// ---- a state ----

async function prepare() {
  const config = join(at.work, 'c.yaml');
  const q = (t) => JSON.stringify(t);
  writeFileSync(config, `network:\n  home: [10.0.0.0/8]\nsites:\n  - code: EVIL\n    name: ${q(text('sc', 0))}\n    prefixes: [10.66.0.0/16]\n    owner: ${q(text('so', 7))}\n    contact: ${q(text('sm', 10))}\n`
    + `serve:\n  site: ${q(text('ss', 9))}\n`);
  at.span25('read', '-q', '-c', config, '--state', at.state, capture());
  at.append(MAKE, events());
  mkdirSync(join(at.state, 'studies'), { recursive: true });
  writeFileSync(join(at.state, 'studies', 'evil.json'), JSON.stringify({ schema: 'span25-study-1', cover: { title: text('st', 0), author: text('sa', 7), status: text('sx', 14), from: '2026-01-05T08:00:11Z', to: '2026-01-06T08:00:11Z' } }));
  at.user('ada', 'admin');
  ({ desk, sites } = await at.serve('-c', config, '--public-listen', '127.0.0.1:0'));
  await write();
  browser = await browse();
}

// ---- what no page may do ----

const TAGS = new Set(('a abbr b bdi br button caption circle code dd details dialog div dl dt em fieldset figcaption figure footer form g h1 h2 h3 h4 header hr i input kbd label legend li line main mark nav noscript ol optgroup '
  + 'defs pattern option output p path polyline pre progress rect s samp section select small span strong sub summary sup svg table tbody td template text textarea tfoot th thead time title tr u ul var aside article canvas datalist search').split(' '));
const faults = new Set();
const marks = new Set();

async function watch(page) {
  await page.addInitScript(() => {
    window.__csp = [];
    document.addEventListener('securitypolicyviolation', (e) => window.__csp.push(`${e.violatedDirective} ${e.blockedURI}`));
  });
  page.on('dialog', (d) => { faults.add(`a dialog: ${d.message()}`); d.dismiss(); });
  page.on('popup', (p) => faults.add(`a window: ${p.url()}`));
  page.on('request', (r) => { if (![desk, sites].includes(new URL(r.url()).origin) && !/^(blob|data):/.test(r.url())) faults.add(`asked of another: ${r.url()}`); });
  page.on('response', async (r) => {
    if (!new URL(r.url()).pathname.startsWith('/api/')) return;
    const h = r.headers();
    if (h['x-content-type-options'] !== 'nosniff' || !/^(application\/json|text\/event-stream|text\/html)/.test(h['content-type'] ?? '') || !h['content-security-policy']) faults.add(`fields of ${r.url()}`);
  });
  return page;
}

async function look(page, what) {
  for (let i = 0; i < 3 && (await page.locator('.wiremore').count()) > 0; i++)
    await page.evaluate(() => { for (const b of document.querySelectorAll('.wiremore')) b.click(); });
  await page.evaluate(() => { for (const d of document.querySelectorAll('main details:not([open])')) d.open = true; });
  const seen = await page.evaluate(([tags, host]) => {
    const bad = [];
    for (const e of document.querySelectorAll('body *')) {
      const name = e.tagName.toLowerCase();
      if (!tags.includes(name) && !(name === 'script' && e.src.startsWith(`${host}/assets/`))) bad.push(`<${name}> ${e.outerHTML.slice(0, 120)}`);
      for (const a of e.attributes)
        if (/^on|^(srcdoc|formaction|action|background|ping|srcset|data)$/.test(a.name) || (a.name === 'style' && /url|expression|fixed/.test(a.value))) bad.push(`${name} ${a.name}=${a.value.slice(0, 80)}`);
      if (/^(location|main-evil|getElementById|attributes|__hit)$/.test(e.id || e.getAttribute('name') || '')) bad.push(`${name} named ${e.id}`);
      for (const a of ['href', 'src', 'xlink:href']) {
        const to = e.getAttribute(a);
        if (to === null) continue;
        const url = new URL(to, location.href);
        if (!(['http:', 'https:'].includes(url.protocol) && url.origin === location.origin) && !['mailto:', 'blob:', 'data:'].includes(url.protocol)) bad.push(`${name} ${a}=${to.slice(0, 100)}`);
        if (url.protocol === 'data:' && !(name === 'img' || to.startsWith('data:image/'))) bad.push(`${name} ${a}=${to.slice(0, 100)}`);
        if (url.protocol === 'mailto:' && /[\r\n]|[?&](?!subject=|body=)[^&]*=/.test(to)) bad.push(`${name} ${a}=${to.slice(0, 200)}`);
      }
    }
    if (document.querySelector('head base, head meta[http-equiv=refresh]')) bad.push('something in the head');
    const fields = [...document.querySelectorAll('input, textarea, select')].map((e) => e.value).join(' ');
    return { bad, hit: window.__hit, csp: window.__csp, text: document.body.innerText, fields, title: document.title, at: location.href };
  }, [[...TAGS], new URL(page.url()).origin]);
  if (seen.hit !== undefined) faults.add(`${what}: a script ran: ${seen.hit}`);
  for (const b of [...seen.bad, ...(seen.csp ?? [])]) faults.add(`${what}: ${b}`);
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\u202a-\u202e\u2066-\u2069\u200b\u2028]/.test(seen.text + seen.title)) faults.add(`${what}: a character that cannot be seen is on the page`);
  for (const m of (seen.text + seen.fields).matchAll(/x[a-zA-Z]{1,2}\d{3}/g)) marks.add(m[0]);
  return seen.text;
}

async function visit(page, path) {
  const came = await page.goto(desk + path);
  if (came !== null && came.headers()['content-type']?.startsWith('application/json')) {
    check(came.status() === 404, `${path}: ${came.status()}`); // as a file that is not there
    return '';
  }
  await settled(page).catch((e) => { throw new Error(`${path}: ${e.message} ${browser.broken.join(' ')}`); });
  return look(page, path);
}

// How many payloads of a field were read on some page.
const read = (field) => [...marks].filter((m) => m.slice(1, -3) === field).length;

const counts = () => [...new Set([...marks].map((m) => m.slice(1, -3)))].map((f) => `${f} ${read(f)}`).join(', ');

const tests = {
  async everyPage() {
    const page = await watch(await browser.person(desk, 'ada'));
    const rows = (await api('/alerts?limit=500')).data.data.rows;
    const pages = ['/', '/alerts?view=all', '/alerts?view=all&group=host', '/alerts?view=all&group=rule', '/hosts', '/sessions', '/sessions?type=all', '/registry', '/registry/lines', '/registry/sites', '/registry/mismatches',
      '/registry/candidates', '/blocking', '/blocking?view=over', '/why', '/study', '/study/evil', '/sensor', '/audit', '/help'];
    for (const path of pages) await visit(page, path);
    for (const r of rows.slice(0, 4)) await visit(page, `/alerts/${r.alert ?? r.id}`);
    for (const type of ['smtp', 'smtp_session', 'tls', 'dns', 'fileinfo', 'anomaly'])
      for (const s of (await api(`/sessions?type=${type}&limit=${type === 'smtp' ? 3 : 1}`)).data.data.rows) {
        await visit(page, `/sessions/${s.event_id}`);
        if (type === 'smtp') await visit(page, `/sessions?open=${s.event_id}`);
      }
    for (const address of ['10.66.0.1', '10.68.0.1']) {
      await visit(page, `/hosts/${address}`);
      await visit(page, `/why?q=${address}`);
    }
    for (const [field, least] of [['A', PAYLOADS.length], ['m', N - 20], ['an', 60], ['er', 60], ['br', 60], ['h', 3], ['b', 2], ['s', 1], ['c', 1], ['a', 1], ['k', 1], ['O', 3], ['Y', 3], ['q', 2], ['st', 1], ['ss', 1]])
      check(read(field) >= least, `of ${field}, ${read(field)} of ${least} payloads were read on the pages: ${counts()}`);
    await closePage(page);
  },

  // What somebody is sent as a link.
  async addressesOfPages() {
    const page = await watch(await browser.person(desk, 'ada'));
    for (const p of PAYLOADS.filter((_, i) => i % 20 === 0)) {
      const e = encodeURIComponent(p.toWellFormed());
      for (const path of [`/why?q=${e}`, `/alerts?view=${e}&text=${e}&host=${e}&site=${e}&rule=${e}&not=${e}&sort=${e}&group=${e}&status=${e}`, `/sessions?host=${e}&outcome=${e}&not=${e}:${e}&open=${e}&after=${e}`, `/${e}`])
        await visit(page, path);
    }
    for (const path of ['/alerts/%3Cimg%20src=x%20onerror=window.__hit=1%3E', '/hosts/javascript:window.__hit=1', '/study/%22%3E%3Csvg%20onload=window.__hit=1%3E', '/registry/form/%3Cscript%3E', '/help#%3Cimg%20src=x%20onerror=window.__hit=1%3E', '/?since=<script>'])
      await visit(page, path);
    await closePage(page);
  },

  async registration() {
    const half = 48;
    for (const from of [0, half]) {
      const made = await api('/public/draft', form(from, Math.min(from + half, PAYLOADS.length)), sites);
      check(made.status === 200, `a draft: ${made.status} ${made.said}`);
      const page = await watch(await browser.open(`${sites}/#${made.data.data.secret}`));
      await page.waitForSelector('#f-1-device');
      await look(page, `draft ${from}`);
      await page.click('text=Submit the form');
      await page.waitForFunction(() => document.querySelector('#faults') || document.body.innerText.includes('Received as form'));
      await look(page, `submitted ${from}`);
      await closePage(page);
      const printed = await fetch(`${sites}/api/v1/public/print`, { method: 'POST', headers: { 'Content-Type': 'application/json', Origin: sites }, body: JSON.stringify(form(from, from + 20)) });
      check(/^attachment/.test(printed.headers.get('content-disposition')) && printed.headers.get('x-content-type-options') === 'nosniff', 'what is printed is no download');
      await printOut(await printed.text());
    }
    const yaml = form(0, PAYLOADS.length);
    const r = await api('/registry/submit', { text: JSON.stringify(yaml) });
    check(r.status === 200, `a form of the desk: ${r.status} ${r.said.slice(0, 400)}`);
    const page = await watch(await browser.person(desk, 'ada'));
    const number = (await api('/registry/lines?limit=5')).data.data.rows[0].form;
    for (const path of ['/registry', '/registry/lines', '/registry/sites', '/registry/mismatches', `/registry/form/${number}`]) await visit(page, path);
    check(read('dv') >= PAYLOADS.length - 2, `${read('dv')} devices can be read`);
    check(read('rm') >= 20, `${read('rm')} remarks can be read`);
    await closePage(page);
  },

  async exports() {
    const page = await watch(await browser.person(desk, 'ada'));
    for (const path of ['/alerts?view=all', '/sessions', '/hosts']) {
      await page.goto(desk + path);
      await settled(page);
      const [download] = await Promise.all([page.waitForEvent('download'), page.click('text=Export CSV')]);
      const csv = readFileSync(await download.path(), 'utf8');
      for (const cell of cells(csv)) check(!/^\s*[=+@]|^\s*-(?!\d)|^[\t\r]/.test(cell), `${path}: a spreadsheet computes ${cell.slice(0, 80)}`);
      check(csv.split('\r\n').length > 3, `${path}: nothing was exported`);
    }
    await closePage(page);
  },
};

// What is printed has no policy of ours with it: its text alone must be harmless.
async function printOut(html) {
  const page = await watch(await browser.open('about:blank'));
  await page.setContent(html);
  await look(page, 'printed');
  await closePage(page);
}

function cells(csv) {
  const out = [];
  for (const m of csv.matchAll(/(?:^|,|\r\n)(?:"((?:[^"]|"")*)"|([^,\r\n]*))/g)) out.push((m[1] ?? m[2] ?? '').replace(/""/g, '"'));
  return out;
}

try {
  const from = Date.now();
  await prepare();
  console.log(`${N} payloads in ${Date.now() - from} ms`);
  const guarded = Object.fromEntries(Object.entries(tests).map(([name, test]) => [name, async () => {
    faults.clear();
    try {
      await test();
    } catch (e) {
      throw new Error([e.message, ...faults].join('\n'));
    }
    check(faults.size === 0, [...faults].slice(0, 20).join('\n'));
  }]));
  await runTests(guarded, { only, browser, at });
  if (only.length === 0) console.log(`${marks.size} fields with a payload could be read: ${counts()}`);
} finally {
  await browser?.close();
  at.close();
}
