// What the server answers: the JSON documents of /api/v1. Times are milliseconds since 1970, UTC.

export type Scalar = number | string | boolean | null;
export type Role = 'admin' | 'viewer';

export interface Session {
  claimed: boolean;
  open: boolean;
  user: { name: string; role: Role } | null;
  site: { name: string; zone: string; url: string };
  version: string;
  mqtt: { host: string; port: number; tls_port?: number };
  time: number;
}

export interface User { name: string; role: Role; created: number; last_login: number | null }

// A login that lasts; an admin is shown everybody's.
export interface LoginSession { id: string; user: string; ip: string; created: number; seen: number }

export type ThingState = 'ok' | 'silent' | 'invalid' | 'never';

export interface ThingField {
  field: string;
  unit: string;
  decimals: number | null;
  value: Scalar;
  time: number | null;
}

export interface Thing {
  id: string;
  name: string;
  type: string;
  properties: Record<string, string>;
  state: ThingState;
  seen: number | null;
  interval_ms: number | null;
  alerts: number;
  invalid: { time: number; field: string; reason: string } | null;
  fields: ThingField[];
  tables?: string[];
}

export interface ThingList {
  things: Thing[];
  next: string | null;
  total: number;
  counts: Record<ThingState, number>;
}

export interface Stats {
  count: number;
  mean: number | null;
  sd: number | null;
  min: number | null;
  min_time: number | null;
  max: number | null;
  max_time: number | null;
  first: number | null;
  last: number | null;
}

export interface FieldValue {
  of: string;
  thing: string;
  name: string;
  type: string;
  field: string;
  unit: string;
  decimals: number | null;
  value: Scalar;
  time: number | null;
  state: ThingState;
  interval_ms: number | null;
  limits: { low: number | null; high: number | null } | null;
  also: Record<string, { value: Scalar; unit: string }>;
  stats?: Stats;
}

export interface Values { seq: number; values: FieldValue[] }

export interface Series {
  of: string;
  thing: string;
  name: string;
  field: string;
  unit: string;
  decimals: number | null;
  t: number[];
  v: (number | null)[];
}

export interface SeriesSet { seq: number; from: number; to: number; series: Series[] }

export interface Interval {
  of: string;
  start: number;
  end: number;
  hours: number;
  count: number;
  mean: number | null;
  sd: number | null;
  min: number | null;
  q25: number | null;
  median: number | null;
  q75: number | null;
  max: number | null;
  first: number | null;
  last: number | null;
}

export interface Status {
  started: number;
  messages_per_s: number;
  messages: number;
  things: { total: number; reporting: number };
  alerts: { open: number };
  quiet_since: number | null;
  notices: { waiting: number; parked: number };
  disk: { free_bytes: number; log_bytes: number };
  version: string;
}

export type AlertState = 'normal' | 'pending' | 'firing' | 'acknowledged' | 'snoozed' | 'resolved';
export type AlertCondition = 'low' | 'high' | 'silent' | 'invalid';

export interface AlertItem {
  id: string;
  alert: string;
  thing: string;
  name: string;
  condition: AlertCondition;
  field: string;
  state: AlertState;
  since: number;
  value: Scalar;
  unit: string;
  limit: number | null;
  text: string;
  severity: string;
  owner: string;
  note: string;
  snoozed_until: number | null;
  flaps: number;
  changed: number;
}

export interface AlertList {
  alerts: AlertItem[];
  next: string | null;
  counts: Partial<Record<AlertState, number>>;
  quiet_since: number | null;
}

export interface AlertStory extends AlertItem {
  history: { time: number; state: AlertState; value: Scalar; by: string; note: string }[];
  notices: NoticeItem[];
}

export interface NoticeItem {
  id: string;
  alert_id: string;
  event: string;
  channel: string;
  to: string;
  subject: string;
  state: 'waiting' | 'sent' | 'parked';
  tries: number;
  next: number | null;
  answer: string;
  created: number;
  sent: number | null;
}

export interface NoticeList { notices: NoticeItem[]; counts: Partial<Record<string, number>> }

export interface PageName { id: string; title: string; for: string | null }

export interface Panel { kind: string; line: number; [option: string]: unknown }

export interface Page extends PageName {
  range: string;
  zone: string;
  pick: string[];
  file: string;
  line: number;
  version: string;
  writable: boolean;
  panels: Panel[];
}

export interface Diagnostic {
  severity: 'error' | 'warning';
  code: string;
  summary: string;
  detail: string;
  help: string;
  range: {
    file: string;
    start: { line: number; column: number };
    end: { line: number; column: number };
  };
}

export interface Refusal {
  id: string;
  time: number;
  count: number;
  ip: string;
  client: string;
  user: string;
  topic: string;
  what: 'connect' | 'publish' | 'subscribe';
  reason: string;
  allow: string | null;
}

export interface Settings {
  mail: { configured: boolean; server: string; from: string };
  webhooks: number;
}

export interface LiveMessage {
  topic: string;
  payload?: string;
  payload_base64?: string;
  cut?: boolean;
  qos: number;
  retain: boolean;
  time: number;
  client: string;
}

export interface LiveValues { of: string; t: number[]; v: Scalar[]; state?: ThingState }

export interface Token {
  name: string;
  role: 'admin' | 'viewer' | 'device';
  kind: 'token' | 'password';
  revoked: boolean;
  created: string;  // ISO 8601, as in the command line
  expires: string | null;
  topics?: string[];
}

export interface Certificate {
  fingerprint: string;
  name: string;
  kind: 'device' | 'ca';
  state: 'active' | 'inactive' | 'pending' | 'revoked';
  note: string;
  topics: string[];
  created: string;  // ISO 8601
  not_before: string | null;
  not_after: string | null;
}

export interface Grant {
  login: string;
  act: 'publish' | 'subscribe';
  topic: string;  // or filter
  granted: string;  // ISO 8601
}

// The only answer that ever has the key.
export interface IssuedCertificate extends Certificate {
  certificate: string;
  key: string;
  ca_certificate: string;
}
