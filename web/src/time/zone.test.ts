import { describe, expect, it } from 'vitest';
import { dayStart, kTicksMax, stepFor, tickLabels, ticksOf, wallOf, type Step } from './zone';

const kHour = 3_600_000;
const kDay = 24 * kHour;

// What Intl says the wall clock shows, by another road than the code under test.
function shown(at: number, zone: string): string {
  return new Intl.DateTimeFormat('sv-SE', {
    timeZone: zone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  }).format(at);
}

function stepOf(unit: Step['unit'], count: number): Step {
  const ms = { second: 1000, minute: 60_000, hour: kHour, day: kDay, month: 30.44 * kDay, year: 365.25 * kDay };
  return { unit, count, ms: count * ms[unit] };
}

// Days on which the clock was put forward or back, and an ordinary one.
const kDays: [zone: string, day: string][] = [
  ['Europe/Rome', '2026-03-29'],
  ['Europe/Rome', '2026-10-25'],
  ['Europe/Rome', '2026-07-01'],
  ['Africa/Cairo', '2026-04-24'],
  ['Africa/Cairo', '2026-10-29'],
  ['Asia/Kolkata', '2026-03-29'],
  ['America/St_Johns', '2026-03-08'],
  ['America/St_Johns', '2026-11-01'],
  ['Australia/Lord_Howe', '2026-04-05'],
  ['Australia/Lord_Howe', '2026-10-04'],
  ['Pacific/Apia', '2011-12-30'],
  ['Pacific/Apia', '2026-11-22'],
];

// The wall times that a step should hit, each with every instant Intl shows it at, found by looking
// at each quarter hour (or second).
function expected(from: number, to: number, zone: string, wanted: (wall: string) => boolean): number[] {
  const found: number[] = [];
  for (let at = from; at <= to; at += 300_000) if (wanted(shown(at, zone))) found.push(at);
  return found;
}

