import { describe, expect, it } from 'vitest';
import type { AlertItem } from '../documents';
import { chosen, inOrder, statesOf } from './alerts';

const alert = (more: Partial<AlertItem>): AlertItem => ({
  id: 'level~tank-1~low', alert: 'level', thing: 'tank-1', name: 'Barn', condition: 'low', field: 'percent',
  state: 'firing', since: 1000, value: 15.73, unit: '%', limit: 20, text: 'Barn is nearly empty: 15.73 %',
  severity: 'warning', owner: '', note: '', snoozed_until: null, flaps: 0, changed: 1000, ...more,
});

describe('the list of alerts', () => {
  it('has the unanswered first, then the grave, then the new', () => {
    const ids = inOrder([
      alert({ id: 'old' }), alert({ id: 'new', since: 2000 }), alert({ id: 'acked', state: 'acknowledged', since: 9000 }),
      alert({ id: 'grave', severity: 'critical', since: 1 }),
    ]).map(({ id }) => id);
    expect(ids).toEqual(['grave', 'new', 'old', 'acked']);
  });

  it('shows what is open unless the page asks for other states', () => {
    expect([...statesOf([])]).toEqual(['firing', 'acknowledged', 'snoozed']);
    expect([...statesOf(['open', 'resolved'])]).toEqual(['firing', 'acknowledged', 'snoozed', 'resolved']);
    const all = [alert({ id: 'a' }), alert({ id: 'b', state: 'normal' }), alert({ id: 'c', state: 'pending' })];
    expect(chosen(all, statesOf([]), null).map(({ id }) => id)).toEqual(['a']);
  });

  it('has only those about what its selectors found', () => {
    const all = [alert({ id: 'a' }), alert({ id: 'b', thing: 'tank-2' })];
    expect(chosen(all, statesOf([]), [{ thing: 'tank-2', field: 'percent' }]).map(({ id }) => id)).toEqual(['b']);
    expect(chosen(all, statesOf([]), [])).toEqual([]);
  });
});
