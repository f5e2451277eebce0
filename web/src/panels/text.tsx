// A `text` panel: Markdown (markdown.ts) with live values in it.
import type { ComponentChildren } from 'preact';
import { useMemo } from 'preact/hooks';
import type { FieldValue, Panel } from '../documents';
import { now, quantity } from '../format';
import type { PanelPage } from '../page/time';
import { PanelFrame, Nothing } from './frame';
import { stateOf } from './level';
import { parseMarkdown, valuesIn, type Block, type Inline } from './markdown';
import { forThing, textOption } from './options';
import { useValues } from './values';

type Find = (of: string) => FieldValue | undefined;

// A value in a sentence; one that is old or doubtful is struck by an outline and says so.
function InText({ of, find }: { of: string; find: Find }) {
  const value = find(of);
  if (!value) return <span class="in-text unknown" title={of}>{'\u2013'}</span>;
  const state = stateOf(value, now());
  const words = { ok: '', silent: 'silent', invalid: 'invalid reading', never: 'no reading yet' };
  return (
    <span class={`in-text${state === 'ok' ? '' : ' unknown'}`} title={of}>
      {quantity(value.value, value.unit, value.decimals)}{state !== 'ok' && ` (${words[state]})`}
    </span>
  );
}

function drawInline(parts: Inline[], find: Find): ComponentChildren[] {
  return parts.map((part) => {
    switch (part.kind) {
      case 'text':
        return part.text;
      case 'strong':
        return <strong>{drawInline(part.children, find)}</strong>;
      case 'emphasis':
        return <em>{drawInline(part.children, find)}</em>;
      case 'code':
        return <code>{part.text}</code>;
      case 'link':
        return <a href={part.to} rel="noreferrer">{drawInline(part.children, find)}</a>;
      case 'value':
        return <InText of={part.of} find={find} />;
    }
  });
}

function drawBlock(block: Block, find: Find): ComponentChildren {
  switch (block.kind) {
    case 'heading':
      return block.level === 1 ? <h2>{drawInline(block.children, find)}</h2> : <h3>{drawInline(block.children, find)}</h3>;
    case 'paragraph':
      return <p>{drawInline(block.children, find)}</p>;
    case 'list': {
      const items = block.items.map((item) => <li>{drawInline(item, find)}</li>);
      return block.ordered ? <ol>{items}</ol> : <ul>{items}</ul>;
    }
    case 'code':
      return <pre tabIndex={0}><code>{block.text}</code></pre>;
    case 'rule':
      return <hr />;
  }
}

export function TextPanel({ panel, page }: { panel: Panel; page: PanelPage }) {
  const blocks = useMemo(() => parseMarkdown(textOption(panel, 'md')), [panel]);
  const of = useMemo(() => valuesIn(blocks), [blocks]);
  const asked = useMemo(() => forThing(of, page.thing), [of, page]);
  const values = useValues(asked).values.value;
  const find: Find = (name) => {
    const [wanted] = forThing([name], page.thing);
    return values?.find((value) => value.of === wanted);
  };
  return (
    <PanelFrame panel={panel}>
      {blocks.length === 0 && <Nothing title="No text yet" hint={'md = "..." in this panel is Markdown.'} />}
      <div class="prose">{blocks.map((block) => drawBlock(block, find))}</div>
    </PanelFrame>
  );
}
