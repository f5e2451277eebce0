// An `alerts` panel: what is open, worst and newest first, with the buttons to answer it.
import { useEffect, useState } from 'preact/hooks';
import { asApiError, get, post, type ApiError } from '../api';
import type { AlertItem, AlertList, AlertState, Panel } from '../documents';
import { moment, sinceWhen } from '../format';
import { MarkIcon, type Mark } from '../icons';
import { live, type Subscription } from '../live';
import type { PanelPage } from '../page/time';
import { isAdmin } from '../session';
import { Age } from '../ui/age';
import { announce } from '../ui/announce';
import { Button, ErrorState, StateMark, wordOfAlert } from '../ui/parts';
import { Outdated, PanelFrame, Waiting } from './frame';
import { fits, listOption, numberOption, textOption } from './options';

const kHeight = 120;
const kLimit = 20;
const kAgainMs = 60_000;
const kRetryMs = 5000;
const kSeverities: Record<string, number> = { critical: 0, warning: 1, info: 2 };

// Does an alert belong to a panel? `match`: words of which each must fit: "alert:level",
// "thing:tank-*", "condition:low"; a bare word is a thing's id. ("rule:" is an older "alert:".)
export function matches(alert: AlertItem, match: string, thing: string | null): boolean {
  return match.split(/\s+/).filter(Boolean).every((word) => {
    const at = word.indexOf(':');
    const what = at < 0 ? 'thing' : word.slice(0, at);
    const pattern = at < 0 ? word : word.slice(at + 1);
    if (what === 'alert' || what === 'rule') return fits(pattern, alert.alert);
    if (what === 'thing') return fits(pattern === '$thing' ? thing ?? '' : pattern, alert.thing);
    if (what === 'condition') return fits(pattern, alert.condition);
    if (what === 'severity') return fits(pattern, alert.severity);
    return true; // the server's checker names unknown words; here they hide nothing
  });
}

const kStateOrder: AlertState[] = ['firing', 'acknowledged', 'snoozed', 'pending', 'resolved', 'normal'];

// Unanswered first, then by severity, then the newest.
export function inOrder(alerts: AlertItem[]): AlertItem[] {
  const rank = (alert: AlertItem) => kStateOrder.indexOf(alert.state) * 10 + (kSeverities[alert.severity] ?? 1);
  return [...alerts].sort((a, b) => rank(a) - rank(b) || b.since - a.since);
}

// What is open, kept by id; an alert that came live replaces its older self or leaves.
export function withNews(alerts: AlertItem[], news: AlertItem[], states: Set<string>): AlertItem[] {
  const byId = new Map(alerts.map((alert) => [alert.id, alert]));
  for (const alert of news) {
    if (states.has(alert.state)) byId.set(alert.id, alert);
    else byId.delete(alert.id);
  }
  return [...byId.values()];
}

const kOpenStates = ['firing', 'acknowledged', 'snoozed'];

// "open" and "acked" are words of the page's language for states of the server.
function statesOf(panel: Panel): Set<string> {
  const words: Record<string, string[]> = { open: ['firing'], acked: ['acknowledged'] };
  const asked = listOption(panel, 'states').flatMap((word) => words[word] ?? [word]);
  return new Set(asked.length ? asked : kOpenStates);
}

function useAlerts(states: Set<string>) {
  const [list, setList] = useState<AlertList | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [round, setRound] = useState(0);
  const again = () => setRound((n) => n + 1);
  const key = [...states].sort().join();
  useEffect(() => {
    const abort = new AbortController();
    let subscription: Subscription | null = null;
    let timer = setTimeout(again, kAgainMs);
    const isOpen = [...states].every((state) => kOpenStates.includes(state));
    get<AlertList & { seq?: number }>('/alerts', { state: isOpen ? 'open' : 'all', limit: 200 }, abort.signal).then((answer) => {
      setList({ ...answer, alerts: answer.alerts.filter(({ state }) => states.has(state)) });
      setError(null);
      subscription = live.subscribe({ alerts: true }, {
        onAlerts: (news) => setList((old) => old && { ...old, alerts: withNews(old.alerts, news, states) }),
        onReset: again,
      }, answer.seq ?? null);
    }, (reason: unknown) => {
      if (abort.signal.aborted) return;
      setError(asApiError(reason));
      clearTimeout(timer);
      timer = setTimeout(again, kRetryMs);
    });
    return () => {
      abort.abort();
      clearTimeout(timer);
      subscription?.close();
    };
  }, [key, round]);
  const replace = (alert: AlertItem) => setList((old) => old && { ...old, alerts: withNews(old.alerts, [alert], states) });
  return { list, error, again, replace };
}

