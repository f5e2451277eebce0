// A place to write a text in: a plain field at once, CodeMirror as soon as it is loaded. Both are
// one to who uses them.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Diagnostic } from '../documents';
import type { Code, CodeHands } from './code_mirror';

export interface CodeHandle {
  line(): number;
  goTo(line: number, column?: number): void;
  // Another text than what is being written. The editor leads otherwise: what it tells is a moment
  // old when it is drawn, and would undo the next letter.
  setText(text: string): void;
}

function lineOf(field: HTMLTextAreaElement): number {
  return field.value.slice(0, field.selectionStart).split('\n').length;
}

function goInField(field: HTMLTextAreaElement, line: number, column: number): void {
  const lines = field.value.split('\n');
  const start = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
  const at = Math.min(start + Math.max(0, column - 1), field.value.length);
  field.focus();
  field.setSelectionRange(at, at);
  field.scrollTop = (field.scrollHeight / Math.max(1, lines.length)) * Math.max(0, line - 4);
}

export function CodeArea({ text, label, isWritable, diagnostics, hands, handle }: {
  text: string; label: string; isWritable: boolean; diagnostics: Diagnostic[]; hands: CodeHands;
  handle: { current: CodeHandle | null };
}) {
  const host = useRef<HTMLDivElement>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const code = useRef<Code | null>(null);
  const latest = useRef({ text, hands });
  latest.current = { text, hands };
  const [isLoaded, setLoaded] = useState(false);
  useEffect(() => {
    let isGone = false;
    handle.current = {
      line: () => code.current?.line() ?? (field.current ? lineOf(field.current) : 1),
      setText: (whole) => code.current?.setText(whole),
      goTo: (line, column = 1) => {
        if (code.current) code.current.goTo(line, column);
        else if (field.current) goInField(field.current, line, column);
      },
    };
    import('./code_mirror').then((module) => {
      if (isGone || !host.current) return;
      const hadFocus = document.activeElement === field.current;
      const line = field.current ? lineOf(field.current) : 1;
      code.current = new module.Code(host.current, latest.current.text, label, isWritable, {
        changed: (changed) => latest.current.hands.changed(changed),
        save: () => latest.current.hands.save(),
        suggest: (all, at, column) => latest.current.hands.suggest(all, at, column),
      });
      setLoaded(true);
      if (hadFocus) code.current.goTo(line);
    }, () => {
      // The plain field writes as well.
    });
    return () => {
      isGone = true;
      code.current?.destroy();
      code.current = null;
      handle.current = null;
    };
  }, []);
  useEffect(() => code.current?.show(diagnostics), [diagnostics, isLoaded]);
  return (
    <div class="code" data-testid="page-text">
      <div ref={host} class="code-host" hidden={!isLoaded} />
      {!isLoaded && (
        <textarea ref={field} class="code-field" aria-label={label} spellcheck={false} readOnly={!isWritable} value={text}
          onInput={(event) => hands.changed(event.currentTarget.value)} />
      )}
    </div>
  );
}
