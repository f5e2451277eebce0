// A server that has never received anything: the command to change that, and what came of it.
import { useEffect, useState } from 'preact/hooks';
import { asApiError, post, useGet, type ApiError } from '../api';
import type { LiveMessage, Thing } from '../documents';
import { live } from '../live';
import { useNewestValues } from '../live_values';
import { isAdmin, session } from '../session';
import { announce } from '../ui/announce';
import { Age } from '../ui/age';
import { Command } from '../ui/copy';
import { Button, Chip, ErrorState, Panel } from '../ui/parts';
import { payloadText } from './payload';
import { FieldValue, keyFields } from './thing_tile';
import { commandsOf, firstMessage, type Rule } from './first_message';

const kValidFor = '30d';
const kTableAfterMs = 500;

interface MadeToken { name: string; token: string }

// A device's token for this one topic, made when asked for.
function TokenStep({ topic, onMade }: { topic: string; onMade: (token: string) => void }) {
  const [error, setError] = useState<ApiError | null>(null);
  const [isBusy, setBusy] = useState(false);
  const make = async () => {
    setBusy(true);
    setError(null);
    try {
      const name = `first-${Date.now().toString(36)}`;
      onMade((await post<MadeToken>('/tokens', { name, role: 'device', topics: [topic], valid_for: kValidFor })).token);
    } catch (reason) {
      setError(asApiError(reason));
    } finally {
      setBusy(false);
    }
  };
  return (
    <div class="stack">
      <p>Devices show a token. This one may publish to <code>{topic}</code> for 30 days.</p>
      <div class="buttons"><Button look="main" icon="plus" busy={isBusy} onClick={make}>Make a token and show the command</Button></div>
      {error && <ErrorState error={error} />}
    </div>
  );
}

type Charts = typeof import('./later').ThingCharts;

// What became of the message: the value of the thing that it was about, and its chart.
function FirstValue({ thing }: { thing: Thing }) {
  const [Charts, setCharts] = useState<Charts | null>(null);
  const values = useNewestValues(thing.fields.map((field) => `${thing.id}/${field.field}`));
  useEffect(() => {
    import('./later').then(({ ThingCharts }) => setCharts(() => ThingCharts), () => undefined);
  }, []);
  const [field] = keyFields(thing.fields);
  return (
    <>
      {field && (
        <p class="came"><a href={`/t/${encodeURIComponent(thing.id)}`}>{thing.name || thing.id}</a>
          {' '}{field.field} <b><FieldValue thing={thing.id} field={field} values={values} /></b></p>
      )}
      <div class="grid after">{Charts && <Charts thing={thing.id} fields={keyFields(thing.fields)} range="15m" />}</div>
    </>
  );
}

function Received({ message }: { message: LiveMessage | null }) {
  if (!message) {
    return (
      <p class="waits" role="status"><span class="pulse" aria-hidden="true" />Waiting for the first message. This page shows it when it comes.</p>
    );
  }
  return (
    <div class="stack">
      <p><Chip mark="good">Received</Chip> <code class="wrap">{message.topic}</code> <Age time={message.time} /></p>
      <pre class="payload">{payloadText(message)}</pre>
    </div>
  );
}

// `onMessage`: something came; there may be a value now. `thing`: the first that has one.
export function FirstMessagePanel({ thing, onMessage }: { thing: Thing | undefined; onMessage: () => void }) {
  const rules = useGet<{ rules: Rule[] }>('/rules');
  const [token, setToken] = useState<string | null>(null);
  const [message, setMessage] = useState<LiveMessage | null>(null);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const subscription = live.subscribe({ topic: '#' }, {
      onMessages: (messages) => {
        const newest = messages[messages.length - 1];
        if (!newest) return;
        setMessage(newest);
        announce('The first message has come.');
        // Whoever listens hears it before it is on disk and in its table.
        onMessage();
        clearTimeout(timer);
        timer = setTimeout(onMessage, kTableAfterMs);
      },
    });
    return () => {
      subscription.close();
      clearTimeout(timer);
    };
  }, []);
  const current = session.value;
  if (!current || (!rules.data.value && !rules.error.value)) return null;
  const isOpen = current.open && !current.user?.name;
  const first = firstMessage(rules.data.value?.rules ?? []);
  // The host by which this page was reached is one that the sender can reach, too.
  const host = window.location.hostname.replace(/^\[|\]$/g, '');
  const commands = commandsOf(first, { host, port: current.mqtt.port, token });
  const needsToken = !isOpen && token === null;
  return (
    <>
      <Panel title="Send your first message" aside="by MQTT, from any machine that reaches this one">
        <div class="stack">
          {needsToken && isAdmin.value && <TokenStep topic={first.topic} onMade={setToken} />}
          {needsToken && !isAdmin.value && <p>Ask an admin of this server for a device token.</p>}
          {!needsToken && (
            <>
              <Command text={commands.mosquitto} />
              <p class="muted small">or, where <code>nilo</code> is installed:</p>
              <Command text={commands.nilo} />
              {token && <p class="hint">The token is shown only now. Settings lists it, and can revoke it.</p>}
            </>
          )}
          <Received message={message} />
        </div>
      </Panel>
      {thing && <FirstValue thing={thing} />}
    </>
  );
}
