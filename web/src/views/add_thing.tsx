// Adding a thing: what it is, how it logs in, and then the lines that it needs.
import { useState } from 'preact/hooks';
import { asApiError, post, put, useGet, type ApiError } from '../api';
import type { IssuedCertificate } from '../documents';
import { isAdmin, session } from '../session';
import { announce } from '../ui/announce';
import { Command, CopyButton } from '../ui/copy';
import { Button, EmptyState, ErrorState, Field, PageHead, Panel } from '../ui/parts';
import { Qr } from '../ui/qr';
import { SaveFile } from '../ui/save_file';
import { firstMessage, type Rule } from './first_message';
import { addressOf, fileName, missingLine, readyLines, type Device, type Login } from './ready_lines';
import { filtersOf } from './topic_filters';

const kTlsPort = 8883;
type Way = 'token' | 'certificate' | 'none';
const kWays: [Way, string][] = [
  ['token', 'A token: one line of text'],
  ['certificate', 'A certificate: for devices that speak TLS'],
  ['none', 'Nothing: it logs in already'],
];

interface Wanted {
  id: string; name: string; type: string; tags: string; lat: string; lon: string; next: string; station: string;
  way: Way; topics: string;
}
const kEmpty: Wanted = { id: '', name: '', type: '', tags: '', lat: '', lon: '', next: '', station: '', way: 'token', topics: '' };

// Degrees as numbers, so that the server sees whether they are a place.
function propertiesOf(wanted: Wanted): Record<string, string | number> {
  const out: Record<string, string | number> = {};
  for (const name of ['tags', 'next', 'station'] as const) {
    if (wanted[name].trim()) out[name] = wanted[name].trim();
  }
  for (const name of ['lat', 'lon'] as const) {
    const typed = wanted[name].trim();
    if (typed) out[name] = Number.isFinite(Number(typed)) ? Number(typed) : typed;
  }
  return out;
}

async function makeLogin(wanted: Wanted): Promise<Login | null> {
  if (wanted.way === 'none') return null;
  const topics = filtersOf(wanted.topics);
  const body = { name: wanted.id.trim(), ...(topics.length > 0 ? { topics } : {}) };
  if (wanted.way === 'token') {
    const made = await post<{ token: string }>('/tokens', { ...body, role: 'device' });
    return { kind: 'token', token: made.token };
  }
  const made = await post<IssuedCertificate>('/certificates', body);
  return { kind: 'certificate', certificate: made.certificate, key: made.key, ca: made.ca_certificate };
}

function Ready({ device }: { device: Device }) {
  const { login, thing } = device;
  const address = addressOf(device);
  return (
    <>
      <Panel title="Its login" aside="shown only now">
        <div class="ready-login">
          <div class="stack">
            {login.kind === 'token' && <Command text={login.token} />}
            {login.kind === 'certificate' && (
              <div class="buttons">
                <SaveFile name={`${fileName(thing)}.crt`} text={login.certificate} />
                <SaveFile name={`${fileName(thing)}.key`} text={login.key} />
                <SaveFile name="ca.crt" text={login.ca} />
              </div>
            )}
            <p class="hint">{login.kind === 'token'
              ? 'The server keeps only its hash. Settings lists it, and can revoke it.'
              : 'The server keeps no key: save these files now. Settings lists the certificate, and can revoke it.'}</p>
            <p class="wrap"><code>{address}</code> <CopyButton text={address} label="Copy the address" /></p>
          </div>
          <Qr text={address} label="The address as a QR code" />
        </div>
      </Panel>
      <Panel title="What the device needs">
        <div class="stack">
          {readyLines(device).map((one, i) => (
            <details key={one.id} open={i === 0}>
              <summary>{one.title}</summary>
              <div class="stack">
                <Command text={one.text} />
                {one.note && <p class="hint">{one.note}</p>}
              </div>
            </details>
          ))}
          <p class="hint">{missingLine(login)}</p>
        </div>
      </Panel>
    </>
  );
}

