// The frame around every view: scale rail, header, and the view of the address.
import { useEffect, useState } from 'preact/hooks';
import { asApiError, type ApiError } from './api';
import { Logo } from './icons';
import { arrivals, match, place } from './router';
import { kRoutes, loadView, viewAtOnce, type View } from './routes';
import { loadSession, session, sessionError } from './session';
import { LiveRegion } from './ui/announce';
import { EmptyState, ErrorState, Loading, PageHead } from './ui/parts';

function NotFound() {
  return (
    <>
      <PageHead title="There is no such page" />
      <EmptyState title={place.value.path}><p>Perhaps it was renamed. <a href="/">Go to the overview</a></p></EmptyState>
    </>
  );
}

function findRoute(path: string): { pattern: string; parts: Record<string, string> } | null {
  for (const { pattern } of kRoutes) {
    const parts = match(pattern, path);
    if (parts) return { pattern, parts };
  }
  return null;
}

// The view of the address; the one before stays until the next is loaded.
function CurrentView() {
  const found = findRoute(place.value.path);
  const pattern = found?.pattern ?? '';
  const [, drawAgain] = useState(0);
  const [error, setError] = useState<ApiError | null>(null);
  const View: View | undefined = found ? viewAtOnce(pattern) : undefined;
  useEffect(() => {
    setError(null);
    if (!found || View) return;
    loadView(pattern).then(() => drawAgain((n) => n + 1), (reason: unknown) => setError(asApiError(reason)));
  }, [pattern]);
  useEffect(() => {
    if (arrivals.peek() > 0) document.querySelector<HTMLElement>('#main h1, #main')?.focus({ preventScroll: true });
  }, [arrivals.value, View]);
  if (!found) return <NotFound />;
  if (error) return <ErrorState error={error} retry={() => window.location.reload()} />;
  return View ? <View key={JSON.stringify(found.parts) + pattern} parts={found.parts} /> : <Loading />;
}

export function App() {
  if (!session.value) {
    return (
      <div class="gate"><main>
        <div class="brand"><Logo />Nilometer</div>
        {sessionError.value ? <ErrorState error={sessionError.value} retry={() => void loadSession()} /> : <Loading />}
      </main></div>
    );
  }
  return (
    <>
      <a class="skip" href="#main">Skip to content</a>
      <main class="main" id="main" tabIndex={-1}><CurrentView /></main>
      <LiveRegion />
    </>
  );
}
