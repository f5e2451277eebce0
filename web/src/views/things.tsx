// All things, fifty at a time; the server searches and pages, so that ten thousand are no more work
// for the browser than ten.
import { useEffect, useState } from 'preact/hooks';
import { useGet } from '../api';
import type { Thing, ThingList, ThingState } from '../documents';
import { count, plural } from '../format';
import { address, navigate, query, setQuery, withQuery } from '../router';
import { isAdmin } from '../session';
import { Age } from '../ui/age';
import {
  EmptyState, ErrorState, Loading, PageHead, Panel, Table, ThingMark, wordOfThing, type Column,
} from '../ui/parts';
import { ReadingAge, textOf } from '../ui/reading';
import { Icon, MarkIcon } from '../icons';
import { keyFields } from './thing_tile';

const kRows = 50;
const kEveryMs = 10_000;
const kSearchWaitMs = 150;
const kValuesMax = 3;
const kStates: ThingState[] = ['ok', 'silent', 'invalid', 'never'];

function Search() {
  const [text, setText] = useState(query('search'));
  useEffect(() => {
    if (text === query('search')) return undefined;
    const timer = setTimeout(() => setQuery({ search: text, cursor: null }), kSearchWaitMs);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <input type="search" class="search" aria-label="Search things by name or id" placeholder="Search by name or id"
      value={text} onInput={(event) => setText(event.currentTarget.value)} />
  );
}

function StateChips({ list }: { list: ThingList }) {
  const current = query('state');
  const link = (state: string, word: string, n: number, mark: ReturnType<typeof wordOfThing>[0] | null) => (
    <li key={state}>
      <a class="chip-link" aria-current={current === state ? 'true' : undefined}
        href={withQuery(address.value, { state: state || null, cursor: null })}>
        {mark && <MarkIcon mark={mark} />}{word} <span class="muted">{count(n)}</span>
      </a>
    </li>
  );
  const all = kStates.reduce((sum, state) => sum + (list.counts[state] ?? 0), 0);
  return (
    <ul class="chips" aria-label="Only in this state">
      {link('', 'All', all, null)}
      {kStates.map((state) => {
        const [mark, word] = wordOfThing(state);
        return link(state, word, list.counts[state] ?? 0, mark);
      })}
    </ul>
  );
}

// Of a thing whose newest reading is none the last good one, which says that it is.
function Values({ thing }: { thing: Thing }) {
  const fields = keyFields(thing.fields).filter((field) => field.time !== null);
  const [first] = fields;
  if (first && thing.state === 'invalid') return <ReadingAge reading={first} level="invalid" />;
  return (
    <span class="values">
      {fields.slice(0, kValuesMax).map((field) => (
        <span key={field.field}><span class="muted small wide-only">{field.field} </span>{textOf(field)}</span>
      ))}
    </span>
  );
}

const kColumns: Column<Thing>[] = [
  {
    head: 'State',
    phone: 'hide',
    cell: (thing) => <ThingMark thing={thing} />,
  },
  {
    head: 'Name',
    isName: true,
    cell: (thing) => (
      <span class="name-cell"><span class="phone-only"><ThingMark thing={thing} /></span><a href={`/t/${encodeURIComponent(thing.id)}`} class="wrap">{thing.name || thing.id}</a>
        {thing.name && thing.name !== thing.id && <span class="hint wrap">{thing.id}</span>}</span>
    ),
  },
  { head: 'Type', cell: (thing) => <span class="wrap">{thing.type}</span>, phone: 'hide' },
  {
    head: 'Values',
    cell: (thing) => <Values thing={thing} />,
  },
  {
    head: 'Alerts',
    right: true,
    phone: 'hide',
    cell: (thing) => (thing.alerts > 0
      ? <a href={`/alerts?thing=${encodeURIComponent(thing.id)}`}>{plural(thing.alerts, 'open', 'open')}</a> : null),
  },
  { head: 'Last seen', right: true, cell: (thing) => <Age time={thing.seen} /> },
];

function Nothing() {
  const isFiltered = ['search', 'state', 'type', 'cursor'].some((name) => query(name));
  if (!isFiltered) {
    return <EmptyState title="There are no things yet"><p>They appear when they first report, or when somebody adds them.</p></EmptyState>;
  }
  return <EmptyState title="No thing fits"><p><a href="/things">Show all things</a></p></EmptyState>;
}

export function Things() {
  const [search, state, type, cursor] = ['search', 'state', 'type', 'cursor'].map(query);
  const things = useGet<ThingList>('/things', { search, state, type, cursor, limit: kRows }, kEveryMs);
  const list = things.data.value;
  return (
    <>
      <PageHead title={type ? `Things of type ${type}` : 'Things'}>
        {type && <a href="/things">All types</a>}
        <Search />
        {isAdmin.value && <a class="button" href="/things/new"><Icon name="plus" />Add a thing</a>}
      </PageHead>
      {list && <StateChips list={list} />}
      {things.error.value && <ErrorState error={things.error.value} retry={things.reload} />}
      {!list && things.loading.value && <Loading />}
      {list && list.things.length === 0 && <Nothing />}
      {list && list.things.length > 0 && (
        <Panel className="flush">
          <Table label="Things" columns={kColumns} rows={list.things} keyOf={(thing) => thing.id}
            rowClass={(thing) => `is-${thing.state}`} />
        </Panel>
      )}
      {list && list.things.length > 0 && (
        <nav class="pager" aria-label="Pages of things">
          <span class="muted">{count(list.things.length)} of {count(list.total)}</span>
          {cursor && <button type="button" class="button" onClick={() => window.history.back()}>Back</button>}
          {cursor && <a class="button" href={withQuery(address.value, { cursor: null })}>First</a>}
          {list.next !== null && (
            <button type="button" class="button" onClick={() => { navigate(withQuery(address.value, { cursor: list.next })); window.scrollTo(0, 0); }}>
              Next {kRows}
            </button>
          )}
        </nav>
      )}
      <p class="unseen" role="status">{list ? `${plural(list.total, 'thing')} found` : ''}</p>
    </>
  );
}
