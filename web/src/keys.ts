// The keyboard: single letters for the view, g and a letter to go somewhere, ? for all of them.
import { useEffect, useRef } from 'preact/hooks';
import { navigate } from './router';

const kSequenceMs = 1200;

export const kDestinations: { key: string; href: string; name: string }[] = [
  { key: 'o', href: '/', name: 'Overview' },
  { key: 't', href: '/things', name: 'Things' },
  { key: 'a', href: '/alerts', name: 'Alerts' },
  { key: 'l', href: '/live', name: 'Live' },
  { key: 's', href: '/settings', name: 'Settings' },
];

// A key that somebody types into something, or that belongs to a dialog, is not ours.
function isTyped(event: KeyboardEvent): boolean {
  const target = event.target;
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.closest('input, textarea, select, dialog, [role="menu"]') !== null;
}

// While a component is shown: what single keys do there, such as {a: acknowledge}.
export function useKeys(keys: Record<string, () => void>): void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyped(event) || event.defaultPrevented) return;
      const act = latest.current[event.key];
      if (!act) return;
      event.preventDefault();
      act();
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, []);
}

// The keys of every view. `g` and a letter come before what the view does with that letter.
export function useGlobalKeys(act: { jump: () => void; help: () => void }): void {
  const since = useRef(-Infinity);  // when g was pressed
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        act.jump();
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey || isTyped(event)) return;
      const isSecond = event.timeStamp - since.current < kSequenceMs;
      since.current = event.key === 'g' ? event.timeStamp : -Infinity;
      const to = isSecond ? kDestinations.find((one) => one.key === event.key) : undefined;
      if (!to && event.key !== '/' && event.key !== '?') return;
      event.preventDefault();
      if (to) navigate(to.href);
      else if (event.key === '/') act.jump();
      else act.help();
    };
    document.addEventListener('keydown', press, { capture: true });
    return () => document.removeEventListener('keydown', press, { capture: true });
  }, []);
}
