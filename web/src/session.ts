// Who is looking, at which server.
import { computed, signal } from '@preact/signals';
import { asApiError, get, onLoggedOut, type ApiError } from './api';
import type { Session } from './documents';
import { setClockOffset, setZone } from './format';
import { address, navigate } from './router';

export const session = signal<Session | null>(null);
export const sessionError = signal<ApiError | null>(null);
export const isAdmin = computed(() => session.value?.user?.role === 'admin');

export function setSession(answer: Session): void {
  session.value = answer;
  sessionError.value = null;
  setZone(chosenZone() ?? answer.site.zone);
  setClockOffset(answer.time - Date.now());
}

export async function loadSession(): Promise<void> {
  try {
    setSession(await get<Session>('/session'));
  } catch (error) {
    sessionError.value = asApiError(error);
  }
}

// Where to go after the login: a path of ours, never another site.
export function wayBack(next: string): string {
  return next.startsWith('/') && !next.startsWith('//') && !next.includes('\\') ? next : '/';
}

// The session ended while a page was open: log in, then come back to it.
export function watchForLogout(): void {
  onLoggedOut(() => {
    const current = session.peek();
    if (!current?.user) return;
    session.value = { ...current, user: null };
    const here = address.peek();
    navigate(here === '/' ? '/login' : `/login?next=${encodeURIComponent(here)}`, { replace: true });
  });
}

// --- What a browser remembers of its viewer: theme and zone.

function recall(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

function remember(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(name);
    else localStorage.setItem(name, value);
  } catch {
    // Kept until the tab closes, then.
  }
}

export type Theme = 'auto' | 'light' | 'dark';
const toTheme = (text: string | null): Theme => (text === 'light' || text === 'dark' ? text : 'auto');
export const theme = signal<Theme>(typeof window === 'undefined' ? 'auto' : toTheme(recall('theme')));

export function chooseTheme(chosen: Theme): void {
  theme.value = chosen;
  remember('theme', chosen === 'auto' ? null : chosen);
  if (chosen === 'auto') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = chosen;
}

// True while the page is drawn dark, by choice or by the system; for what draws on a canvas.
const systemIsDark = signal(false);
export const isDark = computed(() =>
  theme.value === 'dark' || (theme.value === 'auto' && systemIsDark.value));
export function watchSystemTheme(): void {
  const query = window.matchMedia('(prefers-color-scheme: dark)');
  systemIsDark.value = query.matches;
  query.addEventListener('change', () => { systemIsDark.value = query.matches; });
}

export function viewerZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
}

function chosenZone(): string | null {
  return recall('zone') === 'viewer' ? viewerZone() : null;
}

// The site's zone, or the one of the viewer's own clock.
export function chooseZone(whose: 'site' | 'viewer'): void {
  remember('zone', whose === 'viewer' ? 'viewer' : null);
  setZone(chosenZone() ?? session.peek()?.site.zone ?? 'UTC');
}
