// The canvas of a chart: uPlot with our own time axis (time/zone.ts; never its tzDate), and labels
// at the ends of lines. What is drawn over and under the lines is in plot_ink.ts, mouse, wheel and
// touch in plot_hands.ts.
//
// Colours come from the page's tokens when something is drawn, so that light and dark are one code.
import uPlot from 'uplot';
import { number, quantity } from '../format';
import { stepFor, tickLabels, ticksOf } from '../time/zone';
import type { Span } from '../time/range';
import type { Line as Limit } from './options';
import { align, boundsOf, type Track } from './points';
import type { AlertMark } from './marks';
import { listenTo, type PlotHands } from './plot_hands';
import { drawLimits, drawMarks, halo, kBold, kFont, scaled, withAlpha } from './plot_ink';

const kColours = 8;
const kDashes = [[6, 4], [2, 3], [10, 3, 2, 3], [4, 2]];
const kLabelGapPx = 16;
const kEdgePx = 20; // half of a time below the axis has room
const kDirectMax = 4; // labels at line ends; more are a legend
const kDirectMinPx = 560;
const kTickPx = 64;

export type Draw = 'line' | 'step' | 'points' | 'area' | 'bars';

export interface PlotLine extends Track {
  name: string;
  unit: string;
  decimals: number | null;
}

export interface PlotLook {
  draw: Draw;
  joinsGaps: boolean;
  limits: Limit[];
  bounds: { min: number | null; max: number | null };
  zone: string;
  lastLabel: boolean;  // the last value beside the name at the line's end
}

export function colourName(i: number, count: number): string {
  return count > kColours ? '--ink-3' : `--s${(i % kColours) + 1}`;
}

// Which of two axes a unit belongs to: the first one met is the left one.
export function scaleOf(lines: { unit: string }[], i: number): 'y' | 'y2' {
  return lines[i]!.unit === lines[0]!.unit ? 'y' : 'y2';
}

// Labels pushed apart until none covers another, in the order they stand in; all stay within
// [top, bottom] as far as there is room.
export function spread(wanted: number[], gap: number, top: number, bottom: number): number[] {
  const order = wanted.map((y, i) => ({ y: Math.min(bottom, Math.max(top, y)), i })).sort((a, b) => a.y - b.y);
  order.forEach((label, k) => {
    if (k > 0) label.y = Math.max(label.y, order[k - 1]!.y + gap);
  });
  for (let k = order.length - 1, limit = bottom; k >= 0; k -= 1) {
    const label = order[k]!;
    label.y = Math.min(label.y, limit);
    limit = label.y - gap;
  }
  const placed: number[] = [];
  for (const { y, i } of order) placed[i] = y;
  return placed;
}

export class Plot {
  private readonly plot: uPlot;
  private readonly observer: ResizeObserver;
  private readonly styles: CSSStyleDeclaration;
  private marks: AlertMark[] = [];
  private isMovingCursor = false;
  private view: Span;

  constructor(
    private readonly box: HTMLElement,
    private lines: PlotLine[],
    view: Span,
    private look: PlotLook,
    private readonly hands: PlotHands,
    private readonly resized: () => void,
  ) {
    this.view = view;
    this.styles = getComputedStyle(document.documentElement);
    this.plot = new uPlot(this.options(), align(lines) as uPlot.AlignedData, box);
    this.observer = new ResizeObserver(() => this.fit());
    this.observer.observe(box);
    listenTo(box, this.plot.over, this.hands, (x) => this.plot.posToVal(x, 'x'));
    void document.fonts?.ready.then(() => this.plot.redraw(false, true));
  }

  get widthPx(): number {
    return Math.max(1, this.plot.bbox.width / devicePixelRatio);
  }

  // New points of the same lines.
  setPoints(lines: PlotLine[]): void {
    this.lines = lines;
    this.plot.setData(align(lines) as uPlot.AlignedData, false);
    this.plot.redraw(); // by itself it would wait until the view moves: on a week, for minutes
  }

  setView(view: Span): void {
    this.view = view;
    this.plot.setScale('x', { min: view.from, max: view.to });
  }

  setMarks(marks: AlertMark[]): void {
    this.marks = marks;
    this.plot.redraw(false, false);
  }

  setZone(zone: string): void {
    this.look = { ...this.look, zone };
    this.plot.redraw(false, true);
  }

  redraw(): void {
    this.plot.redraw(false, true);
  }

