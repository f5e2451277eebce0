// What of the stream is on the screen. People read no more than a few lines a second, and a browser
// draws no more than that well; what is left out is counted, not hidden.
import type { LiveMessage } from '../documents';
import { TopicTree } from './topic_tree';

export const kShownPerSecondMax = 20;
export const kRowsMax = 200;
const kRememberedMax = 2000;  // topics whose last payload is kept, to compare with
const kSecondMs = 1000;

export interface Row { id: number; message: LiveMessage; before: LiveMessage | null }

export class MessageStream {
  rows: Row[] = [];  // newest first
  readonly tree = new TopicTree();
  heard = 0;
  // Of the last whole second: how many came, how many of them are shown.
  rate = { heard: 0, shown: 0 };
  private last = new Map<string, LiveMessage>();
  private second = 0;
  private inSecond = { heard: 0, shown: 0 };
  private nextId = 1;

  // `wants`: which messages are looked at; `dropped`: what the server left out before.
  add(messages: readonly LiveMessage[], dropped: number, wants: (message: LiveMessage) => boolean, at: number): void {
    this.tick(at);
    this.heard += messages.length + dropped;
    this.inSecond.heard += dropped;
    for (const message of messages) {
      this.tree.add(message.topic);
      const before = this.last.get(message.topic) ?? null;
      this.remember(message);
      if (!wants(message)) continue;
      this.inSecond.heard += 1;
      if (this.inSecond.shown >= kShownPerSecondMax) continue;
      this.inSecond.shown += 1;
      this.rows.unshift({ id: this.nextId++, message, before });
    }
    if (this.rows.length > kRowsMax) this.rows.length = kRowsMax;
  }

  // Closes the second that is over.
  tick(at: number): void {
    const second = Math.floor(at / kSecondMs);
    if (second === this.second) return;
    this.rate = second === this.second + 1 ? this.inSecond : { heard: 0, shown: 0 };
    this.second = second;
    this.inSecond = { heard: 0, shown: 0 };
  }

  private remember(message: LiveMessage): void {
    this.last.delete(message.topic);  // so that the oldest stands first
    this.last.set(message.topic, message);
    if (this.last.size <= kRememberedMax) return;
    const oldest = this.last.keys().next().value;
    if (oldest !== undefined) this.last.delete(oldest);
  }
}
