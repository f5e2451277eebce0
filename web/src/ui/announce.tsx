// Says something once, politely, to those who do not see it appear.
import { signal } from '@preact/signals';

const said = signal('');

export function announce(text: string): void {
  said.value = text;
}

export function LiveRegion() {
  return <div class="unseen" role="status" aria-live="polite">{said.value}</div>;
}
