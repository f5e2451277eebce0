// Live: what devices say, as they say it, and whom the server refused.
import { useEffect, useRef, useState } from 'preact/hooks';
import { useGet } from '../api';
import type { LiveMessage, Refusal } from '../documents';
import { clockSeconds, count, now, plural } from '../format';
import { useKeys } from '../keys';
import { live } from '../live';
import { query, setQuery } from '../router';
import { everySecond } from '../ui/age';
import { Button, EmptyState, PageHead, Panel, Tabs } from '../ui/parts';
import { diff, payloadText, pretty } from './payload';
import { kRowsMax, MessageStream, type Row } from './message_stream';
import { isBelow, type Branch } from './topic_tree';

const kDrawEveryMs = 250;
const kRefusedEveryMs = 5000;
const kBranchesMax = 100;
const kOpenDepth = 1;

// The tab tells how many were refused: who looks here for a device finds out where it is.
export function LiveTabs({ current }: { current: 'messages' | 'refused' }) {
  const refused = useGet<{ refused: Refusal[] }>('/refused', undefined, kRefusedEveryMs).data.value?.refused.length;
  return (
    <Tabs label="Live" tabs={[
      { href: '/live', text: 'Messages', isCurrent: current === 'messages' },
      { href: '/live/refused', text: 'Refused', count: refused || undefined, isCurrent: current === 'refused' },
    ]} />
  );
}

// The stream as long as the view is shown; draws a few times a second, however much comes.
function useStream(topic: string, wants: (message: LiveMessage) => boolean, isPaused: boolean) {
  const stream = useRef(new MessageStream());
  const [mistake, setMistake] = useState('');
  const [, draw] = useState(0);
  const latest = useRef({ wants, isPaused });
  latest.current = { wants, isPaused };
  useEffect(() => {
    stream.current = new MessageStream();
    setMistake('');
    let isStale = false;
    const subscription = live.subscribe({ topic }, {
      onMessages: (messages, dropped) => {
        if (latest.current.isPaused) return;
        stream.current.add(messages, dropped, latest.current.wants, now());
        isStale = true;
      },
      onError: (message, hint) => setMistake([message, hint].filter(Boolean).join(' \u2013 ')),
    });
    const timer = setInterval(() => {
      if (isStale) draw((n) => n + 1);
      isStale = false;
    }, kDrawEveryMs);
    const stopSecond = everySecond(() => {
      stream.current.tick(now());
      isStale = true;
    });
    return () => {
      subscription.close();
      clearInterval(timer);
      stopSecond();
    };
  }, [topic]);
  return { stream: stream.current, mistake, clear: () => { stream.current.rows = []; draw((n) => n + 1); } };
}

function Branches({ branches, chosen, choose, depth }: {
  branches: Branch[]; chosen: string; choose: (path: string) => void; depth: number;
}) {
  return (
    <ul>
      {branches.slice(0, kBranchesMax).map((branch) => (
        <TopicBranch key={branch.name} branch={branch} chosen={chosen} choose={choose} depth={depth} />
      ))}
      {branches.length > kBranchesMax && <li class="hint">{count(branches.length - kBranchesMax)} more; narrow the filter</li>}
    </ul>
  );
}

function TopicBranch({ branch, chosen, choose, depth }: {
  branch: Branch; chosen: string; choose: (path: string) => void; depth: number;
}) {
  const [isOpen, setOpen] = useState(depth < kOpenDepth || isBelow(chosen, branch.path));
  const children = [...branch.children.values()].sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
  return (
    <li>
      <span class="branch">
        {children.length > 0
          ? <button type="button" class="twist" aria-expanded={isOpen} aria-label={`Topics below ${branch.path}`} onClick={() => setOpen(!isOpen)} />
          : <span class="twist none" />}
        <button type="button" class="branch-name" aria-pressed={chosen === branch.path}
          onClick={() => choose(chosen === branch.path ? '' : branch.path)}>
          <span class="wrap">{branch.name || '(empty)'}</span><span class="muted small">{count(branch.count)}</span>
        </button>
      </span>
      {isOpen && children.length > 0 && <Branches branches={children} chosen={chosen} choose={choose} depth={depth + 1} />}
    </li>
  );
}

