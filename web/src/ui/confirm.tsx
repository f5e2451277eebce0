// Asks before something that cannot be taken back.
import { useAct } from './act';
import { Button, Dialog, ErrorState } from './parts';

export function Confirm({ title, text, verb, act, onClose, onDone }: {
  title: string; text: string; verb: string; act: () => Promise<unknown>; onClose: () => void; onDone: () => void;
}) {
  const { error, isBusy, run } = useAct();
  const go = async () => {
    if (!await run(act)) return;
    onDone();
    onClose();
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <div class="stack">
        <p class="wrap">{text}</p>
        {error && <ErrorState error={error} />}
        <div class="buttons end"><Button onClick={onClose}>Leave it</Button><Button look="danger" busy={isBusy} onClick={go}>{verb}</Button></div>
      </div>
    </Dialog>
  );
}
