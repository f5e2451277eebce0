// What happens now: one WebSocket per tab, shared by all that listen.
//
// A subscription survives everything: after a lost connection, or a tab that slept, it goes on
// from the sequence it saw last, so that nothing is missing and nothing comes twice. When the
// server no longer has that sequence it says `reset`: the listener fetches what it shows again and
// calls restart() with the sequence of the answer.
// A hidden tab listens to nothing; the server then has nothing to send it.
import { signal } from '@preact/signals';
import { setClockOffset } from './format';
import type { AlertItem, LiveMessage, LiveValues } from './documents';

export const kBackOffFirstMs = 500;
export const kBackOffMaxMs = 30_000;
export const kPingEveryMs = 25_000;
export const kSilenceMaxMs = 60_000;  // no frame at all for so long: the connection is dead

export type LiveRequest = { topic: string } | { fields: string[] } | { alerts: true };

export interface Listener {
  onMessages?(messages: LiveMessage[], dropped: number): void;
  onValues?(values: LiveValues[], seq: number): void;
  onAlerts?(alerts: AlertItem[], seq: number): void;
  onSubscribed?(seq: number | null): void;  // what changed before it may not have been told
  onReset?(): void;  // fetch again, then restart(seq)
  onError?(message: string, hint: string): void;
}

export interface Subscription {
  restart(from: number | null): void;  // null: from now on
  close(): void;
}

export type LiveState = 'connecting' | 'live' | 'lost' | 'paused';

// The part of a WebSocket that is used, so that tests can be one.
export interface Socket {
  send(text: string): void;
  close(): void;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: (() => void) | null;
}

export interface World {
  connect(): Socket;
  now(): number;
  later(ms: number, then: () => void): () => void;  // returns how to forget it
  random(): number;  // 0 to 1
}

interface Entry {
  request: LiveRequest;
  listener: Listener;
  seq: number | null;  // the last one seen; null: from now on
  waitsForRestart: boolean;
}

interface Frame {
  type: string;
  id?: string;
  seq?: number;
  time?: number;
  messages?: LiveMessage[];
  dropped?: number;
  values?: LiveValues[];
  alerts?: AlertItem[];
  message?: string;
  hint?: string;
}

// Milliseconds until attempt `n` (0, 1, ...): doubling, and spread so that a hundred tabs do not
// come back in the same moment.
export function backOff(n: number, random: number): number {
  const full = Math.min(kBackOffMaxMs, kBackOffFirstMs * 2 ** Math.min(n, 16));
  return full * (0.5 + random / 2);
}

export class LiveClient {
  readonly state = signal<LiveState>('paused');
  readonly lostAt = signal<number | null>(null);  // by the browser's clock; null: all is well
  private entries = new Map<string, Entry>();
  private socket: Socket | null = null;
  private isReady = false;  // hello has come
  private attempts = 0;
  private heardAt = 0;
  private nextId = 1;
  private isHidden = false;
  private isOn = false;
  private forgetTimer: (() => void) | null = null;

  constructor(private readonly world: World) {}

  start(): void {
    this.isOn = true;
    if (!this.socket && !this.isHidden) this.connect();
  }

  stop(): void {
    this.isOn = false;
    this.lostAt.value = null;
    this.drop('paused');
  }

  // A hidden tab closes the connection; a shown one goes on from where it was.
  setHidden(hidden: boolean): void {
    if (hidden === this.isHidden) return;
    this.isHidden = hidden;
    if (hidden) this.drop('paused');
    else if (this.isOn) this.connect();
  }

  // The network is back: no reason to wait for the next attempt.
  hurry(): void {
    if (!this.isOn || this.isHidden || this.isReady) return;
    this.attempts = 0;
    this.drop('connecting');
    this.connect();
  }

  // `from`: the sequence of what the listener already shows, from the document it fetched.
  subscribe(request: LiveRequest, listener: Listener, from: number | null = null): Subscription {
    const id = `s${this.nextId++}`;
    const entry: Entry = { request, listener, seq: from, waitsForRestart: false };
    this.entries.set(id, entry);
    this.ask(id, entry);
    return {
      restart: (seq) => {
        if (!this.entries.has(id)) return;
        entry.seq = seq;
        entry.waitsForRestart = false;
        this.ask(id, entry);
      },
      close: () => {
        if (this.entries.delete(id)) this.send({ op: 'unsubscribe', id });
      },
    };
  }

