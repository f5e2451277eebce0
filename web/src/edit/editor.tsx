// /p/<page>/edit: the text of a page on the left, what it shows on the right. The text is the page:
// it is checked as `nilo check` does, and saved into its file with its comments.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { asApiError, get, post, put, useGet, type ApiError } from '../api';
import type { Diagnostic, Page, ThingList } from '../documents';
import { plural } from '../format';
import { MarkIcon } from '../icons';
import { saveAs } from '../panels/csv';
import { askBeforeLeaving, navigate } from '../router';
import { loadPages } from '../store';
import { announce } from '../ui/announce';
import { Button, ErrorState, Loading, PageHead } from '../ui/parts';
import { CodeArea, type CodeHandle } from './code_area';
import { Conflict } from './conflict';
import { kKinds, panelText, suggestionsAt, withPanel, type Known } from './language';
import { pageIn, Preview } from './preview';

const kCheckAfterMs = 250;
const kThingsMax = 100;

interface PageText {
  file: string;
  text: string;
  version: string;
  writable: boolean;
}

interface Checked {
  pages: Page[];
  diagnostics: Diagnostic[];
}

// What the server's checker says about the text, when nobody has typed for a moment.
function useChecked(file: string, text: string): { checked: Checked | null; lastGood: Page[]; error: ApiError | null } {
  const [checked, setChecked] = useState<Checked | null>(null);
  const [lastGood, setLastGood] = useState<Page[]>([]);
  const [error, setError] = useState<ApiError | null>(null);
  useEffect(() => {
    const abort = new AbortController();
    const timer = setTimeout(() => {
      post<Checked>('/pages/check', { file, text }, abort.signal).then((answer) => {
        setChecked(answer);
        setError(null);
        if (!answer.diagnostics.some(({ severity }) => severity === 'error')) setLastGood(answer.pages);
      }, (reason: unknown) => {
        if (!abort.signal.aborted) setError(asApiError(reason));
      });
    }, checked === null ? 0 : kCheckAfterMs);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [file, text]);
  return { checked, lastGood, error };
}

// Leaving with changes that are not saved asks first.
function useGuard(isChanged: boolean): void {
  useEffect(() => {
    if (!isChanged) return undefined;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener('beforeunload', ask);
    askBeforeLeaving(() => window.confirm('The text is not saved. Leave it?'));
    return () => {
      window.removeEventListener('beforeunload', ask);
      askBeforeLeaving(null);
    };
  }, [isChanged]);
}

function Mistakes({ diagnostics, onGo }: { diagnostics: Diagnostic[]; onGo: (diagnostic: Diagnostic) => void }) {
  if (diagnostics.length === 0) return null;
  return (
    <ul class="mistakes" data-testid="mistakes" aria-label="Mistakes">
      {diagnostics.map((diagnostic) => {
        const { severity, summary, detail, help, range } = diagnostic;
        const more = [detail, help].filter(Boolean).join('; ');
        const { line, column } = range.start;
        return (
          <li key={`${line} ${column} ${summary}`} class={severity}>
            <MarkIcon mark={severity === 'error' ? 'bad' : 'warn'} />
            <span><button type="button" class="link" onClick={() => onGo(diagnostic)}>line {line}, column {column}</button>{' '}
              {summary}{more && <span class="hint"> {more}</span>}</span>
          </li>
        );
      })}
    </ul>
  );
}

function InsertMenu({ onInsert }: { onInsert: (kind: string) => void }) {
  return (
    <label class="insert"><span class="unseen">Insert panel</span>
      <select value="" data-testid="insert-panel" onChange={(event) => {
        const kind = event.currentTarget.value;
        event.currentTarget.value = '';
        if (kind) onInsert(kind);
      }}>
        <option value="">Insert panel…</option>
        {Object.keys(kKinds).map((kind) => <option key={kind} value={kind}>{kind}</option>)}
      </select>
    </label>
  );
}

function useKnown(): Known {
  const things = useGet<ThingList>('/things', { limit: kThingsMax }).data.value;
  return useMemo(() => ({
    things: (things?.things ?? []).map(({ id, type, fields }) => ({ id, type, fields: fields.map(({ field }) => field) })),
  }), [things]);
}

function Editor({ id, start }: { id: string; start: PageText }) {
  const [base, setBase] = useState(start);
  const [text, setText] = useState(start.text);
  const [before, setBefore] = useState<string | null>(null); // what was there before the last save
  const [error, setError] = useState<ApiError | null>(null);
  const [theirs, setTheirs] = useState<PageText | null>(null);
  const [isBusy, setBusy] = useState(false);
  const [tab, setTab] = useState<'text' | 'preview'>('text');
  const code = useRef<CodeHandle | null>(null);
  const known = useKnown();
  const { checked, lastGood, error: checkError } = useChecked(start.file, text);
  const diagnostics = checked?.diagnostics ?? [];
  const isWrong = diagnostics.some(({ severity }) => severity === 'error');
  const isChanged = text !== base.text;
  const index = useRef(0);
  const place = lastGood.findIndex((page) => page.id === id);
  if (place >= 0) index.current = place;
  const page = pageIn(lastGood, id, index.current);
  useGuard(isChanged && base.writable);

  const replaceText = (whole: string) => {
    setText(whole);
    code.current?.setText(whole);
  };
  const saveText = async (whole: string, version: string) => {
    setBusy(true);
    setError(null);
    try {
      const saved = await put<Page>(`/pages/${encodeURIComponent(id)}/text`, { text: whole, version });
      setBefore(base.text === whole ? null : base.text);
      setBase({ ...base, text: whole, version: saved.version });
      if (whole !== text) replaceText(whole);
      setTheirs(null);
      announce('Saved');
      void loadPages();
      if (page && page.id !== id) navigate(`/p/${encodeURIComponent(page.id)}/edit`, { replace: true });
    } catch (reason) {
      const failure = asApiError(reason);
      if (failure.status === 409) setTheirs(await get<PageText>(`/pages/${encodeURIComponent(id)}/text`).catch(() => null));
      setError(failure.status === 409 ? null : failure);
    } finally {
      setBusy(false);
    }
  };
  const save = () => {
    if (base.writable && isChanged && !isBusy) void saveText(text, base.version);
  };
  const insert = (kind: string) => {
    const made = withPanel(text, code.current?.line() ?? text.split('\n').length, panelText(kind, known));
    replaceText(made.text);
    setTab('text');
    requestAnimationFrame(() => code.current?.goTo(made.line, 3));
  };
  const goTo = (line: number, column = 1) => {
    setTab('text');
    requestAnimationFrame(() => code.current?.goTo(line, column));
  };
  const download = () => saveAs(URL.createObjectURL(new Blob([text], { type: 'application/toml' })), base.file.split('/').pop() ?? 'page.toml');
  return (
    <>
      <PageHead title={`Edit ${page?.title ?? id}`} above={<a href={`/p/${encodeURIComponent(page?.id ?? id)}`}>Back to the page</a>}>
        <span class="hint" role="status" data-testid="edit-state">{stateText(base, isChanged, isWrong, diagnostics)}</span>
        <InsertMenu onInsert={insert} />
        {before !== null && <Button disabled={isBusy || isChanged} title="Save the text as it was before"
          data-testid="undo-save" onClick={() => void saveText(before, base.version)}>Undo the save</Button>}
        {base.writable
          ? <Button look="main" busy={isBusy} disabled={!isChanged || isWrong} data-testid="save-page" onClick={save}>Save</Button>
          : <Button look="main" data-testid="download-page" onClick={download}>Download</Button>}
      </PageHead>
      {error && <ErrorState error={error} />}
      {checkError && <ErrorState error={checkError} />}
      <div class="edit-tabs" role="group" aria-label="Shown">
        {(['text', 'preview'] as const).map((name) => (
          <Button key={name} aria-pressed={tab === name} onClick={() => setTab(name)}>{name === 'text' ? 'Text' : 'Preview'}</Button>
        ))}
      </div>
      <div class={`edit show-${tab}`}>
        <div class="edit-text">
          <p class="hint wrap">{base.file}</p>
          <CodeArea text={text} label={`Text of ${base.file}`} isWritable={base.writable} diagnostics={diagnostics} handle={code}
            hands={{ changed: setText, save, suggest: (all, line, column) => suggestionsAt(all, line, column, known) }} />
          <Mistakes diagnostics={diagnostics} onGo={({ range }) => goTo(range.start.line, range.start.column)} />
        </div>
        <div class="edit-preview">
          {page ? <Preview page={page} isOld={isWrong} onLine={goTo} /> : <Loading what="Checking the text" />}
        </div>
      </div>
      {theirs && <Conflict mine={text} theirs={theirs.text} onClose={() => setTheirs(null)}
        onMine={() => void saveText(text, theirs.version)}
        onTheirs={() => { setBase(theirs); replaceText(theirs.text); setTheirs(null); }} />}
    </>
  );
}

function stateText(base: PageText, isChanged: boolean, isWrong: boolean, diagnostics: Diagnostic[]): string {
  if (isWrong) return `${plural(diagnostics.filter(({ severity }) => severity === 'error').length, 'mistake')}; the preview shows the text before`;
  if (!base.writable) return 'The file cannot be written here: download the text and put it there';
  return isChanged ? 'Not saved yet' : 'Saved';
}

export function EditPage({ parts }: { parts: Record<string, string> }) {
  const id = parts['page'] ?? '';
  const text = useGet<PageText>(`/pages/${encodeURIComponent(id)}/text`);
  const start = useRef<PageText | null>(null);
  start.current ??= text.data.value;
  if (start.current) return <Editor id={id} start={start.current} />;
  if (text.error.value) return <><PageHead title={`Edit ${id}`} /><ErrorState error={text.error.value} retry={text.reload} /></>;
  return <Loading />;
}
