// For a row of links that can be wider than the screen: the current one is in view.
import type { RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

// The element that scrolls. It is scrolled again whenever `change` differs: another link is the
// current one, or one of them has another width.
export function useCurrentInView<T extends HTMLElement>(change: string): RefObject<T | null> {
  const row = useRef<T>(null);
  useEffect(() => {
    const current = row.current?.querySelector('[aria-current]')?.getBoundingClientRect();
    if (!row.current || !current) return;
    const left = current.left - row.current.getBoundingClientRect().left;
    row.current.scrollLeft += left - (row.current.clientWidth - current.width) / 2;
  }, [change]);
  return row;
}
