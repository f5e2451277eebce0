// A `chart` panel: the readout above (it is the legend, too), the canvas, and the same as a table.
//
// A canvas says nothing to a screen reader, so it is an image with a sentence of what it draws, true
// within a second; arrow keys step from reading to reading and say each, T shows the readings as a table.
import { useSignal, useSignalEffect, type Signal } from '@preact/signals';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { asApiError, type ApiError } from '../api';
import type { Panel } from '../documents';
import { fullTime, now, number, quantity } from '../format';
import type { PanelPage } from '../page/time';
import { isDark } from '../session';
import { alertChanges } from '../store';
import { durationMs } from '../time/range';
import { momentText } from '../time/zone';
import { everySecond } from '../ui/age';
import { announce } from '../ui/announce';
import { Button, ErrorState } from '../ui/parts';
import { ChartData, intervalsOf, pointsOf, type Line } from './chart_data';
import { sentenceOf } from './chart_sentence';
import { Nothing, Outdated, PanelFrame, Waiting } from './frame';
import { limitsOf, stateOf } from './level';
import { fetchMarks, marksAt, type AlertMark } from './marks';
import { boolOption, boundsOption, forThing, lineOption, listOption, numberOption, textOption, type Line as Limit } from './options';
import type { Draw, Plot, PlotLine } from './plot';
import { stepFrom, valueAt } from './points';
import { kStatHeads } from './stat_words';
import { titlesOf } from './now';
import { useOwnRange } from '../page/use_page';
import { useValues } from './values';

const kHeight = 270;
const kRowsMax = 500;
const kLegendMax = 12;
const kMarksAgainMs = 500; // alerts change in groups

type PlotModule = typeof import('./plot');
let plotModule: PlotModule | null = null;
async function loadPlot(): Promise<PlotModule> {
  plotModule ??= await import('./plot');
  return plotModule;
}

function drawOf(panel: Panel): Draw {
  const asked = textOption(panel, 'draw', 'line');
  return ['line', 'step', 'points', 'area', 'bars'].includes(asked) ? (asked as Draw) : 'line';
}

function plotLines(lines: Line[], panel: Panel): PlotLine[] {
  const titles = titlesOf(lines.map(({ series }) => series));
  return lines.map(({ t, v, series }, i) => ({
    t, v, name: titles[i]!, unit: textOption(panel, 'unit', series.unit), decimals: numberOption(panel, 'decimals') ?? series.decimals,
  }));
}

