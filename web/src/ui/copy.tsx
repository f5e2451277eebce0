// Copying works on plain http, too, where browsers have no navigator.clipboard.
import { useEffect, useRef, useState } from 'preact/hooks';
import { Button } from './parts';

const kSaidForMs = 2000;

// Selects `text` in a field inside `near` (an open dialog lets nothing outside be selected).
function copyBySelection(text: string, near: HTMLElement): boolean {
  const field = document.createElement('textarea');
  field.value = text;
  field.className = 'unseen';
  field.setAttribute('aria-hidden', 'true');
  near.append(field);
  field.select();
  let done = false;
  try {
    done = document.execCommand('copy');
  } catch {
    done = false;
  }
  field.remove();
  return done;
}

async function copyText(text: string, near: HTMLElement): Promise<boolean> {
  if (window.isSecureContext && navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Not allowed here; the old way may be.
    }
  }
  return copyBySelection(text, near);
}

export function CopyButton({ text, label = 'Copy' }: { text: string; label?: string }) {
  const place = useRef<HTMLSpanElement>(null);
  const [said, say] = useState<'' | 'Copied' | 'Select and copy by hand'>('');
  useEffect(() => {
    if (!said) return undefined;
    const timer = setTimeout(() => say(''), kSaidForMs);
    return () => clearTimeout(timer);
  }, [said]);
  const copy = async (event: MouseEvent) => {
    if (!place.current) return;
    const button = event.currentTarget instanceof HTMLElement ? event.currentTarget : null;
    const done = await copyText(text, place.current);
    button?.focus();
    say(done ? 'Copied' : 'Select and copy by hand');
  };
  return (
    <span class="copy" ref={place}>
      <Button small icon={said === 'Copied' ? 'check' : 'copy'} onClick={copy}>{said || label}</Button>
      <span class="unseen" role="status">{said}</span>
    </span>
  );
}

// A command to be typed elsewhere, with its button.
export function Command({ text }: { text: string }) {
  return (
    <div class="command">
      <pre><code>{text}</code></pre>
      <CopyButton text={text} />
    </div>
  );
}