function markOf(alert: AlertItem): Mark {
  if (alert.condition === 'silent') return 'off';
  if (alert.condition === 'invalid') return 'faulty';
  return alert.severity === 'critical' ? 'bad' : 'warn';
}

const kSnoozes: [value: string, word: string][] = [['1h', '1 hour'], ['8h', '8 hours'], ['until_fixed', 'until fixed']];

function Answers({ alert, replace }: { alert: AlertItem; replace: (alert: AlertItem) => void }) {
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  if (!isAdmin.value || alert.state === 'normal') return null;
  const act = (verb: string, body: object, said: string) => {
    setBusy(true);
    setError(null);
    post<AlertItem>(`/alerts/${encodeURIComponent(alert.id)}/${verb}`, body).then((answer) => {
      replace(answer);
      announce(`${alert.name}: ${said}`);
    }, (reason: unknown) => setError(asApiError(reason))).finally(() => setBusy(false));
  };
  return (
    <span class="answers">
      {alert.state === 'firing' && (
        <Button small busy={isBusy} data-testid="acknowledge" aria-label={`Acknowledge: ${alert.text}`}
          onClick={() => act('acknowledge', {}, 'acknowledged')}>Acknowledge</Button>
      )}
      <select class="small" disabled={isBusy} aria-label={`Snooze: ${alert.text}`} value="" data-testid="snooze"
        onChange={(event) => {
          const chosen = event.currentTarget.value;
          event.currentTarget.value = '';
          if (chosen) act('snooze', { for: chosen }, 'snoozed');
        }}>
        <option value="">Snooze…</option>
        {kSnoozes.map(([value, word]) => <option key={value} value={value}>{word}</option>)}
      </select>
      {error && <span class="mistake" role="alert">{error.message}</span>}
    </span>
  );
}

function Row({ alert, replace }: { alert: AlertItem; replace: (alert: AlertItem) => void }) {
  const isAnswered = alert.state !== 'firing';
  const [mark, word] = wordOfAlert(alert.state);
  return (
    <li class="panel-alert" data-testid={`alert-${alert.id}`}>
      <span class={`alert-mark state ${markOf(alert)}`}><MarkIcon mark={markOf(alert)} size={14} /></span>
      <div class="panel-alert-text">
        <a href={`/alerts/${encodeURIComponent(alert.id)}`}>{alert.text}</a>
        <p class="now-small">
          <Age time={alert.since} way="since" />
          {isAnswered && <StateMark mark={mark} word={alert.state === 'snoozed' && alert.snoozed_until !== null
            ? `Snoozed until ${moment(alert.snoozed_until)}` : word} />}
          {alert.owner && <span>{alert.owner}</span>}
          {alert.flaps > 1 && <span>{alert.flaps} times</span>}
        </p>
        {alert.note && <p class="now-small">{alert.note}</p>}
      </div>
      <Answers alert={alert} replace={replace} />
    </li>
  );
}

export function AlertsPanel({ panel, page }: { panel: Panel; page: PanelPage }) {
  const states = statesOf(panel);
  const { list, error, again, replace } = useAlerts(states);
  const mine = inOrder((list?.alerts ?? []).filter((alert) => matches(alert, textOption(panel, 'match'), page.thing)));
  const limit = numberOption(panel, 'limit') ?? kLimit;
  return (
    <PanelFrame panel={panel} title="Open alerts" aside={<a href="/alerts">All alerts</a>}>
      {!list && !error && <Waiting height={kHeight} />}
      {!list && error && <ErrorState error={error} retry={again} />}
      {list && mine.length === 0 && (
        <p class="panel-quiet"><MarkIcon mark="good" />
          {textOption(panel, 'empty') || (list.alerts.length === 0 && list.quiet_since !== null
            ? `All quiet since ${sinceWhen(list.quiet_since)}` : 'Nothing is open')}</p>
      )}
      {mine.length > 0 && <ul class="panel-alerts">{mine.slice(0, limit).map((alert) => <Row key={alert.id} alert={alert} replace={replace} />)}</ul>}
      {mine.length > limit && <p class="more"><a href="/alerts">{mine.length - limit} more</a></p>}
      {list && error && <Outdated error={error} retry={again} />}
    </PanelFrame>
  );
}
