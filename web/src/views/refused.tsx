// Whom the server refused, why, and what letting it in would mean. A device that cannot get in is
// otherwise a line in a log that nobody reads.
import { useState } from 'preact/hooks';
import { post, useGet } from '../api';
import type { Refusal } from '../documents';
import { plural } from '../format';
import { isAdmin } from '../session';
import { announce } from '../ui/announce';
import { useAct } from '../ui/act';
import { Age } from '../ui/age';
import { Button, Chip, Dialog, EmptyState, ErrorState, Loading, PageHead, Panel } from '../ui/parts';
import { LiveTabs } from './live';

const kEveryMs = 2000;
const kWhat: Record<Refusal['what'], string> = {
  connect: 'could not connect', publish: 'could not publish', subscribe: 'could not subscribe',
};

function AllowDialog({ refusal, onClose, onDone }: { refusal: Refusal; onClose: () => void; onDone: () => void }) {
  const { error, isBusy, run } = useAct();
  const [done, setDone] = useState('');
  const allow = () => run(async () => {
    const answer = await post<{ done: string }>(`/refused/${encodeURIComponent(refusal.id)}/allow`);
    setDone(answer.done);
    announce(answer.done);
    onDone();
  });
  return (
    <Dialog title={done ? 'Allowed' : 'Allow this device?'} onClose={onClose}>
      <div class="stack">
        <p class="wrap">{done || refusal.allow}</p>
        {error && <ErrorState error={error} />}
        <div class="buttons end">
          {done ? <Button look="main" onClick={onClose}>Close</Button> : (
            <><Button onClick={onClose}>Leave it</Button><Button look="main" busy={isBusy} onClick={allow}>Allow</Button></>
          )}
        </div>
      </div>
    </Dialog>
  );
}

function Who({ refusal }: { refusal: Refusal }) {
  const parts = [refusal.client && `client ${refusal.client}`, refusal.user && `user ${refusal.user}`, refusal.ip].filter(Boolean);
  return <span class="alert-more">{parts.map((part) => <span key={part} class="wrap">{part}</span>)}<Age time={refusal.time} /></span>;
}

export function Refused() {
  const refused = useGet<{ refused: Refusal[] }>('/refused', undefined, kEveryMs);
  const [asked, ask] = useState<Refusal | null>(null);
  const list = refused.data.value?.refused;
  return (
    <>
      <PageHead title="Live" tab="Refused" />
      <LiveTabs current="refused" />
      {refused.error.value && !list && <ErrorState error={refused.error.value} retry={refused.reload} />}
      {!list && !refused.error.value && <Loading />}
      {list?.length === 0 && <EmptyState title="Nobody was refused"><p>A device with a wrong token, password or topic appears here within two seconds, with the reason.</p></EmptyState>}
      {list && list.length > 0 && (
        <Panel className="flush">
          <ul class="alert-rows">
            {list.map((refusal) => (
              <li key={refusal.id}>
                <span class="alert-state"><Chip mark="warn">{plural(refusal.count, 'time', 'times')}</Chip></span>
                <span class="alert-what wrap">
                  <b>{refusal.client || refusal.user || refusal.ip}</b> {kWhat[refusal.what] ?? refusal.what}
                  {refusal.topic && <> <code>{refusal.topic}</code></>}: {refusal.reason}
                  <Who refusal={refusal} />
                </span>
                {refusal.allow && isAdmin.value && <Button small onClick={() => ask(refusal)}>Allow</Button>}
              </li>
            ))}
          </ul>
        </Panel>
      )}
      {asked && <AllowDialog refusal={asked} onClose={() => ask(null)} onDone={refused.reload} />}
    </>
  );
}
