// The rows of a table panel, whatever they are about: in the order its text asks for, and those that
// fit what somebody searches.
import type { Cell } from './csv';

export interface Head { id: string; name: string; right: boolean }
export interface SheetRow { key: string; raw: Cell[] } // raw: what the cells mean, one for each head

const kNames = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

function compare(a: Cell, b: Cell): number {
  return typeof a === 'number' && typeof b === 'number' ? a - b : kNames.compare(String(a), String(b));
}

// `sort`: a head's id, with a minus in front for the highest first; else as they come. A row without
// a value there is last, whichever way.
export function inOrder<Row extends SheetRow>(rows: Row[], heads: Head[], sort: string): Row[] {
  const isDown = sort.startsWith('-');
  const at = heads.findIndex(({ id }) => id === sort.slice(isDown ? 1 : 0));
  if (at < 0) return rows;
  return [...rows].sort((x, y) => {
    const [a, b] = [x.raw[at] ?? null, y.raw[at] ?? null];
    if (a === null || b === null) return Number(a === null) - Number(b === null);
    return isDown ? compare(b, a) : compare(a, b);
  });
}

// Every word of `text` is somewhere in the row.
export function fitting<Row extends SheetRow>(rows: Row[], text: string): Row[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return rows;
  return rows.filter((row) => {
    const all = row.raw.map((cell) => String(cell ?? '').toLowerCase()).join('\n');
    return words.every((word) => all.includes(word));
  });
}