  private send(frame: object): void {
    if (this.socket && this.isReady) this.socket.send(JSON.stringify(frame));
  }

  private ask(id: string, entry: Entry): void {
    if (entry.waitsForRestart) return;
    const from = entry.seq === null || 'topic' in entry.request ? {} : { from: entry.seq };
    this.send({ op: 'subscribe', id, ...entry.request, ...from });
  }

  private connect(): void {
    this.forgetTimer?.();
    this.forgetTimer = null;
    if (this.state.value !== 'lost') this.state.value = 'connecting';
    const socket = this.world.connect();
    this.socket = socket;
    this.heardAt = this.world.now();
    socket.onmessage = (event) => {
      if (socket === this.socket) this.hear(event.data);
    };
    socket.onclose = () => {
      if (socket === this.socket) this.lose();
    };
    this.watch();
  }

  private drop(state: LiveState): void {
    this.forgetTimer?.();
    this.forgetTimer = null;
    const socket = this.socket;
    this.socket = null;
    this.isReady = false;
    socket?.close();
    this.state.value = state;
  }

  private lose(): void {
    this.lostAt.value ??= this.world.now();
    this.drop('lost');
    if (!this.isOn || this.isHidden) return;
    const wait = backOff(this.attempts++, this.world.random());
    this.forgetTimer = this.world.later(wait, () => this.connect());
  }

  // Asks for a sign of life now and then, and gives up on a connection that has none.
  private watch(): void {
    this.forgetTimer = this.world.later(kPingEveryMs, () => {
      if (this.world.now() - this.heardAt >= kSilenceMaxMs) {
        this.lose();
        return;
      }
      this.send({ op: 'ping' });
      this.watch();
    });
  }

  private hear(data: unknown): void {
    this.heardAt = this.world.now();
    let frame: Frame;
    try {
      frame = JSON.parse(String(data)) as Frame;
    } catch {
      return;  // not ours; the next frame may be
    }
    if (frame.type === 'hello') {
      this.welcome(frame);
      return;
    }
    const entry = frame.id === undefined ? undefined : this.entries.get(frame.id);
    if (entry) this.deliver(entry, frame);
  }

  private welcome(frame: Frame): void {
    this.isReady = true;
    this.attempts = 0;
    this.lostAt.value = null;
    this.state.value = 'live';
    if (frame.time !== undefined) setClockOffset(frame.time - this.world.now());
    for (const [id, entry] of this.entries) this.ask(id, entry);
  }

  private deliver(entry: Entry, frame: Frame): void {
    if (frame.type === 'reset') {
      entry.waitsForRestart = true;
      entry.listener.onReset?.();
      return;
    }
    if (entry.waitsForRestart) return;
    if (frame.type === 'error') entry.listener.onError?.(frame.message ?? '', frame.hint ?? '');
    if (frame.type === 'messages') entry.listener.onMessages?.(frame.messages ?? [], frame.dropped ?? 0);
    if (frame.type === 'subscribed') {
      entry.seq ??= frame.seq ?? null;  // where one without `from` begins
      entry.listener.onSubscribed?.(entry.seq);
      return;
    }
    if (frame.seq === undefined) return;
    if (frame.type !== 'values' && frame.type !== 'alerts') return;
    if (entry.seq !== null && frame.seq <= entry.seq) return;  // seen already
    entry.seq = frame.seq;
    if (frame.type === 'values') entry.listener.onValues?.(frame.values ?? [], frame.seq);
    else entry.listener.onAlerts?.(frame.alerts ?? [], frame.seq);
  }
}

function browserWorld(): World {
  return {
    connect() {
      const scheme = window.location.protocol === 'https:' ? 'wss' : 'ws';
      return new WebSocket(`${scheme}://${window.location.host}/api/v1/ws`) as unknown as Socket;
    },
    now: () => Date.now(),
    later(ms, then) {
      const timer = setTimeout(then, ms);
      return () => clearTimeout(timer);
    },
    random: Math.random,
  };
}

export const live = new LiveClient(browserWorld());

let followsTab = false;

// Joins the one connection to the life of the tab.
export function startLive(): void {
  if (!followsTab) {
    followsTab = true;
    document.addEventListener('visibilitychange', () => live.setHidden(document.hidden));
    window.addEventListener('online', () => live.hurry());
  }
  live.setHidden(document.hidden);
  live.start();
}
