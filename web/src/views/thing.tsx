// One thing: how it is, its newest values with their age, a chart each, and what is known about it.
import { useEffect } from 'preact/hooks';
import { useGet } from '../api';
import type { AlertList, Page, Thing as ThingDocument } from '../documents';
import { fullTime, plural, span } from '../format';
import { MarkIcon } from '../icons';
import { useNewestValues, type NewestValues } from '../live_values';
import { PageOf } from '../page/page_view';
import { alertChanges, pages } from '../store';
import { Age } from '../ui/age';
import { CopyButton } from '../ui/copy';
import { EmptyState, ErrorState, Loading, PageHead, Panel, ThingMark } from '../ui/parts';
import { AlertRows } from './alert_rows';
import { ThingCharts } from './thing_charts';
import { FieldValue, keyFields } from './thing_tile';

const kEveryMs = 15_000;
const kAlertsMax = 5;

function Facts({ thing }: { thing: ThingDocument }) {
  const properties = Object.entries(thing.properties).filter(([name]) => name !== 'type' && name !== 'name');
  return (
    <Panel title="About">
      <dl class="facts columns">
        <div><dt>Id</dt><dd class="wrap"><code>{thing.id}</code> <CopyButton text={thing.id} /></dd></div>
        {thing.type && <div><dt>Type</dt><dd class="wrap"><a href={`/things?type=${encodeURIComponent(thing.type)}`}>{thing.type}</a></dd></div>}
        {properties.map(([name, text]) => <div key={name}><dt class="wrap">{name}</dt><dd class="wrap">{text}</dd></div>)}
        <div><dt>Reports</dt><dd>{thing.interval_ms === null ? 'not often enough yet to say' : `about every ${span(Math.round(thing.interval_ms / 1000) * 1000)}`}</dd></div>
        {(thing.tables ?? []).length > 0 && <div><dt>{plural(thing.tables?.length ?? 0, 'Table').replace(/^\S+ /, '')}</dt><dd class="wrap">{thing.tables?.join(', ')}</dd></div>}
      </dl>
    </Panel>
  );
}

// When it last reported, whatever that was.
function ThingAge({ thing, values }: { thing: ThingDocument; values: NewestValues }) {
  const times = thing.fields.map((field) => values.of(`${thing.id}/${field.field}`).value?.time ?? 0);
  return <Age time={Math.max(thing.seen ?? 0, ...times) || null} />;
}

function Fields({ thing, values }: { thing: ThingDocument; values: NewestValues }) {
  if (thing.state === 'never') {
    return <Panel title="Newest values"><EmptyState title="It has never reported"><p>Its values appear here with the first row about it.</p></EmptyState></Panel>;
  }
  return (
    <Panel title="Newest values">
      <ul class={`values-list ${thing.state}`}>
        {keyFields(thing.fields).map((field) => (
          <li key={field.field}>
            <span class="muted wrap">{field.field}</span>
            <b><FieldValue thing={thing.id} field={field} values={values} /></b>
            <Age time={Math.max(field.time ?? 0, values.of(`${thing.id}/${field.field}`).value?.time ?? 0) || null} />
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Alerts({ thing }: { thing: string }) {
  const alerts = useGet<AlertList>('/alerts', { state: 'open', thing, limit: kAlertsMax });
  useEffect(() => { if (alertChanges.value > 0) alerts.reload(); }, [alertChanges.value]);
  const rows = alerts.data.value?.alerts ?? [];
  if (rows.length === 0) return null;
  return (
    <Panel title="Open alerts" aside={<a href={`/alerts?state=all&thing=${encodeURIComponent(thing)}`}>All of this thing</a>}>
      <AlertRows alerts={rows} onChange={alerts.reload} />
    </Panel>
  );
}

function OwnPage({ name, thing }: { name: string; thing: { id: string; name: string } }) {
  const page = useGet<Page>(`/pages/${encodeURIComponent(name)}`);
  const document = page.data.value;
  if (document) return <div class="own-page"><PageOf document={document} thing={thing} /></div>;
  return page.error.value ? <ErrorState error={page.error.value} retry={page.reload} /> : <Loading />;
}

export function Thing({ parts }: { parts: Record<string, string> }) {
  const id = parts['thing'] ?? '';
  const thing = useGet<ThingDocument>(`/things/${encodeURIComponent(id)}`, undefined, kEveryMs);
  const data = thing.data.value;
  const values = useNewestValues((data?.fields ?? []).map((field) => `${id}/${field.field}`),
    (_, state) => { if (data && data.state !== state) thing.reload(); });
  const above = <a href="/things">Things</a>;
  if (!data) {
    return (
      <>
        <PageHead title={id} above={above} />
        {thing.error.value ? <ErrorState error={thing.error.value} retry={thing.reload} /> : <Loading />}
      </>
    );
  }
  // Whoever wrote a page `for` this type wants it here.
  const own = pages.value.find((page) => page.for === `type:${data.type}`);
  return (
    <>
      {own
        ? <OwnPage name={own.id} thing={{ id, name: data.name || data.id }} />
        : (
          <PageHead title={data.name || data.id} above={above}>
            <ThingMark thing={data} />
            <ThingAge thing={data} values={values} />
          </PageHead>
        )}
      {data.invalid && data.state === 'invalid' && (
        <p class="note bad wrap"><MarkIcon mark="faulty" />
          <span>The newest reading is none: {data.invalid.reason}. <span title={fullTime(data.invalid.time)}><Age time={data.invalid.time} /></span>. What is shown below is the last good one.</span>
        </p>
      )}
      <div class="grid">
        <Alerts thing={id} />
        {!own && <Fields thing={data} values={values} />}
        {!own && <ThingCharts thing={id} fields={keyFields(data.fields)} />}
        <Facts thing={data} />
      </div>
    </>
  );
}
