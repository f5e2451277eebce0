// Settings: the server itself, who may come in, and whether its mails arrive.
import type { ComponentChild } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { post, useGet } from '../api';
import type { NoticeList, Settings as SettingsDocument } from '../documents';
import { bytes, count, fullTime, plural } from '../format';
import { isAdmin, session } from '../session';
import { alertChanges, status } from '../store';
import { useAct } from '../ui/act';
import { Age } from '../ui/age';
import { Button, EmptyState, ErrorState, Field, Loading, PageHead, Panel, Tabs } from '../ui/parts';
import { NoticeTable } from './notices';
import { Certificates } from './settings_certificates';
import { Grants } from './settings_grants';
import { Tokens } from './settings_tokens';
import { Password, Sessions, Users } from './settings_users';

const kNotices = 50;

function MailTest() {
  const [to, setTo] = useState('');
  const [answer, setAnswer] = useState('');
  const { error, isBusy, run } = useAct();
  const send = async (event: Event) => {
    event.preventDefault();
    setAnswer('');
    await run(async () => setAnswer((await post<{ answer: string }>('/mail/test', { to: to.trim() })).answer));
  };
  return (
    <form class="form" onSubmit={send}>
      <Field label="Send a test mail to" name="to" type="email" value={to} required autocomplete="email"
        onInput={(event) => setTo(event.currentTarget.value)} />
      <div class="buttons"><Button type="submit" busy={isBusy}>Send</Button></div>
      {answer && <p class="note good wrap" role="status">The mail server took it: {answer}</p>}
      {error && <ErrorState error={error} />}
    </form>
  );
}

function Mail() {
  const settings = useGet<SettingsDocument>('/settings');
  const data = settings.data.value;
  if (settings.error.value) return <ErrorState error={settings.error.value} retry={settings.reload} />;
  if (!data) return <Loading />;
  if (!data.mail.configured) {
    return (
      <EmptyState title="No mail server is set">
        <p>Alerts then show on the pages only. Put a section <code>[mail]</code> with server, port and from into the stack and start again; <code>docs/stack.md</code> has an example.</p>
      </EmptyState>
    );
  }
  return (
    <div class="stack">
      <dl class="facts">
        <div><dt>Server</dt><dd class="wrap">{data.mail.server}</dd></div>
        <div><dt>From</dt><dd class="wrap">{data.mail.from}</dd></div>
        <div><dt>Webhooks</dt><dd>{count(data.webhooks)}</dd></div>
      </dl>
      {isAdmin.value && <MailTest />}
    </div>
  );
}

function Ledger() {
  const parked = useGet<NoticeList>('/notices', { state: 'parked', limit: kNotices });
  const newest = useGet<NoticeList>('/notices', { limit: kNotices });
  const reload = () => { parked.reload(); newest.reload(); };
  useEffect(() => { if (alertChanges.value > 0) reload(); }, [alertChanges.value]);
  const given = parked.data.value?.notices ?? [];
  const [isTrying, setTrying] = useState(false);
  const tryAll = async () => {
    setTrying(true);
    try {
      for (const { id } of given) await post(`/notices/${encodeURIComponent(id)}/retry`);
    } catch {
      // The list says what became of each.
    }
    setTrying(false);
    reload();
  };
  const all = newest.data.value;
  return (
    <>
      {given.length > 0 && (
        <Panel title={`${plural(given.length, 'notice')} given up`} aside={isAdmin.value && (
          <Button small busy={isTrying} onClick={() => void tryAll()}>Try all again</Button>
        )}>
          <p class="hint">The server tries no more; try again by hand when the reason is gone.</p>
          <NoticeTable label="Notices given up" notices={given} onChange={reload} />
        </Panel>
      )}
      <Panel title="Newest notices">
        {newest.error.value && <ErrorState error={newest.error.value} retry={newest.reload} />}
        {!all && !newest.error.value && <Loading />}
        {all?.notices.length === 0 && <EmptyState title="No notice was ever sent" />}
        {all && all.notices.length > 0 && <NoticeTable notices={all.notices} onChange={reload} />}
      </Panel>
    </>
  );
}

function Server() {
  const state = status.value;
  const current = session.value;
  if (!current) return <Loading />;
  const facts: [string, ComponentChild][] = [
    ['Version', current.version],
    ['Site', current.site.name || 'no name; [site] of the stack gives one'],
    ['Time zone', current.site.zone],
    ['Address in mails', current.site.url || 'none; [site] url gives one'],
    ['MQTT', `${current.mqtt.host}:${current.mqtt.port}`],
  ];
  if (state) {
    facts.push(
      ['Running', <span title={fullTime(state.started)}><Age time={state.started} way="since" /></span>],
      ['Messages', `${count(state.messages)} since the start`],
      ['Log on disk', bytes(state.disk.log_bytes)],
      ['Free on disk', bytes(state.disk.free_bytes)],
    );
  }
  return (
    <Panel title="This server">
      <dl class="facts">{facts.map(([name, value]) => <div key={name}><dt>{name}</dt><dd class="wrap">{value}</dd></div>)}</dl>
    </Panel>
  );
}

export function Settings({ parts }: { parts: Record<string, string> }) {
  const tab = parts['tab'] ?? '';
  const hasAccount = Boolean(session.value?.user?.name);
  const tabs = [
    { id: '', text: 'Server', isShown: true },
    { id: 'users', text: 'Users', isShown: isAdmin.value },
    { id: 'tokens', text: 'Tokens', isShown: isAdmin.value },
    { id: 'certificates', text: 'Certificates', isShown: isAdmin.value },
    { id: 'notices', text: 'Mail and notices', isShown: true },
    { id: 'password', text: 'Login', isShown: hasAccount },
  ].filter((one) => one.isShown);
  const current = tabs.find((one) => one.id === tab);
  return (
    <>
      <PageHead title="Settings" />
      <Tabs label="Settings" tabs={tabs.map((one) => ({
        href: one.id ? `/settings/${one.id}` : '/settings', text: one.text, isCurrent: one === current,
      }))} />
      {!current && <EmptyState title="There is no such setting" />}
      {current?.id === '' && <Server />}
      {current?.id === 'users' && <Users />}
      {current?.id === 'tokens' && <><Tokens /><Grants /></>}
      {current?.id === 'certificates' && <Certificates />}
      {current?.id === 'notices' && <><Panel title="Mail"><Mail /></Panel><Ledger /></>}
      {current?.id === 'password' && <><Password /><Sessions /></>}
    </>
  );
}