  setCursor(time: number | null): void {
    this.isMovingCursor = true;
    const isSeen = time !== null && time >= this.view.from && time <= this.view.to;
    this.plot.setCursor(isSeen
      ? { left: this.plot.valToPos(time, 'x'), top: this.plot.over.clientHeight / 2 }
      : { left: -10, top: -10 }, false);
    this.isMovingCursor = false;
  }

  // Brings one line to the front; null: all of them again.
  focus(i: number | null): void {
    this.plot.setSeries(i === null ? null : i + 1, { focus: i !== null }, false);
  }

  toggle(i: number, show: boolean): void {
    this.plot.setSeries(i + 1, { show }, false);
  }

  destroy(): void {
    this.observer.disconnect();
    this.plot.destroy();
  }

  private colour(name: string): string {
    return this.styles.getPropertyValue(name).trim() || '#888';
  }

  private isDirect(): boolean {
    return this.lines.length <= kDirectMax && this.box.clientWidth >= kDirectMinPx;
  }

  private size(): { width: number; height: number } {
    return { width: Math.max(120, this.box.clientWidth), height: Math.max(120, this.box.clientHeight) };
  }

  private fit(): void {
    if (this.box.clientWidth === 0) return;  // put away, as when its table is shown: no size to fit
    const { width, height } = this.size();
    if (width === this.plot.width && height === this.plot.height) return;
    this.plot.setSize({ width, height });
    this.resized();
  }

  private options(): uPlot.Options {
    const { lines } = this;
    const hasRight = lines.some((_, i) => scaleOf(lines, i) === 'y2');
    return {
      ...this.size(),
      ms: 1,
      legend: { show: false },
      padding: [10, (plot) => (this.isDirect() && !hasRight ? this.labelWidth(plot.ctx) : kEdgePx), 0, 0],
      focus: { alpha: 0.25 },
      cursor: {
        drag: { x: true, y: false, setScale: false },
        points: { size: 7 },
        y: false,
        dataIdx: (_, __, closest) => closest,
      },
      scales: {
        x: { time: false, range: () => [this.view.from, this.view.to] },
        y: { range: () => this.range('y') },
        y2: { range: () => this.range('y2') },
      },
      axes: [this.timeAxis(), this.valueAxis('y'), ...(hasRight ? [this.valueAxis('y2')] : [])],
      series: [{}, ...lines.map((_, i) => this.series(i))],
      hooks: {
        drawAxes: [() => drawMarks(this.plot, this.marks, (name) => this.colour(name))],
        draw: [
          () => drawLimits(this.plot, this.look.limits, (name) => this.colour(name)),
          () => this.drawLabels(),
        ],
        setCursor: [() => this.hovered()],
        setSelect: [() => this.selected()],
      },
    };
  }

  private range(scale: 'y' | 'y2'): [number, number] {
    const lines = this.lines.filter((_, i) => scaleOf(this.lines, i) === scale);
    const limits = scale === 'y' ? this.look.limits.map(({ at }) => at) : [];
    const [low, high] = boundsOf(lines, this.view.from, this.view.to, lines[0]?.unit ?? '', limits);
    const { min, max } = this.look.bounds;
    return scale === 'y' ? [min ?? low, Math.max(max ?? high, (min ?? low) + 1e-9)] : [low, high];
  }

  private timeAxis(): uPlot.Axis {
    const step = (plot: uPlot) =>
      stepFor(this.view.to - this.view.from, plot.bbox.width / devicePixelRatio, kTickPx);
    return {
      scale: 'x',
      font: kFont,
      size: 44,
      gap: 4,
      stroke: () => this.colour('--ink-2'),
      grid: { show: false },
      ticks: { stroke: () => this.colour('--line'), size: 5, width: 1 },
      splits: (plot, _, min, max) => ticksOf(min, max, step(plot), this.look.zone),
      values: (plot, ticks) => tickLabels(ticks, step(plot), this.look.zone),
    };
  }

  private valueAxis(scale: 'y' | 'y2'): uPlot.Axis {
    const unit = this.lines.find((_, i) => scaleOf(this.lines, i) === scale)?.unit ?? '';
    return {
      scale,
      side: scale === 'y' ? 3 : 1,
      font: kFont,
      space: 36,
      size: (plot, values) => {
        plot.ctx.save();
        plot.ctx.font = kFont;
        const widest = Math.max(0, ...(values ?? []).map((text) => plot.ctx.measureText(text).width));
        plot.ctx.restore(); // uPlot remembers which font it set
        return Math.ceil(widest) + 16;
      },
      gap: 6,
      stroke: () => this.colour('--ink-2'),
      grid: { show: scale === 'y', stroke: () => this.colour('--line-2'), width: 1 },
      ticks: { show: false },
      values: (_, ticks) => ticks.map((tick, i) =>
        (i === ticks.length - 1 && unit ? `${number(tick)} ${unit}` : number(tick))),
    };
  }

