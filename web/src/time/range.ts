// time/range.ts: which time a page shows, as its text and its URL say it.
//
// "24h" follows the clock; "2026-07-01/2026-07-08", "today" and "yesterday" lie still, in whole
// days of the page's zone (the last day of a span is part of it).
import { dayStart, wallOf } from './zone';

export interface Span {
  from: number;
  to: number;
}
export interface Range {
  text: string;
  lasts: number | null; // "the last so many milliseconds"; null: `fixed` says it
  fixed: Span | null;
}

export const kSpanMin = 1000;
export const kRanges = ['15m', '1h', '6h', '24h', '7d', '30d', '1y'];
const kUnits: Record<string, number> = { s: 1e3, m: 6e4, h: 36e5, d: 864e5, w: 6048e5, y: 365 * 864e5 };
const kAll = 5 * kUnits.y!; // as far back as most tables are kept

// "90m" -> milliseconds; null for what is none.
export function durationMs(text: string): number | null {
  const found = /^(\d{1,6})([smhdwy])$/.exec(text.trim());
  if (!found) return null;
  const ms = Number(found[1]) * kUnits[found[2]!]!;
  return ms >= kSpanMin ? ms : null;
}

function dayOf(date: string, zone: string, plus: number): number | null {
  const found = /^(\d{4})-(\d{2})-(\d{2})$/.exec(date);
  if (!found) return null;
  return dayStart(Number(found[1]), Number(found[2]), Number(found[3]) + plus, zone);
}

function wholeDays(first: number, days: number, now: number, zone: string): Span | null {
  const wall = wallOf(now, zone);
  const from = dayStart(wall.year, wall.month, wall.day + first, zone);
  const to = dayStart(wall.year, wall.month, wall.day + first + days, zone);
  return from !== null && to !== null ? { from, to } : null;
}

// null: not a range.
export function parseRange(text: string, zone: string, now: number): Range | null {
  const last = text === 'all' ? kAll : durationMs(text);
  if (last !== null) return { text, lasts: last, fixed: null };
  let fixed: Span | null = null;
  if (text === 'today') fixed = wholeDays(0, 1, now, zone);
  if (text === 'yesterday') fixed = wholeDays(-1, 1, now, zone);
  const [first, lastDay] = text.split('/');
  if (first && lastDay) {
    const from = dayOf(first, zone, 0);
    const to = dayOf(lastDay, zone, 1);
    if (from !== null && to !== null && to > from) fixed = { from, to };
  }
  return fixed && { text, lasts: null, fixed };
}

export function spanOf(range: Range, now: number): Span {
  if (range.fixed) return range.fixed;
  return { from: now - (range.lasts ?? 0), to: now };
}

const kNames: Record<string, string> = {
  all: 'All',
  today: 'Today',
  yesterday: 'Yesterday',
};

// "Last 7 days" for a button.
export function rangeName(text: string): string {
  const named = kNames[text];
  if (named) return named;
  const found = /^(\d+)([smhdwy])$/.exec(text);
  if (!found) return text.replace('/', ' to ');
  const words: Record<string, string> = { s: 's', m: 'min', h: 'h', d: 'day', w: 'week', y: 'year' };
  const n = Number(found[1]);
  const unit = words[found[2]!]!;
  const isWord = 'dwy'.includes(found[2]!);
  if (n === 1 && isWord) return `Last ${unit}`;
  return `Last ${n} ${unit}${isWord ? 's' : ''}`;
}

// A span seen through a zoom: `factor` below 1 shows less, around `at`; never below kSpanMin.
export function zoomed(span: Span, at: number, factor: number): Span {
  const length = Math.max(kSpanMin, (span.to - span.from) * factor);
  const left = (at - span.from) / (span.to - span.from);
  const from = at - left * length;
  return { from, to: from + length };
}

// Times in a URL: whole seconds are exact enough, and can be read.
export function timeParam(ms: number): string {
  return new Date(Math.round(ms / 1000) * 1000).toISOString().replace('.000Z', 'Z');
}

export function spanParam(from: string, to: string): Span | null {
  const span = { from: Date.parse(from), to: Date.parse(to) };
  return span.to - span.from >= kSpanMin ? span : null; // also false for NaN
}