function Done({ id, device }: { id: string; device: Device | null }) {
  return (
    <>
      <PageHead title={`${id} is there`} tab="Add a thing" above={<a href="/things">Things</a>}>
        <a href={`/t/${encodeURIComponent(id)}`}>Look at it</a>
      </PageHead>
      {device ? <Ready device={device} /> : <Panel><p>It shows what it reports as soon as rows are about it.</p></Panel>}
    </>
  );
}

export function AddThing() {
  const [wanted, setWanted] = useState<Wanted>(kEmpty);
  const [error, setError] = useState<ApiError | null>(null);
  const [isBusy, setBusy] = useState(false);
  const [isThere, setThere] = useState(false);  // the thing is written; only its login is missing
  const [done, setDone] = useState<{ device: Device | null } | null>(null);
  const rules = useGet<{ rules: Rule[] }>('/rules');
  const current = session.value;
  const set = (name: keyof Wanted) => (event: Event & { currentTarget: HTMLInputElement | HTMLSelectElement }) =>
    setWanted({ ...wanted, [name]: event.currentTarget.value });
  const id = wanted.id.trim();
  if (!current) return null;
  if (!isAdmin.value) return <EmptyState title="Only an admin adds things"><p>Ask one of this server.</p></EmptyState>;
  if (done) return <Done id={id} device={done.device} />;

  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      if (!isThere) {
        await put(`/things/${encodeURIComponent(id)}`, { type: wanted.type.trim(), name: wanted.name.trim(), properties: propertiesOf(wanted) });
        setThere(true);
      }
      const login = await makeLogin(wanted);
      const message = firstMessage(rules.data.value?.rules ?? []);
      // The host by which this page was reached is one that the device can reach, too.
      const host = window.location.hostname.replace(/^\[|\]$/g, '');
      const at = { host, port: current.mqtt.port, tlsPort: current.mqtt.tls_port ?? kTlsPort };
      setDone({ device: login && { thing: id, ...message, at, login } });
      announce(`${id} is there.`);
    } catch (reason) {
      setError(asApiError(reason));
    } finally {
      setBusy(false);
    }
  };
  const plain = { autocomplete: 'off', autocapitalize: 'none' as const, spellcheck: false };
  return (
    <>
      <PageHead title="Add a thing" above={<a href="/things">Things</a>} />
      <Panel>
        <form class="form wide" onSubmit={submit}>
          <div class="form-pair">
            <Field label="Id" name="id" value={wanted.id} required {...plain} placeholder="tank-4"
              hint="Letters, digits and _-.: as rows name it" onInput={set('id')} />
            <Field label="Name" name="name" value={wanted.name} autocomplete="off" placeholder="Meadow" hint="For people" onInput={set('name')} />
            <Field label="Type" name="type" value={wanted.type} {...plain} placeholder="tank" hint="Alerts and pages choose by it" onInput={set('type')} />
            <Field label="Tags" name="tags" value={wanted.tags} {...plain} placeholder="north, roof" onInput={set('tags')} />
            <Field label="Latitude" name="lat" value={wanted.lat} {...plain} placeholder="48.2082" hint="Degrees" onInput={set('lat')} />
            <Field label="Longitude" name="lon" value={wanted.lon} {...plain} placeholder="16.3738" hint="Degrees" onInput={set('lon')} />
            <Field label="Next" name="next" value={wanted.next} {...plain} hint="The thing behind it, such as downstream" onInput={set('next')} />
            <Field label="Station" name="station" value={wanted.station} {...plain} hint="The thing that measures the air around it" onInput={set('station')} />
          </div>
          <div class="field">
            <label for="way">It logs in with</label>
            <select id="way" value={wanted.way} onChange={set('way')}>
              {kWays.map(([value, words]) => <option key={value} value={value}>{words}</option>)}
            </select>
          </div>
          {wanted.way !== 'none' && (
            <Field label="Only these topics" name="topics" value={wanted.topics} {...plain} placeholder="water4/#"
              hint="Filters, parted by spaces. Empty: what policies allow, or every topic if there are none." onInput={set('topics')} />
          )}
          {error && <ErrorState error={error} />}
          {error && isThere && <p class="hint">{id} itself is written; only its login is missing.</p>}
          <div class="buttons"><Button type="submit" look="main" icon="plus" busy={isBusy}>Add</Button></div>
        </form>
      </Panel>
    </>
  );
}
