// Starts the pages: who is there, what is shown, what happens now.
import { render } from 'preact';
import { effect, untracked } from '@preact/signals';
import { App } from './app';
import { startLive, live } from './live';
import { startRouter } from './router';
import { loadTheRest } from './routes';
import { startStore } from './store';
import { loadSession, session, watchForLogout, watchSystemTheme } from './session';

watchSystemTheme();
watchForLogout();
startRouter();

const root = document.getElementById('app');
if (root) render(<App />, root);

// What is live belongs to somebody who is in.
let leave: (() => void) | null = null;
effect(() => {
  const isIn = session.value?.user != null;
  if (isIn && !leave) {
    startLive();
    leave = untracked(startStore);
  } else if (!isIn && leave) {
    live.stop();
    leave();
    leave = null;
  }
});

void loadSession();
(window.requestIdleCallback ?? ((then: () => void) => setTimeout(then, 1000)))(() => void loadTheRest());
