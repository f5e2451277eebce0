// panels/alert_pages.ts: all alerts that a panel may show. The server chooses by state and by thing;
// what is left to choose from has as many pages as it takes, up to kPagesMax.
import { get, type Query } from '../api';
import type { AlertItem, AlertList, AlertState } from '../documents';
import type { Drawn } from './marks';

export const kOpenStates: AlertState[] = ['firing', 'acknowledged', 'snoozed'];
const kThingsMax = 8; // named by a panel, and asked for one by one; of more, all are asked for
const kRows = 1000; // the server's most
const kPagesMax = 10; // of one question; whoever has more open alerts reads no panel
export const kSeenMax = kRows * kPagesMax;

export interface FoundAlerts {
  alerts: AlertItem[];
  isWhole: boolean; // false: there are more than kSeenMax
  quietSince: number | null;
}

export function isTyped(selector: string): boolean {
  return selector.startsWith('type:');
}

// The things that selectors name; null: a pattern or a type is among them, or there are none.
function thingsOf(of: string[]): string[] | null {
  if (of.length === 0 || of.some((selector) => selector.includes('*') || isTyped(selector))) return null;
  return [...new Set(of.map((selector) => selector.split('/')[0]!))];
}

// What selectors are about; `typed`: what those of types found.
export function drawnBy(of: string[], typed: Drawn[]): Drawn[] {
  const named = of.filter((selector) => !isTyped(selector)).map((selector) => {
    const [thing = '', field = '*'] = selector.split('/');
    return { thing, field };
  });
  return [...named, ...typed];
}

// The words of the API for these states; `all`: whatever their state is.
function wordsOf(states: Set<AlertState> | 'all'): string[] {
  if (states === 'all') return [states];
  const isAllOpen = kOpenStates.every((state) => states.has(state));
  const others = [...states].filter((state) => !isAllOpen || !kOpenStates.includes(state));
  return [...(isAllOpen ? ['open'] : []), ...others];
}

export function questionsOf(states: Set<AlertState> | 'all', of: string[]): Query[] {
  const named = thingsOf(of);
  const things = named !== null && named.length <= kThingsMax ? named : [undefined];
  return wordsOf(states).flatMap((state) => things.map((thing) => ({ state, thing })));
}

type Ask = (path: string, query: Query, signal: AbortSignal) => Promise<AlertList>;

// An alert that changes between two pages may be on both, or on none until it is asked again.
export async function fetchAlerts(questions: Query[], signal: AbortSignal, ask: Ask = get): Promise<FoundAlerts> {
  const found = new Map<string, AlertItem>();
  let isWhole = true;
  let quietSince: number | null = null;
  await Promise.all(questions.map(async (question) => {
    let cursor: string | null = null;
    for (let page = 0; page < kPagesMax; page += 1) {
      const list: AlertList = await ask('/alerts', { ...question, limit: kRows, cursor }, signal);
      for (const alert of list.alerts) found.set(alert.id, alert);
      quietSince = list.quiet_since;
      cursor = list.next;
      if (cursor === null) return;
    }
    isWhole = false;
  }));
  return { alerts: [...found.values()], isWhole, quietSince };
}
