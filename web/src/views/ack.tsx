// The page behind the link in a mail: says what it is about; one click acknowledges. Asking first
// matters, as mail programs open links by themselves.
import { useState } from 'preact/hooks';
import { asApiError, post, useGet, type ApiError } from '../api';
import type { AlertItem } from '../documents';
import { keepUnits, quantity } from '../format';
import { Age } from '../ui/age';
import { Button, ErrorState, Loading, StateMark, wordOfAlert } from '../ui/parts';
import { Gate } from './gate';

function titleOf(item: AlertItem | null, problem: ApiError | null): string {
  if (!item && problem) return problem.status === 409 ? 'This alert is over' : 'This link does not work';
  return item && item.state !== 'firing' ? 'This is taken care of' : 'Take care of this alert?';
}

export function AckLink({ token }: { token: string }) {
  const path = `/ack/${encodeURIComponent(token)}`;
  const alert = useGet<AlertItem>(path);
  const [error, setError] = useState<ApiError | null>(null);
  const [isBusy, setBusy] = useState(false);
  const item = alert.data.value;
  const confirm = async () => {
    setBusy(true);
    setError(null);
    try {
      alert.set(await post<AlertItem>(path));
    } catch (reason) {
      setError(asApiError(reason));
    } finally {
      setBusy(false);
    }
  };
  const problem = error ?? alert.error.value;
  const isOver = !item && problem?.status === 409;  // no mistake of anybody
  const isOpen = item?.state === 'firing';
  const [mark, word] = wordOfAlert(item?.state ?? 'firing');
  return (
    <Gate title={titleOf(item, problem)}>
      {!item && !problem && <Loading />}
      {problem && (isOver ? <p class="ack-text wrap">{keepUnits(problem.message)}</p> : <ErrorState error={problem} />)}
      {!item && problem && <p class="after"><a href="/alerts">All alerts</a></p>}
      {item && (
        <div class="stack">
          <p class="ack-text wrap">{keepUnits(item.text)}</p>
          <p><StateMark mark={mark} word={word} /> <Age time={item.since} way="since" /></p>
          {item.value != null && <p class="muted">Newest value {quantity(item.value, item.unit)}</p>}
          {isOpen && <p class="muted">Acknowledging stops the reminders. The others see that somebody is on it.</p>}
          <div class="buttons">
            {isOpen && <Button look="main" busy={isBusy} onClick={confirm}>Acknowledge</Button>}
            <a class={isOpen ? 'button' : 'button main'} href={`/alerts/${encodeURIComponent(item.id)}`}>Open the alert</a>
          </div>
        </div>
      )}
    </Gate>
  );
}
