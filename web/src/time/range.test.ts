import { describe, expect, it } from 'vitest';
import { durationMs, parseRange, rangeName, spanOf, spanParam, timeParam, zoomed } from './range';

const now = Date.parse('2026-10-25T15:00:00Z');

describe('a range', () => {
  it('that is a duration ends now', () => {
    const range = parseRange('24h', 'Europe/Rome', now)!;
    expect(spanOf(range, now)).toEqual({ from: now - 24 * 3_600_000, to: now });
  });

  it('of a day is as long as that day: 25 hours when clocks go back', () => {
    const { from, to } = spanOf(parseRange('today', 'Europe/Rome', now)!, now);
    expect((to - from) / 3_600_000).toBe(25);
    const before = spanOf(parseRange('yesterday', 'Europe/Rome', now)!, now);
    expect(before.to).toBe(from);
    expect((before.to - before.from) / 3_600_000).toBe(24);
  });

  it('between two days has both of them whole', () => {
    const { from, to } = parseRange('2026-07-01/2026-07-08', 'UTC', now)!.fixed!;
    expect([from, to]).toEqual([Date.parse('2026-07-01T00:00Z'), Date.parse('2026-07-09T00:00Z')]);
  });

  it('is refused when it is none', () => {
    for (const text of ['', '7', '7x', '0d', '2026-07-08/2026-07-01', '2026-07-01/', 'tomorrow', '-1d']) {
      expect(parseRange(text, 'UTC', now)).toBeNull();
    }
    expect(durationMs('1s')).toBe(1000);
    expect(durationMs('0s')).toBeNull();
  });

  it('has a name people read', () => {
    expect(['15m', '7d', '1y', 'today'].map(rangeName)).toEqual(['Last 15 min', 'Last 7 days', 'Last year', 'Today']);
  });
});

describe('a zoom', () => {
  it('keeps the point under the pointer where it is', () => {
    const span = zoomed({ from: 0, to: 100_000 }, 25_000, 0.5);
    expect(span).toEqual({ from: 12_500, to: 62_500 });
  });

  it('ends at one second', () => {
    const span = zoomed({ from: 0, to: 2000 }, 1000, 0.001);
    expect(span.to - span.from).toBe(1000);
  });

  it('survives the way through the URL', () => {
    const span = { from: Date.parse('2026-07-01T10:00:00Z'), to: Date.parse('2026-07-01T10:00:01Z') };
    expect(spanParam(timeParam(span.from), timeParam(span.to))).toEqual(span);
    expect(spanParam('x', timeParam(span.to))).toBeNull();
    expect(spanParam(timeParam(span.to), timeParam(span.from))).toBeNull();
  });
});
