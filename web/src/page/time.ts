// page/time.ts: the time that all panels of a page share: which span is seen, where the cursor
// stands, and in which zone.
//
// The address says it all: ?range=24h follows the clock, ?from=...&to=... is a zoom that lies
// still; the range stays beside it as the way back. Nothing of it: what the page's text says.
import { computed, signal, type ReadonlySignal } from '@preact/signals';
import { now, zone as shownZone } from '../format';
import { place, setQuery } from '../router';
import { viewerZone } from '../session';
import { parseRange, spanOf, spanParam, timeParam, zoomed, type Range, type Span } from '../time/range';
import { knownZone } from '../time/zone';

const kToUrlAfterMs = 250; // a wheel turns fast; the browser's history does not
const kWidthPx = 1200; // a step of the clock that nobody would see is not taken

function zoneOf(text: string): string {
  if (text === 'viewer') return viewerZone();
  return text !== 'site' && knownZone(text) ? text : shownZone.value;
}

export class PageTime {
  readonly view = signal<Span>({ from: 0, to: 1 });
  readonly cursor = signal<number | null>(null);
  readonly isZoomed = signal(false);
  readonly range = signal<Range>({ text: '24h', lasts: 864e5, fixed: null });
  readonly zone: ReadonlySignal<string>;
  private timer: ReturnType<typeof setTimeout> | undefined;

  // `zoneText`: "site" follows what the viewer chose in the header, "viewer" is the viewer's own
  // clock; or an IANA name.
  // `isApart`: the address says nothing about it.
  constructor(private readonly standard: string, private readonly zoneText: string, private readonly isApart = false) {
    this.zone = computed(() => zoneOf(zoneText));
    this.readAddress();
  }

  // Another range in the same zone, for a panel that keeps to its own.
  apart(range: string): PageTime {
    return new PageTime(range, this.zoneText, true);
  }

  // Does the window go on with the clock?
  readonly follows = computed(() => !this.isZoomed.value && this.range.value.lasts !== null);

  // What the address says now; called again when it changes.
  readAddress(): void {
    const query = this.isApart ? new URLSearchParams() : place.peek().query;
    const zone = this.zone.peek();
    const range = parseRange(query.get('range') ?? '', zone, now()) ?? parseRange(this.standard, zone, now());
    if (range && range.text !== this.range.peek().text) this.range.value = range;
    const zoom = spanParam(query.get('from') ?? '', query.get('to') ?? '');
    if (this.timer !== undefined) return; // our own zoom is on its way there
    this.isZoomed.value = zoom !== null;
    this.set(zoom ?? spanOf(this.range.peek(), now()));
  }

  // A range of the picker; false: it is none.
  choose(text: string): boolean {
    const range = parseRange(text, this.zone.peek(), now());
    if (!range) return false;
    this.cancel();
    if (!this.isApart) setQuery({ range: text === this.standard ? null : text, from: null, to: null });
    this.range.value = range;
    this.isZoomed.value = false;
    this.set(spanOf(range, now()));
    return true;
  }

  zoomTo(span: Span): void {
    this.isZoomed.value = true;
    this.set(span);
    clearTimeout(this.timer);
    if (this.isApart) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      const { from, to } = this.view.peek();
      setQuery({ from: timeParam(from), to: timeParam(to) });
    }, kToUrlAfterMs);
  }

  zoomAt(at: number, factor: number): void {
    this.zoomTo(zoomed(this.view.peek(), at, factor));
  }

  // Moves the window by a share of its length; to the right, not past now.
  pan(share: number): void {
    const { from, to } = this.view.peek();
    const by = Math.min((to - from) * share, Math.max(0, now() - to));
    this.zoomTo({ from: from + by, to: to + by });
  }

  reset(): void {
    this.cancel();
    if (!this.isApart) setQuery({ from: null, to: null });
    this.isZoomed.value = false;
    this.set(spanOf(this.range.peek(), now()));
  }

  // The clock went on: a window that follows it moves, by a pixel at least.
  tick(): void {
    if (!this.follows.peek()) return;
    const next = spanOf(this.range.peek(), now());
    if (next.to - this.view.peek().to >= (next.to - next.from) / kWidthPx) this.set(next);
  }

  cancel(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private set(span: Span): void {
    const old = this.view.peek();
    if (old.from !== span.from || old.to !== span.to) this.view.value = span;
  }
}

// What a panel knows of its page. `thing`: whose page it is, for $thing; null on other pages.
export interface PanelPage {
  time: PageTime;
  thing: string | null;
}
