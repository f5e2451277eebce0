import { describe, expect, it } from 'vitest';
import type { Interval } from '../documents';
import { seriesOfIntervals } from './chart_data';
import { sentenceOf, type DrawnLine } from './chart_sentence';
import { append } from './points';

const hour = 3_600_000;
const midnight = Date.UTC(2026, 10, 24);
const day = { from: midnight, to: midnight + 24 * hour };

function line(values: (number | null)[], everyMs = hour): DrawnLine {
  return { t: values.map((_, i) => midnight + i * everyMs), v: values, unit: '%', decimals: 2 };
}
const say = (drawn: DrawnLine, isCurrent = true, view = day) => sentenceOf(drawn, view, 'UTC', isCurrent).replace(/\u00a0/g, ' ');

describe('what a chart says', () => {
  it('is its outline, its end and where it goes', () => {
    expect(say(line([50, 88.76, null, 60, 40, 15.73]))).toBe('15.7 to 88.8 %, highest 01:00, now 15.7, falling');
    expect(say(line([50, 88.76, 15.73]), false)).toBe('15.7 to 88.8 %, highest 01:00, last 15.7 at 02:00, falling');
    expect(say(line([50, 50.5]))).toBe('50.00 to 50.50 %, highest 01:00, now 50.50, rising');
    expect(say(line([20, 80, 50, 50, 50, 50, 50, 50]))).toBe('20.0 to 80.0 %, highest 01:00, now 50.0, steady');
  });
  it('is short when there is little', () => {
    expect(say(line([]))).toBe('no readings');
    expect(say(line([null, null]))).toBe('no readings');
    expect(say(line([50]))).toBe('one reading, 50.00 % at 00:00');
    expect(say(line([50, 50]))).toBe('50.00 % throughout, now 50.00');
    expect(say({ ...line([1234.567, 2]), unit: '', decimals: null })).toBe('2 to 1,235, highest 00:00, now 2, falling');
  });
  it('is only about what is seen', () => {
    const drawn = line([99, 50, 40, 1]);
    expect(say(drawn, false, { from: midnight + hour, to: midnight + 2 * hour })).toBe('40.0 to 50.0 %, highest 01:00, last 40.0 at 02:00, falling');
    expect(say(drawn, false, { from: midnight + 5 * hour, to: midnight + 6 * hour })).toBe('no readings');
    expect(say(drawn, true, { from: midnight - 24 * hour, to: midnight + 24 * hour })).toMatch(/highest Tue,? 24 Nov,? 00:00/);
  });
  it('follows what comes live', () => {
    const drawn = line([50, 60]);
    expect(say(drawn)).toContain('now 60.0, rising');
    append(drawn, midnight + 2 * hour, 20, 2 * hour);
    expect(say(drawn)).toBe('20.0 to 60.0 %, highest 01:00, now 20.0, falling');
  });
  it('has words for intervals, too', () => {
    const row = (start: number, mean: number | null) => ({ of: 'tank-1/percent', start, end: start + hour, mean }) as Interval;
    const [series] = seriesOfIntervals([row(midnight, 20), row(midnight + hour, null), row(midnight + 2 * hour, 60)], 'mean', []);
    expect(say({ ...series!, unit: '%', decimals: 2 }, false)).toBe('20.0 to 60.0 %, highest 02:00, last 60.0 at 02:00, rising');
  });
});
