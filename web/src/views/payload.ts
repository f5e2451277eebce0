// Payloads as people read them, and what changed since the one before on the same topic.
import type { LiveMessage } from '../documents';

// Base64 of bytes that are no text, as hexadecimal.
function hexOf(base64: string): string {
  const bytes = Array.from(atob(base64), (c) => c.charCodeAt(0).toString(16).padStart(2, '0'));
  return bytes.join(' ');
}

export function payloadText(message: Pick<LiveMessage, 'payload' | 'payload_base64' | 'cut'>): string {
  const text = message.payload ?? (message.payload_base64 === undefined ? '' : hexOf(message.payload_base64));
  return message.cut ? `${text}\u2026` : text;
}

// JSON over several lines; anything else as it stands. Numbers keep the digits they were sent with.
export function pretty(text: string): string {
  try {
    JSON.parse(text);
  } catch {
    return text;
  }
  return reindent(text);
}

// Only white space between tokens changes: JSON.stringify would round 0.10000000000000000555.
function reindent(text: string): string {
  let out = '';
  let depth = 0;
  const line = () => `\n${'  '.repeat(depth)}`;
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g) ?? [];
  for (const [i, token] of tokens.entries()) {
    const next = tokens[i + 1];
    if (token === '{' || token === '[') {
      const isEmpty = next === '}' || next === ']';
      if (!isEmpty) depth += 1;
      out += token + (isEmpty ? '' : line());
    } else if (token === '}' || token === ']') {
      const wasEmpty = tokens[i - 1] === '{' || tokens[i - 1] === '[';
      if (!wasEmpty) depth -= 1;
      out += (wasEmpty ? '' : line()) + token;
    } else if (token === ',') {
      out += token + line();
    } else {
      out += token === ':' ? ': ' : token;
    }
  }
  return out;
}

export interface Change { path: string; before: string | null; after: string | null }

const kChangesMax = 50;
const kDepthMax = 20;

function leaves(value: unknown, path: string, out: Map<string, string>, depth: number): void {
  const isBranch = typeof value === 'object' && value !== null && Object.keys(value).length > 0;
  if (!isBranch || depth >= kDepthMax) {
    out.set(path, JSON.stringify(value) ?? '');
    return;
  }
  for (const [name, part] of Object.entries(value)) {
    const below = Array.isArray(value) ? `${path}[${name}]` : path ? `${path}.${name}` : name;
    leaves(part, below, out, depth + 1);
  }
}

function leavesOf(text: string): Map<string, string> {
  const out = new Map<string, string>();
  try {
    leaves(JSON.parse(text), '', out, 0);
  } catch {
    out.set('', text);
  }
  return out;
}

// Member by member if both are JSON, else the whole; at most kChangesMax, in the order of `after`.
export function diff(before: string, after: string): Change[] {
  const old = leavesOf(before);
  const fresh = leavesOf(after);
  const changes: Change[] = [];
  for (const [path, value] of fresh) {
    const was = old.get(path) ?? null;
    if (was !== value) changes.push({ path, before: was, after: value });
  }
  for (const [path, was] of old) {
    if (!fresh.has(path)) changes.push({ path, before: was, after: null });
  }
  return changes.slice(0, kChangesMax);
}
