// The points of a chart: each series has its own times; uPlot wants one column of times for all.
//
// In a column of values, null is a gap (nothing was measured, the line breaks) and undefined a time
// that belongs to another series (the line goes on).

export interface Track {
  t: number[]; // ascending
  v: (number | null)[];
}

export type Columns = [number[], ...(number | null | undefined)[][]];

// Merges the times of all tracks; equal times share a row. O(points * log tracks) would be finer,
// but pages have a handful of tracks.
export function align(tracks: Track[]): Columns {
  const at = tracks.map(() => 0);
  const times: number[] = [];
  const values: (number | null | undefined)[][] = tracks.map(() => []);
  for (;;) {
    let next = Infinity;
    tracks.forEach((track, i) => { next = Math.min(next, track.t[at[i]!] ?? Infinity); });
    if (next === Infinity) {
      for (const column of values) widenGaps(column);
      return [times, ...values];
    }
    times.push(next);
    tracks.forEach((track, i) => {
      const here = at[i]!;
      const isHere = track.t[here] === next;
      values[i]!.push(isHere ? track.v[here]! : undefined);
      // A track may name a time twice (a step of M4 columns); the last one counts.
      while (track.t[at[i]!] === next) {
        values[i]![times.length - 1] = track.v[at[i]!]!;
        at[i]! += 1;
      }
    });
  }
}

// A gap reaches from the reading before to the reading after, whatever times of other tracks lie
// between; uPlot would end it at the next of them.
function widenGaps(column: (number | null | undefined)[]): void {
  for (let i = 0; i < column.length; i += 1) {
    if (column[i] !== null) continue;
    for (let k = i - 1; k >= 0 && column[k] === undefined; k -= 1) column[k] = null;
    while (i + 1 < column.length && (column[i + 1] === undefined || column[i + 1] === null)) column[(i += 1)] = null;
  }
}

// No reading for so long is a gap: three intervals, and a minute at least.
export function gapMs(intervalMs: number | null): number {
  return Math.max(60_000, 3 * (intervalMs ?? 0));
}

// Adds a reading that came live. Older ones than the last are left out: the next fetch has them.
// Returns whether anything was changed.
export function append(track: Track, time: number, value: number | null, gap: number): boolean {
  const last = track.t[track.t.length - 1];
  if (last !== undefined && time < last) return false;
  if (last === time) {
    if (track.v[track.v.length - 1] === value) return false;
    track.v[track.v.length - 1] = value;
    return true;
  }
  const isGap = last !== undefined && time - last > gap && track.v[track.v.length - 1] !== null;
  if (isGap) {
    track.t.push(last + 1);
    track.v.push(null);
  }
  track.t.push(time);
  track.v.push(value);
  return true;
}

// Forgets what lies before `from`, but for one point, so that the line still enters at the left.
export function trimBefore(track: Track, from: number): void {
  const keep = track.t.findIndex((time) => time >= from) - 1;
  if (keep <= 0) return;
  track.t.splice(0, keep);
  track.v.splice(0, keep);
}

// The reading that was valid at `time`: the newest one not after it. null: none, or a gap.
export function valueAt(track: Track, time: number): { time: number; value: number } | null {
  let low = 0;
  let high = track.t.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (track.t[middle]! <= time) low = middle + 1;
    else high = middle;
  }
  if (low === 0) return null;
  const value = track.v[low - 1];
  return value === null || value === undefined ? null : { time: track.t[low - 1]!, value };
}

// The time of the next reading of any track in direction `by` (+1 or -1) from `time`; null: none.
export function stepFrom(times: number[], time: number, by: 1 | -1): number | null {
  if (by === 1) return times.find((t) => t > time) ?? null;
  for (let i = times.length - 1; i >= 0; i -= 1) if (times[i]! < time) return times[i]!;
  return null;
}

// What a chart's axis spans: the values seen, the limits, and zero for amounts. Percentages show
// their whole scale, so that half full looks half full.
export function boundsOf(tracks: Track[], from: number, to: number, unit: string, also: number[]): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  const take = (value: number | null | undefined) => {
    if (value === null || value === undefined) return;
    if (value < low) low = value;
    if (value > high) high = value;
  };
  for (const track of tracks) {
    let before: number | null = null;
    track.t.forEach((time, i) => {
      if (time < from) before = track.v[i]!;
      else if (time <= to) take(track.v[i]);
    });
    take(before);
  }
  also.forEach(take);
  if (low > high) return [0, unit === '%' ? 100 : 1];
  if (unit === '%' && low >= 0 && high <= 100) return [0, 100];
  const isAmount = !/^°|^K$|hPa|mbar|dBm|dB$|^$/.test(unit);
  if (isAmount && low >= 0 && low < 0.75 * high) low = 0;
  const room = (high - low || Math.abs(high) || 1) * 0.08;
  return [low === 0 ? 0 : low - room, high + room];
}
