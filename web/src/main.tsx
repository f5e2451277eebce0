// Starts the pages: who is there, what is shown, what happens now.
import { render } from 'preact';
import { effect } from '@preact/signals';
import { App } from './app';
import { showFavicon } from './favicon';
import { startLive, live } from './live';
import { startRouter } from './router';
import { loadTheRest } from './routes';
import { loadSession, session, watchForLogout, watchSystemTheme } from './session';

watchSystemTheme();
watchForLogout();
startRouter();

const root = document.getElementById('app');
if (root) render(<App />, root);

// The live connection belongs to somebody who is in.
let isStarted = false;
effect(() => {
  const isIn = session.value?.user != null;
  if (isIn && !isStarted) startLive();
  if (!isIn && isStarted) live.stop();
  isStarted = isIn;
  if (!isIn) showFavicon(false);
});

void loadSession();
(window.requestIdleCallback ?? ((then: () => void) => setTimeout(then, 1000)))(() => void loadTheRest());
