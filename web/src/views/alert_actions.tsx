// What can be done about an alert. Only admins may; viewers see what was done.
import { useState } from 'preact/hooks';
import { asApiError, post, type ApiError } from '../api';
import type { AlertItem } from '../documents';
import { isAdmin } from '../session';
import { announce } from '../ui/announce';
import { Button, Dialog, ErrorState, wordOfAlert } from '../ui/parts';

export type Act = 'acknowledge' | 'snooze' | 'resolve';
export type SnoozeFor = '1h' | '8h' | 'until_fixed';

const kSnoozes: [SnoozeFor, string][] = [['1h', '1 hour'], ['8h', '8 hours'], ['until_fixed', 'Until it is fixed']];
const kNoteMax = 500;

// What makes sense in which state.
export function canDo(act: Act, item: Pick<AlertItem, 'state'>): boolean {
  if (item.state === 'normal' || item.state === 'resolved') return false;
  if (act === 'acknowledge') return item.state !== 'acknowledged' && item.state !== 'pending';
  return item.state !== 'pending';
}

function askServer(item: AlertItem, act: Act, body: object): Promise<AlertItem> {
  return post<AlertItem>(`/alerts/${encodeURIComponent(item.id)}/${act}`, body);
}

// The dialog for one act on one alert; done when the server took it.
export function ActDialog({ item, act, onDone, onClose }: {
  item: AlertItem; act: Act; onDone: (changed: AlertItem) => void; onClose: () => void;
}) {
  const [note, setNote] = useState('');
  const [error, setError] = useState<ApiError | null>(null);
  const [isBusy, setBusy] = useState(false);
  const send = async (body: object) => {
    setBusy(true);
    setError(null);
    try {
      const changed = await askServer(item, act, body);
      announce(`${changed.text}: ${wordOfAlert(changed.state)[1]}`);
      onDone(changed);
      onClose();
    } catch (reason) {
      setError(asApiError(reason));
      setBusy(false);
    }
  };
  const acknowledge = (event: Event) => {
    event.preventDefault();
    void send(note.trim() ? { note: note.trim() } : {});
  };
  const titles: Record<Act, string> = { acknowledge: 'Acknowledge', snooze: 'Snooze', resolve: 'Resolve' };
  return (
    <Dialog title={titles[act]} onClose={onClose}>
      <div class="stack">
        <p class="wrap">{item.text}</p>
        {act === 'acknowledge' && (
          <form class="stack" onSubmit={acknowledge}>
            <div class="field">
              <label for="note">Note for the others <span class="hint">may be empty</span></label>
              <input id="note" type="text" value={note} maxLength={kNoteMax} placeholder="On my way"
                onInput={(event) => setNote(event.currentTarget.value)} />
            </div>
            <p class="hint">No reminders while it lasts. It ends by itself when the value is normal again.</p>
            <div class="buttons end"><Button type="submit" look="main" busy={isBusy}>Acknowledge</Button></div>
          </form>
        )}
        {act === 'snooze' && (
          <>
            <p class="hint">Quiet for that long; if it lasts after that, it is told again.</p>
            <div class="buttons">{kSnoozes.map(([time, word]) => (
              <Button key={time} busy={isBusy} onClick={() => void send({ for: time })}>{word}</Button>
            ))}</div>
          </>
        )}
        {act === 'resolve' && (
          <>
            <p class="hint">Closed by you: quiet until the value was normal once, then it watches again.</p>
            <div class="buttons end"><Button look="main" busy={isBusy} onClick={() => void send({})}>Resolve</Button></div>
          </>
        )}
        {error && <ErrorState error={error} />}
      </div>
    </Dialog>
  );
}

export function AlertButtons({ item, onChange, small = true }: {
  item: AlertItem; onChange: (changed: AlertItem) => void; small?: boolean;
}) {
  const [act, setAct] = useState<Act | null>(null);
  if (!isAdmin.value) return null;
  return (
    <span class="buttons end">
      {canDo('acknowledge', item) && <Button small={small} onClick={() => setAct('acknowledge')}>Acknowledge</Button>}
      {canDo('snooze', item) && <Button small={small} onClick={() => setAct('snooze')}>Snooze</Button>}
      {canDo('resolve', item) && <Button small={small} onClick={() => setAct('resolve')}>Resolve</Button>}
      {act && <ActDialog item={item} act={act} onDone={onChange} onClose={() => setAct(null)} />}
    </span>
  );
}
