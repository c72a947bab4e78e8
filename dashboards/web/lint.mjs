// lint.mjs - what no file of src may hold: ways for text of others to become markup, style or code
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

// Words that came off the wire, or sentences that quote them. They are of the
// type WireText, and only <Wire> shows them.
const WIRE = ['helo', 'ehlo', 'banner', 'mail_from', 'rcpt_to', 'final_text', 'filename', 'filename_raw', 'x_mailer', 'message_id',
  'reply_to', 'received', 'queue_id', 'sni', 'reason', 'transcript'];
const NAMES = WIRE.join('|');

const RULES = [
  [/dangerouslySetInnerHTML|\b(inner|outer)HTML\b|insertAdjacentHTML|createContextualFragment|document\.write|srcdoc/, 'no markup from text'],
  [/\beval\s*\(|new\s+Function\b|javascript:|setTimeout\(\s*['"`]/, 'no code from text'],
  [/\bstyle=|setAttribute\(\s*['"]style|<style\b|cssText/, 'no inline style: the policy forbids it'],
  [/target="_blank"|window\.open\s*\(/, 'no second window'],
  [/\bas any\b|:\s*any\b|@ts-ignore|@ts-nocheck/, 'no way round the types'],
  [/https?:\/\/(?!www\.w3\.org\/)[\w.-]/, 'nothing from another server'],
  [new RegExp(`\\b(${NAMES})\\??:\\s*string\\b`), 'a word from the wire is WireText, not string'],
  [new RegExp(`\\$\\{[^}]*\\.(${NAMES})\\b`), 'a word from the wire goes into <Wire>, not into a string'],
  [new RegExp(`(?<![=\\w({,:?&|]\\s*|value=)\\{\\s*[\\w.?!\\[\\]]*\\.(${NAMES})\\s*\\}`), 'a word from the wire goes into <Wire>'],
  [/\b(String|escape)\(\s*\w+\.(helo|banner|mail_from|filename)\b/, 'a word from the wire goes into <Wire>'],
];

export async function lint(folder) {
  const faults = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.path ?? entry.parentPath, entry.name);
    if (!entry.isFile() || !/\.tsx?$/.test(entry.name) || /\.test\.tsx?$/.test(entry.name)) continue;
    const lines = (await readFile(path, 'utf8')).split('\n');
    lines.forEach((line, i) => {
      const code = line.replace(/^\s*(\/\/|\*|\/\*).*/, '').replace(/\/\/ .*$/, '');
      for (const [pattern, why] of RULES)
        if (pattern.test(code)) faults.push(`${relative(folder, path)}:${i + 1}: ${why}: ${line.trim().slice(0, 100)}`);
    });
  }
  return faults;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const faults = await lint(join(fileURLToPath(import.meta.url), '..', 'src'));
  for (const fault of faults) console.log(fault);
  process.exitCode = faults.length > 0 ? 1 : 0;
}
