// What the verbs of the registry print with --json.
import type { WireText } from '../wire';
import type { Moment } from '../words';

export type LineState = 'requested' | 'returned' | 'permitted' | 'suspended' | 'ended';

export interface DueRow {
  form: string;
  site: WireText | null;
  lines: string; // "0/2": permitted of all
  state: LineState;
  received: Moment;
  due: Moment;
  left: WireText; // may quote a reason
  mark: 'in time' | 'due in 12 h' | 'due in 4 h' | 'overdue' | 'paused';
  elapsed_s: number;
  net_s: number;
}

export interface LineRow {
  form: string;
  line: number;
  state: LineState;
  address: WireText | null;
  port: WireText | null;
  direction: string;
  site: WireText | null;
  device: WireText | null;
  domain: WireText | null;
  received: Moment;
  permitted: Moment;
  entered: Moment;
  first_mail: Moment;
  until: Moment;
  protected_until: Moment;
  note: WireText;
}

export interface CandidateRow {
  address: string;
  port: number;
  direction: 'send' | 'receive';
  site: WireText | null;
  looks_like: string;
  sessions: number;
  messages: number;
  refused: number;
  peers: number;
  a_day: number;
  name: WireText | null;
  first: Moment;
  last: Moment;
  why: string;
}

export interface ContactRow {
  form: string;
  site: WireText | null;
  site_contact: WireText | null;
  site_phone: WireText | null;
  site_mail: WireText | null;
  technical_contact: WireText | null;
  technical_phone: WireText | null;
  technical_mail: WireText | null;
  abuse_contact: WireText | null;
  abuse_phone: WireText | null;
  addresses: WireText;
  permitted: number;
  lines: number;
  received: Moment;
  last_mail: Moment;
  action: string | null; // "find owner"
}

export interface FormLine {
  line: number;
  state: LineState;
  address: WireText | null;
  port: WireText | null;
  direction: string;
  received: Moment;
  checked: Moment;
  approved: Moment;
  entered: Moment;
  first_mail: Moment;
  until: Moment;
  due: Moment;
  net: string;
  elapsed: string;
  reference: WireText | null;
  reason: WireText | null;
  note: WireText;
}

export interface FormAct {
  audit: number;
  time: Moment;
  action: string;
  lines: string;
  actor: WireText;
  until: Moment;
  reason: WireText | null;
}

export interface Fault {
  path: string;
  label: string;
  line: number; // 0: of the form
  asks: boolean; // a question; the form is complete without an answer
  what: string;
  hint: string | null;
}

// Keys are the paths of the form's fields; "lines" has those of each line.
export type Values = Record<string, WireText>;

export interface CheckRow {
  line: number;
  address: string;
  requirement: string;
  what: string; // what is observed
  answer: 'observed' | 'none_observed' | 'not_observable';
  violation: boolean;
  text: WireText; // with its figures
  attested: string | null; // "yes", "no"
}

export interface FormShown {
  schema: 'span25.registry.form';
  lines: { rows: FormLine[] };
  history: { rows: FormAct[] };
  form: Values & { lines?: unknown };
  complete: boolean;
  submitted_by: WireText | null;
  mail_confirmed: Moment;
  faults: Fault[];
  checks?: { rows: CheckRow[] };
}

export const STATE_MEANS: Record<LineState, string> = {
  requested: 'arrived, and is being worked on',
  returned: 'sent back to the site; the clock stands',
  permitted: 'may speak',
  suspended: 'stopped until a defect is put right',
  ended: 'rejected, withdrawn, revoked or expired',
};

export const CLOCK_S = 48 * 3600;
