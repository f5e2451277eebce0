// panels/chart_sentence.ts: what a chart says to those who do not see it, from the points that it
// draws, so that both are always the same.
//
//   15.7 to 88.8 %, highest Tue, 24 Nov, 14:05, now 15.7, falling
//
// The words are those of the server's sentence in mails (src/app/series_sentence.h), which knows
// what was asked for, and not what came live or to where a hand has zoomed.
import { clock, number, quantity } from '../format';
import type { Span } from '../time/range';
import { momentText } from '../time/zone';
import type { Track } from './points';

const kDayMs = 864e5;
// Where the line was so much of the shown time before its end is where it comes from.
const kTrendPart = 8;
// Of the span between lowest and highest: less is no direction.
const kSteadyPart = 0.05;
const kDigits = 4; // of a number whose column does not say

interface Point { time: number; value: number }

export interface DrawnLine extends Track {
  unit: string;
  decimals: number | null;
}

function pointsIn({ t, v }: Track, { from, to }: Span): Point[] {
  return t.flatMap((time, i) => {
    const value = v[i];
    return value === null || value === undefined || time < from || time > to ? [] : [{ time, value }];
  });
}

// One decimal, unless everything happens within 1.
function numberText(value: number, decimals: number | null, range: number): string {
  if (decimals === null) return number(Number(value.toPrecision(kDigits)));
  return number(value, range >= 1 ? Math.min(decimals, 1) : decimals);
}

function direction(points: Point[], last: Point, range: number, shownMs: number): string {
  const at = last.time - shownMs / kTrendPart;
  let then = points[0]!;
  for (const point of points) if (point.time <= at) then = point;
  if (Math.abs(last.value - then.value) <= kSteadyPart * range) return 'steady';
  return last.value > then.value ? 'rising' : 'falling';
}

// `isCurrent`: the newest point is what holds now.
export function sentenceOf(line: DrawnLine, view: Span, zone: string, isCurrent: boolean): string {
  const points = pointsIn(line, view);
  const last = points[points.length - 1];
  if (!last) return 'no readings';
  const shownMs = view.to - view.from;
  const when = (at: number) => (shownMs <= kDayMs ? clock(at, zone) : momentText(at, zone, shownMs));
  let low = last;
  let high = last;
  for (const point of points) {
    if (point.value < low.value) low = point;
    if (point.value > high.value) high = point;
  }
  const range = high.value - low.value;
  const text = (value: number) => numberText(value, line.decimals, range);
  const withUnit = (value: number) => quantity(text(value), line.unit);
  if (points.length === 1) return `one reading, ${withUnit(last.value)} at ${when(last.time)}`;
  const end = isCurrent ? `now ${text(last.value)}` : `last ${text(last.value)} at ${when(last.time)}`;
  if (text(low.value) === text(high.value)) return `${withUnit(low.value)} throughout, ${end}`;
  return `${text(low.value)} to ${withUnit(high.value)}, highest ${when(high.time)}, ${end}, ${direction(points, last, range, shownMs)}`;
}
