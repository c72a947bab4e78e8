// Severity: a word and a shape, never a colour alone; its meaning is one press away.
export function Severity({ of }: { of: string | null | undefined }) {
  const word = !of || of === 'informational' ? 'info' : of;
  return <span class={`sev ${word === 'critical' ? 'high' : word}`}>{word}</span>;
}

export const SEVERITIES: readonly (readonly [string, string, string])[] = [
  ['high', 'Harm to others or to our reputation is happening now, with evidence in at least two independent checks.', 'answer within 1 hour'],
  ['medium', 'A policy is violated or a risk is open: log-in in clear text, relaying seen once.', 'the same day'],
  ['low', 'Unusual, or a registration is missing.', 'weekly'],
  ['info', 'A fact for context. It never counts as an alert.', 'no answer needed'],
];

export function SeverityLink() {
  return <a href="/help#severity">What the severities mean</a>;
}
