import { StringStream } from '@codemirror/language';
import { describe, expect, it } from 'vitest';
import { diffLines, kGap, shortened } from './diff';
import { blockAt, blocksOf, panelText, selectorsOf, suggestionsAt, withPanel } from './language';
import { toml } from './toml';

const known = { things: [{ id: 'tank-1', type: 'tank', fields: ['distance', 'percent'] }, { id: 'x', type: '', fields: ['t'] }] };
const text = `# pages
[[page]]
id = "tanks"

  [[page.panel]]
  kind = "now"
  of = ["tank-*/percent"]

  [[page.panel]]
  kind = "text"
  md = """
[[page]]
"""
[[page]]
id = "other"
`;

describe('blocks of a page file', () => {
  it('begin at their headers and end where the next begins; prose holds none', () => {
    expect(blocksOf(text)).toEqual([
      { kind: 'page', first: 2, last: 4 },
      { kind: 'panel', first: 5, last: 8 },
      { kind: 'panel', first: 9, last: 13 },
      { kind: 'page', first: 14, last: 16 },
    ]);
    expect(blockAt(text, 1)).toBeNull();
    expect(blockAt(text, 7)?.first).toBe(5);
  });
});

describe('completion', () => {
  const at = (line: number, before: string, whole = text) => {
    const lines = whole.split('\n');
    lines[line - 1] = before;
    return suggestionsAt(lines.join('\n'), line, before.length, known);
  };
  it('offers the keys of the kind that are not there yet', () => {
    const found = at(8, '  lo')!;
    expect(found.from).toBe(2);
    const labels = found.options.map(({ label }) => label);
    expect(labels).toContain('look');
    expect(labels).toContain('width');
    expect(labels).not.toContain('of');
    expect(labels).not.toContain('kind');
    expect(labels).not.toContain('draw');
  });
  it('offers the words of a key', () => {
    expect(at(8, '  look = "ta')).toMatchObject({ from: 10, options: [{ label: 'number' }, { label: 'tank' }, {}, {}] });
    expect(at(6, '  kind = "')!.options.map(({ label }) => label)).toEqual(['now', 'chart', 'table', 'alerts', 'text']);
    expect(at(15, 'zone = "')!.options.map(({ label }) => label)).toEqual(['site', 'viewer']);
  });
  it('offers what there is for `of`, also as a second one', () => {
    expect(at(7, '  of = ["tank-1/percent", "ty')!.options.map(({ label }) => label))
      .toEqual(['type:tank/distance', 'type:tank/percent', 'tank-1/distance', 'tank-1/percent', 'x/t']);
  });
  it('offers nothing where it knows nothing', () => {
    expect(at(1, 'x')).toBeNull();
    expect(at(7, '  of = ["a"')).toBeNull();
    expect(at(8, '  title = "ab')).toBeNull();
  });
  it('offers headers', () => {
    expect(at(8, '  [[pa')).toMatchObject({ from: 2, options: [{ insert: '[[page]]' }, { insert: '[[page.panel]]' }] });
  });
});

describe('a new panel', () => {
  it('is about what there is', () => {
    expect(panelText('now', known)).toBe('  [[page.panel]]\n  kind = "now"\n  of = ["type:tank/percent"]\n  look = "tank"');
    expect(panelText('chart', { things: [] })).toContain('type:tank/percent');
    expect(selectorsOf({ things: [] })).toEqual([]);
  });
  it('comes after the panel the cursor is in, and leaves the rest as it was', () => {
    const made = withPanel(text, 6, '  [[page.panel]]\n  kind = "alerts"');
    expect(made.line).toBe(8);
    expect(diffLines(text, made.text).filter(({ what }) => what !== 'same')).toEqual([
      { what: 'new', text: '  [[page.panel]]' }, { what: 'new', text: '  kind = "alerts"' },
    ]);
  });
  it('comes at the end when the cursor is nowhere', () => {
    expect(withPanel('# only\n', 1, 'X')).toEqual({ text: '# only\nX\n', line: 2 });
    expect(withPanel('', 1, 'X')).toEqual({ text: 'X\n', line: 1 });
  });
});

describe('a difference', () => {
  const show = (a: string, b: string) => diffLines(a, b).map(({ what, text: t }) => `${{ same: ' ', gone: '-', new: '+' }[what]}${t}`);
  it('keeps what both have', () => {
    expect(show('a\nb\nc\nd', 'a\nc\nx\nd')).toEqual([' a', '-b', ' c', '+x', ' d']);
    expect(show('a', 'a')).toEqual([' a']);
    expect(show('', 'b')).toEqual(['-', '+b']);
  });
  it('is shown with what stands beside it', () => {
    const lines = Array.from({ length: 20 }, (_, i) => `line ${i}`);
    const changed = [...lines];
    changed[10] = 'other';
    const short = shortened(diffLines(lines.join('\n'), changed.join('\n')), 1).map(({ text: t }) => t);
    expect(short).toEqual([kGap, 'line 9', 'line 10', 'other', 'line 11', kGap]);
  });
  it('of huge texts stays cheap', () => {
    const a = Array.from({ length: 3000 }, (_, i) => `a${i}`).join('\n');
    const b = Array.from({ length: 3000 }, (_, i) => `b${i}`).join('\n');
    expect(diffLines(a, b).length).toBe(6000);
  });
});

describe('the colours of a page text', () => {
  const coloursOf = (lines: string[]) => {
    const state = toml.startState!(2);
    return lines.map((line) => {
      const stream = new StringStream(line, 2, 2);
      const out: string[] = [];
      while (!stream.eol()) {
        stream.start = stream.pos;
        const style = toml.token(stream, state);
        expect(stream.pos).toBeGreaterThan(stream.start);
        if (style) out.push(`${style} ${stream.current()}`);
      }
      return out;
    });
  };
  it('tell headers, keys, strings, numbers and comments', () => {
    expect(coloursOf(['[[page.panel]] # one', 'at = 20.5', 'lines = [{ at = 2, label = "x\\"y" }]'])).toEqual([
      ['atom [[page.panel]]', 'comment # one'], ['property at', 'number 20.5'],
      ['property lines', 'bracket [', 'number 2', 'string "x\\"y"', 'bracket ]'],
    ]);
  });
  it('go on over lines in long strings and lists only', () => {
    expect(coloursOf(['md = """', '[[page]]', '"""', 'of = [', '"a"]', 'a = "open', 'b = 1'])).toEqual([
      ['property md', 'string """'], ['string [[page]]'], ['string """'], ['property of', 'bracket ['],
      ['string "a"', 'bracket ]'], ['property a', 'string "open'], ['property b', 'number 1'],
    ]);
  });
  it('come to an end whatever stands there', () => {
    for (const odd of ['\u2028', '\u2029', '\u0085', '\ud800', '\\', '"\\', '[', ']', "'''\u2028", '=\u2028=', '"\u2028"']) {
      coloursOf([odd, `a = "${odd}"`, `a = ${odd}`, `${odd} = 1`]);
    }
  });
});
