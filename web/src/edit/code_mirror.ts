// The editor itself: CodeMirror 6, loaded when somebody edits.
//
// It lives in a shadow root, because there it keeps its styles in a constructed style sheet: our
// content security policy (style-src 'self') allows no <style> elements, and no nonce is needed so.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, type CompletionContext, type CompletionResult } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { HighlightStyle, StreamLanguage, indentUnit, syntaxHighlighting } from '@codemirror/language';
import { lintGutter, setDiagnostics } from '@codemirror/lint';
import { EditorState } from '@codemirror/state';
import { EditorView, drawSelection, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import type { Diagnostic } from '../documents';
import type { Suggestions } from './language';
import { toml } from './toml';

export interface CodeHands {
  changed(text: string): void;
  save(): void;
  suggest(text: string, line: number, column: number): Suggestions | null;
}

const kColours = HighlightStyle.define([
  { tag: tags.comment, color: 'var(--ink-3)', fontStyle: 'italic' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--good)' },
  { tag: [tags.number, tags.bool, tags.atom], color: 'var(--warn)' },
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: 'var(--nile)' },
  { tag: [tags.heading, tags.keyword, tags.labelName], color: 'var(--ink)', fontWeight: '620' },
]);

const kTheme = EditorView.theme({
  '&': { color: 'var(--ink)', backgroundColor: 'var(--panel)', height: '100%', fontSize: '14px' },
  '&.cm-focused': { outline: 'none' }, // the box around it shows the focus
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.55', overflow: 'auto' },
  '.cm-content': { caretColor: 'var(--ink)', padding: '8px 0' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)' },
  '.cm-gutters': { backgroundColor: 'var(--panel)', color: 'var(--ink-3)', border: 'none' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'var(--line-2)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'color-mix(in srgb, var(--water) 45%, transparent)',
  },
  '.cm-tooltip': { backgroundColor: 'var(--panel)', color: 'var(--ink)', border: '1px solid var(--line)', borderRadius: '7px' },
  '.cm-tooltip-autocomplete > ul > li[aria-selected]': { backgroundColor: 'var(--nile)', color: 'var(--on-nile)' },
  '.cm-completionDetail': { color: 'inherit', opacity: '0.8', fontStyle: 'normal', marginInlineStart: '12px' },
  '.cm-diagnostic': { padding: '6px 10px', maxWidth: '60ch' },
});

export class Code {
  private readonly view: EditorView;

  constructor(host: HTMLElement, text: string, label: string, isWritable: boolean, private readonly hands: CodeHands) {
    const root = host.shadowRoot ?? host.attachShadow({ mode: 'open' });
    const parent = document.createElement('div');
    parent.style.height = '100%';
    root.replaceChildren(parent);
    this.view = new EditorView({
      parent,
      root,
      state: EditorState.create({
        doc: text,
        extensions: [
          lineNumbers(), lintGutter(), highlightActiveLine(), highlightActiveLineGutter(), drawSelection(), history(),
          closeBrackets(), autocompletion({ override: [(context) => this.complete(context)], icons: false }),
          StreamLanguage.define(toml), syntaxHighlighting(kColours), kTheme, indentUnit.of('  '),
          EditorState.readOnly.of(!isWritable), EditorView.lineWrapping,
          EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0', spellcheck: 'false', autocapitalize: 'off' }),
          // Tab is left to the browser, so that the keyboard can leave the field.
          keymap.of([
            { key: 'Mod-s', preventDefault: true, run: () => { hands.save(); return true; } },
            ...closeBracketsKeymap, ...completionKeymap, ...historyKeymap, ...defaultKeymap,
          ]),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) hands.changed(update.state.doc.toString());
          }),
        ],
      }),
    });
  }

  line(): number {
    return this.view.state.doc.lineAt(this.view.state.selection.main.head).number;
  }

  // As one step of undo.
  setText(text: string): void {
    const { doc } = this.view.state;
    if (doc.toString() !== text) this.view.dispatch({ changes: { from: 0, to: doc.length, insert: text } });
  }

  goTo(line: number, column = 1): void {
    const { doc } = this.view.state;
    const found = doc.line(Math.min(Math.max(1, line), doc.lines));
    const at = Math.min(found.to, found.from + Math.max(0, column - 1));
    this.view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: 'center' }) });
    this.view.focus();
  }

  // Marks in the gutter and under the words. Columns of the server count from 1.
  show(diagnostics: Diagnostic[]): void {
    const { doc } = this.view.state;
    const place = ({ line, column }: { line: number; column: number }) => {
      const found = doc.line(Math.min(Math.max(1, line), doc.lines));
      return Math.min(found.to, found.from + Math.max(0, column - 1));
    };
    this.view.dispatch(setDiagnostics(this.view.state, diagnostics.map(({ severity, summary, help, range }) => {
      const from = place(range.start);
      return { from, to: Math.max(from, place(range.end)), severity, message: help ? `${summary}\n${help}` : summary };
    })));
  }

  destroy(): void {
    this.view.destroy();
  }

  private complete(context: CompletionContext): CompletionResult | null {
    const line = context.state.doc.lineAt(context.pos);
    const found = this.hands.suggest(context.state.doc.toString(), line.number, context.pos - line.from);
    if (!found) return null;
    const from = line.from + found.from;
    if (from === context.pos && !context.explicit && line.text.trim() !== '' && !/"$/.test(line.text.slice(0, context.pos - line.from))) return null;
    if (line.text.trim() === '' && !context.explicit) return null;
    return { from, options: found.options.map(({ label, detail, insert }) => ({ label, detail, apply: insert })) };
  }
}
