// One alert's story: what is wrong, what happened when, and who was told, with the server's answer.
import { useEffect, useState } from 'preact/hooks';
import { useGet } from '../api';
import type { AlertStory } from '../documents';
import { fullTime, keepUnits, moment, plural, quantity } from '../format';
import { useKeys } from '../keys';
import { isAdmin } from '../session';
import { alertChanges } from '../store';
import { ActDialog, AlertButtons, canDo, type Act } from './alert_actions';
import { markOfAlert } from './alert_rows';
import { NoticeTable } from './notices';
import { AlertChart } from './thing_charts';
import { Age } from '../ui/age';
import { EmptyState, ErrorState, Loading, PageHead, Panel, StateMark, wordOfAlert } from '../ui/parts';

function History({ story }: { story: AlertStory }) {
  const steps = [...story.history].sort((a, b) => b.time - a.time);
  return (
    <ol class="timeline">
      {steps.map((step, i) => {
        const [mark, word] = wordOfAlert(step.state);
        return (
          <li key={`${step.time}-${i}`}>
            <time title={fullTime(step.time)}>{moment(step.time)}</time>
            <span class="wrap"><StateMark mark={mark} word={step.state === 'firing' ? 'Fired' : word} />
              {step.value !== null && <span> at {quantity(step.value, story.unit)}</span>}
              {step.by && <span> by {step.by}</span>}
              {step.note && <span class="muted"> “{step.note}”</span>}
            </span>
          </li>
        );
      })}
    </ol>
  );
}

function Facts({ story }: { story: AlertStory }) {
  return (
    <dl class="facts">
      <div><dt>Thing</dt><dd class="wrap"><a href={`/t/${encodeURIComponent(story.thing)}`}>{story.name || story.thing}</a></dd></div>
      <div><dt>Alert</dt><dd class="wrap">{story.alert}, {story.condition}</dd></div>
      {story.value !== null && <div><dt>Value then</dt><dd>{quantity(story.value, story.unit)}</dd></div>}
      {story.limit !== null && <div><dt>Limit</dt><dd>{quantity(story.limit, story.unit)}</dd></div>}
      {story.owner && <div><dt>Who</dt><dd class="wrap">{story.owner}</dd></div>}
      {story.note && <div><dt>Note</dt><dd class="wrap">{story.note}</dd></div>}
      {story.flaps > 1 && <div><dt>How often</dt><dd>{plural(story.flaps, 'time', 'times')}</dd></div>}
    </dl>
  );
}

export function Alert({ parts }: { parts: Record<string, string> }) {
  const id = parts['alert'] ?? '';
  const alert = useGet<AlertStory>(`/alerts/${encodeURIComponent(id)}`);
  const [act, setAct] = useState<Act | null>(null);
  useEffect(() => { if (alertChanges.value > 0) alert.reload(); }, [alertChanges.value]);
  const story = alert.data.value;
  const start = (wanted: Act) => () => { if (story && isAdmin.value && canDo(wanted, story)) setAct(wanted); };
  useKeys({ a: start('acknowledge'), s: start('snooze'), r: start('resolve') });
  if (!story) {
    return (
      <>
        <PageHead title="Alert" above={<a href="/alerts">Alerts</a>} />
        {alert.error.value ? <ErrorState error={alert.error.value} retry={alert.reload} /> : <Loading />}
      </>
    );
  }
  const [mark, word] = markOfAlert(story);
  return (
    <>
      <PageHead title={keepUnits(story.text)} tab="Alert" above={<a href="/alerts">Alerts</a>}>
        <StateMark mark={mark} word={word} />
        {story.state === 'normal' ? <Age time={story.changed} /> : <Age time={story.since} way="since" />}
        <AlertButtons item={story} small={false} onChange={alert.reload} />
      </PageHead>
      <div class="grid">
        <Panel width={4} title="About"><Facts story={story} /></Panel>
        <Panel width={8} title="What happened"><History story={story} /></Panel>
        {story.field && <AlertChart story={story} />}
        <Panel title="Who was told">
          {story.notices.length > 0
            ? <NoticeTable notices={story.notices} onChange={alert.reload} />
            : <EmptyState title="Nobody"><p>This alert has neither mail nor webhook; it shows on pages only.</p></EmptyState>}
        </Panel>
      </div>
      {act && <ActDialog item={story} act={act} onDone={alert.reload} onClose={() => setAct(null)} />}
    </>
  );
}
