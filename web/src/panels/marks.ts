// Alert marks on a chart: when something was wrong with what is drawn, from the alerts' histories.
import { get } from '../api';
import type { AlertItem, AlertList, AlertState, AlertStory } from '../documents';

const kAlertsMax = 24; // the newest; a chart with more marks than that says nothing

export interface AlertMark {
  from: number;
  to: number | null; // null: it lasts
  thing: string;
  condition: AlertItem['condition'];
  text: string;
}

const kOpen = new Set<AlertState>(['firing', 'acknowledged', 'snoozed', 'resolved']);

// The spans of one alert's history (any order): from firing until it was normal again. What people
// do meanwhile (acknowledge, snooze, resolve) does not end the condition.
export function marksOf(story: Pick<AlertStory, 'thing' | 'condition' | 'text' | 'history'>): AlertMark[] {
  const marks: AlertMark[] = [];
  let since: number | null = null;
  const { thing, condition, text } = story;
  for (const { time, state } of [...story.history].sort((a, b) => a.time - b.time)) {
    if (kOpen.has(state)) since ??= time;
    else if (since !== null && state === 'normal') {
      marks.push({ from: since, to: time, thing, condition, text });
      since = null;
    }
  }
  if (since !== null) marks.push({ from: since, to: null, thing, condition, text });
  return marks;
}

// A field of a thing; `*` is any run of characters.
export interface Drawn { thing: string; field: string }

function fits(pattern: string, text: string): boolean {
  if (!pattern.includes('*')) return pattern === text;
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(text);
}

// Does an alert concern one of the drawn fields? Silence and doubt concern all of a thing's.
export function concerns(alert: AlertItem, drawn: Drawn[]): boolean {
  return drawn.some(({ thing, field }) =>
    fits(thing, alert.thing) && (fits(field, alert.field) || !alert.field || alert.field === '*'
      || alert.condition === 'silent' || alert.condition === 'invalid'));
}

export async function fetchMarks(drawn: Drawn[], signal: AbortSignal): Promise<AlertMark[]> {
  const things = [...new Set(drawn.map(({ thing }) => thing))];
  // One request for few things each, one for all of them otherwise.
  const lists = await Promise.all((things.length <= 4 ? things : [undefined]).map((thing) =>
    get<AlertList>('/alerts', { state: 'all', thing, limit: 200 }, signal)));
  const alerts = lists.flatMap((list) => list.alerts).filter((alert) => concerns(alert, drawn))
    .sort((a, b) => b.changed - a.changed).slice(0, kAlertsMax);
  const stories = await Promise.all(alerts.map((alert) =>
    get<AlertStory>(`/alerts/${encodeURIComponent(alert.id)}`, {}, signal)));
  return stories.flatMap(marksOf);
}

// The marks at a time, for the readout.
export function marksAt(marks: AlertMark[], time: number): AlertMark[] {
  return marks.filter(({ from, to }) => time >= from && (to === null || time <= to));
}
