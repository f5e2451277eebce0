// Ctrl-K: to any thing or page by a few letters of its name; the server searches.
import { useEffect, useRef, useState } from 'preact/hooks';
import { get } from '../api';
import type { ThingList } from '../documents';
import { kDestinations } from '../keys';
import { navigate } from '../router';
import { pages } from '../store';
import { Dialog } from '../ui/parts';

const kWaitMs = 120;
const kThingsMax = 20;

interface Goal { href: string; name: string; what: string }

function knownGoals(text: string): Goal[] {
  const all = [
    ...kDestinations.map(({ href, name }) => ({ href, name, what: 'destination' })),
    ...pages.value.filter((page) => !page.for)
      .map((page) => ({ href: `/p/${encodeURIComponent(page.id)}`, name: page.title, what: 'page' })),
  ];
  const wanted = text.toLowerCase();
  return all.filter((goal) => goal.name.toLowerCase().includes(wanted));
}

function useThings(text: string): Goal[] {
  const [found, setFound] = useState<Goal[]>([]);
  useEffect(() => {
    const abort = new AbortController();
    const timer = setTimeout(() => {
      get<ThingList>('/things', { search: text, limit: kThingsMax }, abort.signal).then(
        ({ things }) => setFound(things.map((thing) => ({
          href: `/t/${encodeURIComponent(thing.id)}`,
          name: thing.name || thing.id,
          what: thing.name && thing.name !== thing.id ? `${thing.type} ${thing.id}` : thing.type,
        }))),
        () => undefined,  // the known goals are still there
      );
    }, kWaitMs);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [text]);
  return found;
}

export function Jump({ onClose }: { onClose: () => void }) {
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const goals = [...knownGoals(text), ...useThings(text.trim())];
  const current = Math.min(at, goals.length - 1);
  const go = (goal: Goal | undefined) => {
    if (!goal) return;
    onClose();
    navigate(goal.href);
  };
  const press = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown') setAt(Math.min(current + 1, goals.length - 1));
    else if (event.key === 'ArrowUp') setAt(Math.max(current - 1, 0));
    else if (event.key === 'Enter') go(goals[current]);
    else return;
    event.preventDefault();
  };
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' });
  }, [current]);
  return (
    <Dialog title="Jump to" className="jump" onClose={onClose}>
      <input type="text" role="combobox" aria-expanded="true" aria-controls="jump-list" aria-label="Name of a thing or page"
        aria-activedescendant={goals[current] ? `jump-${current}` : undefined} placeholder="Name of a thing or page"
        spellcheck={false} autocomplete="off" value={text} onKeyDown={press}
        onInput={(event) => { setText(event.currentTarget.value); setAt(0); }} />
      <div class="jump-list" id="jump-list" role="listbox" aria-label="Found" ref={list}>
        {goals.map((goal, i) => (
          <div key={goal.href} id={`jump-${i}`} role="option" aria-selected={i === current} onClick={() => go(goal)}>
            <span class="wrap">{goal.name}</span><span class="what">{goal.what}</span>
          </div>
        ))}
      </div>
      {goals.length === 0 && <p class="hint" role="status">Nothing has that name.</p>}
    </Dialog>
  );
}

const kHelp: [string[], string][] = [
  [['Ctrl-K', '/'], 'jump to a thing or page'],
  [['g', 'o'], 'overview'],
  [['g', 't'], 'things'],
  [['g', 'a'], 'alerts'],
  [['g', 'l'], 'live'],
  [['g', 's'], 'settings'],
  [['j', 'k'], 'next and previous alert'],
  [['a', 's', 'r'], 'acknowledge, snooze, resolve the chosen alert'],
  [['p'], 'pause the live messages'],
  [['Esc'], 'close'],
];

export function KeysHelp({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keys" onClose={onClose}>
      <dl class="keys">
        {kHelp.map(([keys, what]) => [
          <dt key={what}>{keys.map((key) => <><kbd>{key}</kbd>{' '}</>)}</dt>, <dd key={`${what}-`}>{what}</dd>,
        ])}
      </dl>
    </Dialog>
  );
}
