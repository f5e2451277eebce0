// Small parts that every page is made of.
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import type { ApiError } from '../api';
import { Icon, MarkIcon, type IconName, type Mark } from '../icons';
import { useCurrentInView } from './current_in_view';
import type { AlertState, Thing, ThingState } from '../documents';

type ButtonProps = {
  children?: ComponentChildren;
  icon?: IconName;
  look?: 'plain' | 'main' | 'bare' | 'danger';
  label?: string;  // for buttons that are only an icon
  busy?: boolean;
  small?: boolean;
} & Omit<JSX.IntrinsicElements['button'], 'icon' | 'label'>;

export function Button({ children, icon, look = 'plain', label, busy, small, type = 'button', ...rest }: ButtonProps) {
  return (
    <button {...rest} type={type} aria-label={label} title={label} aria-busy={busy ? 'true' : undefined}
      disabled={rest.disabled || busy}
      class={`button ${look}${small ? ' small' : ''}${children === undefined ? ' icon-only' : ''}`}>
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

export function Chip({ mark, children }: { mark?: Mark | undefined; children: ComponentChildren }) {
  return <span class={`chip ${mark ?? 'plain'}`}>{mark && <MarkIcon mark={mark} />}{children}</span>;
}

const kThingStates: Record<ThingState, [Mark, string]> = {
  ok: ['good', 'Good reading'],
  silent: ['off', 'Silent'],
  invalid: ['faulty', 'Invalid reading'],
  never: ['off', 'Nothing yet'],
};
const kAlertStates: Record<AlertState, [Mark, string]> = {
  normal: ['back', 'Back to normal'],
  pending: ['warn', 'Pending'],
  firing: ['bad', 'Open'],
  acknowledged: ['warn', 'Acknowledged'],
  snoozed: ['off', 'Snoozed'],
  resolved: ['good', 'Resolved'],
};

export function wordOfThing(state: ThingState): [Mark, string] {
  return kThingStates[state] ?? ['off', state];
}
export function wordOfAlert(state: AlertState): [Mark, string] {
  return kAlertStates[state] ?? ['off', state];
}

// Shape and word of a state.
export function StateMark({ mark, word }: { mark: Mark; word: string }) {
  return <span class={`state ${mark}`}><MarkIcon mark={mark} />{word}</span>;
}

// How a thing is: that it reports well is not what to say of one with an open alert.
export function ThingMark({ thing }: { thing: Pick<Thing, 'state' | 'alerts'> }) {
  if (thing.state === 'ok' && thing.alerts > 0) return <StateMark mark="bad" word="Alert" />;
  const [mark, word] = wordOfThing(thing.state);
  return <StateMark mark={mark} word={word} />;
}

// A titled box; `aside` stands at the right of the title.
export function Panel({ title, aside, width = 12, children, className = '' }: {
  title?: ComponentChildren; aside?: ComponentChildren; width?: number; className?: string; children: ComponentChildren;
}) {
  return (
    <section class={`panel w${width} ${className}`}>
      {(title !== undefined || aside !== undefined) && (
        <header class="panel-head"><h2>{title}</h2>{aside !== undefined && <div class="aside">{aside}</div>}</header>
      )}
      {children}
    </section>
  );
}

// The top of a page; `title` also names the tab.
export function PageHead({ title, tab = title, children, above }: {
  title: string; tab?: string; children?: ComponentChildren; above?: ComponentChildren;
}) {
  useEffect(() => {
    document.title = `${tab} \u00b7 Nilometer`;
  }, [tab]);
  return (
    <div class="page-head">
      {above && <div class="above">{above}</div>}
      <h1 tabIndex={-1}>{title}</h1>
      {children !== undefined && <div class="actions">{children}</div>}
    </div>
  );
}

export function EmptyState({ title, children }: { title: string; children?: ComponentChildren }) {
  return <div class="empty"><p class="empty-title">{title}</p>{children}</div>;
}

// What the server said, what to do about it, and the way to try again.
export function ErrorState({ error, retry }: { error: ApiError; retry?: () => void }) {
  return (
    <div class="error" role="alert">
      <p class="error-title"><MarkIcon mark="bad" />{error.message}</p>
      {error.hint && <p>{error.hint}</p>}
      {retry && <Button onClick={retry}>Try again</Button>}
    </div>
  );
}

export function Loading({ what = 'Loading' }: { what?: string }) {
  return <p class="loading" role="status">{what}</p>;
}

// A labelled input with its hint and, in place, its mistake.
export function Field({ label, hint, error, name, children, ...input }: {
  label: string; name: string; hint?: ComponentChildren; error?: string | null | undefined; children?: ComponentChildren;
  type?: 'text' | 'password' | 'email' | 'search' | 'number'; value?: string; placeholder?: string;
  required?: boolean; minLength?: number; maxLength?: number; autocomplete?: string; spellcheck?: boolean;
  autocapitalize?: 'off' | 'none'; onInput?: (event: InputEvent & { currentTarget: HTMLInputElement }) => void;
}) {
  const told = [hint && `${name}-hint`, error && `${name}-error`].filter(Boolean).join(' ') || undefined;
  return (
    <div class={`field${error ? ' wrong' : ''}`}>
      <label for={name}>{label}</label>
      {children ?? <input {...(input as JSX.IntrinsicElements['input'])} id={name} name={name} aria-describedby={told} aria-invalid={error ? 'true' : undefined} />}
      {hint && <p class="hint" id={`${name}-hint`}>{hint}</p>}
      {error && <p class="mistake" id={`${name}-error`} role="alert"><MarkIcon mark="bad" />{error}</p>}
    </div>
  );
}

// A modal dialog of the browser: focus stays in, Escape closes, focus returns.
export function Dialog({ title, onClose, children, className = '' }: {
  title: string; onClose: () => void; children: ComponentChildren; className?: string;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  // Before anything is painted: who types at once types into it.
  useLayoutEffect(() => {
    const element = dialog.current;
    const before = document.activeElement;
    element?.showModal();
    // The browser would choose the button that closes.
    element?.querySelector<HTMLElement>('input, select, textarea, .button.main')?.focus();
    return () => {
      element?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog ref={dialog} class={`dialog ${className}`} aria-label={title}
      onCancel={(event) => { event.preventDefault(); onClose(); }}
      onClick={(event) => { if (event.target === dialog.current) onClose(); }}>
      <header class="dialog-head"><h2>{title}</h2><Button icon="close" look="bare" label="Close" onClick={onClose} /></header>
      {children}
    </dialog>
  );
}

export interface Column<Row> {
  head: string;
  cell: (row: Row) => ComponentChildren;
  right?: boolean;
  isName?: boolean;  // the cell that names its row
  phone?: 'hide';
}

export function Table<Row>({ label, columns, rows, keyOf, dense = false, rowClass }: {
  label: string; columns: Column<Row>[]; rows: readonly Row[]; keyOf: (row: Row) => string;
  dense?: boolean; rowClass?: (row: Row) => string;
}) {
  const classOf = (column: Column<Row>) =>
    [column.right && 'r', column.phone === 'hide' && 'no-phone'].filter(Boolean).join(' ') || undefined;
  return (
    <div class="scroll" role="region" aria-label={label} tabIndex={0}>
      <table class={dense ? 'dense' : undefined}>
        <thead><tr>{columns.map((c) => <th key={c.head} scope="col" class={classOf(c)}>{c.head || <span class="unseen">Actions</span>}</th>)}</tr></thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)} class={rowClass?.(row)}>
              {columns.map((c) => (c.isName
                ? <th key={c.head} scope="row" class={classOf(c)}>{c.cell(row)}</th>
                : <td key={c.head} class={classOf(c)}>{c.cell(row)}</td>))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

// Links that look like tabs, as each is a URL.
export function Tabs({ label, tabs }: {
  label: string; tabs: { href: string; text: string; count?: number | undefined; isCurrent: boolean }[];
}) {
  const row = useCurrentInView<HTMLElement>(JSON.stringify(tabs));
  return (
    <nav class="tabs" aria-label={label} ref={row}>
      <ul>{tabs.map((tab) => (
        <li key={tab.href}><a href={tab.href} aria-current={tab.isCurrent ? 'page' : undefined}>
          {tab.text}{tab.count !== undefined && <span class="tab-count">{tab.count}</span>}
        </a></li>
      ))}</ul>
    </nav>
  );
}
