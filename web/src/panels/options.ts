// A panel's options as the server checked them: same names as in the page's text. What is missing
// or of another type than expected gives the default, so that an older page never breaks a panel.
import type { Panel } from '../documents';

export function textOption(panel: Panel, name: string, otherwise = ''): string {
  const value = panel[name];
  return typeof value === 'string' ? value : otherwise;
}

export function numberOption(panel: Panel, name: string): number | null {
  const value = panel[name];
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

export function boolOption(panel: Panel, name: string, otherwise: boolean): boolean {
  const value = panel[name];
  return typeof value === 'boolean' ? value : otherwise;
}

// One text counts as a list of one.
export function listOption(panel: Panel, name: string, otherwise: string[] = []): string[] {
  const value = panel[name];
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : otherwise;
}

export interface Line {
  at: number;
  label: string;
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

// lines = [{at=20,label="nearly empty"}]
export function lineOption(panel: Panel): Line[] {
  const value = panel['lines'];
  if (!Array.isArray(value)) return [];
  return value.filter(isTable).flatMap(({ at, label }) =>
    typeof at === 'number' ? [{ at, label: typeof label === 'string' ? label : '' }] : []);
}

// y = {min=0,max=100}
export function boundsOption(panel: Panel): { min: number | null; max: number | null } {
  const value = panel['y'];
  const part = (name: string) => {
    const bound = isTable(value) ? value[name] : null;
    return typeof bound === 'number' ? bound : null;
  };
  return { min: part('min'), max: part('max') };
}

export interface Faces {
  thumbs: boolean;
  low: string; // words of the page's own; "" for the usual ones
  high: string;
}

// faces = "thumbs", "none", or {low="dry", high="running over"}
export function facesOption(panel: Panel, otherwise: boolean): Faces {
  const value = panel['faces'];
  const word = (name: string) => (isTable(value) && typeof value[name] === 'string' ? value[name] : '');
  const thumbs = typeof value === 'string' ? value === 'thumbs' : otherwise;
  return { thumbs, low: word('low'), high: word('high') };
}

export interface ColumnOption {
  name: string;
  unit: string;
  decimals: number | null;
}

// columns = ["name", {name="distance",unit="cm",decimals=1}]
export function columnOptions(panel: Panel): ColumnOption[] {
  const value = panel['columns'];
  if (!Array.isArray(value)) return [];
  return value.flatMap((item): ColumnOption[] => {
    if (typeof item === 'string') return [{ name: item, unit: '', decimals: null }];
    if (!isTable(item) || typeof item['name'] !== 'string') return [];
    const { name, unit, decimals } = item;
    return [{
      name,
      unit: typeof unit === 'string' ? unit : '',
      decimals: typeof decimals === 'number' ? decimals : null,
    }];
  });
}

// Columns of twelve that a panel takes: asked for, or fitting for its kind.
export function widthOf(panel: Panel): number {
  const asked = numberOption(panel, 'width');
  return asked === null ? 12 : Math.min(12, Math.max(1, Math.round(asked)));
}

// A page `for` things of a type says $thing; here it is known which.
export function forThing(selectors: string[], thing: string | null): string[] {
  return thing === null ? selectors : selectors.map((of) => of.replace(/^\$thing(?=$|\/)/, thing));
}
