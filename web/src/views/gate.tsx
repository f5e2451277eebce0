// Before anybody is in: setting up a new server, and logging in to one.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { asApiError, post, type ApiError } from '../api';
import type { Session } from '../documents';
import { Logo } from '../icons';
import { navigate, place, query } from '../router';
import { loadSession, session, setSession, wayBack } from '../session';
import { Button, ErrorState, Field } from '../ui/parts';

export const kPasswordMin = 8;

export function Gate({ title, children }: { title: string; children: ComponentChildren }) {
  const main = useRef<HTMLElement>(null);
  useEffect(() => {
    document.title = `${title} \u00b7 Nilometer`;
  }, [title]);
  // Who comes here came to type.
  useEffect(() => {
    [...main.current?.querySelectorAll('input') ?? []].find((input) => !input.value)?.focus();
  }, []);
  return (
    <div class="gate">
      <main id="main" ref={main}>
        <div class="brand"><Logo />{session.value?.site.name || 'Nilometer'}</div>
        <div class="panel"><h1>{title}</h1>{children}</div>
      </main>
    </div>
  );
}

type SetupField = 'code' | 'name' | 'password';

// Where a mistake belongs; null: to none of the fields.
export function fieldOfSetupError(error: Pick<ApiError, 'status' | 'message'>): SetupField | null {
  if (error.status === 403) return 'code';
  if (error.status !== 400) return null;
  for (const field of ['code', 'password', 'name'] as const) {
    if (error.message.toLowerCase().includes(field)) return field;
  }
  return null;
}

// "k7qm 3xpd" and "K7QM3XPD" are the printed "K7QM-3XPD".
export function tidyCode(text: string): string {
  const letters = text.toUpperCase().replace(/[^A-Z0-9]/g, '');
  return letters.length > 4 ? `${letters.slice(0, 4)}-${letters.slice(4)}` : letters;
}

export function Setup() {
  const [code, setCode] = useState(() => tidyCode(query('code')));
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [error, setError] = useState<ApiError | null>(null);
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      setSession(await post<Session>('/setup', { code: tidyCode(code), name: name.trim(), password }));
      navigate('/', { replace: true });
    } catch (reason) {
      const found = asApiError(reason);
      if (found.status === 409) await loadSession();  // somebody was faster; now there is a login
      setError(found);
    } finally {
      setBusy(false);
    }
  };
  const wrong = error ? fieldOfSetupError(error) : null;
  const mistakeAt = (field: SetupField) =>
    (error && wrong === field ? `${error.message}${error.hint ? ` \u2013 ${error.hint}` : ''}` : null);
  return (
    <Gate title="Set up this server">
      <p class="lead">Nobody owns it yet. The code stands in the terminal where <code>nilo</code> was started.</p>
      <form class="form" onSubmit={submit}>
        <Field label="Setup code" name="code" value={code} required placeholder="K7QM-3XPD" autocomplete="one-time-code"
          spellcheck={false} error={mistakeAt('code')} onInput={(e) => setCode(e.currentTarget.value)} />
        <Field label="Your name" name="name" value={name} required autocomplete="username" autocapitalize="none"
          spellcheck={false} error={mistakeAt('name')} onInput={(e) => setName(e.currentTarget.value)} />
        <Field label="Password" name="password" type="password" value={password} required minLength={kPasswordMin}
          autocomplete="new-password" hint={`At least ${kPasswordMin} characters; longer is better than odd.`}
          error={mistakeAt('password')} onInput={(e) => setPassword(e.currentTarget.value)} />
        {error && !wrong && <ErrorState error={error} />}
        <div class="buttons"><Button type="submit" look="main" busy={isBusy}>Set up</Button></div>
      </form>
    </Gate>
  );
}

export function Login() {
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [error, setError] = useState<ApiError | null>(null);
  const [isBusy, setBusy] = useState(false);
  const cameFrom = place.value.path === '/login' ? wayBack(query('next')) : null;
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      setSession(await post<Session>('/login', { name: name.trim(), password }));
      if (cameFrom !== null) navigate(cameFrom, { replace: true });
    } catch (reason) {
      setError(asApiError(reason));
      setPassword('');
      document.getElementById('password')?.focus();
    } finally {
      setBusy(false);
    }
  };
  const isWrong = error?.status === 401;
  return (
    <Gate title="Log in">
      <form class="form" onSubmit={submit}>
        <Field label="Name" name="name" value={name} required autocomplete="username" autocapitalize="none"
          spellcheck={false} onInput={(e) => setName(e.currentTarget.value)} />
        <Field label="Password" name="password" type="password" value={password} required autocomplete="current-password"
          error={isWrong ? 'Name or password is wrong.' : null} onInput={(e) => setPassword(e.currentTarget.value)} />
        {error && !isWrong && <ErrorState error={error} />}
        <div class="buttons"><Button type="submit" look="main" busy={isBusy}>Log in</Button></div>
      </form>
    </Gate>
  );
}
