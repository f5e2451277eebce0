// A page's time as long as a component is shown: it follows the clock and the address.
import { useEffect, useMemo } from 'preact/hooks';
import type { Panel } from '../documents';
import { address } from '../router';
import { everySecond } from '../ui/age';
import { PageTime, type PanelPage } from './time';

export function usePanelPage(range: string, zone: string, thing: string | null = null): PanelPage {
  const page = useMemo(() => ({ time: new PageTime(range, zone), thing }), [range, zone, thing]);
  useEffect(() => {
    const stopClock = everySecond(() => page.time.tick());
    const stopAddress = address.subscribe(() => page.time.readAddress());
    return () => {
      stopClock();
      stopAddress();
      page.time.cancel();
    };
  }, [page]);
  return page;
}

// A panel with a `range` of its own keeps to it, whatever the page shows.
export function useOwnRange(panel: Panel, page: PanelPage): PanelPage {
  const range = typeof panel['range'] === 'string' ? panel['range'] : null;
  const own = useMemo(() => (range === null ? page : { ...page, time: page.time.apart(range) }), [range, page]);
  useEffect(() => (own === page ? undefined : everySecond(() => own.time.tick())), [own]);
  return own;
}