// Alert marks of what is drawn; renewed when an alert changes.
function useMarks(isOn: boolean, drawn: { thing: string; field: string }[]): AlertMark[] {
  const [marks, setMarks] = useState<AlertMark[]>([]);
  const changes = alertChanges.value;
  const key = isOn ? drawn.map(({ thing, field }) => `${thing}/${field}`).join() : '';
  useEffect(() => {
    if (!key) return undefined;
    const abort = new AbortController();
    const timer = setTimeout(() => {
      fetchMarks(drawn, abort.signal).then(setMarks, () => {
        // The chart is complete without them, and the next change of an alert asks again.
      });
    }, changes > 0 ? kMarksAgainMs : 0);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [key, changes]);
  return marks;
}

// The words of a time: all lines' values there, and what was wrong.
function Readout({ lines, time, hidden, marks, zone, spanMs, onToggle, onPoint, colourOf }: {
  lines: PlotLine[]; time: number | null; hidden: Set<number>; marks: AlertMark[]; zone: string; spanMs: number;
  onToggle: (i: number) => void; onPoint: (i: number | null) => void; colourOf: (i: number) => string;
}) {
  const at = time ?? Infinity;
  return (
    <div class="readout">
      <span class="readout-time">{time === null ? 'Newest' : momentText(time, zone, spanMs)}</span>
      {lines.slice(0, kLegendMax).map((line, i) => {
        const found = valueAt(line, at);
        return (
          <button type="button" key={line.name} class="readout-line" aria-pressed={!hidden.has(i)}
            title={hidden.has(i) ? `Show ${line.name}` : `Hide ${line.name}`}
            onClick={() => onToggle(i)} onMouseEnter={() => onPoint(i)} onMouseLeave={() => onPoint(null)}>
            <svg width="16" height="8" aria-hidden="true"><path d="M0 4H16" style={{ stroke: `var(${colourOf(i)})` }} /></svg>
            {line.name} <b>{quantity(found?.value, line.unit, line.decimals)}</b>
          </button>
        );
      })}
      {lines.length > kLegendMax && <span class="hint">and {lines.length - kLegendMax} more</span>}
      {time !== null && marksAt(marks, time).slice(0, 2).map((mark) => (
        <span key={mark.text} class="readout-mark">{mark.text}</span>
      ))}
    </div>
  );
}

function PointsTable({ lines, from, to, zone }: { lines: PlotLine[]; from: number; to: number; zone: string }) {
  const rows = lines.flatMap((line) => line.t.map((time, i) => ({ time, line, value: line.v[i]! })))
    .filter(({ time, value }) => time >= from && time <= to && value !== null)
    .sort((a, b) => b.time - a.time);
  return (
    <div class="scroll chart-table" role="region" aria-label="Readings" tabIndex={0}>
      <table class="dense">
        <thead><tr><th scope="col">Time</th><th scope="col">What</th><th scope="col" class="r">Value</th></tr></thead>
        <tbody>
          {rows.slice(0, kRowsMax).map(({ time, line, value }) => (
            <tr key={`${line.name} ${time}`}>
              <td>{fullTime(time, zone)}</td><th scope="row">{line.name}</th>
              <td class="r">{quantity(value, line.unit, line.decimals)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > kRowsMax && <p class="hint">The newest {kRowsMax} of {number(rows.length)}; zoom in to see others.</p>}
    </div>
  );
}

interface CanvasProps {
  lines: Line[]; panel: Panel; page: PanelPage; data: ChartData; limits: Limit[]; marks: AlertMark[];
  plotRef: { current: Plot | null }; cursor: Signal<number | null>; onTable: () => void; height: number;
  isCurrent: (of: string) => boolean;
}

// Of points that come many times a second, and of a clock that goes on: words for this second.
function useWords(words: () => string, key: string): string {
  const newest = useRef(words);
  newest.current = words;
  const [said, say] = useState(words);
  useEffect(() => {
    const renew = () => say(newest.current());
    renew();
    return everySecond(renew);
  }, [key]);
  return said;
}

function intervalWords(panel: Panel): string {
  const every = textOption(panel, 'every');
  const stat = textOption(panel, 'stat', 'mean');
  return every && `, ${(kStatHeads[stat] ?? stat).toLowerCase()} every ${every}`;
}

// Mounts the plot and keeps it at what the page shows. Nothing here draws again through Preact
// when points or time change: the canvas is told.
function Canvas({ lines, panel, page, data, limits, marks, plotRef, cursor, onTable, height, isCurrent }: CanvasProps) {
  const box = useRef<HTMLDivElement>(null);
  const { time } = page;
  const [failure, setFailure] = useState<ApiError | null>(null);
  const key = lines.map(({ series }) => series.of).join();
  const limitKey = limits.map(({ at, label }) => `${at} ${label}`).join();
  useEffect(() => {
    let isGone = false;
    loadPlot().then((module) => {
      if (isGone || !box.current) return;
      const plot: Plot = new module.Plot(box.current, plotLines(data.lines.peek() ?? lines, panel), time.view.peek(), {
        draw: drawOf(panel), joinsGaps: textOption(panel, 'gaps') === 'join', limits, bounds: boundsOption(panel),
        zone: time.zone.peek(), lastLabel: boolOption(panel, 'last_label', false),
      }, {
        hover: (at) => { time.cursor.value = at; cursor.value = at; },
        zoomTo: (span) => time.zoomTo(span),
        zoomAt: (at, factor) => time.zoomAt(at, factor),
        pan: (share) => time.pan(share),
        reset: () => time.reset(),
      }, () => data.show(time.view.peek(), plot.widthPx));
      plotRef.current = plot;
      plot.setMarks(marks);
    }, (reason: unknown) => setFailure(asApiError(reason)));
    return () => {
      isGone = true;
      plotRef.current?.destroy();
      plotRef.current = null;
    };
  }, [key, limitKey, panel]);
  useEffect(() => plotRef.current?.setMarks(marks), [marks]);
  useSignalEffect(() => {
    void data.changed.value;
    const drawn = data.lines.peek();
    if (drawn && plotRef.current && drawn.map(({ series }) => series.of).join() === key) plotRef.current.setPoints(plotLines(drawn, panel));
  });
  useSignalEffect(() => { const view = time.view.value; plotRef.current?.setView(view); });
  useSignalEffect(() => { const at = time.cursor.value; plotRef.current?.setCursor(at); });
  useSignalEffect(() => { const name = time.zone.value; plotRef.current?.setZone(name); });
  useSignalEffect(() => { void isDark.value; requestAnimationFrame(() => plotRef.current?.redraw()); });

  const say = (at: number) => {
    time.cursor.value = at;
    cursor.value = at;
    const values = plotLines(data.lines.peek() ?? [], panel)
      .map((line) => ({ line, found: valueAt(line, at) })).filter(({ found }) => found !== null)
      .map(({ line, found }) => `${line.name} ${quantity(found!.value, line.unit, line.decimals)}`);
    announce(`${momentText(at, time.zone.peek(), time.view.peek().to - time.view.peek().from)}: ${values.join(', ') || 'no reading'}`);
  };
  const step = (by: 1 | -1) => {
    const { from, to } = time.view.peek();
    const times = (data.lines.peek() ?? []).flatMap(({ t, v }) => t.filter((at, i) => at >= from && at <= to && v[i] !== null))
      .sort((a, b) => a - b);
    const next = stepFrom(times, time.cursor.peek() ?? (by === 1 ? from - 1 : to + 1), by);
    if (next !== null) say(next);
  };
  const keys: Record<string, () => void> = {
    ArrowLeft: () => step(-1),
    ArrowRight: () => step(1),
    '+': () => time.zoomAt(time.cursor.peek() ?? middle(time.view.peek()), 0.5),
    '-': () => time.zoomAt(time.cursor.peek() ?? middle(time.view.peek()), 2),
    0: () => time.reset(),
    t: onTable,
    T: onTable,
    Escape: () => { time.cursor.value = null; cursor.value = null; },
  };
  const sentence = useWords(() => {
    const drawn = data.lines.peek() ?? lines;
    const { from, to } = time.view.peek();
    // An interval stands at its start, and reaches into the window from before it.
    const seen = { from: from - (durationMs(textOption(panel, 'every')) ?? 0), to };
    return plotLines(drawn, panel).map((line, i) =>
      `${line.name}: ${sentenceOf(line, seen, time.zone.peek(), isCurrent(drawn[i]!.series.of))}`).join('. ');
  }, key);
  if (failure) return <ErrorState error={failure} retry={() => window.location.reload()} />;
  return (
    <div ref={box} class="plot" role="img" tabIndex={0} data-testid="chart-canvas" style={{ height: `${height}px` }}
      aria-label={`Chart${intervalWords(panel)}. ${sentence}. Arrow keys read point by point, T shows a table.`}
      onKeyDown={(event) => {
        const act = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key];
        if (!act) return;
        event.preventDefault();
        event.stopPropagation();
        act();
      }} />
  );
}

function middle({ from, to }: { from: number; to: number }): number {
  return (from + to) / 2;
}

export function ChartPanel({ panel, page: shared }: { panel: Panel; page: PanelPage }) {
  const page = useOwnRange(panel, shared);
  const of = useMemo(() => forThing(listOption(panel, 'of'), page.thing), [panel, page]);
  const [isTable, setTable] = useState(false);
  const [hidden, setHidden] = useState(new Set<number>());
  const cursor = useSignal<number | null>(null);
  const plotRef = useRef<Plot | null>(null);
  const box = useRef<HTMLDivElement>(null);
  const newest = useValues(of);
  const every = textOption(panel, 'every');
  const source = every ? intervalsOf(of, every, textOption(panel, 'stat', 'mean'), () => page.time.zone.peek()) : pointsOf(of);
  const data = useMemo(() => new ChartData(of, source, !every && boolOption(panel, 'live', true),
    (name) => newest.values.peek()?.find((value) => value.of === name)?.interval_ms ?? null), [of, panel]);
  const { time } = page;
  // An interval is over, or not yet.
  const isCurrent = (name: string) => !every && (newest.values.peek() ?? []).some((value) => value.of === name
    && stateOf(value, now()) === 'ok' && value.time !== null && value.time <= time.view.peek().to);
  useEffect(() => () => data.stop(), [data]);
  useSignalEffect(() => {
    const view = time.view.value;
    data.show(view, plotRef.current?.widthPx ?? box.current?.clientWidth ?? 800);
  });
  const lines = data.lines.value;
  const error = data.error.value;
  void data.changed.value;
  const drawn = lines?.map(({ series }) => series) ?? [];
  const marks = useMarks(listOption(panel, 'marks').includes('alerts'), drawn);
  const named = lineOption(panel);
  const limits = named.length ? named : ownLimits(newest.values.value ?? []);
  const height = numberOption(panel, 'height') ?? kHeight;
  const { from, to } = time.view.value;
  const shown = lines ? plotLines(lines, panel) : [];
  const isEmpty = lines !== null && lines.every(({ t }) => t.length === 0);
  const toggle = (i: number) => {
    const next = new Set(hidden);
    if (!next.delete(i)) next.add(i);
    setHidden(next);
    plotRef.current?.toggle(i, !next.has(i));
  };
  return (
    <PanelFrame panel={panel} title={drawn.length && new Set(drawn.map(({ field }) => field)).size === 1 ? titleOf(drawn[0]!.field) : ''}
      aside={!isEmpty && lines && <Button small look="bare" aria-pressed={isTable} onClick={() => setTable(!isTable)}>Table</Button>}>
      <div ref={box}>
        {!lines && !error && <Waiting height={height + 40} />}
        {!lines && error && <ErrorState error={error} retry={() => data.reload()} />}
        {lines && isEmpty && <Nothing title={textOption(panel, 'empty', 'No readings in this time')}
          hint={time.isZoomed.value ? 'Show more time, or go back to the whole range.' : `This chart shows ${of.join(', ')}; it begins with the first reading.`} />}
        {lines && !isEmpty && (
          <>
            <Readout lines={shown} time={time.cursor.value} hidden={hidden} marks={marks} zone={time.zone.value} spanMs={to - from}
              onToggle={toggle} onPoint={(i) => plotRef.current?.focus(i)}
              colourOf={(i) => (shown.length > 8 ? '--ink-3' : `--s${(i % 8) + 1}`)} />
            {isTable
              ? <PointsTable lines={shown} from={from} to={to} zone={time.zone.value} />
              : <Canvas lines={lines} panel={panel} page={page} data={data} limits={limits} marks={marks} plotRef={plotRef}
                  cursor={cursor} onTable={() => setTable(true)} height={height} isCurrent={isCurrent} />}
          </>
        )}
        {lines && error && <Outdated error={error} retry={() => data.reload()} />}
      </div>
    </PanelFrame>
  );
}

// "air_temp" -> "Air temp"
export function titleOf(field: string): string {
  const words = field.replace(/_/g, ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

// Without lines of its own a chart of one field shows the alert's limits.
function ownLimits(values: Parameters<typeof limitsOf>[0][]): Limit[] {
  if (new Set(values.map(({ field }) => field)).size !== 1) return [];
  const found = new Map<number, string>();
  for (const value of values) {
    const { low, high } = limitsOf(value, null, null);
    if (low !== null) found.set(low, 'low');
    if (high !== null) found.set(high, 'high');
  }
  return found.size > 4 ? [] : [...found].map(([at, label]) => ({ at, label }));
}
