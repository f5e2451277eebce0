// The newest values of a few fields, as they come; each is a signal, so that only its own text is
// drawn again.
import { signal, type Signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { LiveValues, Scalar, ThingState } from './documents';
import { live } from './live';

export interface Newest { value: Scalar; time: number }

// `selectors`: at most kFieldsMax are followed, as each costs the server something.
const kFieldsMax = 200;
const kStatesMs = 250;

export class NewestValues {
  private values = new Map<string, Signal<Newest | null>>();

  of(selector: string): Signal<Newest | null> {
    let value = this.values.get(selector);
    if (!value) this.values.set(selector, (value = signal(null)));
    return value;
  }

  // What is older than what is known is dropped: a document may be slower than the live connection.
  take(selector: string, newest: Newest): void {
    const known = this.of(selector);
    if (known.peek() === null || newest.time >= (known.peek()?.time ?? 0)) known.value = newest;
  }
}

// What a series tells last: a reading that is none is told as null, and the good one before it counts.
export function newestIn({ t, v, state }: Pick<LiveValues, 't' | 'v' | 'state'>): Newest | null {
  for (let i = t.length - 1; i >= 0; i -= 1) {
    const value = v[i] ?? null;
    if (value !== null || state !== 'invalid') return { value, time: t[i]! };
  }
  return null;
}

// `onState` hears how each thing is that told something, once a while: whoever shows states knows
// whether to ask for them again.
export function useNewestValues(selectors: string[], onState?: (thing: string, state: ThingState) => void): NewestValues {
  const values = useRef<NewestValues | null>(null);
  const told = useRef(onState);
  told.current = onState;
  values.current ??= new NewestValues();
  const wanted = selectors.slice(0, kFieldsMax);
  useEffect(() => {
    if (wanted.length === 0) return undefined;
    const states = new Map<string, ThingState>();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const tell = () => {
      timer = undefined;
      for (const [thing, state] of states) told.current?.(thing, state);
      states.clear();
    };
    const subscription = live.subscribe({ fields: wanted }, {
      onValues: (series) => {
        for (const one of series) {
          const newest = newestIn(one);
          if (newest) values.current?.take(one.of, newest);
          states.set(one.of.slice(0, one.of.lastIndexOf('/')), one.state ?? 'ok');
        }
        timer ??= setTimeout(tell, kStatesMs);
      },
      onReset: () => subscription.restart(null),
    });
    return () => {
      clearTimeout(timer);
      subscription.close();
    };
  }, [wanted.join(' ')]);
  return values.current;
}
