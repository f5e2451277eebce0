// Which lines differ between two texts.

export interface DiffLine {
  what: 'same' | 'gone' | 'new';
  text: string;
}

const kCellsMax = 4_000_000; // of the table below; larger texts are told as all gone, all new

// The longest common subsequence of lines, by the usual table, without the common ends.
export function diffLines(before: string, after: string): DiffLine[] {
  const a = before.split('\n');
  const b = after.split('\n');
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head += 1;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1;
  const same = (text: string): DiffLine => ({ what: 'same', text });
  return [
    ...a.slice(0, head).map(same),
    ...diffMiddle(a.slice(head, a.length - tail), b.slice(head, b.length - tail)),
    ...a.slice(a.length - tail).map(same),
  ];
}

function diffMiddle(a: string[], b: string[]): DiffLine[] {
  const gone = (text: string): DiffLine => ({ what: 'gone', text });
  const fresh = (text: string): DiffLine => ({ what: 'new', text });
  if (a.length * b.length > kCellsMax) return [...a.map(gone), ...b.map(fresh)];
  const width = b.length + 1;
  const common = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      common[i * width + j] = a[i] === b[j]
        ? common[(i + 1) * width + j + 1]! + 1
        : Math.max(common[(i + 1) * width + j]!, common[i * width + j + 1]!);
    }
  }
  const lines: DiffLine[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ what: 'same', text: a[i]! });
      i += 1;
      j += 1;
    } else if (j === b.length || (i < a.length && common[(i + 1) * width + j]! >= common[i * width + j + 1]!)) {
      lines.push(gone(a[i]!));
      i += 1;
    } else {
      lines.push(fresh(b[j]!));
      j += 1;
    }
  }
  return lines;
}

export const kGap = '\u2026';

// Only what changed and `around` lines beside it; what is left out becomes one line.
export function shortened(lines: DiffLine[], around = 2): DiffLine[] {
  const kept: DiffLine[] = [];
  let isLeftOut = false;
  lines.forEach((line, i) => {
    const isNear = lines.slice(Math.max(0, i - around), i + around + 1).some(({ what }) => what !== 'same');
    if (isNear && isLeftOut) kept.push({ what: 'same', text: kGap });
    if (isNear) kept.push(line);
    isLeftOut = !isNear;
  });
  if (isLeftOut) kept.push({ what: 'same', text: kGap });
  return kept;
}
