// A chart for each field of a thing, all with the same time.
import type { AlertStory, ThingField } from '../documents';
import { now } from '../format';
import { RangePicker } from '../page/range_picker';
import { PanelView, usePanelPage } from '../panels';
import { titleOf } from '../panels/chart';

const kHour = 3600_000;
const kDay = 24 * kHour;
const kChartsMax = 12;

// The usual range in which something that began `ago` milliseconds ago is seen with what led to it.
export function rangeFor(ago: number): string {
  if (ago < 4 * kHour) return '6h';
  if (ago < 18 * kHour) return '24h';
  return ago < 6 * kDay ? '7d' : '30d';
}

export function ThingCharts({ thing, fields, range = '24h' }: {
  thing: string; fields: readonly ThingField[]; range?: string;
}) {
  const page = usePanelPage(range, 'site', thing);
  const drawn = fields.filter((field) => typeof field.value === 'number').slice(0, kChartsMax);
  if (drawn.length === 0) return null;
  return (
    <>
      <div class="w12 row-head"><h2>How it went</h2><RangePicker time={page.time} /></div>
      {drawn.map((field) => (
        <PanelView key={field.field} page={page} panel={{
          kind: 'chart', line: 0, of: [`${thing}/${field.field}`], title: titleOf(field.field),
          width: drawn.length === 1 ? 12 : 6, marks: ['alerts'],
        }} />
      ))}
    </>
  );
}

// Around one alert: from before it began until now, with its limit.
export function AlertChart({ story }: { story: AlertStory }) {
  const began = Math.min(story.since, ...story.history.map((step) => step.time));
  const page = usePanelPage(rangeFor(now() - began), 'site', story.thing);
  return (
    <PanelView page={page} panel={{
      kind: 'chart', line: 0, of: [`${story.thing}/${story.field}`], title: `${titleOf(story.field)}, before and since`,
      width: 12, marks: ['alerts'],
      ...(story.limit === null ? {} : { lines: [{ at: story.limit, label: story.condition }] }),
    }} />
  );
}
