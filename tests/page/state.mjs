// state.mjs - states for the tests of the page
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FIXTURES } from './support.mjs';

export const CONFIG = join(FIXTURES, 'bot.yaml');
export const BOT = '10.20.4.17';
export const STOPPED = '10.20.6.30';

// Two days of five senders, one of which behaves like a bot.
export function readBot(at) {
  at.span25('read', '-q', '-c', CONFIG, '--registry', join(FIXTURES, 'bot-registry.csv'), '--state', at.state, join(FIXTURES, 'bot.pcap.gz'));
}

// A block in force now: the capture's own are of another year.
export function blockNow(at, make, subject) {
  const time = (s) => new Date(Date.now() + s * 1000).toISOString().replace('Z', '000+0000');
  at.append(make, [{
    timestamp: time(-60), flow_id: 0, flow_seq: 1, event_type: 'decision', event_id: '6465000000000001',
    decision: {
      id: 'd'.repeat(16), action: 'block', mode: 'enforce', subject: `${subject}/32`, origin: 'detector',
      reason: `${subject}/32 is stopped: 36 organisations written to for the first time`, evidence_hash: '5e'.repeat(32),
      step: 1, collateral: 14, until: time(4 * 3600),
    },
  }]);
}

// Something on every page: TLS and attachments, a form whose clock runs, a block, an exception, a closed alert, a study.
export function readAll(at, make) {
  readBot(at);
  at.span25('read', '-q', '-c', CONFIG, '--registry', join(FIXTURES, 'lab-registry.csv'), '--state', at.state, join(FIXTURES, 'lab.pcap'));
  at.span25('registry', 'submit', '--state', at.state, '-c', CONFIG, join(FIXTURES, 'library-form.yaml'));
  at.span25('exceptions', 'add', '--state', at.state, '--from', 'alert', '--for', '48h', '--reason', 'a drill of the office', '10.20.1.11');
  blockNow(at, make, STOPPED);
  const low = at.verb('alerts', 'list', '--severity', 'low').rows.at(-1);
  at.span25('alerts', 'close', '--state', at.state, '--reason', 'test', '--note', 'a drill', low.id);
  mkdirSync(join(at.state, 'studies'));
  at.span25('study', 'run', '-c', CONFIG, '--registry', join(FIXTURES, 'bot-registry.csv'), '--criteria', join(FIXTURES, 'study.yaml'),
    '-o', join(at.state, 'studies', 'campus.json'), join(FIXTURES, 'bot.pcap.gz'));
}

// A capture without a packet.
export function readNothing(at) {
  const capture = join(at.work, 'nothing.pcap');
  const head = Buffer.alloc(24);
  [0xa1b2c3d4, 0x00040002, 0, 0, 65536, 1].forEach((word, i) => head.writeUInt32LE(word, i * 4));
  writeFileSync(capture, head);
  at.span25('read', '-q', '-c', CONFIG, '--state', at.state, capture);
}
