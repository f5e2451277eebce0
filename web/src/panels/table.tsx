// A `table` panel: intervals (use per day), things, or alerts.
import type { ComponentChildren } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { asApiError, get, type ApiError } from '../api';
import { alertChanges } from '../store';
import type { AlertItem, FieldValue, Interval, Panel } from '../documents';
import { count, isoTime, moment, quantity, zone } from '../format';
import type { PanelPage } from '../page/time';
import { dateFormat } from '../time/zone';
import { Age } from '../ui/age';
import { Button, ErrorState, StateMark, Table, wordOfAlert, wordOfThing, type Column } from '../ui/parts';
import { drawnBy, fetchAlerts, isTyped, kSeenMax, questionsOf } from './alert_pages';
import { csvText, download, type Cell } from './csv';
import { Nothing, Outdated, PanelFrame, Waiting } from './frame';
import { concerns } from './marks';
import { boolOption, columnOptions, forThing, listOption, numberOption, textOption, type ColumnOption } from './options';
import { fitting, inOrder, type Head, type SheetRow } from './sheet';
import { useOwnRange } from '../page/use_page';
import { kStatHeads } from './stat_words';
import { useValues } from './values';

const kHeight = 160;
const kRowsMax = 200;
const kRowsAtOnce = 12; // the rest comes with a click
const kAgainMs = 60_000;
const kNewsMs = 3000; // what came meanwhile is asked for as one

// What a table shows, whatever its rows are. A head's `id` is what `sort` calls it.
interface Sheet {
  heads: Head[];
  rows: (SheetRow & { cells: ComponentChildren[] })[];
}

interface Asked<T> {
  data: T | null;
  error: ApiError | null;
  again: () => void;
}