function Difference({ row }: { row: Row }) {
  if (!row.before) return null;
  const changes = diff(payloadText(row.before), payloadText(row.message));
  if (changes.length === 0) return <p class="hint">the same as before</p>;
  return (
    <ul class="diff" aria-label="Changed since the message before">
      {changes.map((change) => (
        <li key={change.path}>
          {change.path && <span class="muted">{change.path} </span>}
          {change.before !== null && <del>{change.before}</del>}{' '}
          {change.after !== null && <ins>{change.after}</ins>}
        </li>
      ))}
    </ul>
  );
}

function Message({ row }: { row: Row }) {
  const { message } = row;
  const text = payloadText(message);
  const size = message.payload?.length ?? 0;
  return (
    <li class="message">
      <div class="message-head">
        <code class="wrap topic">{message.topic}</code>
        <span class="muted small">
          {clockSeconds(message.time)} · QoS {message.qos}{message.retain ? ' · retained' : ''}
          {message.client ? ` · ${message.client}` : ''}
        </span>
      </div>
      {text === '' ? <p class="hint">empty</p> : <pre class="payload">{size > 80 ? pretty(text) : text}</pre>}
      <Difference row={row} />
    </li>
  );
}

function Counter({ stream }: { stream: MessageStream }) {
  const { heard, shown } = stream.rate;
  if (heard > shown) return <span>showing {count(shown)} of {count(heard)}/s</span>;
  return <span>{count(heard)}/s, {plural(stream.heard, 'message')} so far</span>;
}

export function Live() {
  const topic = query('topic') || '#';
  const path = query('below');
  const text = query('filter');
  const [isPaused, setPaused] = useState(false);
  const wants = (message: LiveMessage) =>
    isBelow(message.topic, path)
    && (text === '' || message.topic.includes(text) || payloadText(message).includes(text));
  const { stream, mistake, clear } = useStream(topic, wants, isPaused);
  useKeys({ p: () => setPaused(!isPaused) });
  const rows = stream.rows.filter((row) => wants(row.message));
  const branches = [...stream.tree.root.children.values()].sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
  return (
    <>
      <PageHead title="Live"><Counter stream={stream} /></PageHead>
      <LiveTabs current="messages" />
      <div class="toolbar">
        <input type="search" class="search" aria-label="Only messages with this text" placeholder="Topic or payload contains" value={text}
          onInput={(event) => setQuery({ filter: event.currentTarget.value })} />
        <Button icon={isPaused ? 'play' : 'pause'} aria-pressed={isPaused} onClick={() => setPaused(!isPaused)}>{isPaused ? 'Go on' : 'Pause'}</Button>
        <Button onClick={clear}>Clear</Button>
      </div>
      {mistake && <p class="mistake" role="alert">{mistake}</p>}
      <div class="grid live-grid">
        <Panel width={4} title="Topics" aside={path && <button type="button" class="link" onClick={() => setQuery({ below: null })}>All</button>}>
          {branches.length === 0 ? <p class="hint">Topics appear when something is published.</p> : (
            <div class="tree"><Branches branches={branches} chosen={path} choose={(to) => setQuery({ below: to })} depth={0} /></div>
          )}
          {stream.tree.beyond > 0 && <p class="hint">{count(stream.tree.beyond)} messages on further topics.</p>}
        </Panel>
        <Panel width={8} title="Messages" aside={isPaused ? 'paused; what comes now is not shown' : `newest first, the last ${kRowsMax}`}>
          {rows.length === 0
            ? <EmptyState title={isPaused ? 'Paused' : 'Waiting for a message'}><p>It appears the moment a device publishes.</p></EmptyState>
            : <ol class="messages">{rows.map((row) => <Message key={row.id} row={row} />)}</ol>}
        </Panel>
      </div>
    </>
  );
}
