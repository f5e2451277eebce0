import { expect, it } from 'vitest';
import { csvCell, csvText } from './csv';

it('a cell is quoted where it must be', () => {
  expect([null, 1.5, true, 'a', 'a,b', 'say "x"', 'two\nlines'].map(csvCell))
    .toEqual(['', '1.5', 'true', 'a', '"a,b"', '"say ""x"""', '"two\nlines"']);
});
it('a name that looks like a formula stays a name; a number stays a number', () => {
  expect(['=1+1', '@x', '+1', '-1', '=a,"b"'].map(csvCell)).toEqual(["'=1+1", "'@x", "'+1", "'-1", '"\'=a,""b"""']);
  expect(csvCell(-4)).toBe('-4');
});
it('lines end as RFC 4180 says', () => {
  expect(csvText(['a', 'b'], [[1, null]])).toBe('a,b\r\n1,\r\n');
});
