// What the text would show: its page as it is now, each panel a way to its lines.
import { useMemo } from 'preact/hooks';
import type { Page } from '../documents';
import { PanelGrid } from '../page/page_view';
import { RangePicker } from '../page/range_picker';
import { usePanelPage } from '../panels';
import { EmptyState } from '../ui/parts';

// The page that is edited: by its id, else (it may just be changing) the one at the same place.
export function pageIn(pages: Page[], id: string, index: number): Page | null {
  return pages.find((page) => page.id === id) ?? pages[index] ?? pages[0] ?? null;
}

export function Preview({ page, isOld, onLine }: { page: Page; isOld: boolean; onLine: (line: number) => void }) {
  const own = usePanelPage(page.range, page.zone, null);
  const key = JSON.stringify(page.panels.map(({ line: _, ...options }) => options));
  // The same panels on other lines are the same panels: nothing is fetched again.
  const panels = useMemo(() => page.panels, [key, page.panels.map(({ line }) => line).join()]);
  const jump = (event: MouseEvent) => {
    const target = event.target instanceof Element ? event.target : null;
    if (!target || target.closest('a, button, input, select, .plot')) return;
    const line = Number(target.closest<HTMLElement>('[data-line]')?.dataset['line']);
    if (line > 0) onLine(line);
  };
  return (
    <div class={`preview${isOld ? ' old' : ''}`} data-testid="preview" onClick={jump}>
      <div class="page-head"><h2>{page.title}</h2><RangePicker time={own.time} /></div>
      {page.panels.length === 0 && <EmptyState title="No panels yet"><p>Insert one.</p></EmptyState>}
      {page.for && <p class="hint">This page is shown for {page.for}; $thing stands for each of them.</p>}
      <PanelGrid panels={panels} page={own} />
    </div>
  );
}
