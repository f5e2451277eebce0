// What a value means: near full, near empty, between, or nothing at all. Pure, so that one place
// decides what thumbs, chips, drums and bars say.
import type { FieldValue, ThingState } from '../documents';
import type { IconName, Mark } from '../icons';
import { gapMs } from './points';

export type Level = 'low' | 'high' | 'between' | 'silent' | 'invalid' | 'never';

export interface Limits {
  low: number | null;
  high: number | null;
}

// The page's own limits win over those of the alert on this field.
export function limitsOf(value: FieldValue, low: number | null, high: number | null): Limits {
  return { low: low ?? value.limits?.low ?? null, high: high ?? value.limits?.high ?? null };
}

// The server's word, or the page's own: three learned intervals without a reading are silence, also
// while the connection is lost. `staleMs`: a time the page asks for instead.
export function stateOf(value: Pick<FieldValue, 'time' | 'state' | 'interval_ms'>, at: number, staleMs: number | null = null): ThingState {
  if (value.time === null) return value.state === 'invalid' ? 'invalid' : 'never';
  if (value.state !== 'ok') return value.state;
  const patience = staleMs ?? (value.interval_ms === null ? null : gapMs(value.interval_ms));
  return patience !== null && at - value.time > patience ? 'silent' : 'ok';
}

// At a limit counts as beyond it: 20 % is nearly empty, 80 % nearly full.
export function levelOf(value: Pick<FieldValue, 'value'>, state: ThingState, limits: Limits): Level {
  if (state !== 'ok') return state;
  if (value.value === null) return 'never';
  if (typeof value.value !== 'number') return 'between';
  if (limits.low !== null && value.value <= limits.low) return 'low';
  if (limits.high !== null && value.value >= limits.high) return 'high';
  return 'between';
}

export interface Verdict {
  mark: Mark | undefined;
  word: string;
  thumb: IconName | null;
}

// `isFill`: a level between empty and full; other fields are just low or high.
// Silence has no word here: its length ticks beside it.
export function verdictOf(level: Level, isFill: boolean): Verdict {
  switch (level) {
    case 'low':
      return { mark: 'warn', word: isFill ? 'Nearly empty' : 'Low', thumb: 'down' };
    case 'high':
      return { mark: 'warn', word: isFill ? 'Nearly full' : 'High', thumb: 'up' };
    case 'between':
      return { mark: undefined, word: isFill ? 'In between' : 'Fine', thumb: null };
    case 'silent':
      return { mark: 'off', word: 'Silent', thumb: null };
    case 'invalid':
      return { mark: 'faulty', word: 'Invalid reading', thumb: null };
    case 'never':
      return { mark: 'off', word: 'No reading yet', thumb: null };
  }
}

// How full a drum or bar is drawn, 0 to 1; null when there is no level to draw. Never a full drum
// from no data.
export function fillOf(value: FieldValue, state: ThingState, min: number, max: number): number | null {
  if (state !== 'ok' || typeof value.value !== 'number' || max <= min) return null;
  return Math.min(1, Math.max(0, (value.value - min) / (max - min)));
}
