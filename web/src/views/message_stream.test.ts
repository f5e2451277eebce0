import { describe, expect, it } from 'vitest';
import type { LiveMessage } from '../documents';
import { kRowsMax, kShownPerSecondMax, MessageStream } from './message_stream';
import { isBelow, kTopicsMax, TopicTree } from './topic_tree';

const message = (topic: string, payload = '1'): LiveMessage =>
  ({ topic, payload, qos: 0, retain: false, time: 0, client: 'c' });
const many = (n: number, topic = 'a') => Array.from({ length: n }, (_, i) => message(topic, String(i)));
const all = () => true;

describe('MessageStream', () => {
  it('shows the newest first, each with the one before on its topic', () => {
    const stream = new MessageStream();
    stream.add([message('a', '1'), message('b', '2'), message('a', '3')], 0, all, 0);
    expect(stream.rows.map((row) => [row.message.payload, row.before?.payload])).toEqual([
      ['3', '1'], ['2', undefined], ['1', undefined]]);
  });
  it('shows twenty of a second, and counts the rest honestly', () => {
    const stream = new MessageStream();
    stream.add(many(kShownPerSecondMax + 1), 4000, all, 5000);
    expect(stream.rows).toHaveLength(kShownPerSecondMax);
    stream.tick(6000);
    expect(stream.rate).toEqual({ heard: 4021, shown: 20 });
    stream.add(many(1), 0, all, 6000);
    expect(stream.rows).toHaveLength(kShownPerSecondMax + 1);
    stream.tick(9000);
    expect(stream.rate).toEqual({ heard: 0, shown: 0 });
  });
  it('keeps so many rows and no more', () => {
    const stream = new MessageStream();
    for (let second = 0; second < 20; second += 1) stream.add(many(20), 0, all, second * 1000);
    expect(stream.rows).toHaveLength(kRowsMax);
  });
  it('compares with what a filter hid', () => {
    const stream = new MessageStream();
    stream.add([message('a', '1')], 0, () => false, 0);
    expect(stream.rows).toEqual([]);
    stream.add([message('a', '2')], 0, all, 0);
    expect(stream.rows[0]?.before?.payload).toBe('1');
  });
});

describe('TopicTree', () => {
  it('counts each level', () => {
    const tree = new TopicTree();
    tree.add('water1/pub');
    tree.add('water1/sub');
    expect(tree.root.children.get('water1')?.count).toBe(2);
    expect(tree.root.children.get('water1')?.children.get('pub')?.path).toBe('water1/pub');
  });
  it('knows a topic that begins with a slash', () => {
    const tree = new TopicTree();
    tree.add('/a');
    expect(tree.root.children.get('')?.children.get('a')?.path).toBe('/a');
  });
  it('has room for so many, and counts what is beyond', () => {
    const tree = new TopicTree();
    for (let i = 0; i < kTopicsMax + 3; i += 1) tree.add(`t${i}`);
    expect(tree.root.children.size).toBe(kTopicsMax);
    expect(tree.beyond).toBe(3);
  });
});

describe('isBelow', () => {
  it('takes whole levels', () => {
    expect(isBelow('water1/pub', 'water1')).toBe(true);
    expect(isBelow('water10/pub', 'water1')).toBe(false);
    expect(isBelow('x', '')).toBe(true);
  });
});
