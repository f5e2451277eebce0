import { describe, expect, it } from 'vitest';
import { align, append, boundsOf, gapMs, stepFrom, trimBefore, valueAt, type Track } from './points';

describe('tracks of different times', () => {
  it('share one column of times; what is of another track is undefined, a gap is null', () => {
    const a: Track = { t: [1, 3, 5], v: [10, null, 50] };
    const b: Track = { t: [2, 3], v: [2, 3] };
    expect(align([a, b])).toEqual([[1, 2, 3, 5], [10, null, null, 50], [undefined, 2, 3, undefined]]);
  });

  it('have gaps from reading to reading, past the times of others', () => {
    const a: Track = { t: [1, 4, 9], v: [1, null, 9] };
    const b: Track = { t: [2, 3, 5, 6, 9, 10], v: [0, 0, 0, 0, 0, 0] };
    expect(align([a, b])[1]).toEqual([1, null, null, null, null, null, 9, undefined]);
  });

  it('keep the last of two values of one time', () => {
    expect(align([{ t: [1, 1, 2], v: [5, 6, 7] }])).toEqual([[1, 2], [6, 7]]);
  });

  it('may be empty', () => {
    expect(align([])).toEqual([[]]);
    expect(align([{ t: [], v: [] }])).toEqual([[], []]);
  });
});

describe('a reading that comes live', () => {
  it('goes to the end, breaks the line after a gap and only then', () => {
    const track: Track = { t: [0], v: [1] };
    append(track, 60_000, 2, 60_000);
    append(track, 120_001, 3, 60_000);
    expect(track).toEqual({ t: [0, 60_000, 60_001, 120_001], v: [1, 2, null, 3] });
  });

  it('is not taken twice, nor when it is older', () => {
    const track: Track = { t: [0, 10], v: [1, 2] };
    expect(append(track, 10, 2, 60_000)).toBe(false);
    expect(append(track, 5, 9, 60_000)).toBe(false);
    expect(append(track, 10, 3, 60_000)).toBe(true);
    expect(track).toEqual({ t: [0, 10], v: [1, 3] });
  });

  it('pushes out what the window left, but for the point that leads in', () => {
    const track: Track = { t: [1, 2, 3, 4], v: [1, 2, 3, 4] };
    trimBefore(track, 3);
    expect(track).toEqual({ t: [2, 3, 4], v: [2, 3, 4] });
    trimBefore(track, 100);
    expect(track.t).toEqual([2, 3, 4]);
  });

  it('is missed after three intervals, and never before a minute', () => {
    expect([gapMs(null), gapMs(20_000), gapMs(60_000)]).toEqual([60_000, 60_000, 180_000]);
  });
});

describe('a cursor', () => {
  const track: Track = { t: [10, 20, 30], v: [1, null, 3] };
  it('reads the value that was valid then', () => {
    expect(valueAt(track, 9)).toBeNull();
    expect(valueAt(track, 10)).toEqual({ time: 10, value: 1 });
    expect(valueAt(track, 25)).toBeNull();
    expect(valueAt(track, 99)).toEqual({ time: 30, value: 3 });
  });
  it('steps from reading to reading', () => {
    expect(stepFrom(track.t, 10, 1)).toBe(20);
    expect(stepFrom(track.t, 10, -1)).toBeNull();
    expect(stepFrom(track.t, 25, -1)).toBe(20);
    expect(stepFrom(track.t, 30, 1)).toBeNull();
  });
});

describe('the height of a chart', () => {
  it('is the whole scale for per cent', () => {
    expect(boundsOf([{ t: [1], v: [40] }], 0, 2, '%', [])).toEqual([0, 100]);
    expect(boundsOf([{ t: [1], v: [140] }], 0, 2, '%', [])[1]).toBeGreaterThan(140);
  });
  it('begins at zero for amounts, not for temperatures', () => {
    expect(boundsOf([{ t: [1, 2], v: [10, 40] }], 0, 3, 'l', [])[0]).toBe(0);
    expect(boundsOf([{ t: [1, 2], v: [10, 40] }], 0, 3, '°C', [])[0]).toBeGreaterThan(5);
  });
  it('has room for limits and for the line that leads in, not for what is out of sight', () => {
    const [low, high] = boundsOf([{ t: [1, 5, 9], v: [-30, 20, 900] }], 4, 6, '°C', [25]);
    expect(low).toBeLessThan(-30);
    expect(high).toBeLessThan(100);
  });
  it('is something when there is nothing', () => {
    expect(boundsOf([], 0, 1, '', [])).toEqual([0, 1]);
    expect(boundsOf([{ t: [1], v: [5] }], 0, 2, '°C', [])[1]).toBeGreaterThan(5);
  });
});
