// The language of pages as the editor knows it: what can be completed at a place, where a panel's
// text begins and ends, and what a new panel looks like. The server checks; this only helps.
import { kRanges } from '../time/range';

export interface Option {
  name: string;
  example: string; // as it would be written
  words?: string[];
}

const word = (name: string, words: string[]): Option => ({ name, example: `"${words[0]}"`, words });

const kPage: Option[] = [
  { name: 'id', example: '"tanks"' },
  { name: 'title', example: '"Water tanks"' },
  { name: 'for', example: '"type:tank"' },
  word('range', ['7d', ...kRanges.filter((range) => range !== '7d'), 'today', 'yesterday', 'all']),
  word('zone', ['site', 'viewer']),
];

const kCommon: Option[] = [
  { name: 'title', example: '"Level"' },
  { name: 'note', example: '"mail below 20 %"' },
  { name: 'width', example: '6' },
  { name: 'link', example: '"/things"' },
];

const kEmpty: Option = { name: 'empty', example: '"no readings yet"' };
const kValues: Option[] = [
  { name: 'unit', example: '"%"' },
  { name: 'decimals', example: '1' },
  kEmpty,
  word('range', ['24h', ...kRanges.filter((range) => range !== '24h')]),
];

const kOf: Option = { name: 'of', example: '["type:tank/percent"]' };
const kStats = ['count', 'mean', 'sd', 'min', 'q25', 'median', 'q75', 'max', 'first', 'last'];
const kTableStats = [...kStats, 'change'];

export const kKinds: Record<string, Option[]> = {
  now: [
    kOf, word('look', ['number', 'tank', 'bar', 'state']), { name: 'low', example: '20' }, { name: 'high', example: '80' },
    word('faces', ['thumbs', 'none']), { name: 'min', example: '0' }, { name: 'max', example: '100' },
    { name: 'spark', example: '"24h"' }, word('stats', ['last', 'mean', 'min', 'max', 'count']),
    { name: 'stale', example: '"10m"' }, word('sort', ['name', 'value', 'age']), { name: 'limit', example: '50' }, ...kValues,
  ],
  chart: [
    kOf, word('draw', ['line', 'step', 'points', 'area', 'bars']), { name: 'every', example: '"1h"' }, word('stat', kStats),
    { name: 'y', example: '{ min = 0, max = 100 }' }, { name: 'lines', example: '[{ at = 20, label = "nearly empty" }]' },
    word('marks', ['alerts']), word('gaps', ['break', 'join']), { name: 'live', example: 'true' },
    { name: 'last_label', example: 'true' }, { name: 'height', example: '320' }, ...kValues,
  ],
  table: [
    word('rows', ['things', 'intervals', 'alerts']), kOf, { name: 'every', example: '"1d"' }, word('stats', kTableStats),
    { name: 'columns', example: '["name", "age"]' }, { name: 'limit', example: '50' }, { name: 'download', example: 'true' },
    { name: 'sort', example: '"name"' }, { name: 'search', example: 'true' }, ...kValues,
  ],
  alerts: [kOf, word('states', ['open', 'firing', 'acknowledged', 'snoozed', 'resolved']), { name: 'limit', example: '20' }, kEmpty],
  text: [{ name: 'md', example: '"**{{tank-1/percent}}** in the barn"' }],
};

// --- Where things stand in the text

export interface Block {
  kind: 'page' | 'panel';
  first: number; // lines, from 1
  last: number;
}

