// A thing at a glance: state, newest values with their age. The whole tile is a link. What a value
// says is the same as in a `now` panel (ui/reading.tsx).
import type { Thing, ThingField } from '../documents';
import { now } from '../format';
import { MarkIcon } from '../icons';
import type { NewestValues } from '../live_values';
import { levelOf, stateOf, type Level } from '../panels/level';
import { ThingMark } from '../ui/parts';
import { largeText, ReadingAge, textOf, type Reading } from '../ui/reading';

const kMoreFieldsMax = 3;

// What the document said of a field, or what came since.
export function newestOf(thing: string, field: ThingField, values: NewestValues): Reading {
  const newest = values.of(`${thing}/${field.field}`).value;
  const isNewer = newest !== null && newest.time >= (field.time ?? 0);
  return isNewer ? { ...field, value: newest.value, time: newest.time } : field;
}

// A value that follows what comes.
export function FieldValue({ thing, field, values }: { thing: string; field: ThingField; values: NewestValues }) {
  return <>{textOf(newestOf(thing, field, values))}</>;
}

// Percent is what people ask for; otherwise the order of the tables.
export function keyFields(fields: readonly ThingField[]): ThingField[] {
  return [...fields].sort((a, b) => Number(b.unit === '%') - Number(a.unit === '%'));
}

// Silence and doubt are those of the whole thing, as the server judges them.
export function levelIn(thing: Pick<Thing, 'state'>, reading: Reading): Level {
  const state = stateOf({ time: reading.time, state: thing.state, interval_ms: null }, now());
  return levelOf(reading, state, { low: null, high: null });
}

interface OfField { thing: Thing; field: ThingField; values: NewestValues }

function LargeValue({ thing, field, values }: OfField) {
  const reading = newestOf(thing.id, field, values);
  return <b class="tile-value">{largeText(reading, levelIn(thing, reading))}</b>;
}

// What is wrong, and how old the value is; a silent one says both in one.
function Foot({ thing, field, values }: OfField) {
  const reading = newestOf(thing.id, field, values);
  const level = levelIn(thing, reading);
  const age = <ReadingAge reading={reading} level={level} />;
  if (level === 'silent') return <span class="state off"><MarkIcon mark="off" />{age}</span>;
  return <>{(thing.state !== 'ok' || thing.alerts > 0) && <ThingMark thing={thing} />}{age}</>;
}

export function ThingTile({ thing, values }: { thing: Thing; values: NewestValues }) {
  const [first, ...others] = thing.state === 'never' ? [] : keyFields(thing.fields);
  // Beside a doubtful value they would look like part of a good one.
  const more = thing.state === 'invalid' ? [] : others;
  return (
    <li>
      <a class={`tile ${thing.state}`} href={`/t/${encodeURIComponent(thing.id)}`}>
        <span class="tile-name wrap">{thing.name || thing.id}</span>
        {first && <LargeValue thing={thing} field={first} values={values} />}
        {more.length > 0 && (
          <span class="tile-more">
            {more.slice(0, kMoreFieldsMax).map((field) => (
              <span key={field.field}>{field.field} <FieldValue thing={thing.id} field={field} values={values} /></span>
            ))}
          </span>
        )}
        <span class="tile-foot">
          {first ? <Foot thing={thing} field={first} values={values} /> : <ThingMark thing={thing} />}
        </span>
      </a>
    </li>
  );
}
