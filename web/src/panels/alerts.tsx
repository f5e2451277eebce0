// An `alerts` panel: what is open, the unanswered and newest first, with the buttons to answer it.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { asApiError, type ApiError, type Query } from '../api';
import type { AlertItem, AlertState, Panel } from '../documents';
import { count, sinceWhen } from '../format';
import { MarkIcon } from '../icons';
import type { PanelPage } from '../page/time';
import { alertChanges } from '../store';
import { ErrorState } from '../ui/parts';
import { AlertRows } from '../views/alert_rows';
import { drawnBy, fetchAlerts, isTyped, kOpenStates, kSeenMax, questionsOf, type FoundAlerts } from './alert_pages';
import { Outdated, PanelFrame, Waiting } from './frame';
import { concerns, type Drawn } from './marks';
import { forThing, listOption, numberOption, textOption } from './options';
import { useValues } from './values';

const kHeight = 120;
const kLimit = 20;
const kAgainMs = 500;
const kRestPerWork = 4; // of what an answer took the server, so that a storm of alerts is not one of questions
const kRetryMs = 5000;
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

// Those of `alerts` that a panel shows; `drawn`: what its selectors are about, null: it has none.
export function chosen(alerts: AlertItem[], states: Set<AlertState>, drawn: Drawn[] | null): AlertItem[] {
  return inOrder(alerts.filter((alert) => states.has(alert.state) && (drawn === null || concerns(alert, drawn))));
}

interface Finding { found: FoundAlerts | null; error: ApiError | null; reload: () => void }

// What `questions` find, asked again when an alert changed. In a storm each answer is waited for, and
// then some time.
function useAlerts(questions: Query[]): Finding {
  const [found, setFound] = useState<FoundAlerts | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const ask = useRef<() => void>(() => undefined);
  useEffect(() => {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isBusy = false;
    let isAskedAgain = false;
    const load = async () => {
      let again = kAgainMs;
      const asked = performance.now();
      isBusy = true;
      isAskedAgain = false;
      try {
        setFound(await fetchAlerts(questions, abort.signal));
        setError(null);
        again = Math.max(again, kRestPerWork * (performance.now() - asked));
      } catch (reason) {
        const failure = asApiError(reason);
        if (!abort.signal.aborted) setError(failure);
        isAskedAgain ||= failure.status === 0;
        again = kRetryMs;
      }
      if (abort.signal.aborted) return;
      timer = setTimeout(() => {
        isBusy = false;
        if (isAskedAgain) void load();
      }, again);
    };
    ask.current = () => {
      if (isBusy) isAskedAgain = true;
      else void load();
    };
    void load();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [JSON.stringify(questions)]);
  useEffect(() => { if (alertChanges.value > 0) ask.current(); }, [alertChanges.value]);
  return { found, error, reload: () => ask.current() };
}

// Says no more than was looked at.
export function emptyWords({ alerts, isWhole, quietSince }: FoundAlerts, own: string): string {
  if (!isWhole) return `None among the first ${count(kSeenMax)} alerts`;
  if (own) return own;
  return alerts.length === 0 && quietSince !== null ? `All quiet since ${sinceWhen(quietSince)}` : 'Nothing is open';
}

export function AlertsPanel({ panel, page }: { panel: Panel; page: PanelPage }) {
  const of = useMemo(() => forThing(listOption(panel, 'of'), page.thing), [panel, page]);
  const states = statesOf(listOption(panel, 'states'));
  const isOpen = [...states].every((state) => kOpenStates.includes(state));
  const { found, error: failure, reload } = useAlerts(questionsOf(states, of));
  const typed = useValues(useMemo(() => of.filter(isTyped), [of]));
  const error = failure ?? typed.error.value;
  const values = typed.values.value;
  const isOfAll = of.length === 0;
  const key = values?.map((value) => value.of).join();
  // Not whenever a value comes.
  const mine = useMemo(() => found && values && chosen(found.alerts, states, isOfAll ? null : drawnBy(of, values)),
    [found, panel, of, key]);
  const limit = numberOption(panel, 'limit') ?? kLimit;
  return (
    <PanelFrame panel={panel} title={isOpen ? 'Open alerts' : 'Alerts'} aside={<a href="/alerts">All alerts</a>}>
      {!mine && !error && <Waiting height={kHeight} />}
      {!mine && error && <ErrorState error={error} retry={reload} />}
      {found && mine?.length === 0 && (
        <p class="panel-quiet">{found.isWhole && <MarkIcon mark="good" />}{emptyWords(found, textOption(panel, 'empty'))}</p>
      )}
      {mine && mine.length > 0 && <AlertRows alerts={mine.slice(0, limit)} onChange={reload} />}
      {mine && mine.length > limit && <p class="more"><a href="/alerts">{count(mine.length - limit)} more</a></p>}
      {found && mine && mine.length > 0 && !found.isWhole && <p class="hint">Among the first {count(kSeenMax)} alerts.</p>}
      {mine && error && <Outdated error={error} retry={reload} />}
    </PanelFrame>
  );
}
