import { describe, expect, it } from 'vitest';
import type { FieldValue } from '../documents';
import { fillOf, levelOf, limitsOf, stateOf, verdictOf } from './level';

function reading(value: FieldValue['value'], more: Partial<FieldValue> = {}): FieldValue {
  return {
    of: 'tank-1/percent', thing: 'tank-1', name: 'Barn', type: 'tank', field: 'percent', unit: '%', decimals: 2,
    value, time: 1000, state: 'ok', interval_ms: 20_000, limits: { low: 20, high: 80 }, also: {}, ...more,
  };
}
const limits = { low: 20, high: 80 };

describe('a level', () => {
  it('is near its ends at the limits themselves', () => {
    const levels = [0, 19.99, 20, 20.01, 50, 79.99, 80, 100].map((value) => levelOf(reading(value), 'ok', limits));
    expect(levels).toEqual(['low', 'low', 'low', 'between', 'between', 'between', 'high', 'high']);
  });

  it('has a thumb up near full, down near empty and none between', () => {
    expect((['high', 'low', 'between', 'silent', 'invalid', 'never'] as const).map((l) => verdictOf(l, true).thumb))
      .toEqual(['up', 'down', null, null, null, null]);
  });

  it('is none when nothing sound was measured, whatever the last value was', () => {
    expect(levelOf(reading(100), 'silent', limits)).toBe('silent');
    expect(levelOf(reading(100), 'invalid', limits)).toBe('invalid');
    expect(levelOf(reading(null), 'ok', limits)).toBe('never');
    for (const state of ['silent', 'invalid', 'never'] as const) {
      expect(fillOf(reading(100), state, 0, 100)).toBeNull();
    }
    expect(fillOf(reading(null), 'ok', 0, 100)).toBeNull();
    expect(fillOf(reading('full'), 'ok', 0, 100)).toBeNull();
  });

  it('is drawn within its drum', () => {
    expect([-5, 0, 50, 100, 130].map((value) => fillOf(reading(value), 'ok', 0, 100))).toEqual([0, 0, 0.5, 1, 1]);
    expect(fillOf(reading(5), 'ok', 5, 5)).toBeNull();
  });
});

describe('limits', () => {
  it('of the page win over those of the alert', () => {
    expect(limitsOf(reading(1), 10, null)).toEqual({ low: 10, high: 80 });
    expect(limitsOf(reading(1, { limits: null }), null, 90)).toEqual({ low: null, high: 90 });
  });
});

describe('silence', () => {
  it('begins after three learned intervals, and a minute at least', () => {
    expect(stateOf(reading(1), 61_000)).toBe('ok');
    expect(stateOf(reading(1), 61_001)).toBe('silent');
    expect(stateOf(reading(1, { interval_ms: 60_000 }), 181_000)).toBe('ok');
    expect(stateOf(reading(1, { interval_ms: 60_000 }), 181_001)).toBe('silent');
  });
  it('is not guessed where no interval was learned', () => {
    expect(stateOf(reading(1, { interval_ms: null }), 1e12)).toBe('ok');
    expect(stateOf(reading(1, { interval_ms: null }), 1e12, 5000)).toBe('silent');
  });
  it('is the server\'s word when it says so, as invalid is', () => {
    expect(stateOf(reading(1, { state: 'silent' }), 1001)).toBe('silent');
    expect(stateOf(reading(1, { state: 'invalid' }), 1e12)).toBe('invalid');
    expect(stateOf(reading(null, { time: null, state: 'ok' }), 0)).toBe('never');
    expect(stateOf(reading(null, { time: null, state: 'invalid' }), 0)).toBe('invalid');
  });
});
