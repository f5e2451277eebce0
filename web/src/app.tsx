// The frame around every view: scale rail, header, and the view of the address.
import { useEffect, useState } from 'preact/hooks';
import { asApiError, type ApiError } from './api';
import { Logo } from './icons';
import { useGlobalKeys } from './keys';
import { arrivals, match, navigate, place, query } from './router';
import { kRoutes, loadView, viewAtOnce, type View } from './routes';
import { loadSession, session, sessionError, wayBack } from './session';
import { Jump, KeysHelp } from './shell/jump';
import { Rail } from './shell/rail';
import { TopBar } from './shell/top_bar';
import { LiveRegion } from './ui/announce';
import { EmptyState, ErrorState, Loading, PageHead } from './ui/parts';
import { AckLink } from './views/ack';
import { Login, Setup } from './views/gate';

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
    if (arrivals.peek() === 0) return;
    const head = document.querySelector<HTMLElement>('#main h1') ?? document.getElementById('main');
    head?.focus({ preventScroll: true });
  }, [arrivals.value, View]);
  if (!found) return <NotFound />;
  if (error) return <ErrorState error={error} retry={() => window.location.reload()} />;
  return View ? <View key={JSON.stringify(found.parts) + pattern} parts={found.parts} /> : <Loading />;
}

function Inside() {
  const [dialog, setDialog] = useState<'jump' | 'keys' | null>(null);
  const close = () => setDialog(null);
  useGlobalKeys({ jump: () => setDialog('jump'), help: () => setDialog('keys') });
  return (
    <>
      <a class="skip" href="#main">Skip to content</a>
      <div class="app">
        <Rail />
        <div>
          <TopBar onJump={() => setDialog('jump')} />
          <main class="content" id="main" tabIndex={-1}><CurrentView /></main>
        </div>
      </div>
      {dialog === 'jump' && <Jump onClose={close} />}
      {dialog === 'keys' && <KeysHelp onClose={close} />}
    </>
  );
}

function Waiting() {
  return (
    <div class="gate"><main>
      <div class="brand"><Logo />Nilometer</div>
      {sessionError.value ? <ErrorState error={sessionError.value} retry={() => void loadSession()} /> : <Loading />}
    </main></div>
  );
}

// Somebody who is in has nothing to do at the gate.
function WayIn() {
  useEffect(() => navigate(wayBack(query('next')), { replace: true }), []);
  return <Waiting />;
}

function Whole() {
  const current = session.value;
  const link = match('/ack/:token', place.value.path);
  if (!current) return <Waiting />;
  if (link) return <AckLink token={link['token'] ?? ''} />;
  if (!current.claimed && !current.user) return <Setup />;
  if (!current.user) return <Login />;
  if (place.value.path === '/login' || place.value.path === '/setup') return <WayIn />;
  return <Inside />;
}

export function App() {
  return <><Whole /><LiveRegion /></>;
}
