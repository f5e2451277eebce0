// A `now` panel: the newest values as tiles. What a tile looks like, each says for itself; what it
// means (level.ts), how old it is and what else the thing tells is the same for all.
import type { ComponentChildren } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { FieldValue, Panel, ThingState } from '../documents';
import { moment, now, quantity, zone } from '../format';
import { Icon, MarkIcon } from '../icons';
import type { PanelPage } from '../page/time';
import { durationMs, type Span } from '../time/range';
import { Age, everySecond } from '../ui/age';
import { ErrorState } from '../ui/parts';
import { isDoubtful, largeText, ReadingAge, textOf } from '../ui/reading';
import { Nothing, Outdated, PanelFrame, Waiting } from './frame';
import { fillOf, levelOf, limitsOf, stateOf, verdictOf, type Level, type Limits } from './level';
import { facesOption, forThing, listOption, numberOption, textOption, type Faces } from './options';
import { Spark, useSparks } from './spark';
import { Tank } from './tank';
import { useValues } from './values';

type Look = 'number' | 'tank' | 'bar' | 'state';
const kHeights: Record<Look, number> = { number: 84, tank: 268, bar: 72, state: 64 };
const kTilesMax = 200;

interface Tile {
  value: FieldValue;
  state: ThingState;
  level: Level;
  limits: Limits;
  min: number;
  max: number;
  fill: number | null;
  title: string;
}

function lookOf(panel: Panel): Look {
  const asked = textOption(panel, 'look', 'number');
  return asked in kHeights ? (asked as Look) : 'number';
}

// Things of one field are called by their names, fields of one thing by theirs, else both.
export function titlesOf(values: { thing: string; name: string; field: string }[]): string[] {
  const things = new Set(values.map((value) => value.thing)).size;
  const fields = new Set(values.map((value) => value.field)).size;
  return values.map(({ name, field }) => {
    if (fields <= 1) return name;
    return things <= 1 ? field : `${name} ${field}`;
  });
}

// What a screen reader hears of a drawing.
function sentence({ value, level, title }: Tile, isFill: boolean): string {
  if (level === 'invalid' || level === 'never') return `${title}: ${verdictOf(level, isFill).word.toLowerCase()}`;
  if (level === 'silent') return `${title}: silent, last ${textOf(value)}`;
  const { word } = verdictOf(level, isFill);
  return `${title}: ${textOf(value)}, ${word.toLowerCase()}`;
}

// The thing's other fields; beside a doubtful value they would look like part of a good one.
function Also({ tile: { value, level } }: { tile: Tile }) {
  if (level === 'invalid') return null;
  const small = Object.entries(value.also ?? {}).filter(([, { value: v }]) => v !== null);
  if (small.length === 0) return null;
  return <>{small.map(([field, { value: v, unit }]) => (
    <span key={field} class="now-also" title={field}>{quantity(v, unit)}</span>
  ))}</>;
}

// A word in its colour, with the thumb or the shape that says the same.
function Verdict({ tile, isFill, faces }: { tile: Tile; isFill: boolean; faces: Faces }) {
  if (tile.level === 'silent' && tile.value.time !== null) {
    return <span class="chip off"><MarkIcon mark="off" /><Age time={tile.value.time} way="silent" /></span>;
  }
  const { mark, word, thumb } = verdictOf(tile.level, isFill);
  const own = tile.level === 'low' ? faces.low : tile.level === 'high' ? faces.high : '';
  return (
    <span class={`chip ${mark ?? 'plain'}`} data-level={tile.level}>
      {faces.thumbs && thumb ? <Icon name={thumb} /> : mark && <MarkIcon mark={mark} />}
      {own || word}
    </span>
  );
}

function Big({ tile }: { tile: Tile }) {
  return <b class="now-value">{largeText(tile.value, tile.level)}</b>;
}

// When the value was measured; a silent one says so in its chip already.
function Aged({ tile }: { tile: Tile }) {
  return tile.level === 'silent' ? null : <ReadingAge reading={tile.value} level={tile.level} />;
}

