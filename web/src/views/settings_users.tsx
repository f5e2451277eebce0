// The people who may come in, and one's own password.
import { useState } from 'preact/hooks';
import { del, post, useGet } from '../api';
import type { LoginSession, Role, User } from '../documents';
import { session } from '../session';
import { useAct } from '../ui/act';
import { Age } from '../ui/age';
import { Confirm } from '../ui/confirm';
import { Button, Dialog, ErrorState, Field, Loading, Panel, Table } from '../ui/parts';
import { kPasswordMin } from './gate';

function RoleField({ role, onChange }: { role: Role; onChange: (role: Role) => void }) {
  return (
    <div class="field">
      <label for="role">Role</label>
      <select id="role" value={role} onChange={(event) => onChange(event.currentTarget.value === 'admin' ? 'admin' : 'viewer')}>
        <option value="viewer">Viewer: sees everything, changes nothing</option>
        <option value="admin">Admin: may do everything</option>
      </select>
    </div>
  );
}

// Another role, a new password for somebody who forgot theirs, or both.
function ChangeUser({ user, onClose, onDone }: { user: User; onClose: () => void; onDone: () => void }) {
  const [role, setRole] = useState<Role>(user.role);
  const [password, setPassword] = useState('');
  const { error, isBusy, run } = useAct();
  const isSame = role === user.role && !password;
  const submit = async (event: Event) => {
    event.preventDefault();
    if (!await run(() => post(`/users/${encodeURIComponent(user.name)}`, { ...(role === user.role ? {} : { role }), ...(password ? { password } : {}) }))) return;
    onDone();
    onClose();
  };
  return (
    <Dialog title={`Change ${user.name}`} onClose={onClose}>
      <form class="form" onSubmit={submit}>
        <RoleField role={role} onChange={setRole} />
        <Field label="New password" name="password" type="password" value={password} minLength={kPasswordMin} autocomplete="new-password"
          hint="Empty: the password stays." onInput={(event) => setPassword(event.currentTarget.value)} />
        <p class="hint">{user.name} is logged out everywhere, and logs in again.</p>
        {error && <ErrorState error={error} />}
        <div class="buttons end"><Button type="submit" look="main" busy={isBusy} disabled={isSame}>Change</Button></div>
      </form>
    </Dialog>
  );
}

function NewUser({ onClose, onDone }: { onClose: () => void; onDone: () => void }) {
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('viewer');
  const [password, setPassword] = useState('');
  const { error, isBusy, run } = useAct();
  const submit = async (event: Event) => {
    event.preventDefault();
    if (!await run(() => post('/users', { name: name.trim(), role, password }))) return;
    onDone();
    onClose();
  };
  return (
    <Dialog title="Add a user" onClose={onClose}>
      <form class="form" onSubmit={submit}>
        <Field label="Name" name="name" value={name} required autocomplete="off" autocapitalize="none" spellcheck={false}
          onInput={(event) => setName(event.currentTarget.value)} />
        <RoleField role={role} onChange={setRole} />
        <Field label="Password" name="password" type="password" value={password} required minLength={kPasswordMin} autocomplete="new-password"
          hint={`At least ${kPasswordMin} characters. The user can change it.`} onInput={(event) => setPassword(event.currentTarget.value)} />
        {error && <ErrorState error={error} />}
        <div class="buttons end"><Button type="submit" look="main" busy={isBusy}>Add</Button></div>
      </form>
    </Dialog>
  );
}

export function Users() {
  const users = useGet<{ users: User[] }>('/users');
  const [isAdding, setAdding] = useState(false);
  const [changing, setChanging] = useState<User | null>(null);
  const [leaving, setLeaving] = useState<User | null>(null);
  const list = users.data.value?.users;
  return (
    <Panel title="Users" aside={<Button small icon="plus" onClick={() => setAdding(true)}>Add a user</Button>}>
      {users.error.value && <ErrorState error={users.error.value} retry={users.reload} />}
      {!list && !users.error.value && <Loading />}
      {list && (
        <Table label="Users" rows={list} keyOf={(user) => user.name} columns={[
          { head: 'Name', cell: (user) => <span class="wrap">{user.name}</span>, isName: true },
          { head: 'Role', cell: (user) => user.role },
          { head: 'Since', cell: (user) => <Age time={user.created} way="moment" />, phone: 'hide' },
          { head: 'Last login', cell: (user) => <Age time={user.last_login} /> },
          {
            head: '',
            right: true,
            cell: (user) => (user.name === session.value?.user?.name ? <span class="hint">you</span>
              : (
                <span class="buttons end">
                  <Button small onClick={() => setChanging(user)} label={`Change ${user.name}`}>Change</Button>
                  <Button small look="danger" onClick={() => setLeaving(user)} label={`Remove ${user.name}`}>Remove</Button>
                </span>
              )),
          },
        ]} />
      )}
      {isAdding && <NewUser onClose={() => setAdding(false)} onDone={users.reload} />}
      {changing && <ChangeUser user={changing} onClose={() => setChanging(null)} onDone={users.reload} />}
      {leaving && (
        <Confirm title="Remove this user?" verb="Remove" text={`${leaving.name} is logged out everywhere and cannot come back.`}
          act={() => del(`/users/${encodeURIComponent(leaving.name)}`)} onClose={() => setLeaving(null)} onDone={users.reload} />
      )}
    </Panel>
  );
}

// Where one is logged in; for admins, where everybody is.
export function Sessions() {
  const sessions = useGet<{ sessions: LoginSession[] }>('/sessions');
  const { error, run } = useAct();
  const list = sessions.data.value?.sessions;
  const end = async (one: LoginSession) => {
    await run(() => del(`/sessions/${encodeURIComponent(one.id)}`));
    sessions.reload();
  };
  const problem = error ?? sessions.error.value;
  return (
    <Panel title="Logged in" aside="ending one logs that browser out">
      {problem && <ErrorState error={problem} />}
      {!list && !problem && <Loading />}
      {list && (
        <Table label="Sessions" rows={list} keyOf={(one) => one.id} columns={[
          { head: 'User', cell: (one) => <span class="wrap">{one.user}</span>, isName: true },
          { head: 'From', cell: (one) => one.ip },
          { head: 'Since', cell: (one) => <Age time={one.created} way="moment" />, phone: 'hide' },
          { head: 'Last seen', cell: (one) => <Age time={one.seen} /> },
          { head: '', right: true, cell: (one) => <Button small onClick={() => void end(one)}>End</Button> },
        ]} />
      )}
    </Panel>
  );
}

export function Password() {
  const [old, setOld] = useState('');
  const [fresh, setFresh] = useState('');
  const [isDone, setDone] = useState(false);
  const { error, isBusy, run } = useAct();
  const submit = async (event: Event) => {
    event.preventDefault();
    setDone(false);
    if (!await run(() => post('/session/password', { old, new: fresh }))) return;
    setDone(true);
    setOld('');
    setFresh('');
  };
  return (
    <Panel title="Change your password">
      <form class="form" onSubmit={submit}>
        <Field label="Old password" name="old" type="password" value={old} required autocomplete="current-password"
          onInput={(event) => setOld(event.currentTarget.value)} />
        <Field label="New password" name="new" type="password" value={fresh} required minLength={kPasswordMin} autocomplete="new-password"
          hint={`At least ${kPasswordMin} characters.`} onInput={(event) => setFresh(event.currentTarget.value)} />
        {error && <ErrorState error={error} />}
        {isDone && <p class="note good" role="status">Changed.</p>}
        <div class="buttons"><Button type="submit" look="main" busy={isBusy}>Change</Button></div>
      </form>
    </Panel>
  );
}
