import { describe, expect, it } from 'vitest';
import { parseInline, parseMarkdown, safeLink, valuesIn } from './markdown';

describe('a text', () => {
  it('has headings, paragraphs, lists, code and rules', () => {
    const blocks = parseMarkdown('# Tanks\n\nThree\ndrums\n- one\n- two\n1. first\n\n---\n```\n**raw**\n```');
    expect(blocks.map((block) => block.kind)).toEqual(['heading', 'paragraph', 'list', 'list', 'rule', 'code']);
    expect(blocks[1]).toEqual({ kind: 'paragraph', children: [{ kind: 'text', text: 'Three drums' }] });
    expect(blocks[2]).toMatchObject({ ordered: false, items: [[{ text: 'one' }], [{ text: 'two' }]] });
    expect(blocks[5]).toEqual({ kind: 'code', text: '**raw**' });
  });

  it('has marks within a line, and values', () => {
    expect(parseInline('a **b *c* d** `d*e*` [f](/g) {{ tank-1/percent }}!')).toMatchObject([
      { text: 'a ' },
      { kind: 'strong' },
      { text: ' ' },
      { kind: 'code', text: 'd*e*' },
      { text: ' ' },
      { kind: 'link', to: '/g' },
      { text: ' ' },
      { kind: 'value', of: 'tank-1/percent' },
      { text: '!' },
    ]);
    expect(valuesIn(parseMarkdown('# {{a/b}}\n- **{{c/d}}** {{a/b}}'))).toEqual(['a/b', 'c/d']);
  });

  it('never contains an element: what looks like one is text', () => {
    const text = '<img src=x onerror=alert(1)>';
    expect(parseMarkdown(text)).toEqual([{ kind: 'paragraph', children: [{ kind: 'text', text }] }]);
  });

  it('of many marks, or of marks in marks, is read to its end', () => {
    expect(parseInline('*a* '.repeat(20_000)).length).toBe(40_000);
    expect(parseInline(`${'*'.repeat(5000)}x`).length).toBeGreaterThan(0);
  });
});

describe('a link', () => {
  it('leads to http, https or a place of ours', () => {
    for (const to of ['https://example.org/a', 'HTTP://example.org', '/things', '?range=7d', '#top', 'tanks']) {
      expect(safeLink(to)).toBe(to);
    }
  });
  it('never leads to a script, to data, or elsewhere in disguise', () => {
    for (const to of ['javascript:alert(1)', 'JaVaScRiPt:alert(1)', 'java\tscript:x', ' data:text/html,x', '//evil.org',
      'vbscript:x', '\\\\evil.org', '/\\evil.org', '', 'https:///x']) {
      expect(safeLink(to)).toBeNull();
    }
    expect(parseInline('[x](javascript:1)')).toEqual([{ kind: 'text', text: '[x](javascript:1)' }]);
  });
});
