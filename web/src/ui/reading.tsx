// A field's newest reading, for every tile the same: a reading that is none makes no level, so in
// its place stands the last good one, small and with its own age.
import type { FieldValue } from '../documents';
import { quantity } from '../format';
import type { Level } from '../panels/level';
import { Age } from './age';

// `time`: when the value was measured, not when the thing last reported.
export type Reading = Pick<FieldValue, 'value' | 'unit' | 'decimals' | 'time'>;

export function textOf({ value, unit, decimals }: Reading): string {
  return quantity(value, unit, decimals);
}

// No value is printed large that nothing sound stands behind. A silent thing's is the last one that
// was true; its tile is dashed.
export function isDoubtful(level: Level): boolean {
  return level === 'invalid' || level === 'never';
}

export function largeText(reading: Reading, level: Level): string {
  return isDoubtful(level) ? '\u2013' : textOf(reading);
}

// The value whose age is shown has to be named where it is not the large one.
export function agedText(reading: Reading, level: Level): string {
  return level === 'invalid' && reading.time !== null ? `last good ${textOf(reading)}` : '';
}

// Of a silent thing how long ago its last reading was, in these words; of one without readings nothing.
export function ReadingAge({ reading, level }: { reading: Reading; level: Level }) {
  if (level === 'never' || (level === 'invalid' && reading.time === null)) return null;
  const named = agedText(reading, level);
  const age = <Age time={reading.time} way={level === 'silent' ? 'silent' : 'ago'} />;
  return named ? <span class="age">{named} {age}</span> : age;
}
