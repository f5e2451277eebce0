import { beforeEach, describe, expect, it } from 'vitest';
import { backOff, kBackOffFirstMs, kBackOffMaxMs, kPingEveryMs, kSilenceMaxMs, LiveClient, type Socket } from './live';
import type { LiveValues } from './documents';

class FakeSocket implements Socket {
  sent: Record<string, unknown>[] = [];
  isClosed = false;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;
  send(text: string) { this.sent.push(JSON.parse(text) as Record<string, unknown>); }
  close() { this.isClosed = true; }
  say(frame: object) { this.onmessage?.({ data: JSON.stringify(frame) }); }
}

let sockets: FakeSocket[];
let timers: { at: number; then: () => void }[];
let time: number;
let client: LiveClient;

const newest = () => sockets[sockets.length - 1]!;

function pass(ms: number) {
  time += ms;
  const due = timers.filter((timer) => timer.at <= time);
  timers = timers.filter((timer) => timer.at > time);
  for (const timer of due) timer.then();
}

const hello = (seq = 100) => newest().say({ type: 'hello', seq, time });
const values = (seq: number, v: number) =>
  newest().say({ type: 'values', id: 's1', seq, values: [{ of: 'tank-1/percent', t: [seq], v: [v] }] });

beforeEach(() => {
  sockets = [];
  timers = [];
  time = 1_000_000;
  client = new LiveClient({
    connect() {
      sockets.push(new FakeSocket());
      return newest();
    },
    now: () => time,
    later(ms, then) {
      const timer = { at: time + ms, then };
      timers.push(timer);
      return () => { timers = timers.filter((other) => other !== timer); };
    },
    random: () => 1,
  });
});

describe('LiveClient', () => {
  it('asks nothing before hello', () => {
    client.start();
    client.subscribe({ topic: '#' }, {});
    expect(newest().sent).toEqual([]);
    hello();
    expect(newest().sent).toEqual([{ op: 'subscribe', id: 's1', topic: '#' }]);
    expect(client.state.value).toBe('live');
  });

  it('goes on from the last sequence after a lost connection', () => {
    const seen: number[] = [];
    client.start();
    hello();
    client.subscribe({ fields: ['tank-1/percent'] }, { onValues: (_, seq) => seen.push(seq) }, 40);
    expect(newest().sent[0]).toEqual({ op: 'subscribe', id: 's1', fields: ['tank-1/percent'], from: 40 });
    newest().say({ type: 'subscribed', id: 's1', seq: 40 });
    values(41, 1);
    values(42, 2);
    newest().onclose?.();
    expect(client.state.value).toBe('lost');
    expect(client.lostAt.value).toBe(time);
    pass(kBackOffFirstMs);
    expect(sockets).toHaveLength(2);
    hello();
    expect(client.lostAt.value).toBeNull();
    expect(newest().sent[0]).toMatchObject({ from: 42 });
    values(42, 2);  // told twice: heard once
    values(43, 3);
    expect(seen).toEqual([41, 42, 43]);
  });

  it('begins a subscription without a sequence where the server says', () => {
    client.start();
    hello();
    client.subscribe({ alerts: true }, {});
    newest().say({ type: 'subscribed', id: 's1', seq: 77 });
    newest().onclose?.();
    pass(kBackOffFirstMs);
    hello();
    expect(newest().sent[0]).toEqual({ op: 'subscribe', id: 's1', alerts: true, from: 77 });
  });

  it('waits after a reset until what is shown was fetched again', () => {
    const heard: LiveValues[][] = [];
    let resets = 0;
    client.start();
    hello();
    const subscription = client.subscribe({ fields: ['a/b'] }, {
      onValues: (all) => heard.push(all), onReset: () => { resets += 1; },
    }, 1);
    newest().say({ type: 'reset', id: 's1' });
    values(50, 1);
    expect(resets).toBe(1);
    expect(heard).toEqual([]);
    subscription.restart(60);
    expect(newest().sent[1]).toMatchObject({ op: 'subscribe', from: 60 });
    values(61, 1);
    expect(heard).toHaveLength(1);
  });

  it('does not ask for one that waits for its restart when it reconnects', () => {
    client.start();
    hello();
    const subscription = client.subscribe({ fields: ['a/b'] }, {}, 1);
    newest().say({ type: 'reset', id: 's1' });
    newest().onclose?.();
    pass(kBackOffFirstMs);
    hello();
    expect(newest().sent).toEqual([]);
    subscription.restart(9);
    expect(newest().sent).toMatchObject([{ op: 'subscribe', from: 9 }]);
  });

  it('is silent while the tab is hidden, and comes back where it was', () => {
    client.start();
    hello();
    client.subscribe({ fields: ['a/b'] }, {}, 5);
    values(6, 1);
    client.setHidden(true);
    expect(newest().isClosed).toBe(true);
    expect(client.state.value).toBe('paused');
    pass(3_600_000);
    expect(sockets).toHaveLength(1);
    client.setHidden(false);
    expect(sockets).toHaveLength(2);
    hello();
    expect(newest().sent[0]).toMatchObject({ from: 6 });
  });

  it('hears nothing any more from a connection it gave up', () => {
    const seen: number[] = [];
    client.start();
    hello();
    client.subscribe({ fields: ['a/b'] }, { onValues: (_, seq) => seen.push(seq) });
    const old = newest();
    client.setHidden(true);
    old.say({ type: 'values', id: 's1', seq: 9, values: [] });
    expect(seen).toEqual([]);
  });

  it('gives up on a connection without a sign of life', () => {
    client.start();
    hello();
    for (let waited = 0; waited < kSilenceMaxMs; waited += kPingEveryMs) pass(kPingEveryMs);
    expect(newest().sent.filter((frame) => frame['op'] === 'ping').length).toBeGreaterThan(0);
    expect(client.state.value).toBe('lost');
  });

  it('keeps a connection that answers', () => {
    client.start();
    hello();
    for (let i = 0; i < 10; i += 1) {
      pass(kPingEveryMs);
      newest().say({ type: 'pong' });
    }
    expect(sockets).toHaveLength(1);
    expect(client.state.value).toBe('live');
  });

  it('does not wait when the network is back', () => {
    client.start();
    newest().onclose?.();
    client.hurry();
    expect(sockets).toHaveLength(2);
  });

  it('tells the server when nobody listens any more, once', () => {
    client.start();
    hello();
    const subscription = client.subscribe({ topic: 'a' }, {});
    subscription.close();
    subscription.close();
    expect(newest().sent.slice(1)).toEqual([{ op: 'unsubscribe', id: 's1' }]);
  });

  it('drops frames that are none', () => {
    client.start();
    hello();
    newest().onmessage?.({ data: '{"type":' });
    newest().say({ type: 'values', id: 'nobody', seq: 1, values: [] });
    expect(client.state.value).toBe('live');
  });
});

describe('backOff', () => {
  it('doubles to a limit, and is spread over its upper half', () => {
    expect(backOff(0, 1)).toBe(kBackOffFirstMs);
    expect(backOff(0, 0)).toBe(kBackOffFirstMs / 2);
    expect(backOff(3, 1)).toBe(8 * kBackOffFirstMs);
    expect(backOff(1000, 1)).toBe(kBackOffMaxMs);
  });
});