// Asks when `key` changes, soon after `news` did, and every minute while somebody looks.
function useAsked<T>(key: string, news: unknown, ask: (signal: AbortSignal) => Promise<T>): Asked<T> {
  const [data, setData] = useState<T | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [round, setRound] = useState(0);
  const soon = useRef<ReturnType<typeof setTimeout> | null>(null);
  useEffect(() => {
    if (!data || soon.current !== null) return;
    soon.current = setTimeout(() => { soon.current = null; setRound((n) => n + 1); }, kNewsMs);
  }, [news]);
  useEffect(() => () => { if (soon.current !== null) clearTimeout(soon.current); }, []);
  useEffect(() => {
    const abort = new AbortController();
    ask(abort.signal).then((answer) => { setData(answer); setError(null); }, (reason: unknown) => {
      if (!abort.signal.aborted) setError(asApiError(reason));
    });
    const timer = setTimeout(() => setRound((n) => n + 1), kAgainMs);
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [key, round]);
  return { data, error, again: () => setRound((n) => n + 1) };
}

const kStats = ['first', 'last', 'min', 'max'];

// "Tue 24 Nov", or with the hour for buckets shorter than a day; a day of 23 or 25 hours says so.
function bucketName(row: Interval, every: string, zoneName: string): string {
  const isDay = /[dw]$/.test(every);
  const format = dateFormat('en-GB', zoneName, isDay
    ? { weekday: 'short', day: 'numeric', month: 'short' }
    : { weekday: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' });
  const name = format.format(row.start);
  return every === '1d' && row.end - row.start !== 24 * 36e5 ? `${name} (${(row.end - row.start) / 36e5} h)` : name;
}

function intervalSheet(rows: Interval[], values: FieldValue[], stats: string[], every: string, zoneName: string): Sheet {
  const byName = new Map(values.map((value) => [value.of, value]));
  const isMany = new Set(rows.map(({ of }) => of)).size > 1;
  const fields = new Set(rows.map(({ of }) => of.split('/')[1])).size;
  const valueOf = (row: Interval, name: string): number | null => {
    if (name === 'change') return row.first === null || row.last === null ? null : row.last - row.first;
    const value = (row as unknown as Record<string, unknown>)[name];
    return typeof value === 'number' ? value : null;
  };
  const whoOf = (of: string) => {
    const value = byName.get(of);
    return value ? (fields > 1 ? `${value.name} ${value.field}` : value.name) : of;
  };
  // A day without readings has nothing to say here; the gaps are seen in the dates.
  const newest = rows.filter(({ count }) => count > 0).sort((a, b) => b.start - a.start || a.of.localeCompare(b.of));
  return {
    heads: [{ id: 'start', name: every.endsWith('d') ? 'Day' : every.endsWith('w') ? 'Week of' : 'From', right: false },
      ...(isMany ? [{ id: 'name', name: 'Thing', right: false }] : []),
      ...stats.map((name) => ({ id: name, name: kStatHeads[name] ?? name, right: true }))],
    rows: newest.map((row) => {
      const meta = byName.get(row.of);
      const numbers = stats.map((name) => valueOf(row, name));
      return {
        key: `${row.of} ${row.start}`,
        cells: [<span class="nowrap">{bucketName(row, every, zoneName)}</span>, ...(isMany ? [whoOf(row.of)] : []),
          ...numbers.map((value, i) => (stats[i] === 'count' ? quantity(value) : quantity(value, meta?.unit ?? '', meta?.decimals ?? null)))],
        raw: [isoTime(row.start), ...(isMany ? [whoOf(row.of)] : []), ...numbers],
      };
    }),
  };
}

function thingSheet(values: FieldValue[], columns: ColumnOption[]): Sheet {
  const things = new Map<string, FieldValue[]>();
  for (const value of values) things.set(value.thing, [...(things.get(value.thing) ?? []), value]);
  const fields = [...new Set(values.map(({ field }) => field))];
  const names = columns.length ? columns.map(({ name }) => name) : ['name', 'state', 'age', ...fields];
  const heads: Record<string, string> = { name: 'Name', id: 'Id', state: 'State', age: 'Seen', type: 'Type' };
  const cell = (own: FieldValue[], name: string): [ComponentChildren, Cell] => {
    const any = own[0]!;
    const seen = Math.max(...own.map(({ time }) => time ?? -Infinity));
    if (name === 'name') return [<a href={`/t/${encodeURIComponent(any.thing)}`}>{any.name}</a>, any.name];
    if (name === 'id') return [any.thing, any.thing];
    if (name === 'type') return [any.type, any.type];
    if (name === 'state') {
      const [mark, word] = wordOfThing(any.state);
      return [<StateMark mark={mark} word={word} />, any.state];
    }
    if (name === 'age') return Number.isFinite(seen) ? [<Age time={seen} />, isoTime(seen)] : ['never', null];
    const value = own.find(({ field }) => field === name);
    const option = columns.find((column) => column.name === name);
    return [quantity(value?.value, option?.unit || value?.unit, option?.decimals ?? value?.decimals ?? null), value?.value];
  };
  return {
    heads: names.map((name) => ({ id: name, name: heads[name] ?? name, right: !(name in heads) })),
    rows: [...things].map(([thing, own]) => {
      const cells = names.map((name) => cell(own, name));
      return { key: thing, cells: cells.map(([shown]) => shown), raw: cells.map(([, raw]) => raw) };
    }),
  };
}

function alertSheet(alerts: AlertItem[]): Sheet {
  return {
    heads: ['Since', 'Text', 'Name', 'State'].map((name) => ({ id: name.toLowerCase(), name, right: false })),
    rows: alerts.map((alert) => {
      const [mark, word] = wordOfAlert(alert.state);
      return {
        key: alert.id,
        cells: [moment(alert.since), <a href={`/alerts/${encodeURIComponent(alert.id)}`}>{alert.text}</a>, alert.name,
          <StateMark mark={mark} word={word} />],
        raw: [isoTime(alert.since), alert.text, alert.name, alert.state],
      };
    }),
  };
}

function fileName(panel: Panel): string {
  const name = textOption(panel, 'title', 'table').toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '');
  return `${name || 'table'}.csv`;
}

function SheetTable({ panel, sheet: { heads, rows: all } }: { panel: Panel; sheet: Sheet }) {
  const limit = Math.min(kRowsMax, numberOption(panel, 'limit') ?? kRowsAtOnce);
  const [isWhole, setWhole] = useState(false);
  const [text, setText] = useState('');
  const found = fitting(inOrder(all, heads, textOption(panel, 'sort')), text);
  const sheet = { heads, rows: found };
  const rows = isWhole ? sheet.rows : sheet.rows.slice(0, limit);
  const columns: Column<Sheet['rows'][number]>[] = sheet.heads.map((head, i) => ({
    head: head.name, right: head.right, isName: i === 0, cell: (row) => row.cells[i],
  }));
  return (
    <>
      {boolOption(panel, 'search', false) && (
        <input type="search" class="search table-search" aria-label="Search these rows" placeholder="Search"
          value={text} onInput={(event) => setText(event.currentTarget.value)} />
      )}
      {rows.length === 0 && <Nothing title="No row fits" hint={`None of ${all.length} has \u201c${text}\u201d in it.`} />}
      {rows.length > 0 && <Table label={textOption(panel, 'title', 'Table')} columns={columns} rows={rows} keyOf={(row) => row.key} />}
      {sheet.rows.length > rows.length && (
        <p class="more"><Button small look="bare" onClick={() => setWhole(true)}>Show all {sheet.rows.length} rows</Button></p>
      )}
    </>
  );
}

function Whole({ panel, asked, sheet, empty }: {
  panel: Panel; asked: { error: ApiError | null; again: () => void }; sheet: Sheet | null; empty: string;
}) {
  const save = () => sheet && download(fileName(panel), csvText(sheet.heads.map(({ name }) => name), sheet.rows.map(({ raw }) => raw)));
  return (
    <PanelFrame panel={panel} aside={sheet && sheet.rows.length > 0 && boolOption(panel, 'download', true) && <Button small look="bare" onClick={save}>Download CSV</Button>}>
      {!sheet && !asked.error && <Waiting height={kHeight} />}
      {!sheet && asked.error && <ErrorState error={asked.error} retry={asked.again} />}
      {sheet?.rows.length === 0 && <Nothing title={textOption(panel, 'empty', 'No rows')} hint={empty} />}
      {sheet && sheet.rows.length > 0 && <SheetTable panel={panel} sheet={sheet} />}
      {sheet && asked.error && <Outdated error={asked.error} retry={asked.again} />}
    </PanelFrame>
  );
}

interface Props { panel: Panel; page: PanelPage }

// The values of a panel, in its own unit and with its own decimals.
function ownUnits(values: FieldValue[] | null, panel: Panel): FieldValue[] | null {
  const decimals = numberOption(panel, 'decimals');
  return values && values.map((value) => ({
    ...value, unit: textOption(panel, 'unit', value.unit), decimals: decimals ?? value.decimals,
  }));
}

// Whole minutes, so that a window that follows the clock is not asked for each second.
function spanQuery(page: PanelPage): { from: number; to: number } {
  const { from, to } = page.time.view.value;
  return { from: Math.floor(from / 60_000) * 60_000, to: Math.ceil(to / 60_000) * 60_000 };
}

function IntervalTable({ panel, page: shared }: Props) {
  const page = useOwnRange(panel, shared);
  const of = forThing(listOption(panel, 'of'), page.thing).join(',');
  const every = textOption(panel, 'every', '1d');
  const zoneName = page.time.zone.value;
  const query = { of, every, zone: zoneName, ...spanQuery(page) };
  const selectors = useMemo(() => forThing(listOption(panel, 'of'), page.thing), [panel, page]);
  const values = useValues(selectors).values.value;
  const asked = useAsked(JSON.stringify(query), values, (signal) => get<{ rows: Interval[] }>('/intervals', query, signal));
  const stats = listOption(panel, 'stats', kStats);
  const named = ownUnits(values, panel);
  const sheet = asked.data && named && intervalSheet(asked.data.rows, named, stats, every, zoneName);
  return <Whole panel={panel} asked={asked} sheet={sheet} empty="No reading lies in the time this page shows." />;
}

function ThingTable({ panel, page }: Props) {
  const of = useMemo(() => forThing(listOption(panel, 'of'), page.thing), [panel, page]);
  const set = useValues(of);
  const values = ownUnits(set.values.value, panel);
  return <Whole panel={panel} asked={{ error: set.error.value, again: set.reload }}
    sheet={values && thingSheet(values, columnOptions(panel))} empty={`Nothing fits ${of.join(', ')} yet.`} />;
}

function AlertTable({ panel, page }: Props) {
  const of = useMemo(() => forThing(listOption(panel, 'of'), page.thing), [panel, page]);
  const typed = useValues(useMemo(() => of.filter(isTyped), [of])).values.value;
  // In the server's order, so as one question.
  const questions = questionsOf('all', of.length === 1 ? of : []);
  const asked = useAsked(`alerts ${of.join()}`, alertChanges.value, (signal) => fetchAlerts(questions, signal));
  void zone.value;
  const found = asked.data;
  const drawn = typed && drawnBy(of, typed);
  const mine = found && drawn && found.alerts.filter((alert) => of.length === 0 || concerns(alert, drawn));
  const empty = found?.isWhole === false ? `None among the first ${count(kSeenMax)} alerts.` : 'No alert has ever been raised.';
  return <Whole panel={panel} asked={asked} sheet={mine && alertSheet(mine)} empty={empty} />;
}

export function TablePanel(props: Props) {
  switch (textOption(props.panel, 'rows', 'intervals')) {
    case 'things':
      return <ThingTable {...props} />;
    case 'alerts':
      return <AlertTable {...props} />;
    default:
      return <IntervalTable {...props} />;
  }
}
