// time/zone.ts: a time axis that is right in every zone, on the day of 23 hours and on that of 25.
//
// In/out:  two instants, a width and an IANA zone -> ticks and their labels. Milliseconds since
//          1970 UTC everywhere, as in the API.
// Idea:    ticks are made from wall times (walk local midnights, add k steps, convert), never by
//          adding seconds: between 00:00 and 03:00 lie sometimes two hours and sometimes four. The
//          browser's own zone plays no part; the zone's rules come from Intl alone.
// Limits:  kTicksMax ticks. Offsets are taken to change on quarter hours only, which is so for all
//          zones since 1972.

const kSecond = 1000;
const kMinute = 60 * kSecond;
const kHour = 60 * kMinute;
const kDay = 24 * kHour;
const kQuarter = 15 * kMinute;
export const kTicksMax = 200;
const kLocale = 'en-GB'; // the pages speak English, so their dates do

// A wall clock's reading. month: 1..12; weekday: 0 = Sunday.
export interface Wall {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  weekday: number;
}

export type StepUnit = 'second' | 'minute' | 'hour' | 'day' | 'month' | 'year';
export interface Step {
  unit: StepUnit;
  count: number;
  ms: number; // how long it lasts as a rule; what chooses a step, never what makes ticks
}

function rungs(unit: StepUnit, ms: number, counts: number[]): Step[] {
  return counts.map((count) => ({ unit, count, ms: count * ms }));
}

// The same ladder as in pictures made by the server.
const kLadder: Step[] = [
  ...rungs('second', kSecond, [1, 2, 5, 10, 15, 30]),
  ...rungs('minute', kMinute, [1, 2, 5, 10, 15, 30]),
  ...rungs('hour', kHour, [1, 2, 3, 4, 6, 12]),
  ...rungs('day', kDay, [1, 2, 7, 14]),
  ...rungs('month', 30.44 * kDay, [1, 2, 3, 6]),
  ...rungs('year', 365.25 * kDay, [1, 2, 5, 10, 20, 50, 100]),
];

// The finest step whose ticks are at least `spacePx` apart.
export function stepFor(spanMs: number, widthPx: number, spacePx = 60): Step {
  const ticks = Math.max(1, widthPx / spacePx);
  const found = kLadder.find((step) => spanMs / step.ms <= ticks);
  return found ?? kLadder[kLadder.length - 1]!;
}

const clocks = new Map<string, Intl.DateTimeFormat>();
const offsets = new Map<string, number>();
const kOffsetsMax = 20_000; // then forgotten all at once: a week of scrolling, not of memory

function clockOf(zone: string): Intl.DateTimeFormat {
  let clock = clocks.get(zone);
  if (!clock) {
    clock = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    clocks.set(zone, clock);
  }
  return clock;
}

// Does this browser know the zone? An unknown one would throw in the middle of a drawing.
export function knownZone(zone: string): boolean {
  try {
    clockOf(zone);
    return true;
  } catch {
    return false;
  }
}

// How far the wall clock is ahead of UTC at that instant.
export function offsetMs(atMs: number, zone: string): number {
  const quarter = Math.floor(atMs / kQuarter);
  const key = `${zone} ${quarter}`;
  const known = offsets.get(key);
  if (known !== undefined) return known;
  if (offsets.size >= kOffsetsMax) offsets.clear();
  const part: Record<string, number> = {};
  for (const { type, value } of clockOf(zone).formatToParts(quarter * kQuarter)) {
    part[type] = Number(value);
  }
  const wall = Date.UTC(part.year!, part.month! - 1, part.day!, part.hour!, part.minute!, part.second!);
  const offset = wall - quarter * kQuarter;
  offsets.set(key, offset);
  return offset;
}

export function wallOf(atMs: number, zone: string): Wall {
  const shifted = new Date(atMs + offsetMs(atMs, zone));
  return {
    year: shifted.getUTCFullYear(),
    month: shifted.getUTCMonth() + 1,
    day: shifted.getUTCDate(),
    hour: shifted.getUTCHours(),
    minute: shifted.getUTCMinutes(),
    second: shifted.getUTCSeconds(),
    weekday: shifted.getUTCDay(),
  };
}

// All instants at which the wall clock shows `wallMs` (its reading taken as if it were UTC): none
// when the clock was put forward over it, two when it was put back.
function instantsOf(wallMs: number, zone: string): number[] {
  const before = wallMs - offsetMs(wallMs - kDay, zone);
  const after = wallMs - offsetMs(wallMs + kDay, zone);
  const tried = before === after ? [before] : [Math.min(before, after), Math.max(before, after)];
  return tried.filter((at) => at + offsetMs(at, zone) === wallMs);
}

// The first instant of a local day: midnight, or what follows where midnight was skipped (Cairo in
// spring). null: the day itself was skipped (Apia, 30 December 2011). Months and days may overflow.
export function dayStart(year: number, month: number, day: number, zone: string): number | null {
  const midnight = Date.UTC(year, month - 1, day);
  for (let wall = midnight; wall < midnight + kDay; wall += kQuarter) {
    const [first] = instantsOf(wall, zone);
    if (first !== undefined) return first;
  }
  return null;
}

