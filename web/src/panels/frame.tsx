// The box around every panel: title, note, and what is shown before, instead of and after data.
import { Component, type ComponentChildren } from 'preact';
import { asApiError, type ApiError } from '../api';
import type { Panel } from '../documents';
import { ErrorState } from '../ui/parts';
import { safeLink } from './markdown';
import { textOption, widthOf } from './options';

// A mistake in one panel stays in it.
export class Fence extends Component<{ children: ComponentChildren }, { error: ApiError | null }> {
  override state = { error: null as ApiError | null };
  static override getDerivedStateFromError(error: unknown) {
    return { error: asApiError(error) };
  }
  override render() {
    const { error } = this.state;
    return error ? <ErrorState error={error} retry={() => this.setState({ error: null })} /> : this.props.children;
  }
}

// `title`: the panel's own wins over it.
export function PanelFrame({ panel, title = '', aside, children }: {
  panel: Panel; title?: string; aside?: ComponentChildren; children: ComponentChildren;
}) {
  const name = textOption(panel, 'title', title);
  const note = textOption(panel, 'note');
  const link = safeLink(textOption(panel, 'link'));
  const label = name || kNames[panel.kind] || 'Panel';
  return (
    <section role="group" class={`panel w${widthOf(panel)} kind-${panel.kind}`} aria-label={label}
      data-testid={`panel-${panel.kind}`} data-line={panel.line}>
      {(name || note || aside !== undefined) && (
        <header class="panel-head">
          {name && <h2>{link ? <a href={link}>{name}</a> : name}</h2>}
          {note && <p class="panel-note">{note}</p>}
          {aside !== undefined && <div class="aside">{aside}</div>}
        </header>
      )}
      <Fence>{children}</Fence>
    </section>
  );
}

const kNames: Record<string, string> = {
  now: 'Newest values',
  chart: 'Chart',
  table: 'Table',
  alerts: 'Alerts',
  text: 'Text',
};

// As high as what will stand here, so that nothing jumps when it comes.
export function Waiting({ height }: { height: number }) {
  return <div class="waiting" style={{ minHeight: `${height}px` }} role="status" aria-label="Loading" />;
}

// Nothing is there, and what to do about it.
export function Nothing({ title, hint }: { title: string; hint: string }) {
  return <div class="nothing"><p class="empty-title">{title}</p><p>{hint}</p></div>;
}

// Data is shown, but the last attempt to renew it failed.
export function Outdated({ error, retry }: { error: ApiError; retry: () => void }) {
  return (
    <p class="outdated" role="status">
      Not up to date: {error.message} <button type="button" class="link" onClick={retry}>Try again</button>
    </p>
  );
}
