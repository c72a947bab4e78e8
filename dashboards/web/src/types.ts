// The documents that the verbs print with --json, as far as the pages read them. What others chose (names, mail, replies)
// is WireText and can only be shown by <Wire>; addresses, ids and words of ours are strings.
import type { WireText } from './wire';

export type Severity = 'critical' | 'high' | 'medium' | 'low' | 'informational';
export type AlertStatus = 'new' | 'ack' | 'escalated' | 'closed';
export type Registered = 'registered' | 'unregistered' | 'pending' | 'permitted' | string;
export type Level = 'normal' | 'raised' | 'alert' | 'block';
export type CheckResult = 'fired' | 'passed' | 'not_observable';

// ---- alerts list ----

export interface AlertRow {
  id: string; // as short as it is unique
  alert: string;
  severity: Severity;
  status: AlertStatus;
  state: 'opened' | 'ongoing' | 'ended';
  subject: string;
  site: WireText | null;
  rule: string;
  title: WireText;
  count: number;
  first: string;
  last: string;
  silenced: boolean;
  reason: WireText;
  registered: Registered | null;
  by: WireText | null; // who did something about it last
  done: string | null;
  said: WireText | null; // the word of the reason, when it was closed
}

export interface Rows<Row> {
  schema: string;
  rows: Row[];
  next?: string | null;
  total?: number;
}

// ---- alerts show ----

export interface Check {
  name: string;
  words: string;
  result: CheckResult;
  observed?: WireText;
  limit?: string;
  baseline?: string;
  met_earlier: boolean;
}

export interface Said {
  who: 'C' | 'S' | '';
  text: WireText;
}

export interface Owner {
  text: WireText;
  mail: WireText | null;
}

export interface Ends {
  timestamp: string;
  event_type: string;
  event_id: string;
  src_ip?: string;
  src_port?: number;
  dest_ip?: string;
  dest_port?: number;
  direction?: string;
  src_reg?: { state?: Registered; site?: WireText; form?: WireText };
  src_host?: { site?: WireText; name?: WireText };
  quality?: { loss?: number; gaps?: number; truncated?: boolean; oneway?: boolean; midstream?: boolean; confidence?: string };
}

export interface SmtpEvent extends Ends {
  smtp?: {
    helo?: WireText;
    mail_from?: WireText;
    rcpt_to?: WireText[];
    rcpt_offered?: number;
    rcpt_accepted?: number;
    rcpt_refused?: number;
    final_code?: number;
    final_class?: string;
    outcome?: string;
    message_bytes?: number;
    transactions?: number;
    messages?: number;
    banner?: WireText;
    starttls?: { offered?: boolean; used?: boolean };
    end?: string;
  };
  email?: { subject?: WireText; from?: WireText; message_id?: WireText; attachment?: WireText[] };
  flow?: { bytes_toserver?: number; bytes_toclient?: number; start?: string };
  tcp?: { gaps?: number; lost_toserver?: number; lost_toclient?: number };
  tls?: { sni?: WireText; version?: string };
  host?: HostStatistics;
}

export interface Evidence {
  role: string; // first, worst, latest, earliest_mail, refused_mail, latest_mail
  event: SmtpEvent;
  session?: SmtpEvent;
  said: Said[];
}

export interface AlertEvent extends Ends {
  alert: {
    id: string;
    state: string;
    signature: WireText;
    severity: number;
    category?: string;
    metadata?: { attack?: string[] };
    rule: string;
    rule_hash: string;
    level: Severity;
    subject: string;
    site?: WireText;
    reason: WireText;
    first: string;
    last: string;
    count: number;
    matched?: WireText[];
    evidence?: { role: string; event_id: string; when: string; sight: string }[];
    block?: { scope?: string; collateral?: number };
  };
}

export interface ControlEvent {
  timestamp: string;
  control: { kind: string; action: string; actor?: WireText; reason?: WireText; note?: WireText; time?: string };
}

export interface AlertCard {
  schema: 'span25.alert';
  id: string;
  status: AlertStatus;
  silenced: boolean;
  event: AlertEvent;
  evidence: Evidence[];
  history: ControlEvent[];
  checks: Check[];
  owner: Owner;
  related: { subject: string; words: string }[];
  block: WireText[]; // what a block would stop, the collateral, the decision: a line each
  told: WireText[]; // the history, a line each
  content?: false; // what mail said is left out: the role may not see it
}

// ---- hosts ----

