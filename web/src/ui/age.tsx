// Times beside values. They tick by changing one text node, without drawing anything again.
import { useEffect, useRef } from 'preact/hooks';
import { age, fullTime, isoTime, moment, silentFor, since, zone } from '../format';

const ticking = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

// Calls `then` every second as long as the tab is seen; returns how to stop.
export function everySecond(then: () => void): () => void {
  ticking.add(then);
  timer ??= setInterval(() => {
    if (!document.hidden) for (const tick of ticking) tick();
  }, 1000);
  return () => {
    ticking.delete(then);
    if (ticking.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

const kWays = { ago: age, silent: silentFor, since, moment };

// `way`: "12 s ago", "silent 40 min", "since Tue 14:02" or "Tue 14:02".
export function Age({ time, way = 'ago' }: { time: number | null; way?: keyof typeof kWays }) {
  const element = useRef<HTMLTimeElement>(null);
  const shownIn = zone.value;
  useEffect(() => {
    if (time === null) return undefined;
    const update = () => {
      const text = kWays[way](time);
      if (element.current && element.current.textContent !== text) element.current.textContent = text;
    };
    update();
    return everySecond(update);
  }, [time, way, shownIn]);
  if (time === null) return <span class="age">never</span>;
  return <time ref={element} class="age" dateTime={isoTime(time)} title={fullTime(time)} />;
}
