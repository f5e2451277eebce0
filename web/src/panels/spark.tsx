// A small line beside a value: where it came from.
import { useEffect, useState } from 'preact/hooks';
import { get } from '../api';
import type { FieldValue, Series, SeriesSet } from '../documents';
import { now, zone } from '../format';
import { everySecond } from '../ui/age';
import { sentenceOf } from './chart_sentence';
import { boundsOf } from './points';

const kWidth = 120;
const kHeight = 32;
const kRoom = 2;
const kAgainMs = 60_000;

// One path with a break at each gap; "" for no points.
export function sparkPath(series: Series, from: number, to: number): string {
  const [low, high] = boundsOf([series], from, to, '', []);
  let isBroken = true;
  let path = '';
  series.t.forEach((time, i) => {
    const value = series.v[i];
    if (value === null || value === undefined || time < from || time > to) {
      isBroken = true;
      return;
    }
    const x = ((time - from) / (to - from)) * kWidth;
    const y = kHeight - kRoom - ((value - low) / (high - low)) * (kHeight - 2 * kRoom);
    path += `${isBroken ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`;
    isBroken = false;
  });
  return path;
}

// The series of all tiles of a panel in one request, renewed now and then.
export function useSparks(of: string[], lasts: number | null): Map<string, { series: Series; from: number; to: number }> {
  const [sparks, setSparks] = useState(new Map<string, { series: Series; from: number; to: number }>());
  const key = of.join();
  useEffect(() => {
    if (lasts === null || of.length === 0) return undefined;
    const abort = new AbortController();
    let askedAt = -Infinity;
    const load = async () => {
      if (now() - askedAt < kAgainMs) return;
      askedAt = now();
      const to = Math.round(askedAt);
      try {
        const answer = await get<SeriesSet>('/series', { of: key, from: to - lasts, to, px: kWidth }, abort.signal);
        setSparks(new Map(answer.series.map((series) => [series.of, { series, from: to - lasts, to }])));
      } catch {
        // A decoration: the value beside it says what matters, and the next minute tries again.
      }
    };
    void load();
    const stop = everySecond(() => void load());
    return () => {
      stop();
      abort.abort();
    };
  }, [key, lasts]);
  return sparks;
}

export function Spark({ value, spark }: {
  value: FieldValue; spark: { series: Series; from: number; to: number } | undefined;
}) {
  return (
    <svg class="spark" viewBox={`0 0 ${kWidth} ${kHeight}`} preserveAspectRatio="none" role="img"
      aria-label={spark ? sentenceOf(spark.series, spark, zone.value, false) : `History of ${value.name}`}>
      {spark && <path d={sparkPath(spark.series, spark.from, spark.to)} />}
    </svg>
  );
}
