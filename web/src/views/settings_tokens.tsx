// Tokens: what devices and scripts show. A new one is told once, as only its hash is kept.
import { useState } from 'preact/hooks';
import { del, post, useGet } from '../api';
import type { Token } from '../documents';
import { moment, now } from '../format';
import { Command } from '../ui/copy';
import { useAct } from '../ui/act';
import { Age } from '../ui/age';
import { Confirm } from '../ui/confirm';
import { Button, Dialog, EmptyState, ErrorState, Field, Loading, Panel, StateMark, Table } from '../ui/parts';
import { filtersOf } from './topic_filters';

const kValid: [string, string][] = [['', 'Until it is revoked'], ['1d', 'One day'], ['30d', '30 days'], ['365d', 'One year']];
const kRoles: [Token['role'], string][] = [
  ['device', 'Device: publishes and subscribes'],
  ['viewer', 'Viewer: reads everything'],
  ['admin', 'Admin: may do everything'],
];

function Made({ token, onClose }: { token: string; onClose: () => void }) {
  return (
    <Dialog title="The new token" onClose={onClose}>
      <div class="stack">
        <Command text={token} />
        <p class="hint">It is shown only now. A device gives it as MQTT password, with any user name; a script as <code>Authorization: Bearer</code>.</p>
        <div class="buttons end"><Button look="main" onClick={onClose}>I have it</Button></div>
      </div>
    </Dialog>
  );
}

function NewToken({ onClose, onMade }: { onClose: () => void; onMade: (token: string) => void }) {
  const [name, setName] = useState('');
  const [role, setRole] = useState<Token['role']>('device');
  const [topics, setTopics] = useState('');
  const [validFor, setValidFor] = useState('');
  const { error, isBusy, run } = useAct();
  const submit = async (event: Event) => {
    event.preventDefault();
    const scope = role === 'device' ? filtersOf(topics) : [];
    await run(async () => {
      const made = await post<{ token: string }>('/tokens', {
        name: name.trim(), role,
        ...(scope.length > 0 ? { topics: scope } : {}),
        ...(validFor ? { valid_for: validFor } : {}),
      });
      onMade(made.token);
    });
  };
  return (
    <Dialog title="Make a token" onClose={onClose}>
      <form class="form" onSubmit={submit}>
        <Field label="Name" name="name" value={name} required autocomplete="off" autocapitalize="none" spellcheck={false}
          hint="What shows it: barn-sensor, backup" onInput={(event) => setName(event.currentTarget.value)} />
        <div class="field">
          <label for="token-role">It may</label>
          <select id="token-role" value={role} onChange={(event) => setRole(event.currentTarget.value as Token['role'])}>
            {kRoles.map(([value, text]) => <option key={value} value={value}>{text}</option>)}
          </select>
        </div>
        {role === 'device' && (
          <Field label="Only these topics" name="topics" value={topics} autocomplete="off" autocapitalize="none" spellcheck={false} placeholder="water1/#"
            hint="Filters, parted by spaces. Empty: what policies allow, or every topic if there are none." onInput={(event) => setTopics(event.currentTarget.value)} />
        )}
        <div class="field">
          <label for="valid">Valid</label>
          <select id="valid" value={validFor} onChange={(event) => setValidFor(event.currentTarget.value)}>
            {kValid.map(([value, text]) => <option key={value} value={value}>{text}</option>)}
          </select>
        </div>
        {error && <ErrorState error={error} />}
        <div class="buttons end"><Button type="submit" look="main" busy={isBusy}>Make</Button></div>
      </form>
    </Dialog>
  );
}

function Validity({ token }: { token: Token }) {
  if (token.revoked) return <StateMark mark="off" word="Revoked" />;
  if (token.expires === null) return <span class="muted">until revoked</span>;
  const end = Date.parse(token.expires);
  return end <= now() ? <StateMark mark="off" word="Expired" /> : <span class="muted">until {moment(end)}</span>;
}

export function Tokens() {
  const tokens = useGet<{ tokens: Token[] }>('/tokens');
  const [isMaking, setMaking] = useState(false);
  const [made, setMade] = useState<string | null>(null);
  const [revoking, setRevoking] = useState<Token | null>(null);
  const list = tokens.data.value?.tokens;
  return (
    <Panel title="Tokens" aside={<Button small icon="plus" onClick={() => setMaking(true)}>Make a token</Button>}>
      {tokens.error.value && <ErrorState error={tokens.error.value} retry={tokens.reload} />}
      {!list && !tokens.error.value && <Loading />}
      {list?.length === 0 && <EmptyState title="No tokens"><p>Each device shows one; make them here.</p></EmptyState>}
      {list && list.length > 0 && (
        <Table label="Tokens" rows={list} keyOf={(token) => token.name + token.created} rowClass={(token) => (token.revoked ? 'is-silent' : '')} columns={[
          { head: 'Name', cell: (token) => <span class="wrap">{token.name}</span>, isName: true },
          { head: 'Role', cell: (token) => (token.kind === 'password' ? `${token.role}, password` : token.role) },
          { head: 'Topics', cell: (token) => <code class="wrap">{(token.topics ?? []).join(' ')}</code>, phone: 'hide' },
          { head: 'Made', cell: (token) => <Age time={Date.parse(token.created)} way="moment" />, phone: 'hide' },
          { head: 'Valid', cell: (token) => <Validity token={token} /> },
          {
            head: '',
            right: true,
            cell: (token) => (token.revoked ? null
              : <Button small look="danger" label={`Revoke ${token.name}`} onClick={() => setRevoking(token)}>Revoke</Button>),
          },
        ]} />
      )}
      {isMaking && <NewToken onClose={() => setMaking(false)} onMade={(token) => { setMaking(false); setMade(token); tokens.reload(); }} />}
      {made && <Made token={made} onClose={() => setMade(null)} />}
      {revoking && (
        <Confirm title="Revoke this token?" verb="Revoke" text={`What shows ${revoking.name} is refused from now on. This cannot be taken back.`}
          act={() => del(`/tokens/${encodeURIComponent(revoking.name)}`)} onClose={() => setRevoking(null)} onDone={tokens.reload} />
      )}
    </Panel>
  );
}
