// The newest values of some selectors, fetched once and then live.
import { signal, type ReadonlySignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { asApiError, get, type ApiError } from '../api';
import type { FieldValue, LiveValues, Values } from '../documents';
import { live, type Subscription } from '../live';
import type { Span } from '../time/range';

const kAgainMs = 60_000; // states that no value tells (silence, invalid readings) are asked for
const kAlsoMax = 50; // more tiles than that show their small fields as fetched, not live
const kRetryMs = 5000;
const kKeptMs = 20_000;
const kNewThingsMs = 2000; // a thousand things that appear at once are fetched as one

export interface LiveSet {
  values: ReadonlySignal<FieldValue[] | null>;
  error: ReadonlySignal<ApiError | null>;
  reload(): void;
}

// `values` with what came live; null: something came that is not among them (a new thing).
export function merged(values: FieldValue[], news: LiveValues[]): FieldValue[] | null {
  const byName = new Map(values.map((value, i) => [value.of, i]));
  const next = [...values];
  let isNew = false;
  for (const { of, t, v, state } of news) {
    const i = byName.get(of);
    const time = t[t.length - 1];
    const value = v[v.length - 1];
    if (i !== undefined) {
      const old = next[i]!;
      // A refused reading is told without a value: the last good one stays, with its age.
      const isReading = time !== undefined && value !== undefined && value !== null;
      const isNewer = isReading && (old.time === null || time >= old.time);
      // A sound value ends silence and doubt; a state alone leaves the value as it is.
      next[i] = isNewer ? { ...old, value, time, state: state ?? 'ok' } : { ...old, state: state ?? old.state };
    }
    const isSmall = alsoTakes(next, of, value);
    if (i === undefined && !isSmall) isNew = true;
  }
  return isNew ? null : next;
}

// The small fields beside a value: 75 cm beside 15.73 %.
function alsoTakes(values: FieldValue[], of: string, value: FieldValue['value'] | undefined): boolean {
  let isTaken = false;
  values.forEach((big, i) => {
    const field = of.startsWith(`${big.thing}/`) ? of.slice(big.thing.length + 1) : null;
    const small = field === null ? undefined : big.also?.[field];
    if (field === null || !small) return;
    isTaken = true;
    if (value !== undefined && value !== null) values[i] = { ...big, also: { ...big.also, [field]: { ...small, value } } };
  });
  return isTaken;
}

// What a subscription asks for: the selectors, and the small fields of few tiles.
export function wanted(of: string[], values: FieldValue[]): string[] {
  const small = values.length > kAlsoMax ? [] : values.flatMap((value) =>
    Object.keys(value.also ?? {}).map((field) => `${value.thing}/${field}`));
  return [...new Set([...of, ...small])];
}

// One for all panels of a page that ask for the same; kept a moment after the last one left, so
// that going back to a page shows it at once.
class Follower implements LiveSet {
  readonly values = signal<FieldValue[] | null>(null);
  readonly error = signal<ApiError | null>(null);
  private users = 0;
  private abort: AbortController | null = null;
  private subscription: Subscription | null = null;
  private subscribed = '';
  private news: LiveValues[] = [];
  private frame = 0;
  private loadedAt = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private farewell: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly key: string, private readonly of: string[], private readonly stats: Span | null) {}

  enter(): void {
    clearTimeout(this.farewell);
    this.users += 1;
    if (this.users === 1 && !this.subscription) void this.load();
  }

  leave(): void {
    this.users -= 1;
    if (this.users === 0) this.farewell = setTimeout(() => this.stop(), kKeptMs);
  }

  reload(): void {
    void this.load();
  }

  private async load(): Promise<void> {
    clearTimeout(this.timer);
    this.abort?.abort();
    const abort = new AbortController();
    this.abort = abort;
    this.loadedAt = Date.now();
    const span = this.stats && { from: Math.round(this.stats.from), to: Math.round(this.stats.to), stats: 1 };
    try {
      const answer = await get<Values>('/values', { of: this.of.join(','), ...(span ?? {}) }, abort.signal);
      this.values.value = answer.values;
      this.error.value = null;
      this.listen(answer.values, answer.seq);
      this.timer = setTimeout(() => void this.load(), kAgainMs);
    } catch (reason) {
      if (abort.signal.aborted) return;
      const error = asApiError(reason);
      this.error.value = error;
      if (error.status === 0 || error.status >= 500) this.timer = setTimeout(() => void this.load(), kRetryMs);
    }
  }

  private stop(): void {
    followers.delete(this.key);
    clearTimeout(this.timer);
    cancelAnimationFrame(this.frame);
    this.abort?.abort();
    this.subscription?.close();
  }

  private listen(values: FieldValue[], seq: number): void {
    const fields = wanted(this.of, values);
    if (this.subscription && this.subscribed === fields.join()) {
      this.subscription.restart(seq);
      return;
    }
    this.subscription?.close();
    this.subscribed = fields.join();
    this.subscription = live.subscribe({ fields }, {
      onValues: (news) => {
        this.news.push(...news);
        this.frame ||= requestAnimationFrame(() => this.draw());
      },
      onReset: () => void this.load(),
    }, seq);
  }

  private draw(): void {
    this.frame = 0;
    const old = this.values.peek();
    const news = this.news;
    this.news = [];
    const next = old && merged(old, news);
    if (next) {
      this.values.value = next;
      return;
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.load(), Math.max(0, this.loadedAt + kNewThingsMs - Date.now()));
  }
}

const followers = new Map<string, Follower>();
const kNone: LiveSet = { values: signal([]), error: signal(null), reload: () => undefined };

// `stats`: a span whose statistics each value shall carry.
export function useValues(of: string[], stats: Span | null = null): LiveSet {
  const key = of.length === 0 ? '' : `${of.join()} ${stats ? `${stats.from} ${stats.to}` : ''}`;
  const set = useMemo(() => {
    if (!key) return kNone;
    const follower = followers.get(key) ?? new Follower(key, of, stats);
    followers.set(key, follower);
    return follower;
  }, [key]);
  useEffect(() => {
    if (!(set instanceof Follower)) return undefined;
    set.enter();
    return () => set.leave();
  }, [set]);
  return set;
}
