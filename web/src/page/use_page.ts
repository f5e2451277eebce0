// A page's time as long as a component is shown: it follows the clock and the address.
import { useEffect, useMemo } from 'preact/hooks';
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
