// The newest values of a few fields, as they come; each is a signal, so that only its own text is
// drawn again.
import { signal, type Signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Scalar } from './documents';
import { live } from './live';

export interface Newest { value: Scalar; time: number }

// `selectors`: at most kFieldsMax are followed, as each costs the server something.
const kFieldsMax = 200;

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

export function useNewestValues(selectors: string[]): NewestValues {
  const values = useRef<NewestValues | null>(null);
  values.current ??= new NewestValues();
  const wanted = selectors.slice(0, kFieldsMax);
  useEffect(() => {
    if (wanted.length === 0) return undefined;
    const subscription = live.subscribe({ fields: wanted }, {
      onValues: (series) => {
        for (const { of, t, v } of series) {
          const time = t[t.length - 1];
          const value = v[v.length - 1];
          if (time !== undefined && value !== undefined) values.current?.take(of, { value, time });
        }
      },
      onReset: () => subscription.restart(null),
    });
    return () => subscription.close();
  }, [wanted.join(' ')]);
  return values.current;
}
