import { describe, expect, it } from 'vitest';
import type { FieldValue, Interval } from '../documents';
import { isDue, seriesOfIntervals, windowOf } from './chart_data';

const hour = 3_600_000;
const at = 100 * hour;

describe('what a chart fetches', () => {
  it('is the window and a screen on both sides, at the same width per pixel', () => {
    expect(windowOf({ from: 10 * hour, to: 20 * hour }, 1000, at)).toEqual({
      from: 0, to: 30 * hour, px: 3000, msPerPx: 36_000,
    });
  });
  it('ends now', () => {
    expect(windowOf({ from: 90 * hour, to: at }, 1000, at)).toMatchObject({ from: 80 * hour, to: at, px: 2000 });
    expect(windowOf({ from: at + hour, to: at + 2 * hour }, 1000, at)).toMatchObject({ to: at + hour + 1 });
  });
  it('has at most 4000 columns', () => {
    expect(windowOf({ from: 10 * hour, to: 20 * hour }, 2000, at).px).toBe(4000);
  });
});

describe('a fetch is due', () => {
  const loaded = { from: 0, to: 30 * hour, msPerPx: 36_000 };
  it('at first, and when the window leaves what is there', () => {
    expect(isDue(null, { from: 0, to: hour }, 1000, at)).toBe(true);
    expect(isDue(loaded, { from: 10 * hour, to: 20 * hour }, 1000, at)).toBe(false);
    expect(isDue(loaded, { from: 20 * hour, to: 31 * hour }, 1000, at)).toBe(true);
    expect(isDue(loaded, { from: -1, to: 20 * hour }, 1000, at)).toBe(true);
  });
  it('when it would be finer by half and more', () => {
    expect(isDue(loaded, { from: 10 * hour, to: 17 * hour }, 1000, at)).toBe(false);
    expect(isDue(loaded, { from: 10 * hour, to: 16 * hour }, 1000, at)).toBe(true);
  });
  it('not for the future', () => {
    expect(isDue(loaded, { from: 20 * hour, to: 35 * hour }, 1000, 30 * hour)).toBe(false);
  });
});

describe('a chart of intervals', () => {
  it('has one point an interval; one without readings is a gap', () => {
    const row = (start: number, mean: number | null) => ({ of: 'tank-1/percent', start, end: start + 10, mean }) as Interval;
    expect(seriesOfIntervals([row(0, 5), row(10, null), row(20, 7)], 'mean', [])).toMatchObject([
      { of: 'tank-1/percent', thing: 'tank-1', field: 'percent', name: 'tank-1', t: [0, 10, 20], v: [5, null, 7] },
    ]);
  });
  it('counts readings without the unit of what was measured', () => {
    const row = { of: 'tank-1/percent', start: 0, end: 10, count: 6, mean: 5 } as Interval;
    const known = [{ of: 'tank-1/percent', name: 'Barn', unit: '%', decimals: 2 }] as FieldValue[];
    expect(seriesOfIntervals([row], 'count', known)).toMatchObject([{ unit: '', decimals: 0, v: [6] }]);
    expect(seriesOfIntervals([row], 'mean', known)).toMatchObject([{ name: 'Barn', unit: '%', decimals: 2, v: [5] }]);
  });
});
