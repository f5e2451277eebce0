// Every state of the pages is a URL: the address says what is shown, links and the history do the
// rest. A link to our own origin is followed without loading the page again.
import { computed, signal } from '@preact/signals';

export interface Place { path: string; query: URLSearchParams }

export function placeOf(address: string): Place {
  const { pathname, searchParams } = new URL(address, 'http://here');
  return { path: pathname.replace(/(.)\/+$/, '$1'), query: searchParams };
}

// The parts of `path` that stand where `pattern` has :name, or null if it does not fit; one ":name"
// is one whole level, decoded. "/t/:thing" and "/t/tank-1" give {thing: "tank-1"}.
export function match(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return null;
  const parts: Record<string, string> = {};
  for (const [i, level] of wanted.entries()) {
    const here = given[i] ?? '';
    if (level.startsWith(':')) {
      if (here === '') return null;
      try {
        parts[level.slice(1)] = decodeURIComponent(here);
      } catch {
        return null;
      }
    } else if (level !== here) {
      return null;
    }
  }
  return parts;
}

// `address` with some parts of its query changed; null, undefined and "" remove one.
export function withQuery(address: string, changes: Record<string, string | null | undefined>): string {
  const { path, query } = placeOf(address);
  const changed = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === undefined || value === '') changed.delete(name);
    else changed.set(name, value);
  }
  const text = changed.toString();
  return text ? `${path}?${text}` : path;
}

const inBrowser = typeof window !== 'undefined';
const here = () => (inBrowser ? window.location.pathname + window.location.search : '/');

export const address = signal(here());
export const place = computed(() => placeOf(address.value));
// How often the place itself, not only its query, was changed: a new page gets focus and scroll.
export const arrivals = signal(0);

// Asked before the place is left; null: nobody minds.
let mayLeave: (() => boolean) | null = null;
export function askBeforeLeaving(ask: (() => boolean) | null): void {
  mayLeave = ask;
}

export function navigate(to: string, how: { replace?: boolean } = {}): void {
  const isNewPath = placeOf(to).path !== place.peek().path;
  if (isNewPath && !how.replace && mayLeave && !mayLeave()) return;
  if (how.replace) window.history.replaceState(null, '', to);
  else if (to !== address.peek()) window.history.pushState(null, '', to);
  address.value = here();
  if (isNewPath) {
    arrivals.value += 1;
    window.scrollTo(0, 0);
  }
}

// One part of the query; reading it in a component follows it.
export function query(name: string): string {
  return place.value.query.get(name) ?? '';
}

// Replaces the address, as going back through every letter of a search helps nobody.
export function setQuery(changes: Record<string, string | null | undefined>): void {
  navigate(withQuery(address.peek(), changes), { replace: true });
}

// Paths that are the server's and no page of ours.
const isServers = (path: string) => /^\/(api|assets|metrics|healthz)(\/|$)/.test(path);

function followLink(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  if (!link || !link.href || link.target || link.hasAttribute('download')) return;
  const to = new URL(link.href);
  if (to.origin !== window.location.origin || isServers(to.pathname)) return;
  if (to.hash && to.pathname + to.search === here()) return;
  event.preventDefault();
  navigate(to.pathname + to.search);
}

export function startRouter(): void {
  document.addEventListener('click', followLink);
  window.addEventListener('popstate', () => {
    const before = place.peek().path;
    if (placeOf(here()).path !== before && mayLeave && !mayLeave()) {
      window.history.pushState(null, '', address.peek());  // as if nobody had gone back
      return;
    }
    address.value = here();
    if (place.peek().path !== before) arrivals.value += 1;
  });
}
