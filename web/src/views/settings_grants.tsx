// What devices were allowed by hand, on the Live page: beyond their policies and tokens.
import { useState } from 'preact/hooks';
import { del, useGet } from '../api';
import type { Grant } from '../documents';
import { Age } from '../ui/age';
import { Confirm } from '../ui/confirm';
import { Button, EmptyState, ErrorState, Loading, Panel, Table } from '../ui/parts';

const keyOf = ({ login, act, topic }: Grant) => `${login} ${act} ${topic}`;
const kVerbs: Record<Grant['act'], string> = { publish: 'publish to', subscribe: 'subscribe to' };

export function Grants() {
  const grants = useGet<{ grants: Grant[] }>('/grants');
  const [revoking, setRevoking] = useState<Grant | null>(null);
  const list = grants.data.value?.grants;
  return (
    <Panel title="Allowed by hand">
      {grants.error.value && <ErrorState error={grants.error.value} retry={grants.reload} />}
      {!list && !grants.error.value && <Loading />}
      {list?.length === 0 && <EmptyState title="Nothing"><p>A topic that a device was refused can be allowed on the <a href="/live">Live</a> page.</p></EmptyState>}
      {list && list.length > 0 && (
        <Table label="Allowed by hand" rows={list} keyOf={keyOf} columns={[
          { head: 'Login', cell: (one) => <span class="wrap">{one.login}</span>, isName: true },
          { head: 'May', cell: (one) => kVerbs[one.act] },
          { head: 'Topic', cell: (one) => <code class="wrap">{one.topic}</code> },
          { head: 'Since', cell: (one) => <Age time={Date.parse(one.granted)} way="moment" />, phone: 'hide' },
          {
            head: '',
            right: true,
            cell: (one) => <Button small look="danger" label={`Revoke: ${keyOf(one)}`} onClick={() => setRevoking(one)}>Revoke</Button>,
          },
        ]} />
      )}
      {revoking && (
        <Confirm title="Take this back?" verb="Revoke" text={`${revoking.login} may then ${kVerbs[revoking.act]} ${revoking.topic} only if its policies and its token allow it.`}
          act={() => del('/grants', { login: revoking.login, act: revoking.act, topic: revoking.topic })}
          onClose={() => setRevoking(null)} onDone={grants.reload} />
      )}
    </Panel>
  );
}
