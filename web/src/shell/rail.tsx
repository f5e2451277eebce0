// Navigation: on a wide screen a scale with a mark for each destination, on a phone tabs.
import { Logo } from '../icons';
import { place } from '../router';
import { pages, status } from '../store';
import { useCurrentInView } from '../ui/current_in_view';

interface Entry { href: string; name: string; isSub?: boolean; count?: number; isCurrent: boolean }

function entries(path: string): Entry[] {
  const isBelow = (href: string) => path === href || path.startsWith(`${href}/`);
  const own = pages.value.filter((page) => !page.for).map((page) => {
    const href = `/p/${encodeURIComponent(page.id)}`;
    return { href, name: page.title, isSub: true, isCurrent: isBelow(href) };
  });
  return [
    { href: '/', name: 'Overview', isCurrent: path === '/' },
    ...own,
    { href: '/things', name: 'Things', isCurrent: isBelow('/things') || path.startsWith('/t/') },
    { href: '/alerts', name: 'Alerts', count: status.value?.alerts.open ?? 0, isCurrent: isBelow('/alerts') },
    { href: '/live', name: 'Live', isCurrent: isBelow('/live') },
    { href: '/settings', name: 'Settings', isCurrent: isBelow('/settings') },
  ];
}

export function Rail() {
  const all = entries(place.value.path);
  const list = useCurrentInView<HTMLUListElement>(JSON.stringify(all));
  return (
    <nav class="rail" aria-label="Main">
      <a class="brand" href="/"><Logo />Nilometer</a>
      <ul ref={list}>
        {all.map((entry) => (
          <li key={entry.href} class={entry.isSub ? 'sub' : undefined}>
            <a href={entry.href} aria-current={entry.isCurrent ? 'page' : undefined}>
              <span class="name">{entry.name}</span>
              {entry.count ? <span class="open-count">{entry.count}<span class="unseen"> open</span></span> : null}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
