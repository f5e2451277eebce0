import { describe, expect, it } from 'vitest';
import type { FieldValue } from '../documents';
import { merged, wanted } from './values';

function tank(n: number, more: Partial<FieldValue> = {}): FieldValue {
  return {
    of: `tank-${n}/percent`, thing: `tank-${n}`, name: `Tank ${n}`, type: 'tank', field: 'percent', unit: '%', decimals: 2,
    value: 50, time: 1000, state: 'ok', interval_ms: 20_000, limits: null,
    also: { distance: { value: 44.5, unit: 'cm' } }, ...more,
  };
}

describe('what comes live', () => {
  it('replaces the value it is about, by its newest point, and leaves the others alone', () => {
    const old = [tank(1), tank(2)];
    const next = merged(old, [{ of: 'tank-2/percent', t: [1500, 2000], v: [30, 15.73] }])!;
    expect(next[0]).toBe(old[0]);
    expect(next[1]).toMatchObject({ value: 15.73, time: 2000, state: 'ok' });
  });

  it('also changes the small field beside it', () => {
    const next = merged([tank(1)], [{ of: 'tank-1/distance', t: [2000], v: [75] }])!;
    expect(next[0]).toMatchObject({ value: 50, also: { distance: { value: 75, unit: 'cm' } } });
  });

  it('is ignored when it is older than what is shown', () => {
    expect(merged([tank(1)], [{ of: 'tank-1/percent', t: [999], v: [1] }])![0]).toMatchObject({ value: 50, time: 1000 });
  });

  it('ends silence with a value, and brings it with a state', () => {
    const silent = tank(1, { state: 'silent' });
    expect(merged([silent], [{ of: 'tank-1/percent', t: [2000], v: [51] }])![0]!.state).toBe('ok');
    const invalid = merged([tank(1)], [{ of: 'tank-1/percent', t: [], v: [], state: 'invalid' }])![0]!;
    expect(invalid).toMatchObject({ state: 'invalid', value: 50, time: 1000 });
  });

  it('of a thing nobody knew asks for everything again', () => {
    expect(merged([tank(1)], [{ of: 'tank-9/percent', t: [2000], v: [5] }])).toBeNull();
  });
});

describe('a subscription', () => {
  it('names the small fields of few tiles, of many only what was asked', () => {
    expect(wanted(['type:tank/percent'], [tank(1)])).toEqual(['type:tank/percent', 'tank-1/distance']);
    const many = Array.from({ length: 51 }, (_, i) => tank(i));
    expect(wanted(['type:tank/percent'], many)).toEqual(['type:tank/percent']);
    expect(wanted(['type:tank/percent'], many.slice(1)).length).toBe(51);
  });
});