export interface HostRow {
  host: string;
  name: WireText | null;
  home: boolean;
  site: WireText | null;
  registered: Registered | null;
  level: Level;
  statistics: string;
  sessions: number | null;
  sessions_tls: number | null;
  rcpt_offered: number | null;
  rcpt_unknown: number | null;
  organisations: number | null;
  queueing: boolean;
  ordinary: number | null;
  first: string | null;
  last: string | null;
}

export interface HostStatistics {
  why: string;
  home: boolean;
  name?: WireText;
  first: string;
  last: string;
  sessions: number;
  sessions_tls?: number;
  sessions_oneway?: number;
  transactions?: number;
  accepted?: number;
  rcpt_offered?: number;
  rcpt_accepted?: number;
  rcpt_unknown?: number;
  senders?: number;
  helo_names?: number;
  helo?: WireText;
  ordinary?: number;
  queueing?: boolean;
  null_sender?: number;
  hour?: { sessions?: number; messages?: number; rcpt?: number; refused?: number; organisations?: number };
  auth?: { failures?: number; successes?: number; servers?: number };
  baseline?: { days?: number; rcpt_day?: number };
  evidence?: { sessions?: number; organisations?: number; loss_permille?: number; replies_permille?: number };
  identity?: { macs?: number; conflict?: boolean };
  s6?: { organisations?: number };
  subkeys?: number;
  unobservable?: WireText[];
}

export interface HostEvent extends Ends {
  host: HostStatistics;
}

export interface HostAlertRow {
  id: string;
  severity: Severity;
  status: AlertStatus;
  title: WireText;
  count: number;
  last: string;
  silenced: boolean;
}

export interface Exception {
  id: string;
  state: string;
  prefix: string;
  from: string;
  rule: string | null;
  since: string | null;
  until: string | null;
  actor: WireText | null;
  reason: WireText;
}

export interface Decision {
  id: string;
  action: string;
  mode: string;
  time: string;
  until: string | null;
  against: string;
  reason: WireText;
  collateral: number;
  evidence: string;
}

// ---- explain ----

export interface ExplainAddress {
  schema: 'span25.explain';
  registry: { registered: boolean; protected: boolean } | null;
  hosts: HostEvent[];
  alerts: Rows<HostAlertRow>;
  exceptions: Rows<Exception>;
  decisions: Rows<Decision>;
  owner: Owner;
  checks: Check[][];
  against: Record<string, string>;
}

export interface ExplainEvent {
  schema: 'span25.event';
  event: SmtpEvent;
  session: SmtpEvent | null;
  said: Said[];
}

export interface ExplainDecisions {
  schema: 'span25.decisions';
  rows: Decision[];
}

export type Explain = ExplainAddress | ExplainEvent | ExplainDecisions | AlertCard;

// ---- sessions ----

export interface SessionRow {
  event_id: string;
  timestamp: string;
  event_type: string;
  direction: string | null;
  src_ip: string | null;
  dest_ip: string | null;
  dest_port: number | null;
  mail_from: WireText | null;
  message_id: WireText | null;
  outcome: string | null;
  final_code: number | null;
}

// ---- blocks, policy ----

export type Standing = 'in force' | 'asked' | 'withheld' | 'over';

export interface BlockRow {
  subject: string;
  state: Standing;
  mode: 'off' | 'simulate' | 'enforce';
  since: string;
  until: string | null;
  origin: string;
  step: number;
  collateral: number;
  site: WireText | null;
  against: string;
  id: string;
  reason: WireText;
  evidence: string;
}

export interface Consumer {
  name: string;
  format: string;
  fetched: string | null;
  age_s: number | null;
  matches: boolean; // it has the list that is served now, by its hash
  serial: number;
  entries: number;
  late_after_s: number;
  late: boolean;
}

export interface BlocksDiff {
  schema: 'span25.blocks.diff';
  mode: string;
  preview: boolean;
  before: number;
  after: number;
  serial: number;
  added: number;
  gone: number;
  changed: number;
  lines: WireText[];
  notes: WireText[];
  rails: {
    growth: number; growth_limit: number; waiting: number; registered: number; permitted: number; excepted: number;
    protected: number; size: number; size_limit: number;
  };
  consumers: Consumer[];
}

export interface PolicyRow {
  what: string; // mode, pause, breaker, or a statistic
  state: string;
  until: string | null;
  since: string | null;
  by: WireText | null;
  reason: WireText | null;
}
