import { describe, expect, it } from 'vitest';
import { boundsOption, columnOptions, facesOption, forThing, lineOption, listOption, widthOf } from './options';

const panel = (options: object) => ({ kind: 'chart', line: 1, ...options });

describe('an option', () => {
  it('of another type than expected counts as missing', () => {
    expect(listOption(panel({ of: 7 }), 'of')).toEqual([]);
    expect(listOption(panel({ of: 'a/b' }), 'of')).toEqual(['a/b']);
    expect(listOption(panel({ of: ['a/b', 3] }), 'of')).toEqual(['a/b']);
    expect(lineOption(panel({ lines: [{ at: 20, label: 'low' }, { at: 'x' }, 3, null] }))).toEqual([{ at: 20, label: 'low' }]);
    expect(boundsOption(panel({ y: { min: 0, max: 'x' } }))).toEqual({ min: 0, max: null });
    expect(columnOptions(panel({ columns: ['a', { name: 'b', unit: 'cm' }, { unit: 'x' }] })))
      .toEqual([{ name: 'a', unit: '', decimals: null }, { name: 'b', unit: 'cm', decimals: null }]);
  });

  it('faces are thumbs, none, or words of the page', () => {
    expect(facesOption(panel({}), true)).toEqual({ thumbs: true, low: '', high: '' });
    expect(facesOption(panel({ faces: 'none' }), true).thumbs).toBe(false);
    expect(facesOption(panel({ faces: { low: 'dry' } }), true)).toEqual({ thumbs: true, low: 'dry', high: '' });
  });

  it('width stays within the twelve columns', () => {
    expect([{}, { width: 4 }, { width: 0 }, { width: 40 }].map((o) => widthOf(panel(o)))).toEqual([12, 4, 1, 12]);
  });
});

describe('a page of one thing', () => {
  it('names it where it said $thing', () => {
    expect(forThing(['$thing/percent', '$thing', '$things/x', 'tank-1/x'], 'tank-9'))
      .toEqual(['tank-9/percent', 'tank-9', '$things/x', 'tank-1/x']);
    expect(forThing(['$thing/percent'], null)).toEqual(['$thing/percent']);
  });
});