// Times within each day. Both passages of a repeated hour get ticks if the step is that fine; with
// a coarser one the first will do.
function ticksInDays(fromMs: number, toMs: number, step: Step, zone: string): number[] {
  const ticks: number[] = [];
  const twice = step.ms <= kHour;
  const first = fromMs + offsetMs(fromMs, zone);
  // One step and one hour early: the hour that was repeated may lie before.
  let wall = Math.floor((first - kHour) / step.ms) * step.ms;
  const end = toMs + offsetMs(toMs, zone) + kHour;
  for (; wall <= end && ticks.length < kTicksMax; wall += step.ms) {
    const instants = instantsOf(wall, zone);
    for (const at of twice ? instants : instants.slice(0, 1)) {
      if (at >= fromMs && at <= toMs) ticks.push(at);
    }
  }
  return [...new Set(ticks)].sort((a, b) => a - b);
}

function ticksOfDays(fromMs: number, toMs: number, step: Step, zone: string): number[] {
  const ticks: number[] = [];
  const start = wallOf(fromMs, zone);
  const day = Date.UTC(start.year, start.month - 1, start.day) / kDay;
  // Day 4 of 1970-01 (index 3 + 1) was a Monday less three: weeks begin on Mondays.
  const phase = step.count % 7 === 0 ? 4 : 0;
  let index = day - ((((day - phase) % step.count) + step.count) % step.count);
  for (; ticks.length < kTicksMax; index += step.count) {
    const date = new Date(index * kDay);
    const at = dayStart(date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate(), zone);
    if (at === null || at < fromMs) continue;
    if (at > toMs) break;
    ticks.push(at);
  }
  return ticks;
}

function ticksOfMonths(fromMs: number, toMs: number, months: number, zone: string): number[] {
  const ticks: number[] = [];
  const start = wallOf(fromMs, zone);
  let month = start.year * 12 + start.month - 1;
  month -= month % months;
  for (; ticks.length < kTicksMax; month += months) {
    const at = dayStart(Math.floor(month / 12), (month % 12) + 1, 1, zone);
    if (at === null || at < fromMs) continue;
    if (at > toMs) break;
    ticks.push(at);
  }
  return ticks;
}

// Ascending, within [fromMs, toMs]; at most kTicksMax.
export function ticksOf(fromMs: number, toMs: number, step: Step, zone: string): number[] {
  if (!(toMs >= fromMs)) return [];
  switch (step.unit) {
    case 'year':
      return ticksOfMonths(fromMs, toMs, step.count * 12, zone);
    case 'month':
      return ticksOfMonths(fromMs, toMs, step.count, zone);
    case 'day':
      return ticksOfDays(fromMs, toMs, step, zone);
    default:
      return ticksInDays(fromMs, toMs, step, zone);
  }
}

const formats = new Map<string, Intl.DateTimeFormat>();
export function dateFormat(
  locale: string,
  zone: string,
  options: Intl.DateTimeFormatOptions,
): Intl.DateTimeFormat {
  const key = JSON.stringify([locale, zone, options]);
  let format = formats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat(locale, { ...options, timeZone: zone });
    formats.set(key, format);
  }
  return format;
}

// What names a tick, and what names the larger unit it begins (shown below the first tick and
// wherever that unit changes).
interface Wording {
  fine: Intl.DateTimeFormatOptions;
  coarse: Intl.DateTimeFormatOptions | null;
  unit: (wall: Wall) => number;
}

function wordingOf(step: Step): Wording {
  const date: Intl.DateTimeFormatOptions = { weekday: 'short', day: 'numeric', month: 'short' };
  const ofDay = (wall: Wall): number => Date.UTC(wall.year, wall.month - 1, wall.day);
  const ofMonth = (wall: Wall): number => wall.year * 12 + wall.month;
  const ofYear = (wall: Wall): number => wall.year;
  switch (step.unit) {
    case 'year':
      return { fine: { year: 'numeric' }, coarse: null, unit: ofYear };
    case 'month':
      return { fine: { month: 'short' }, coarse: { year: 'numeric' }, unit: ofYear };
    case 'day':
      return step.count < 7
        ? { fine: { weekday: 'short', day: 'numeric' }, coarse: { month: 'short', year: 'numeric' }, unit: ofMonth }
        : { fine: { day: 'numeric', month: 'short' }, coarse: { year: 'numeric' }, unit: ofYear };
    case 'second':
      return { fine: { timeStyle: 'medium' }, coarse: date, unit: ofDay };
    default:
      return { fine: { timeStyle: 'short' }, coarse: date, unit: ofDay };
  }
}

// One label a tick, of one or two lines: "14:00" or "00:00\nTue, 24 Nov". The first one always
// says its date.
export function tickLabels(ticks: number[], step: Step, zone: string, locale = kLocale): string[] {
  const wording = wordingOf(step);
  const fine = dateFormat(locale, zone, wording.fine);
  const coarse = wording.coarse && dateFormat(locale, zone, wording.coarse);
  let last: number | null = null;
  return ticks.map((at) => {
    const unit = wording.unit(wallOf(at, zone));
    const label = fine.format(at);
    const named = coarse && unit !== last ? `${label}\n${coarse.format(at)}` : label;
    last = unit;
    return named;
  });
}

// "Tue, 24 Nov 2026, 14:05:10" for a readout; seconds only where they can be told apart.
export function momentText(atMs: number, zone: string, spanMs: number, locale = kLocale): string {
  const options: Intl.DateTimeFormatOptions = {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
  };
  if (spanMs < 6 * kHour) options.second = '2-digit';
  if (spanMs > 300 * kDay) options.year = 'numeric';
  return dateFormat(locale, zone, options).format(atMs);
}
