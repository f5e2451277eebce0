// The inbox: what is open (it lasts, and nobody has closed it), unanswered first; and what was.
import { useEffect, useState } from 'preact/hooks';
import { useGet } from '../api';
import type { AlertItem, AlertList, AlertState } from '../documents';
import { plural, sinceWhen } from '../format';
import { useKeys } from '../keys';
import { address, navigate, query, withQuery } from '../router';
import { isAdmin } from '../session';
import { alertChanges } from '../store';
import { Button, EmptyState, ErrorState, Loading, PageHead, Panel, Tabs } from '../ui/parts';
import { ActDialog, canDo, type Act } from './alert_actions';
import { AlertRows } from './alert_rows';

const kRows = 50;
const kPastRows = 5;

// Each tab: what is asked for, and whose counts it shows.
const kTabs: { state: string; text: string; counts: AlertState[] }[] = [
  { state: '', text: 'Open', counts: ['firing', 'acknowledged', 'snoozed'] },
  { state: 'acknowledged', text: 'Acknowledged', counts: ['acknowledged'] },
  { state: 'snoozed', text: 'Snoozed', counts: ['snoozed'] },
  { state: 'resolved', text: 'Resolved', counts: ['resolved'] },
  { state: 'all', text: 'All', counts: [] },
];

const kEmpty: Record<string, string> = {
  acknowledged: 'Nothing is acknowledged',
  snoozed: 'Nothing is snoozed',
  resolved: 'Nothing was resolved by hand',
  all: 'No alert has ever fired',
};

function countOf(list: AlertList | null, states: AlertState[]): number | undefined {
  if (!list || states.length === 0) return undefined;
  return states.reduce((sum, state) => sum + (list.counts[state] ?? 0), 0);
}

// What was, below an inbox in which nothing is.
function Before({ thing }: { thing: string }) {
  const past = useGet<AlertList>('/alerts', { state: 'all', thing, limit: kPastRows });
  const rows = past.data.value?.alerts ?? [];
  if (rows.length === 0) return null;
  return (
    <Panel title="Newest of all alerts" aside={<a href={withQuery('/alerts', { state: 'all', thing })}>All</a>}>
      <AlertRows alerts={rows} onChange={past.reload} />
    </Panel>
  );
}

function Empty({ state, thing, list }: { state: string; thing: string; list: AlertList }) {
  if (state) return <EmptyState title={kEmpty[state] ?? 'Nothing here'} />;
  const quiet = list.quiet_since;
  return (
    <>
      <EmptyState title={quiet === null ? 'No alert is open' : `All quiet since ${sinceWhen(quiet)}`}>
        <p>An alert of the stack that fires appears here at once, and in the mail if it has one.</p>
      </EmptyState>
      <Before thing={thing} />
    </>
  );
}

export function Alerts() {
  const [state = '', thing = '', cursor = ''] = ['state', 'thing', 'cursor'].map(query);
  const alerts = useGet<AlertList>('/alerts', { state: state || 'open', thing, cursor, limit: kRows });
  const [chosen, choose] = useState<string | undefined>();
  const [act, setAct] = useState<Act | null>(null);
  useEffect(() => { if (alertChanges.value > 0) alerts.reload(); }, [alertChanges.value]);
  const list = alerts.data.value;
  const rows = list?.alerts ?? [];
  const at = rows.findIndex((item) => item.id === chosen);
  const item: AlertItem | undefined = rows[at];
  const move = (to: number) => {
    const next = rows[Math.max(0, Math.min(rows.length - 1, to))];
    if (!next) return;
    choose(next.id);
    for (const row of document.querySelectorAll<HTMLElement>('[data-alert]')) {
      if (row.dataset['alert'] === next.id) row.querySelector('a')?.focus();
    }
  };
  const start = (wanted: Act) => () => {
    if (!isAdmin.value) return;
    if (!item) move(0);
    else if (canDo(wanted, item)) setAct(wanted);
  };
  useKeys({
    j: () => move(at + 1), k: () => move(at - 1),
    a: start('acknowledge'), s: start('snooze'), r: start('resolve'),
  });
  return (
    <>
      <PageHead title={thing ? `Alerts of ${thing}` : 'Alerts'}>{thing && <a href="/alerts">Alerts of all things</a>}</PageHead>
      <Tabs label="Alerts by state" tabs={kTabs.map((tab) => ({
        href: withQuery('/alerts', { state: tab.state, thing }),
        text: tab.text,
        count: countOf(list, tab.counts),
        isCurrent: state === tab.state,
      }))} />
      {alerts.error.value && <ErrorState error={alerts.error.value} retry={alerts.reload} />}
      {!list && alerts.loading.value && <Loading />}
      {list && rows.length === 0 && <Empty state={state} thing={thing} list={list} />}
      {rows.length > 0 && (
        <Panel className="flush"><AlertRows alerts={rows} onChange={alerts.reload} chosen={chosen} onChoose={choose} /></Panel>
      )}
      {rows.length > 0 && isAdmin.value && (
        <p class="hint after wide-only"><kbd>j</kbd> <kbd>k</kbd> choose, <kbd>a</kbd> acknowledge, <kbd>s</kbd> snooze, <kbd>r</kbd> resolve</p>
      )}
      {list?.next != null && (
        <nav class="pager" aria-label="Pages of alerts">
          <Button onClick={() => navigate(withQuery(address.value, { cursor: list.next }))}>Next {plural(kRows, 'alert')}</Button>
        </nav>
      )}
      {act && item && <ActDialog item={item} act={act} onDone={alerts.reload} onClose={() => setAct(null)} />}
    </>
  );
}