const kStatWords: Record<string, string> = { last: 'last', mean: 'mean', min: 'lowest', max: 'highest', count: 'readings' };

function Stats({ value, stats }: { value: FieldValue; stats: string[] }) {
  const found = value.stats;
  const asked = stats.filter((name) => name !== 'last' && name in kStatWords);
  if (!found || asked.length === 0) return null;
  const zoneName = zone.value;
  return (
    <dl class="now-stats">
      {asked.map((name) => {
        const number = found[name as 'mean' | 'min' | 'max' | 'count'];
        const time = name === 'min' ? found.min_time : name === 'max' ? found.max_time : null;
        return (
          <div key={name}>
            <dt>{kStatWords[name]}</dt>
            <dd>{name === 'count' ? quantity(number) : quantity(number, value.unit, value.decimals)}
              {time != null && <span class="age">{moment(time, now(), zoneName)}</span>}</dd>
          </div>
        );
      })}
    </dl>
  );
}

function TileBox({ tile, look, children }: { tile: Tile; look: Look; children: ComponentChildren }) {
  return (
    <li class={`now-tile look-${look} ${tile.level}`} data-testid={`tile-${tile.value.of}`} data-level={tile.level}>{children}</li>
  );
}

function Name({ tile }: { tile: Tile }) {
  return <a class="now-name" href={`/t/${encodeURIComponent(tile.value.thing)}`}>{tile.title}</a>;
}

interface LookProps { tile: Tile; faces: Faces; stats: string[]; spark: ComponentChildren }

function TankTile({ tile, faces, stats, spark }: LookProps) {
  return (
    <>
      <Tank fill={tile.fill} min={tile.min} max={tile.max} limits={tile.limits} label={sentence(tile, true)} />
      <Big tile={tile} />
      <Name tile={tile} />
      <Verdict tile={tile} isFill faces={faces} />
      <p class="now-small"><Also tile={tile} /><Aged tile={tile} /></p>
      <Stats value={tile.value} stats={stats} />
      {spark}
    </>
  );
}

function BarTile({ tile, faces, stats, spark }: LookProps) {
  const isOff = tile.level === 'low' || tile.level === 'high' || tile.fill === null;
  return (
    <>
      <p class="now-line"><Name tile={tile} /><Big tile={tile} /></p>
      <div class={`bar${tile.fill === null ? ' unknown' : ''}`} role="img" aria-label={sentence(tile, tile.value.unit === '%')}>
        <div class="bar-fill" style={{ transform: `scaleX(${tile.fill ?? 0})` }} />
      </div>
      <p class="now-small">{isOff && <Verdict tile={tile} isFill={tile.value.unit === '%'} faces={faces} />}
        <Also tile={tile} /><Aged tile={tile} /></p>
      <Stats value={tile.value} stats={stats} />
      {spark}
    </>
  );
}

function NumberTile({ tile, faces, stats, spark }: LookProps) {
  const isQuiet = tile.level === 'between';
  return (
    <>
      <Name tile={tile} />
      <Big tile={tile} />
      {!isQuiet && <Verdict tile={tile} isFill={false} faces={faces} />}
      <p class="now-small"><Also tile={tile} /><Aged tile={tile} /></p>
      <Stats value={tile.value} stats={stats} />
      {spark}
    </>
  );
}

function StateTile({ tile, faces }: LookProps) {
  return (
    <>
      <Name tile={tile} />
      <Verdict tile={tile} isFill={tile.value.unit === '%'} faces={faces} />
      <p class="now-small">{!isDoubtful(tile.level) && <span>{textOf(tile.value)}</span>}<Aged tile={tile} /></p>
    </>
  );
}

const kLooks: Record<Look, (props: LookProps) => ComponentChildren> = {
  tank: TankTile, bar: BarTile, number: NumberTile, state: StateTile,
};