// The [[page]] and [[page.panel]] blocks of a text, in order; each ends where the next header is.
export function blocksOf(text: string): Block[] {
  const blocks: Block[] = [];
  const lines = text.split('\n');
  let isProse = false; // within """ ... """
  lines.forEach((line, i) => {
    const header = isProse ? null : /^\s*\[\[?\s*([\w.]+)\s*\]\]?/.exec(line);
    if ((line.match(/"""/g) ?? []).length % 2 === 1) isProse = !isProse;
    if (!header) return;
    const before = blocks[blocks.length - 1];
    if (before && before.last === lines.length) before.last = i;
    if (header[1] === 'page') blocks.push({ kind: 'page', first: i + 1, last: lines.length });
    if (header[1] === 'page.panel') blocks.push({ kind: 'panel', first: i + 1, last: lines.length });
  });
  return blocks;
}

export function blockAt(text: string, line: number): Block | null {
  return blocksOf(text).find(({ first, last }) => line >= first && line <= last) ?? null;
}

function keysOf(lines: string[]): Map<string, string> {
  const keys = new Map<string, string>();
  for (const line of lines) {
    const found = /^\s*([\w-]+)\s*=\s*(.*?)\s*$/.exec(line);
    if (found) keys.set(found[1]!, found[2]!);
  }
  return keys;
}

// --- Completion

export interface Known {
  things: { id: string; type: string; fields: string[] }[];
}

export interface Suggestion {
  label: string;
  detail: string;
  insert: string;
}

export interface Suggestions {
  from: number; // column in the line, from 0, where the replaced word begins
  options: Suggestion[];
}

// Selectors people write: one field of a thing, and of all of its type.
export function selectorsOf(known: Known): Suggestion[] {
  const types = new Map<string, Set<string>>();
  for (const { type, fields } of known.things) {
    if (!type) continue;
    types.set(type, new Set([...(types.get(type) ?? []), ...fields]));
  }
  const ofTypes = [...types].flatMap(([type, fields]) => [...fields].map((field) => `type:${type}/${field}`));
  const ofThings = known.things.flatMap(({ id, fields }) => fields.map((field) => `${id}/${field}`));
  return [
    ...ofTypes.map((of) => ({ label: of, detail: 'all of this type', insert: of })),
    ...ofThings.map((of) => ({ label: of, detail: 'one field', insert: of })),
  ];
}

// What fits at `column` (from 0) of `line` (from 1); null: nothing is known here.
export function suggestionsAt(text: string, line: number, column: number, known: Known): Suggestions | null {
  const lines = text.split('\n');
  const before = (lines[line - 1] ?? '').slice(0, column);
  const block = blockAt(text, line);
  const header = /^\s*(\[{0,2}[\w.]*)$/.exec(before);
  if (header && header[1]!.startsWith('[')) {
    const options = ['[[page]]', '[[page.panel]]'].map((label) => ({ label, detail: '', insert: label }));
    return { from: column - header[1]!.length, options };
  }
  if (!block) return null;
  const keys = keysOf(lines.slice(block.first - 1, block.last).filter((_, i) => block.first + i !== line));
  const kind = /"(\w+)"/.exec(keys.get('kind') ?? '')?.[1] ?? '';
  const options = block.kind === 'page' ? kPage
    : [{ name: 'kind', example: '"chart"', words: Object.keys(kKinds) }, ...(kKinds[kind] ?? []), ...kCommon];
  const key = /^\s*(\w*)$/.exec(before);
  if (key) {
    const free = options.filter(({ name }) => !keys.has(name));
    return {
      from: column - key[1]!.length,
      options: free.map(({ name, example }) => ({ label: name, detail: example, insert: `${name} = ${example}` })),
    };
  }
  const value = /^\s*(\w+)\s*=\s*.*?"([^"]*)$/.exec(before);
  if (!value || (before.match(/"/g) ?? []).length % 2 === 0) return null;
  const from = column - value[2]!.length;
  if (value[1] === 'of') return { from, options: selectorsOf(known) };
  const words = options.find(({ name }) => name === value[1])?.words;
  return words ? { from, options: words.map((label) => ({ label, detail: '', insert: label })) } : null;
}

// --- New panels

// The text of a new panel of a kind, about what there is.
export function panelText(kind: string, known: Known): string {
  const percent = selectorsOf(known).find(({ label }) => label.endsWith('/percent'));
  const of = (percent ?? selectorsOf(known)[0])?.label ?? 'type:tank/percent';
  const bodies: Record<string, string[]> = {
    now: [`of = ["${of}"]`, `look = "${of.endsWith('/percent') ? 'tank' : 'number'}"`],
    chart: [`of = ["${of}"]`],
    table: ['rows = "intervals"', `of = ["${of}"]`, 'every = "1d"', 'stats = ["first", "last", "min", "max"]'],
    alerts: ['width = 6'],
    text: ['md = "What people should know about this page."'],
  };
  return ['[[page.panel]]', `kind = "${kind}"`, ...(bodies[kind] ?? [])].map((line) => `  ${line}`).join('\n');
}

// `text` with a new panel after the block the cursor is in (else at the end), and the line at
// which it begins.
export function withPanel(text: string, line: number, panel: string): { text: string; line: number } {
  const lines = text.split('\n');
  let after = blockAt(text, line)?.last ?? lines.length;
  while (after > 0 && lines[after - 1]!.trim() === '') after -= 1;
  lines.splice(after, 0, panel);
  const whole = lines.join('\n');
  return { text: whole.endsWith('\n') ? whole : `${whole}\n`, line: after + 1 };
}
