// page/page_view.tsx: a page of panels: /p/tanks, or /t/tank-1 for a page made `for` its type.
import type { Page } from '../documents';
import { useGet } from '../api';
import { zone } from '../format';
import { PanelView, usePanelPage } from '../panels';
import { isAdmin } from '../session';
import { EmptyState, ErrorState, Loading, PageHead } from '../ui/parts';
import { RangePicker } from './range_picker';
import type { PanelPage } from './time';

// The header names the zone of all times; a page that keeps to another says so.
function OwnZone({ page }: { page: PanelPage }) {
  const own = page.time.zone.value;
  return own === zone.value ? null : <span class="page-zone">times on this page in {own}</span>;
}

// The panels of a page, in their grid.
export function PanelGrid({ panels, page }: { panels: Page['panels']; page: PanelPage }) {
  return (
    <div class="grid page-grid" data-testid="panels">
      {panels.map((panel, i) => <PanelView key={`${i} ${JSON.stringify(panel)}`} panel={panel} page={page} />)}
    </div>
  );
}

function Panels({ document, thing, title }: { document: Page; thing: string | null; title: string }) {
  const page = usePanelPage(document.range, document.zone, thing);
  return (
    <>
      <PageHead title={title}>
        <OwnZone page={page} />
        <RangePicker time={page.time} />
        {isAdmin.value && <a class="button small" href={`/p/${encodeURIComponent(document.id)}/edit`} data-testid="edit-page">Edit</a>}
      </PageHead>
      {document.panels.length === 0 && (
        <EmptyState title="This page has no panels yet"><p>Edit it, and insert one.</p></EmptyState>
      )}
      <PanelGrid panels={document.panels} page={page} />
    </>
  );
}

// `thing`: {id, name} for a page that is about one; "$thing.name" in its title is that name.
export function PageOf({ document, thing = null }: { document: Page; thing?: { id: string; name: string } | null }) {
  const title = thing ? document.title.replace('$thing.name', thing.name) : document.title;
  return <Panels document={document} thing={thing?.id ?? null} title={title} />;
}

export function PageView({ parts }: { parts: Record<string, string> }) {
  const page = useGet<Page>(`/pages/${encodeURIComponent(parts['page'] ?? '')}`);
  const document = page.data.value;
  const error = page.error.value;
  if (document) return <PageOf document={document} />;
  if (error) return <><PageHead title="This page cannot be shown" /><ErrorState error={error} retry={page.reload} /></>;
  return <Loading />;
}
