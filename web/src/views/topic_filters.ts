// "water1/#, water2/#" and one a line are the same.
export function filtersOf(text: string): string[] {
  return text.split(/[\s,]+/).filter(Boolean);
}
