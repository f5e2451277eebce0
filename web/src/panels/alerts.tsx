// An `alerts` panel: what is open, the unanswered and newest first, with the buttons to answer it.
import { useEffect, useMemo } from 'preact/hooks';
import { useGet } from '../api';
import type { AlertItem, AlertList, AlertState, FieldValue, Panel } from '../documents';
import { sinceWhen } from '../format';
import { MarkIcon } from '../icons';
import type { PanelPage } from '../page/time';
import { alertChanges } from '../store';
import { ErrorState } from '../ui/parts';
import { AlertRows } from '../views/alert_rows';
import { Outdated, PanelFrame, Waiting } from './frame';
import { concerns } from './marks';
import { forThing, listOption, numberOption, textOption } from './options';
import { useValues } from './values';

const kHeight = 120;
const kLimit = 20;
const kFetchMax = 200;
const kOpenStates: AlertState[] = ['firing', 'acknowledged', 'snoozed'];
const kStateOrder: AlertState[] = ['firing', 'acknowledged', 'snoozed', 'pending', 'resolved', 'normal'];
const kSeverities: Record<string, number> = { critical: 0, warning: 1, info: 2 };

// Unanswered first, then by severity, then the newest.
export function inOrder(alerts: AlertItem[]): AlertItem[] {
  const rank = (alert: AlertItem) => kStateOrder.indexOf(alert.state) * 10 + (kSeverities[alert.severity] ?? 1);
  return [...alerts].sort((a, b) => rank(a) - rank(b) || b.since - a.since);
}

// `states` of the page's text, where "open" is all that is not over.
export function statesOf(asked: string[]): Set<AlertState> {
  const states = asked.flatMap((word) => (word === 'open' ? kOpenStates : [word as AlertState]));
  return new Set(states.length ? states : kOpenStates);
}

// Those of `alerts` that a panel shows; `drawn`: what its selectors found, null: it has none.
export function chosen(alerts: AlertItem[], states: Set<AlertState>, drawn: Pick<FieldValue, 'thing' | 'field'>[] | null): AlertItem[] {
  return inOrder(alerts.filter((alert) => states.has(alert.state) && (drawn === null || concerns(alert, drawn))));
}

export function AlertsPanel({ panel, page }: { panel: Panel; page: PanelPage }) {
  const of = useMemo(() => forThing(listOption(panel, 'of'), page.thing), [panel, page]);
  const states = statesOf(listOption(panel, 'states'));
  const isOpen = [...states].every((state) => kOpenStates.includes(state));
  const alerts = useGet<AlertList>('/alerts', { state: isOpen ? 'open' : 'all', limit: kFetchMax });
  const values = useValues(of).values.value;
  useEffect(() => { if (alertChanges.value > 0) alerts.reload(); }, [alertChanges.value]);
  const list = alerts.data.value;
  const error = alerts.error.value;
  const mine = list && values && chosen(list.alerts, states, of.length ? values : null);
  const limit = numberOption(panel, 'limit') ?? kLimit;
  return (
    <PanelFrame panel={panel} title={isOpen ? 'Open alerts' : 'Alerts'} aside={<a href="/alerts">All alerts</a>}>
      {!mine && !error && <Waiting height={kHeight} />}
      {!mine && error && <ErrorState error={error} retry={alerts.reload} />}
      {mine?.length === 0 && (
        <p class="panel-quiet"><MarkIcon mark="good" />
          {textOption(panel, 'empty') || (list?.alerts.length === 0 && list.quiet_since !== null
            ? `All quiet since ${sinceWhen(list.quiet_since)}` : 'Nothing is open')}</p>
      )}
      {mine && mine.length > 0 && <AlertRows alerts={mine.slice(0, limit)} onChange={alerts.reload} />}
      {mine && mine.length > limit && <p class="more"><a href="/alerts">{mine.length - limit} more</a></p>}
      {mine && error && <Outdated error={error} retry={alerts.reload} />}
    </PanelFrame>
  );
}
