// Overview, made by itself: the problem first, otherwise since when all is quiet; then what there is.
import { useEffect, useState } from 'preact/hooks';
import { useGet } from '../api';
import type { AlertList, Status, Thing, ThingList } from '../documents';
import { bytes, count, number, plural, sinceWhen } from '../format';
import { MarkIcon } from '../icons';
import { useNewestValues, type NewestValues } from '../live_values';
import { alertChanges, areNoticesLate, status } from '../store';
import { EmptyState, ErrorState, Loading, PageHead, Panel } from '../ui/parts';
import { AlertRows } from './alert_rows';
import { FirstMessagePanel } from './first_message_panel';
import { ThingTile } from './thing_tile';

const kAlertsMax = 5;
const kThingsMax = 48;
const kEveryMs = 15_000;
const kDiskLowBytes = 1e9;

function Quiet({ since }: { since: number | null }) {
  return (
    <p class="quiet"><MarkIcon mark="good" size={16} />
      {since === null ? 'All quiet; no alert has ever fired' : `All quiet since ${sinceWhen(since)}`}
    </p>
  );
}

// What is open, also when somebody is on it.
function Problems() {
  const alerts = useGet<AlertList>('/alerts', { state: 'open', limit: kAlertsMax });
  useEffect(() => { if (alertChanges.value > 0) alerts.reload(); }, [alertChanges.value]);
  const list = alerts.data.value;
  if (alerts.error.value && !list) return <Panel title="Open alerts"><ErrorState error={alerts.error.value} retry={alerts.reload} /></Panel>;
  if (!list) return null;
  const rows = list.alerts;
  if (rows.length === 0) return <Quiet since={list.quiet_since} />;
  const open = list.next === null ? rows.length : Math.max(rows.length, status.value?.alerts.open ?? 0);
  return (
    <Panel title={<><MarkIcon mark="bad" /> {plural(open, 'open alert')}</>}
      aside={<a href="/alerts">{open > rows.length ? `All ${count(open)}` : 'All alerts'}</a>}>
      <AlertRows alerts={rows} onChange={alerts.reload} />
    </Panel>
  );
}

// What else wants a person: notices that nobody got, a disk that fills.
function Troubles({ state }: { state: Status }) {
  const isDiskLow = state.disk.free_bytes < kDiskLowBytes;
  const late = areNoticesLate.value ? state.notices.waiting : 0;
  if (state.notices.parked === 0 && late === 0 && !isDiskLow) return null;
  return (
    <ul class="troubles">
      {state.notices.parked > 0 && (
        <li><MarkIcon mark="warn" />{plural(state.notices.parked, 'notice')} could not be delivered. <a href="/settings/notices">Look why</a></li>
      )}
      {late > 0 && (
        <li><MarkIcon mark="warn" />{plural(late, 'notice is', 'notices are')} still waiting to be delivered. <a href="/settings/notices">Look why</a></li>
      )}
      {isDiskLow && <li><MarkIcon mark="warn" />The disk has {bytes(state.disk.free_bytes)} left. When it is full, messages are refused.</li>}
    </ul>
  );
}

function byType(things: Thing[]): [string, Thing[]][] {
  const groups = new Map<string, Thing[]>();
  for (const thing of things) groups.set(thing.type, [...(groups.get(thing.type) ?? []), thing]);
  return [...groups];
}

export function headOfType(type: string): string {
  if (!type) return 'Things';
  const words = type.replace(/[_-]+/g, ' ');
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}${words.endsWith('s') ? '' : 's'}`;
}

function Types({ list, values }: { list: ThingList; values: NewestValues }) {
  return (
    <>
      {byType(list.things).map(([type, things]) => (
        <Panel key={type} title={headOfType(type)} aside={<a href={`/things?type=${encodeURIComponent(type)}`}>As a table</a>}>
          <ul class="tiles">{things.map((thing) => <ThingTile key={thing.id} thing={thing} values={values} />)}</ul>
        </Panel>
      ))}
      {list.total > list.things.length && (
        <p class="muted after"><a href="/things">All {count(list.total)} things</a></p>
      )}
    </>
  );
}

// Tanks that report now and then send messages a minute, not a second.
function rate(perSecond: number): string {
  if (perSecond > 0 && perSecond < 1) return `${plural(Math.max(1, Math.round(perSecond * 60)), 'message')} a minute`;
  return `${number(perSecond, perSecond > 0 && perSecond < 10 ? 1 : 0)} messages a second`;
}

export function Overview() {
  const things = useGet<ThingList>('/things', { limit: kThingsMax }, kEveryMs);
  const list = things.data.value;
  const state = status.value;
  const values = useNewestValues((list?.things ?? []).flatMap((thing) => thing.fields.map((f) => `${thing.id}/${f.field}`)),
    (id, state) => { if (list?.things.some((thing) => thing.id === id && thing.state !== state)) things.reload(); });
  useEffect(() => { if (alertChanges.value > 0) things.reload(); }, [alertChanges.value]);
  // Until the page is left, so that what was waited for is seen when it comes.
  const [wasUntouched, setUntouched] = useState(false);
  const isUntouched = list !== null && list.total === (list.counts.never ?? 0);
  useEffect(() => { if (isUntouched) setUntouched(true); }, [isUntouched]);
  return (
    <>
      <PageHead title="Overview">
        {state && <span>{count(state.things.reporting)} of {plural(state.things.total, 'thing')} reporting</span>}
        {state && <span>{rate(state.messages_per_s)}</span>}
      </PageHead>
      {list && (isUntouched || wasUntouched)
        ? <FirstMessagePanel thing={list.things.find((thing) => thing.state !== 'never')} onMessage={things.reload} />
        : <Problems />}
      {state && <Troubles state={state} />}
      {!list && !things.error.value && <Loading />}
      {!list && things.error.value && <ErrorState error={things.error.value} retry={things.reload} />}
      {list && list.total === 0 && !isUntouched && <EmptyState title="There are no things yet" />}
      {list && list.total > 0 && <Types list={list} values={values} />}
    </>
  );
}
