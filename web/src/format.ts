// Numbers and times as people read them, in the site's zone. English words, so English numbers:
// the sentences of the server have them, too.
import { signal } from '@preact/signals';

// Never the end of a line, and thin: a fifth of an em in the font of the pages. The narrow space of
// Unicode is in few fonts, and too narrow in the rest.
export const kThinSpace = '\u00a0';
const kMinus = '\u2212';
const kLocale = 'en-GB';

const kSecond = 1000;
const kMinute = 60 * kSecond;
const kHour = 60 * kMinute;
const kDay = 24 * kHour;

// --- The clock: the server's, as values carry its times.

let clockOffsetMs = 0;
export function setClockOffset(ms: number): void {
  clockOffsetMs = ms;
}
export function now(): number {
  return Date.now() + clockOffsetMs;
}

// --- The zone: the site's, until the viewer asks for another.

export const zone = signal('UTC');

// False for a name this browser does not know; then the zone stays.
export function setZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat(kLocale, { timeZone: name });
  } catch {
    return false;
  }
  zone.value = name;
  return true;
}

const kFormatsMax = 200;
const formats = new Map<string, Intl.DateTimeFormat>();
function dateFormat(timeZone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = timeZone + JSON.stringify(options);
  let format = formats.get(key);
  if (!format) {
    if (formats.size >= kFormatsMax) formats.clear();
    format = new Intl.DateTimeFormat(kLocale, { hourCycle: 'h23', ...options, timeZone });
    formats.set(key, format);
  }
  return format;
}

function show(ms: number, options: Intl.DateTimeFormatOptions, timeZone = zone.value): string {
  return dateFormat(timeZone, options).format(ms);
}

// --- Numbers

const numbers = new Map<number, Intl.NumberFormat>();

// `decimals` null: as many as the value has, at most 6 figures in all.
export function number(value: number, decimals: number | null = null): string {
  if (!Number.isFinite(value)) return '\u2013';
  const key = decimals ?? -1;
  let format = numbers.get(key);
  if (!format) {
    format = new Intl.NumberFormat(kLocale, decimals === null
      ? { maximumSignificantDigits: 6 }
      : { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
    numbers.set(key, format);
  }
  const text = format.format(value);
  return /^-[0.,]+$/.test(text) ? text.slice(1) : text.replace('-', kMinus);
}

// A value of any type with its unit: "15.73 %", "−4 °C", "yes", "–" for none.
export function quantity(value: number | string | boolean | null | undefined, unit = '',
  decimals: number | null = null): string {
  if (value === null || value === undefined) return '\u2013';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  const text = typeof value === 'number' ? number(value, decimals) : value;
  return unit ? `${text}${kThinSpace}${unit}` : text;
}

// A sentence of the server, in which no line ends between a number and its unit.
export function keepUnits(text: string): string {
  return text.replace(/(\d) (?=\S{1,3}(?:[\s,.;:)]|$))/g, `$1${kThinSpace}`);
}

export const count = (value: number): string => number(value, 0);

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

export function bytes(value: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let size = value;
  let i = 0;
  while (size >= 1000 && i < units.length - 1) {
    size /= 1000;
    i += 1;
  }
  return `${number(size, i === 0 || size >= 100 ? 0 : 1)}${kThinSpace}${units[i]}`;
}

// --- Spans and ages

// "12 s", "40 min", "5 h", "3 days"; `ms` below zero counts as zero.
export function span(ms: number): string {
  const whole = (unit: number) => Math.floor(Math.max(0, ms) / unit);
  if (ms < 90 * kSecond) return `${whole(kSecond)}${kThinSpace}s`;
  if (ms < 90 * kMinute) return `${whole(kMinute)}${kThinSpace}min`;
  if (ms < 36 * kHour) return `${whole(kHour)}${kThinSpace}h`;
  return `${whole(kDay)} ${whole(kDay) === 1 ? 'day' : 'days'}`;
}

export function age(time: number, at = now()): string {
  if (at - time < kSecond) return 'now';
  return `${span(at - time)} ago`;
}

export function silentFor(time: number, at = now()): string {
  return `silent ${span(at - time)}`;
}

// --- Points in time

export function dayKey(ms: number, timeZone = zone.value): string {
  return dateFormat(timeZone, { year: 'numeric', month: '2-digit', day: '2-digit' }).format(ms);
}

export const clock = (ms: number, timeZone = zone.value): string =>
  show(ms, { hour: '2-digit', minute: '2-digit' }, timeZone);

export const clockSeconds = (ms: number, timeZone = zone.value): string =>
  show(ms, { hour: '2-digit', minute: '2-digit', second: '2-digit' }, timeZone);

// As short as it is clear: "14:02" today, "Tue 14:02" within six days, "3 Nov 14:02" within a year,
// "3 Nov 2025".
export function moment(ms: number, at = now(), timeZone = zone.value): string {
  if (dayKey(ms, timeZone) === dayKey(at, timeZone)) return clock(ms, timeZone);
  const away = Math.abs(at - ms);
  if (away < 6 * kDay) {
    return `${show(ms, { weekday: 'short' }, timeZone)} ${clock(ms, timeZone)}`;
  }
  const day = show(ms, { day: 'numeric', month: 'short' }, timeZone);
  if (away < 300 * kDay) return `${day} ${clock(ms, timeZone)}`;
  return `${day} ${show(ms, { year: 'numeric' }, timeZone)}`;
}

// "14:02", "Tuesday 14:02", "3 Nov 14:02": for sentences.
export function sinceWhen(ms: number, at = now()): string {
  const today = dayKey(ms) === dayKey(at);
  if (!today && Math.abs(at - ms) < 6 * kDay) return `${show(ms, { weekday: 'long' })} ${clock(ms)}`;
  return moment(ms, at);
}

export const since = (ms: number, at = now()): string => `since ${moment(ms, at)}`;

// With everything, for titles: "Tue 3 Nov 2026, 14:02:05 CET".
export function fullTime(ms: number, timeZone = zone.value): string {
  const day = show(ms, { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' }, timeZone);
  const time = show(ms, {
    hour: '2-digit', minute: '2-digit', second: '2-digit', timeZoneName: 'short',
  }, timeZone);
  return `${day}, ${time}`;
}

export const isoTime = (ms: number): string => new Date(ms).toISOString();
