// A thing at a glance: state, newest values with their age. The whole tile is a link.
import type { Thing, ThingField } from '../documents';
import { quantity } from '../format';
import type { NewestValues } from '../live_values';
import { Age } from '../ui/age';
import { ThingMark } from '../ui/parts';

const kMoreFieldsMax = 3;

// A value that follows what comes; `field` is what the document said.
export function FieldValue({ thing, field, values }: { thing: string; field: ThingField; values: NewestValues }) {
  const newest = values.of(`${thing}/${field.field}`).value;
  const isNewer = newest !== null && newest.time >= (field.time ?? 0);
  return <>{quantity(isNewer ? newest.value : field.value, field.unit, field.decimals)}</>;
}

export function ThingAge({ thing, values }: { thing: Thing; values: NewestValues }) {
  const times = thing.fields.map((field) => values.of(`${thing.id}/${field.field}`).value?.time ?? 0);
  const seen = Math.max(thing.seen ?? 0, ...times);
  return <Age time={seen || null} />;
}

// Percent is what people ask for; otherwise the order of the tables.
export function keyFields(fields: readonly ThingField[]): ThingField[] {
  return [...fields].sort((a, b) => Number(b.unit === '%') - Number(a.unit === '%'));
}

export function ThingTile({ thing, values }: { thing: Thing; values: NewestValues }) {
  const [first, ...more] = thing.state === 'never' ? [] : keyFields(thing.fields);
  return (
    <li>
      <a class={`tile ${thing.state}`} href={`/t/${encodeURIComponent(thing.id)}`}>
        <span class="tile-name wrap">{thing.name || thing.id}</span>
        {first && <b class="tile-value"><FieldValue thing={thing.id} field={first} values={values} /></b>}
        {more.length > 0 && (
          <span class="tile-more">
            {more.slice(0, kMoreFieldsMax).map((field) => (
              <span key={field.field}>{field.field} <FieldValue thing={thing.id} field={field} values={values} /></span>
            ))}
          </span>
        )}
        <span class="tile-foot">
          {(thing.state !== 'ok' || thing.alerts > 0) && <ThingMark thing={thing} />}
          {thing.state !== 'never' && <ThingAge thing={thing} values={values} />}
        </span>
      </a>
    </li>
  );
}
