import { describe, expect, it } from 'vitest';
import type { AlertItem, AlertState } from '../documents';
import { concerns, marksAt, marksOf } from './marks';

const story = (...history: [number, AlertState][]) => ({
  thing: 'tank-1', condition: 'low' as const, text: 'Barn is nearly empty',
  history: history.map(([time, state]) => ({ time, state, value: null, by: '', note: '' })),
});
const spans = (...history: [number, AlertState][]) => marksOf(story(...history)).map(({ from, to }) => [from, to]);

describe('an alert on a chart', () => {
  it('lasts from firing until normal, whatever people do meanwhile', () => {
    expect(spans([1, 'pending'], [2, 'firing'], [3, 'acknowledged'], [4, 'snoozed'], [9, 'normal'])).toEqual([[2, 9]]);
    expect(spans([2, 'firing'], [5, 'resolved'], [9, 'normal'], [12, 'firing'])).toEqual([[2, 9], [12, null]]);
  });
  it('is read in order of time, however the history comes', () => {
    expect(spans([9, 'normal'], [2, 'firing'])).toEqual([[2, 9]]);
  });
  it('is none when it never fired', () => {
    expect(spans([1, 'pending'], [2, 'normal'])).toEqual([]);
    expect(spans()).toEqual([]);
  });
  it('is found at a time', () => {
    const marks = marksOf(story([2, 'firing'], [5, 'normal'], [8, 'firing']));
    expect([1, 2, 5, 6, 9].map((time) => marksAt(marks, time).length)).toEqual([0, 1, 1, 0, 1]);
  });
  it('concerns the field it watches, and all fields when nothing comes at all', () => {
    const alert = (condition: AlertItem['condition'], field: string) => ({ thing: 'tank-1', condition, field }) as AlertItem;
    const drawn = [{ thing: 'tank-1', field: 'distance' }];
    expect(concerns(alert('low', 'percent'), drawn)).toBe(false);
    expect(concerns(alert('low', 'distance'), drawn)).toBe(true);
    expect(concerns(alert('silent', 'percent'), drawn)).toBe(true);
    expect(concerns({ ...alert('low', 'distance'), thing: 'tank-2' }, drawn)).toBe(false);
  });
});