  private series(i: number): uPlot.Series {
    const { draw, joinsGaps } = this.look;
    const colour = colourName(i, this.lines.length);
    const stroke = () => this.colour(colour);
    const paths = draw === 'step' ? uPlot.paths.stepped?.({ align: 1 })
      : draw === 'bars' ? uPlot.paths.bars?.({ size: [0.7, 40] })
        : draw === 'points' ? () => null : uPlot.paths.linear?.();
    return {
      scale: scaleOf(this.lines, i),
      stroke,
      width: draw === 'bars' ? 0 : 2,
      spanGaps: joinsGaps,
      ...(paths ? { paths: paths as uPlot.Series.PathBuilder } : {}),
      ...(i >= 4 && draw !== 'bars' ? { dash: kDashes[(i - 4) % kDashes.length]! } : {}),
      ...(draw === 'area' || draw === 'bars'
        ? { fill: () => withAlpha(stroke(), draw === 'bars' ? 0.75 : 0.12) } : {}),
      points: draw === 'points'
        ? { show: true, size: 5, fill: stroke, stroke }
        : { show: () => isFew(this.lines[i]!), size: 6, fill: stroke, stroke },
    };
  }

  private labelWidth(context: CanvasRenderingContext2D): number {
    context.save();
    context.font = kBold;
    const widest = Math.max(0, ...this.lines.map((line) => context.measureText(this.endText(line)).width));
    context.restore();
    return Math.min(150, Math.ceil(widest) + 14);
  }

  // The name of each line at its end.
  private drawLabels(): void {
    if (!this.isDirect() || this.lines.some((_, i) => scaleOf(this.lines, i) === 'y2')) return;
    const { ctx, bbox } = this.plot;
    const ratio = devicePixelRatio;
    const ends = this.lines.map((line, i) => ({ i, name: this.endText(line), end: this.endOf(line) }))
      .filter(({ i, end }) => end !== null && this.plot.series[i + 1]!.show);
    const ys = spread(ends.map(({ end }) => this.plot.valToPos(end!, 'y', true)), kLabelGapPx * ratio,
      bbox.top + 6 * ratio, bbox.top + bbox.height - 6 * ratio);
    ctx.save();
    ctx.font = scaled(kBold, ratio);
    ctx.textAlign = 'left';
    ctx.textBaseline = 'middle';
    ends.forEach(({ i, name }, k) => {
      const x = bbox.left + bbox.width + 6 * ratio;
      halo(ctx, name, x, ys[k]!, this.colour('--panel'), this.colour(colourName(i, this.lines.length)), 3 * ratio, 140 * ratio);
    });
    ctx.restore();
  }

  private endText(line: PlotLine): string {
    const end = this.look.lastLabel ? this.endOf(line) : null;
    return end === null ? line.name : `${line.name} ${quantity(end, line.unit, line.decimals)}`;
  }

  private endOf(line: PlotLine): number | null {
    for (let i = line.t.length - 1; i >= 0; i -= 1) {
      const value = line.v[i];
      if (line.t[i]! <= this.view.to && value !== null && value !== undefined) {
        return line.t[i]! >= this.view.from ? value : null;
      }
    }
    return null;
  }

  private hovered(): void {
    if (this.isMovingCursor) return;
    const { left } = this.plot.cursor;
    this.hands.hover(left === undefined || left < 0 ? null : this.plot.posToVal(left, 'x'));
  }

  private selected(): void {
    const { left, width } = this.plot.select;
    if (width < 5) return;
    const span = { from: this.plot.posToVal(left, 'x'), to: this.plot.posToVal(left + width, 'x') };
    this.plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.hands.zoomTo(span);
  }
}

// Too few readings for a line to be seen: they are dots then.
function isFew(line: PlotLine): boolean {
  let readings = 0;
  for (let i = 0; i < line.v.length && readings < 3; i += 1) if (line.v[i] !== null) readings += 1;
  return readings < 3;
}
