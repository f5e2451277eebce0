// What a chart draws: series fetched for the window and a screen on both sides, then live points.
//
// Seen at once, finer later: a zoom re-scales what is there; kSettleMs after the last move the finer
// points are fetched, and an older request is dropped. Nothing is ever blank on the way.
import { signal } from '@preact/signals';
import { asApiError, get, type ApiError } from '../api';
import type { FieldValue, Interval, LiveValues, Series, SeriesSet, Values } from '../documents';
import { now } from '../format';
import { live, type Subscription } from '../live';
import type { Span } from '../time/range';
import { append, gapMs, trimBefore, type Track } from './points';

export const kSettleMs = 100;
const kRetryMs = 5000;
const kAgainMs = 60_000; // a chart that is not live
const kLiveMax = 4000; // points that came live; then the server thins them out
const kFinerBy = 1.5; // a fetch that gains less is not worth it
const kPxMax = 4000;
const kSeriesMax = 40;

export interface Line extends Track {
  series: Series;
}

interface Loaded extends Span {
  msPerPx: number;
}

// Is a fetch due for `view` drawn `px` wide, when `loaded` is there? A view that reaches into the
// future needs nothing from there.
export function isDue(loaded: Loaded | null, view: Span, px: number, at: number): boolean {
  if (!loaded) return true;
  const to = Math.min(view.to, at);
  if (view.from < loaded.from || to > loaded.to) return true;
  return (view.to - view.from) / px < loaded.msPerPx / kFinerBy;
}

// The window, a screen before it and, as far as it has happened, a screen after it.
export function windowOf(view: Span, px: number, at: number): Loaded & { px: number } {
  const length = view.to - view.from;
  const from = Math.floor(view.from - length);
  const to = Math.ceil(Math.max(view.from + 1, Math.min(view.to + length, at)));
  const wide = Math.min(kPxMax, Math.max(1, Math.round((px * (to - from)) / length)));
  return { from, to, px: wide, msPerPx: (to - from) / wide };
}

export type Asked = Span & { px: number };
export type Source = (asked: Asked, signal: AbortSignal) => Promise<SeriesSet>;

// The points themselves, thinned out so that the picture stays the same.
export function pointsOf(of: string[]): Source {
  return ({ from, to, px }, signal) => get<SeriesSet>('/series', { of: of.join(','), from, to, px }, signal);
}

// One point an interval, at its start: `stat` of an hour, a day, ... A missing interval is a gap.
export function seriesOfIntervals(rows: Interval[], stat: string, names: FieldValue[]): Series[] {
  const byName = new Map<string, Series>();
  for (const row of rows) {
    let series = byName.get(row.of);
    if (!series) {
      const known = names.find(({ of }) => of === row.of);
      const [thing = '', field = ''] = row.of.split('/');
      series = {
        of: row.of, thing, field, name: known?.name ?? thing, t: [], v: [],
        // So many readings are no percent.
        unit: stat === 'count' ? '' : known?.unit ?? '', decimals: stat === 'count' ? 0 : known?.decimals ?? null,
      };
      byName.set(row.of, series);
    }
    const value = (row as unknown as Record<string, unknown>)[stat];
    series.t.push(row.start);
    series.v.push(typeof value === 'number' ? value : null);
  }
  return [...byName.values()];
}

export function intervalsOf(of: string[], every: string, stat: string, zone: () => string): Source {
  return async ({ from, to }, signal) => {
    const query = { of: of.join(','), every, from, to, zone: zone() };
    const [{ rows }, { seq, values }] = await Promise.all([
      get<{ rows: Interval[] }>('/intervals', query, signal),
      get<Values>('/values', { of: of.join(',') }, signal),
    ]);
    return { seq, from, to, series: seriesOfIntervals(rows, stat, values) };
  };
}

export class ChartData {
  readonly lines = signal<Line[] | null>(null);
  readonly error = signal<ApiError | null>(null);
  readonly changed = signal(0); // counts every change of points
  private loaded: Loaded | null = null;
  private pending: Loaded | null = null; // is on its way
  private wanted: { view: Span; px: number } | null = null;
  private abort: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private subscription: Subscription | null = null;
  private news: LiveValues[] = [];
  private frame = 0;
  private liveCount = 0;
  private askedAt = 0;
  private isStopped = false;

