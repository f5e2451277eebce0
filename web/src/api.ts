// Asks the server: JSON in, JSON out, errors with a remedy. Requests go to our own origin only, so
// the session cookie (SameSite=Strict) and the Origin header are all that is needed against forged
// ones.
import { useSignal, type ReadonlySignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';

const kTimeoutMs = 20_000;

// What went wrong, in the server's words: `hint` says what to do about it. Status 0: no answer.
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly hint: string,
    readonly body: unknown = null,
  ) {
    super(message);
  }
}

export type Query = Record<string, string | number | boolean | null | undefined>;

interface Options { query?: Query; body?: unknown; signal?: AbortSignal | undefined }

// Called when the server says that nobody is logged in; set once by session.ts.
let whenLoggedOut: () => void = () => undefined;
export function onLoggedOut(then: () => void): void {
  whenLoggedOut = then;
}

// `path` below /api/v1, with the parts of `query` that are not null, undefined or "".
export function url(path: string, query: Query = {}): string {
  const parts = Object.entries(query)
    .filter(([, value]) => value !== null && value !== undefined && value !== '')
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`);
  return `/api/v1${path}${parts.length ? `?${parts.join('&')}` : ''}`;
}

function errorOf(status: number, body: unknown): ApiError {
  const error = (body as { error?: { code?: string; message?: string; hint?: string } } | null)?.error;
  if (error?.message) return new ApiError(status, error.code ?? '', error.message, error.hint ?? '', body);
  return new ApiError(status, '', `The server answered ${status} without a reason.`,
    'Its log has the reason; then try again.', body);
}

async function request<T>(method: string, path: string, { query, body, signal }: Options): Promise<T> {
  const abort = new AbortController();
  const stop = () => abort.abort();
  signal?.addEventListener('abort', stop);
  const timer = setTimeout(stop, kTimeoutMs);
  try {
    const response = await fetch(url(path, query), {
      method,
      signal: abort.signal,
      credentials: 'same-origin',
      headers: { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    let answer: unknown = null;
    try {
      answer = text ? JSON.parse(text) : null;
    } catch {
      answer = null;
    }
    if (response.ok) return answer as T;
    const error = errorOf(response.status, answer);
    if (response.status === 401) whenLoggedOut();
    throw error;
  } catch (error) {
    if (error instanceof ApiError || signal?.aborted) throw error;
    throw new ApiError(0, 'unreachable', 'The server does not answer.',
      'Is it running, and are you on its network? This page tries again by itself when it is back.');
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  }
}

export const get = <T>(path: string, query?: Query, signal?: AbortSignal) =>
  request<T>('GET', path, { ...(query ? { query } : {}), signal });
export const post = <T>(path: string, body: unknown = {}, signal?: AbortSignal) =>
  request<T>('POST', path, { body, signal });
export const put = <T>(path: string, body: unknown, signal?: AbortSignal) =>
  request<T>('PUT', path, { body, signal });
export const del = <T>(path: string, query?: Query) => request<T>('DELETE', path, query ? { query } : {});

export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError(0, 'page', error instanceof Error ? error.message : String(error),
    'This is a mistake of the page; loading it again may help.');
}

export interface Resource<T> {
  data: ReadonlySignal<T | null>;  // stays while newer data is on its way
  error: ReadonlySignal<ApiError | null>;
  loading: ReadonlySignal<boolean>;
  reload(): void;
  set(data: T): void;  // what a POST answered, so that nobody asks again
}

// What GET `path` answers, for a component. Asks again when path or query change, dropping the
// older request; null asks nothing. When the server did not answer it is asked again every 5 s.
// `every`: also again so often, in milliseconds, while the tab is seen.
export function useGet<T>(path: string | null, query?: Query, every = 0): Resource<T> {
  const data = useSignal<T | null>(null);
  const error = useSignal<ApiError | null>(null);
  const loading = useSignal(path !== null);
  const round = useSignal(0);
  const address = path === null ? null : url(path, query);
  const asked = useRef<string | null>(null);
  const again = round.value;
  useEffect(() => {
    if (path === null) return undefined;
    if (asked.current !== null && asked.current.split('?')[0] !== address?.split('?')[0]) data.value = null;
    asked.current = address;
    const abort = new AbortController();
    let retry: ReturnType<typeof setTimeout> | undefined;
    loading.value = true;
    get<T>(path, query, abort.signal).then(
      (answer) => {
        data.value = answer;
        error.value = null;
        loading.value = false;
      },
      (reason: unknown) => {
        if (abort.signal.aborted) return;
        error.value = asApiError(reason);
        loading.value = false;
        if (error.value.status === 0) retry = setTimeout(() => (round.value += 1), 5000);
      },
    );
    return () => {
      abort.abort();
      clearTimeout(retry);
    };
  }, [address, again]);
  useEffect(() => {
    if (!every) return undefined;
    const look = () => { if (!document.hidden) round.value += 1; };
    const timer = setInterval(look, every);
    document.addEventListener('visibilitychange', look);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', look);
    };
  }, [every]);
  return {
    data, error, loading,
    reload: () => { round.value += 1; },
    set: (answer) => { data.value = answer; },
  };
}