describe('ticks of a time axis', () => {
  for (const [zone, day] of kDays) {
    const noon = Date.parse(`${day}T12:00:00Z`);
    const from = noon - 30 * kHour;
    const to = noon + 30 * kHour;

    it(`are every full hour and half hour of ${zone} around ${day}, repeated ones twice`, () => {
      const hours = expected(from, to, zone, (wall) => wall.endsWith(':00:00'));
      expect(ticksOf(from, to, stepOf('hour', 1), zone)).toEqual(hours);
      const halves = expected(from, to, zone, (wall) => /:[03]0:00$/.test(wall));
      expect(ticksOf(from, to, stepOf('minute', 30), zone)).toEqual(halves);
    });

    it(`stand at the wall's own hours in ${zone} around ${day} with a step of three`, () => {
      const ticks = ticksOf(from, to, stepOf('hour', 3), zone);
      expect(ticks.length).toBeGreaterThan(12);
      for (const at of ticks) expect(shown(at, zone)).toMatch(/ (00|03|06|09|12|15|18|21):00:00$/);
      expect(new Set(ticks.map((at) => shown(at, zone))).size).toBe(ticks.length);
    });

    it(`begin each local day of ${zone} around ${day} once, at its first instant`, () => {
      const ticks = ticksOf(from - 5 * kDay, to + 5 * kDay, stepOf('day', 1), zone);
      for (const at of ticks) {
        expect(shown(at - 1000, zone).slice(0, 10)).not.toBe(shown(at, zone).slice(0, 10));
      }
      const days = new Set<string>();
      for (let at = from - 5 * kDay; at <= to + 5 * kDay; at += 900_000) days.add(shown(at, zone).slice(0, 10));
      days.delete(shown(from - 5 * kDay, zone).slice(0, 10)); // begun before the window
      const named = ticks.map((at) => shown(at, zone).slice(0, 10));
      expect(named.filter((name) => !days.has(name)).length).toBeLessThanOrEqual(1);
      for (const name of days) expect(named).toContain(name);
    });
  }

  it('show the long hours of a day of 25: four hours between 00:00 and 03:00', () => {
    const from = Date.parse('2026-10-24T22:00:00Z');
    const ticks = ticksOf(from, from + 12 * kHour, stepOf('hour', 3), 'Europe/Rome');
    expect(ticks[0]).toBe(from);
    expect(ticks[1]! - ticks[0]!).toBe(4 * kHour);
    expect(ticks[2]! - ticks[1]!).toBe(3 * kHour);
  });

  it('leave out a day that never was', () => {
    expect(dayStart(2011, 12, 30, 'Pacific/Apia')).toBeNull();
    const ticks = ticksOf(Date.parse('2011-12-27T00:00Z'), Date.parse('2012-01-03T00:00Z'), stepOf('day', 1), 'Pacific/Apia');
    const days = ticks.map((at) => wallOf(at, 'Pacific/Apia').day);
    expect(days).toEqual([27, 28, 29, 31, 1, 2, 3]);
  });

  it('begin weeks on Mondays, months on firsts and years in January', () => {
    const from = Date.parse('2026-01-10T00:00Z');
    const zone = 'America/St_Johns';
    for (const at of ticksOf(from, from + 60 * kDay, stepOf('day', 7), zone)) {
      expect(wallOf(at, zone).weekday).toBe(1);
    }
    for (const at of ticksOf(from, from + 900 * kDay, stepOf('month', 3), zone)) {
      const wall = wallOf(at, zone);
      expect([wall.day, wall.hour, (wall.month - 1) % 3]).toEqual([1, 0, 0]);
    }
    for (const at of ticksOf(from, from + 9000 * kDay, stepOf('year', 5), zone)) {
      const wall = wallOf(at, zone);
      expect([wall.month, wall.year % 5]).toEqual([1, 0]);
    }
  });

  it('stay few whatever is asked', () => {
    expect(ticksOf(0, 1000 * kDay, stepOf('second', 1), 'UTC').length).toBe(kTicksMax);
    expect(ticksOf(10, 0, stepOf('hour', 1), 'UTC')).toEqual([]);
    expect(stepFor(400 * 366 * kDay, 100).unit).toBe('year');
  });

  it('are as fine as the width allows and no finer', () => {
    expect(stepFor(7 * kDay, 1100)).toMatchObject({ unit: 'hour', count: 12 });
    expect(stepFor(7 * kDay, 500)).toMatchObject({ unit: 'day', count: 1 });
    expect(stepFor(24 * kHour, 720)).toMatchObject({ unit: 'hour', count: 2 });
  });
});

describe('labels of a time axis', () => {
  it('name the date first, at each midnight, and nowhere else', () => {
    const step = stepOf('hour', 6);
    const from = Date.parse('2026-11-21T23:00:00Z');
    const ticks = ticksOf(from, from + 30 * kHour, step, 'Europe/Rome');
    // Node 18 has an older ICU, which writes "Sun, 22 Nov".
    const labels = tickLabels(ticks, step, 'Europe/Rome', 'en-GB').map((label) => label.replace(',', ''));
    expect(labels).toEqual([
      '00:00\nSun 22 Nov',
      '06:00',
      '12:00',
      '18:00',
      '00:00\nMon 23 Nov',
      '06:00',
    ]);
  });

  it('say month and year below days, and the year below months', () => {
    const days = stepOf('day', 1);
    const from = Date.parse('2026-11-30T00:00:00Z');
    expect(tickLabels(ticksOf(from, from + kDay, days, 'UTC'), days, 'UTC', 'en-GB')).toEqual([
      'Mon 30\nNov 2026',
      'Tue 1\nDec 2026',
    ]);
    const months = stepOf('month', 1);
    expect(tickLabels(ticksOf(from, from + 40 * kDay, months, 'UTC'), months, 'UTC', 'en-GB')).toEqual([
      'Dec\n2026',
      'Jan\n2027',
    ]);
  });
});
