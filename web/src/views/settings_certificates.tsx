// Certificates: which devices come in by one, and whose word is taken for them.
import { useState } from 'preact/hooks';
import { del, post, useGet } from '../api';
import type { Certificate } from '../documents';
import { moment, now } from '../format';
import type { Mark } from '../icons';
import { useAct } from '../ui/act';
import { Age } from '../ui/age';
import { Confirm } from '../ui/confirm';
import { Button, Dialog, EmptyState, ErrorState, Field, Loading, Panel, StateMark, Table } from '../ui/parts';

const kStates: Record<Certificate['state'], [Mark, string]> = {
  active: ['good', 'Active'],
  inactive: ['off', 'Inactive'],
  pending: ['warn', 'Waits for you'],
  revoked: ['off', 'Revoked'],
};

const pathOf = (one: Certificate) => `/certificates/${encodeURIComponent(one.fingerprint)}`;

function State({ one }: { one: Certificate }) {
  const [mark, word] = kStates[one.state] ?? ['off', one.state];
  const isOver = one.not_after !== null && Date.parse(one.not_after) <= now();
  return isOver && one.state === 'active' ? <StateMark mark="off" word="Expired" /> : <StateMark mark={mark} word={word} />;
}

// A certificate that a device has already.
function Register({ onClose, onDone }: { onClose: () => void; onDone: () => void }) {
  const [name, setName] = useState('');
  const [pem, setPem] = useState('');
  const { error, isBusy, run } = useAct();
  const submit = async (event: Event) => {
    event.preventDefault();
    const isPem = pem.includes('-----BEGIN');
    const body = { name: name.trim(), ...(isPem ? { certificate: pem } : { fingerprint: pem.trim() }) };
    if (!await run(() => post('/certificates/register', body))) return;
    onDone();
    onClose();
  };
  return (
    <Dialog title="Register a certificate" onClose={onClose}>
      <form class="form" onSubmit={submit}>
        <Field label="Device" name="name" value={name} autocomplete="off" autocapitalize="none" spellcheck={false}
          hint="Empty: the certificate’s own name" onInput={(event) => setName(event.currentTarget.value)} />
        <div class="field">
          <label for="pem">Certificate (PEM), or its SHA-256 fingerprint</label>
          <textarea id="pem" rows={6} required value={pem} spellcheck={false} onInput={(event) => setPem(event.currentTarget.value)} />
          <p class="hint">Never its key. Its CA need not be known here.</p>
        </div>
        {error && <ErrorState error={error} />}
        <div class="buttons end"><Button type="submit" look="main" busy={isBusy}>Register</Button></div>
      </form>
    </Dialog>
  );
}

export function Certificates() {
  const certificates = useGet<{ certificates: Certificate[] }>('/certificates');
  const [isRegistering, setRegistering] = useState(false);
  const [revoking, setRevoking] = useState<Certificate | null>(null);
  const { error, run } = useAct();
  const list = certificates.data.value?.certificates;
  const change = async (act: () => Promise<unknown>) => {
    await run(act);
    certificates.reload();
  };
  const problem = error ?? certificates.error.value;
  return (
    <Panel title="Certificates" aside={<Button small icon="plus" onClick={() => setRegistering(true)}>Register one</Button>}>
      {problem && <ErrorState error={problem} retry={certificates.reload} />}
      {!list && !problem && <Loading />}
      {list?.length === 0 && <EmptyState title="No certificates"><p><a href="/things/new">Add a thing</a> makes one, <code>nilo cert device</code> too.</p></EmptyState>}
      {list && list.length > 0 && (
        <Table label="Certificates" rows={list} keyOf={(one) => one.fingerprint} rowClass={(one) => (one.state === 'revoked' ? 'is-silent' : '')} columns={[
          { head: 'Name', cell: (one) => <span class="wrap">{one.name}{one.kind === 'ca' && ' (CA)'}</span>, isName: true },
          { head: 'State', cell: (one) => <State one={one} /> },
          { head: 'Fingerprint', cell: (one) => <code title={one.fingerprint}>{one.fingerprint.slice(0, 16)}</code>, phone: 'hide' },
          { head: 'How', cell: (one) => <span class="wrap">{one.note}</span>, phone: 'hide' },
          { head: 'Made', cell: (one) => <Age time={Date.parse(one.created)} way="moment" />, phone: 'hide' },
          { head: 'Until', cell: (one) => <span class="muted">{one.not_after === null ? 'not known' : moment(Date.parse(one.not_after))}</span>, phone: 'hide' },
          {
            head: '',
            right: true,
            cell: (one) => (
              <span class="buttons end">
                {(one.state === 'inactive' || one.state === 'pending') && (
                  <Button small label={`Activate ${one.name}`} onClick={() => void change(() => post(pathOf(one), { state: 'active' }))}>Activate</Button>
                )}
                {one.state === 'active' && (
                  <Button small label={`Deactivate ${one.name}`} onClick={() => void change(() => post(pathOf(one), { state: 'inactive' }))}>Deactivate</Button>
                )}
                {one.state === 'revoked'
                  ? <Button small label={`Take ${one.name} off the list`} onClick={() => void change(() => del(pathOf(one)))}>Forget</Button>
                  : <Button small look="danger" label={`Revoke ${one.name}`} onClick={() => setRevoking(one)}>Revoke</Button>}
              </span>
            ),
          },
        ]} />
      )}
      {isRegistering && <Register onClose={() => setRegistering(false)} onDone={certificates.reload} />}
      {revoking && (
        <Confirm title="Revoke this certificate?" verb="Revoke" text={`What shows it as ${revoking.name} is cut off now, and refused from now on. This cannot be taken back.`}
          act={() => post(pathOf(revoking), { state: 'revoked' })} onClose={() => setRevoking(null)} onDone={certificates.reload} />
      )}
    </Panel>
  );
}
