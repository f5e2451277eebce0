import { expect, test } from 'vitest';
import { fitting, inOrder, type Head } from './sheet';

const heads: Head[] = ['name', 'percent'].map((id) => ({ id, name: id, right: false }));
const rows = [
  { key: 'a', raw: ['Tank 10', 50] }, { key: 'b', raw: ['Tank 2', null] },
  { key: 'c', raw: ['Barn', 9] }, { key: 'd', raw: ['orchard', 88] },
];
const keys = (of: { key: string }[]) => of.map(({ key }) => key).join('');

test('rows are in the order of a column, up or down, and stay as they are without one', () => {
  expect(keys(inOrder(rows, heads, ''))).toBe('abcd');
  expect(keys(inOrder(rows, heads, 'name'))).toBe('cdba');
  expect(keys(inOrder(rows, heads, 'percent'))).toBe('cadb');
  expect(keys(inOrder(rows, heads, '-percent'))).toBe('dacb');
  expect(keys(inOrder(rows, heads, 'nothing'))).toBe('abcd');
});

test('a search needs every word, whatever its case', () => {
  expect(keys(fitting(rows, '  '))).toBe('abcd');
  expect(keys(fitting(rows, 'TANK'))).toBe('ab');
  expect(keys(fitting(rows, 'tank 50'))).toBe('a');
  expect(keys(fitting(rows, 'well'))).toBe('');
});
