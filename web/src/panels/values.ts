// The newest values of some selectors, fetched once and then live.
import { useSignal, type ReadonlySignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { asApiError, get, type ApiError } from '../api';
import type { FieldValue, LiveValues, Values } from '../documents';
import { live, type Subscription } from '../live';
import type { Span } from '../time/range';

const kAgainMs = 60_000; // states that no value tells (silence, invalid readings) are asked for
const kAlsoMax = 50; // more tiles than that show their small fields as fetched, not live
const kRetryMs = 5000;
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
      const isNewer = time !== undefined && value !== undefined && (old.time === null || time >= old.time);
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
    if (value !== undefined) values[i] = { ...big, also: { ...big.also, [field]: { ...small, value } } };
  });
  return isTaken;
}

// What a subscription asks for: the selectors, and the small fields of few tiles.
export function wanted(of: string[], values: FieldValue[]): string[] {
  const small = values.length > kAlsoMax ? [] : values.flatMap((value) =>
    Object.keys(value.also ?? {}).map((field) => `${value.thing}/${field}`));
  return [...new Set([...of, ...small])];
}

class Follower {
  private abort: AbortController | null = null;
  private subscription: Subscription | null = null;
  private subscribed = '';
  private news: LiveValues[] = [];
  private frame = 0;
  private loadedAt = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly of: string[],
    private readonly stats: Span | null,
    private readonly show: (values: FieldValue[]) => void,
    private readonly fail: (error: ApiError) => void,
    private readonly shown: () => FieldValue[] | null,
  ) {}

  async load(): Promise<void> {
    clearTimeout(this.timer);
    this.abort?.abort();
    const abort = new AbortController();
    this.abort = abort;
    this.loadedAt = Date.now();
    const span = this.stats && { from: Math.round(this.stats.from), to: Math.round(this.stats.to), stats: 1 };
    try {
      const answer = await get<Values>('/values', { of: this.of.join(','), ...(span ?? {}) }, abort.signal);
      this.show(answer.values);
      this.listen(answer.values, answer.seq);
      this.timer = setTimeout(() => void this.load(), kAgainMs);
    } catch (reason) {
      if (abort.signal.aborted) return;
      const error = asApiError(reason);
      this.fail(error);
      if (error.status === 0 || error.status >= 500) this.timer = setTimeout(() => void this.load(), kRetryMs);
    }
  }

  stop(): void {
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
    const old = this.shown();
    const news = this.news;
    this.news = [];
    const next = old && merged(old, news);
    if (next) {
      this.show(next);
      return;
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.load(), Math.max(0, this.loadedAt + kNewThingsMs - Date.now()));
  }
}

// `stats`: a span whose statistics each value shall carry.
export function useValues(of: string[], stats: Span | null = null): LiveSet {
  const values = useSignal<FieldValue[] | null>(null);
  const error = useSignal<ApiError | null>(null);
  const round = useSignal(0);
  const key = of.join();
  const spanKey = stats ? `${stats.from} ${stats.to}` : '';
  const again = round.value;
  useEffect(() => {
    if (of.length === 0) {
      values.value = [];
      return undefined;
    }
    const follower = new Follower(of, stats,
      (next) => { values.value = next; error.value = null; },
      (reason) => { error.value = reason; },
      () => values.peek());
    void follower.load();
    return () => follower.stop();
  }, [key, spanKey, again]);
  return { values, error, reload: () => { round.value += 1; } };
}