// Draws again when a value turns silent, not every second.
function useSilence(values: FieldValue[] | null, stale: number | null): number {
  const [round, setRound] = useState(0);
  useEffect(() => {
    if (!values) return undefined;
    const states = () => values.map((value) => stateOf(value, now(), stale)).join();
    let last = states();
    return everySecond(() => {
      const next = states();
      if (next !== last) setRound((n) => n + 1);
      last = next;
    });
  }, [values, stale]);
  return round;
}

// The span whose statistics are asked for; rounded to a minute so that it is asked for seldom.
function statsSpan(panel: Panel, page: PanelPage, names: string[]): Span | null {
  if (!names.some((name) => name !== 'last')) return null;
  const { from, to } = page.time.view.value;
  const lasts = durationMs(textOption(panel, 'range'));
  const end = Math.ceil(to / 60_000) * 60_000;
  return lasts === null ? { from: Math.floor(from / 60_000) * 60_000, to: end } : { from: end - lasts, to: end };
}

export function NowPanel({ panel, page }: { panel: Panel; page: PanelPage }) {
  const of = useMemo(() => forThing(listOption(panel, 'of'), page.thing), [panel, page]);
  const look = lookOf(panel);
  const stale = durationMs(textOption(panel, 'stale'));
  const stats = listOption(panel, 'stats');
  const set = useValues(of, statsSpan(panel, page, stats));
  const sparks = useSparks(of, durationMs(textOption(panel, 'spark')));
  const values = set.values.value;
  const error = set.error.value;
  useSilence(values, stale);
  const tiles = values ? tilesOf(panel, pickedOf(panel, values), stale) : [];
  const Look = kLooks[look];
  const faces = facesOption(panel, look === 'tank');
  return (
    <PanelFrame panel={panel}>
      {!values && !error && <Waiting height={kHeights[look]} />}
      {!values && error && <ErrorState error={error} retry={set.reload} />}
      {values?.length === 0 && <Nothing title={textOption(panel, 'empty', 'Nothing has reported yet')}
        hint={`This panel shows ${of.join(', ') || 'no field'}; it fills itself with the first reading.`} />}
      {tiles.length > 0 && (
        <ul class={`now-tiles of-${look}`}>
          {tiles.map((tile) => (
            <TileBox key={tile.value.of} tile={tile} look={look}>
              <Look tile={tile} faces={faces} stats={stats}
                spark={textOption(panel, 'spark') && <Spark value={tile.value} spark={sparks.get(tile.value.of)} />} />
            </TileBox>
          ))}
        </ul>
      )}
      {values && values.length > tiles.length && <p class="hint">Showing {tiles.length} of {values.length}.</p>}
      {values && error && <Outdated error={error} retry={set.reload} />}
    </PanelFrame>
  );
}

const kOrders: Record<string, (a: FieldValue, b: FieldValue) => number> = {
  name: (a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }),
  value: (a, b) => (typeof a.value === 'number' && typeof b.value === 'number' ? a.value - b.value : 0),
  age: (a, b) => (b.time ?? 0) - (a.time ?? 0),
};

// The values in the panel's order and units, as far as its limit goes.
function pickedOf(panel: Panel, values: FieldValue[]): FieldValue[] {
  const order = kOrders[textOption(panel, 'sort')];
  const sorted = order ? [...values].sort(order) : values;
  const decimals = numberOption(panel, 'decimals');
  return sorted.slice(0, numberOption(panel, 'limit') ?? kTilesMax).map((value) => ({
    ...value, unit: textOption(panel, 'unit', value.unit), decimals: decimals ?? value.decimals,
  }));
}

function tilesOf(panel: Panel, values: FieldValue[], stale: number | null): Tile[] {
  const titles = titlesOf(values);
  const at = now();
  return values.map((value, i) => {
    const state = stateOf(value, at, stale);
    const limits = limitsOf(value, numberOption(panel, 'low'), numberOption(panel, 'high'));
    const min = numberOption(panel, 'min') ?? 0;
    const max = numberOption(panel, 'max') ?? 100;
    const level = levelOf(value, state, limits);
    return { value, state, level, limits, min, max, fill: fillOf(value, state, min, max), title: titles[i]! };
  });
}
