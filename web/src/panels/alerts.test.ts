import { describe, expect, it } from 'vitest';
import type { Query } from '../api';
import type { AlertItem, AlertList } from '../documents';
import { drawnBy, fetchAlerts, kSeenMax, questionsOf } from './alert_pages';
import { chosen, emptyWords, inOrder, statesOf } from './alerts';

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
    const ids = (of: string[], typed: { thing: string; field: string }[] = []) =>
      chosen(all, statesOf([]), drawnBy(of, typed)).map(({ id }) => id);
    expect(ids(['tank-*/percent'])).toEqual(['a', 'b']);
    expect(ids(['*-2'])).toEqual(['b']);
    expect(ids(['tank-1/distance', 'tank.1', 'tank-', 'tank.*', '(*', '[*\\'])).toEqual([]);
    expect(ids(['type:tank/percent', 'tank-1'], [{ thing: 'tank-2', field: 'percent' }])).toEqual(['a', 'b']);
  });
});

describe('what a panel asks for', () => {
  it('is chosen by the server: by state, and by thing where things are named', () => {
    expect(questionsOf(statesOf([]), [])).toEqual([{ state: 'open', thing: undefined }]);
    expect(questionsOf(statesOf([]), ['tank-1/percent', 'tank-1/distance', 'tank-2'])).toEqual([
      { state: 'open', thing: 'tank-1' }, { state: 'open', thing: 'tank-2' },
    ]);
    expect(questionsOf('all', ['tank-1/percent'])).toEqual([{ state: 'all', thing: 'tank-1' }]);
    expect(questionsOf('all', ['tank-*'])).toEqual([{ state: 'all', thing: undefined }]);
    expect(questionsOf(statesOf(['open', 'resolved']), ['tank-1'])).toEqual([
      { state: 'open', thing: 'tank-1' }, { state: 'resolved', thing: 'tank-1' },
    ]);
    expect(questionsOf(statesOf(['firing', 'snoozed']), ['tank-*'])).toEqual([
      { state: 'firing', thing: undefined }, { state: 'snoozed', thing: undefined },
    ]);
  });
  it('is everything where a pattern, a type or many things are named', () => {
    const many = Array.from({ length: 9 }, (_, i) => `tank-${i}`);
    for (const of of [['tank-*/percent'], ['tank-1', 'type:tank'], many]) {
      expect(questionsOf(statesOf([]), of)).toEqual([{ state: 'open', thing: undefined }]);
    }
    expect(questionsOf(statesOf([]), many.slice(1)).length).toBe(8);
  });
});

describe('the pages of alerts', () => {
  const server = (alerts: AlertItem[]) => async (_: string, { cursor, limit }: Query): Promise<AlertList> => {
    const end = Number(cursor ?? 0) + Number(limit);
    return { alerts: alerts.slice(Number(cursor ?? 0), end), next: end < alerts.length ? String(end) : null, counts: {}, quiet_since: null };
  };
  const signal = new AbortController().signal;
  const some = (n: number) => Array.from({ length: n }, (_, i) => alert({ id: `a${i}`, thing: `tank-${i}` }));

  it('are followed until the last one, so that a tank that alarms is seen behind many others', async () => {
    const found = await fetchAlerts(questionsOf(statesOf([]), ['tank-2500']), signal, server(some(2501)));
    expect(found.isWhole).toBe(true);
    expect(chosen(found.alerts, statesOf([]), [{ thing: 'tank-2500', field: 'percent' }]).map(({ id }) => id)).toEqual(['a2500']);
  });
  it('end at a limit, and then nobody says that nothing is open', async () => {
    const whole = await fetchAlerts([{}], signal, server(some(kSeenMax)));
    expect([whole.alerts.length, whole.isWhole]).toEqual([kSeenMax, true]);
    expect(emptyWords(whole, '')).toBe('Nothing is open');
    const cut = await fetchAlerts([{}], signal, server(some(kSeenMax + 1)));
    expect([cut.alerts.length, cut.isWhole]).toEqual([kSeenMax, false]);
    expect(emptyWords(cut, 'All tanks are fine')).toBe('None among the first 10,000 alerts');
  });
  it('may name an alert twice that moved between them', async () => {
    const found = await fetchAlerts([{}, {}], signal, server(some(2)));
    expect(found.alerts.length).toBe(2);
  });
});
