// Which address shows which view. A view is loaded when it is first needed, but for the first one.
import type { ComponentType } from 'preact';
import { Overview } from './views/overview';

export type View = ComponentType<{ parts: Record<string, string> }>;
type Load = () => Promise<View>;

const later = () => import('./views/later');

// The first pattern that fits (router.ts says how) wins.
// `isRare`: loaded by who goes there, not ahead of time.
export const kRoutes: { pattern: string; view?: View; load?: Load; isRare?: true }[] = [
  { pattern: '/', view: Overview },
  { pattern: '/p/:page', load: async () => (await later()).PageView },
  { pattern: '/p/:page/edit', load: async () => (await import('./edit/editor')).EditPage, isRare: true },
  { pattern: '/things', load: async () => (await later()).Things },
  { pattern: '/things/new', load: async () => (await import('./views/add_thing')).AddThing, isRare: true },
  { pattern: '/t/:thing', load: async () => (await later()).Thing },
  { pattern: '/alerts', load: async () => (await later()).Alerts },
  { pattern: '/alerts/:alert', load: async () => (await later()).Alert },
  { pattern: '/live', load: async () => (await later()).Live },
  { pattern: '/live/refused', load: async () => (await later()).Refused },
  { pattern: '/settings', load: async () => (await later()).Settings },
  { pattern: '/settings/:tab', load: async () => (await later()).Settings },
];

const loaded = new Map<string, View>();

export function viewAtOnce(pattern: string): View | undefined {
  return kRoutes.find((route) => route.pattern === pattern)?.view ?? loaded.get(pattern);
}

export async function loadView(pattern: string): Promise<View> {
  const known = viewAtOnce(pattern);
  if (known) return known;
  const load = kRoutes.find((route) => route.pattern === pattern)?.load;
  if (!load) throw new Error(`no view for ${pattern}`);
  const view = await load();
  loaded.set(pattern, view);
  return view;
}

// When nothing else is to do, so that going to another page is immediate.
export async function loadTheRest(): Promise<void> {
  for (const { pattern, load, isRare } of kRoutes) {
    if (load && !isRare) await loadView(pattern).catch(() => undefined);
  }
}
