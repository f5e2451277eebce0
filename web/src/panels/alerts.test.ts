import { describe, expect, it } from 'vitest';
import type { AlertItem } from '../documents';
import { inOrder, matches, withNews } from './alerts';

const alert = (more: Partial<AlertItem>): AlertItem => ({
  id: 'level~tank-1~low', alert: 'level', thing: 'tank-1', name: 'Barn', condition: 'low', field: 'percent',
  state: 'firing', since: 1000, value: 15.73, unit: '%', limit: 20, text: 'Barn is nearly empty: 15.73 %',
  severity: 'warning', owner: '', note: '', snoozed_until: null, flaps: 0, changed: 1000, ...more,
});

describe('an alert belongs to a panel', () => {
  it('when every word of its match fits', () => {
    expect(matches(alert({}), '', null)).toBe(true);
    expect(matches(alert({}), 'alert:lev* thing:tank-*', null)).toBe(true);
    expect(matches(alert({}), 'alert:level condition:high', null)).toBe(false);
    expect(matches(alert({}), 'rule:tank-*', null)).toBe(false);
    expect(matches(alert({}), 'tank-1', null)).toBe(true);
  });
  it('of one thing when it is about that thing', () => {
    expect(matches(alert({}), '$thing', 'tank-1')).toBe(true);
    expect(matches(alert({}), 'thing:$thing', 'tank-2')).toBe(false);
    expect(matches(alert({}), '$thing', null)).toBe(false);
  });
});

describe('the list of alerts', () => {
  it('has the unanswered first, then the grave, then the new', () => {
    const ids = inOrder([
      alert({ id: 'old' }), alert({ id: 'new', since: 2000 }), alert({ id: 'acked', state: 'acknowledged', since: 9000 }),
      alert({ id: 'grave', severity: 'critical', since: 1 }),
    ]).map(({ id }) => id);
    expect(ids).toEqual(['grave', 'new', 'old', 'acked']);
  });
  it('loses what is over, and keeps one row an alert', () => {
    const open = new Set(['firing', 'acknowledged']);
    const first = withNews([], [alert({})], open);
    const second = withNews(first, [alert({ state: 'acknowledged' })], open);
    expect(second.map(({ state }) => state)).toEqual(['acknowledged']);
    expect(withNews(second, [alert({ state: 'normal' })], open)).toEqual([]);
  });
});
