// The text of a `text` panel: a small part of Markdown, as a tree that is drawn with elements of
// ours. Nothing in a text can become an element of its own: there is no HTML in this language.
//
//   # Title, ## Smaller      - item, 1. item      ``` code ```      --- rule
//   **strong**  *emphasis*  `code`  [text](address)  {{tank-1/percent}}
//
// A link leads to http(s) or to a place of ours; anything else stays text.

export type Inline =
  | { kind: 'text'; text: string }
  | { kind: 'strong' | 'emphasis'; children: Inline[] }
  | { kind: 'code'; text: string }
  | { kind: 'link'; to: string; children: Inline[] }
  | { kind: 'value'; of: string };

export type Block =
  | { kind: 'heading'; level: 1 | 2 | 3; children: Inline[] }
  | { kind: 'paragraph'; children: Inline[] }
  | { kind: 'list'; ordered: boolean; items: Inline[][] }
  | { kind: 'code'; text: string }
  | { kind: 'rule' };

const kDepthMax = 8; // marks within marks; deeper ones stay text

// https://..., http://..., /things, #part, page?x=1; never javascript:, data:, //host.
export function safeLink(to: string): string | null {
  const trimmed = to.trim();
  if (/[\u0000-\u0020\u007f\\]/.test(trimmed)) return null;
  if (/^https?:\/\/[^/]/i.test(trimmed)) return trimmed;
  if (trimmed.startsWith('//') || /^[^/?#]*:/.test(trimmed)) return null;
  return trimmed || null;
}

const kMarks = /`([^`]+)`|\{\{\s*([^{}]{1,256}?)\s*\}\}|\[([^[\]]+)\]\(([^()]*)\)|\*\*(.+?)\*\*|\*([^*]+)\*/;

function inlineOf(found: RegExpExecArray, depth: number): Inline {
  const [whole, code, of, label, to, strong, emphasis] = found;
  if (code !== undefined) return { kind: 'code', text: code };
  if (of !== undefined) return { kind: 'value', of };
  if (strong !== undefined) return { kind: 'strong', children: parseInline(strong, depth + 1) };
  if (emphasis !== undefined) return { kind: 'emphasis', children: parseInline(emphasis, depth + 1) };
  const address = safeLink(to ?? '');
  if (label === undefined || !address) return { kind: 'text', text: whole };
  return { kind: 'link', to: address, children: parseInline(label, depth + 1) };
}

export function parseInline(text: string, depth = 0): Inline[] {
  const parts: Inline[] = [];
  let rest = text;
  while (depth < kDepthMax) {
    const found = kMarks.exec(rest);
    if (!found) break;
    if (found.index > 0) parts.push({ kind: 'text', text: rest.slice(0, found.index) });
    parts.push(inlineOf(found, depth));
    rest = rest.slice(found.index + found[0].length);
  }
  if (rest) parts.push({ kind: 'text', text: rest });
  return parts;
}

const kItem = /^\s*(?:[-*]|(\d{1,3})[.)])\s+(.*)$/;

export function parseMarkdown(source: string): Block[] {
  const blocks: Block[] = [];
  const lines = source.split(/\r?\n/);
  let paragraph: string[] = [];
  const flush = () => {
    if (paragraph.length) blocks.push({ kind: 'paragraph', children: parseInline(paragraph.join(' ')) });
    paragraph = [];
  };
  for (let i = 0; i < lines.length; i += 1) {
    const line = lines[i]!;
    const heading = /^\s{0,3}(#{1,3})\s+(.*?)\s*#*$/.exec(line);
    const item = kItem.exec(line);
    if (/^\s*```/.test(line)) {
      flush();
      const code: string[] = [];
      for (i += 1; i < lines.length && !/^\s*```/.test(lines[i]!); i += 1) code.push(lines[i]!);
      blocks.push({ kind: 'code', text: code.join('\n') });
    } else if (heading) {
      flush();
      blocks.push({ kind: 'heading', level: heading[1]!.length as 1 | 2 | 3, children: parseInline(heading[2]!) });
    } else if (/^\s*(---+|\*\*\*+)\s*$/.test(line)) {
      flush();
      blocks.push({ kind: 'rule' });
    } else if (item) {
      flush();
      const last = blocks[blocks.length - 1];
      const ordered = item[1] !== undefined;
      const follows = i > 0 && kItem.test(lines[i - 1]!);
      if (follows && last?.kind === 'list' && last.ordered === ordered) last.items.push(parseInline(item[2]!));
      else blocks.push({ kind: 'list', ordered, items: [parseInline(item[2]!)] });
    } else if (line.trim() === '') {
      flush();
    } else {
      paragraph.push(line.trim());
    }
  }
  flush();
  return blocks;
}

// The selectors in {{...}} of a text, each once.
export function valuesIn(blocks: Block[]): string[] {
  const found = new Set<string>();
  const look = (parts: Inline[]) => {
    for (const part of parts) {
      if (part.kind === 'value') found.add(part.of);
      if ('children' in part) look(part.children);
    }
  };
  for (const block of blocks) {
    if ('children' in block) look(block.children);
    if (block.kind === 'list') block.items.forEach(look);
  }
  return [...found];
}