  // `source`: where a window's points come from.
  // `intervalOf`: the learned interval of a series, for gaps between live points.
  constructor(
    private readonly of: string[],
    private readonly source: Source,
    private readonly isLive: boolean,
    private readonly intervalOf: (of: string) => number | null,
  ) {}

  // The window that is seen. The first is fetched at once, others when the hand has come to rest.
  show(view: Span, px: number): void {
    this.wanted = { view, px };
    const known = this.pending ?? this.loaded;
    // What happened since a fetch came live; without that, new points are asked for seldom.
    if (known) known.to = Math.max(known.to, this.isLive ? now() : Math.min(now(), this.askedAt + kAgainMs));
    if (!isDue(known, view, px, now())) return;
    clearTimeout(this.timer);
    if (this.loaded === null && this.abort === null) void this.load();
    else this.timer = setTimeout(() => void this.load(), kSettleMs);
  }

  reload(): void {
    void this.load();
  }

  stop(): void {
    this.isStopped = true;
    clearTimeout(this.timer);
    cancelAnimationFrame(this.frame);
    this.abort?.abort();
    this.subscription?.close();
  }

  private async load(): Promise<void> {
    if (!this.wanted || this.isStopped) return;
    clearTimeout(this.timer);
    this.abort?.abort();
    const abort = new AbortController();
    this.abort = abort;
    this.askedAt = now();
    const { view, px } = this.wanted;
    const asked = windowOf(view, px, now());
    this.pending = asked;
    try {
      const answer = await this.source(asked, abort.signal);
      this.pending = null;
      this.take(answer, asked);
    } catch (reason) {
      if (abort.signal.aborted) return;
      this.pending = null;
      const error = asApiError(reason);
      this.error.value = error;
      if (error.status === 0 || error.status >= 500) this.timer = setTimeout(() => void this.load(), kRetryMs);
    }
  }

  private take(answer: SeriesSet, asked: Loaded): void {
    const lines = answer.series.slice(0, kSeriesMax).map((series) => ({ series, t: series.t, v: series.v }));
    this.loaded = asked;
    this.liveCount = 0;
    this.error.value = null;
    this.lines.value = lines;
    this.changed.value += 1;
    if (this.isLive) this.listen(answer.seq);
    // Moved on meanwhile?
    if (this.wanted) this.show(this.wanted.view, this.wanted.px);
  }

  private listen(seq: number): void {
    if (this.subscription) {
      this.subscription.restart(seq);
      return;
    }
    this.subscription = live.subscribe({ fields: this.of }, {
      onValues: (news) => {
        this.news.push(...news);
        this.frame ||= requestAnimationFrame(() => this.draw());
      },
      onReset: () => void this.load(),
    }, seq);
  }

  // Once per frame, however many points came.
  private draw(): void {
    this.frame = 0;
    const { loaded } = this;
    const lines = this.lines.peek();
    const news = this.news;
    this.news = [];
    if (!lines || !loaded) return;
    let isNew = false;
    for (const { of, t, v } of news) {
      const line = lines.find(({ series }) => series.of === of);
      if (!line) {
        isNew ||= lines.length < kSeriesMax && v.some((value) => typeof value === 'number');
        continue;
      }
      const gap = gapMs(this.intervalOf(of));
      t.forEach((time, i) => {
        const value = v[i];
        if (typeof value === 'number' && append(line, time, value, gap)) this.liveCount += 1;
      });
    }
    loaded.to = Math.max(loaded.to, now());
    if (this.wanted) {
      const { from, to } = this.wanted.view;
      const edge = from - (to - from);
      if (edge > loaded.from) {
        for (const line of lines) trimBefore(line, edge);
        loaded.from = edge;
      }
    }
    this.changed.value += 1;
    if ((isNew || this.liveCount > kLiveMax) && this.wanted) void this.load();
  }
}
