// Alerts as rows: shape and word, what, since when, and what can be done.
import type { AlertItem } from '../documents';
import { fullTime, keepUnits, moment, plural } from '../format';
import type { Mark } from '../icons';
import { Age } from '../ui/age';
import { StateMark, wordOfAlert } from '../ui/parts';
import { AlertButtons } from './alert_actions';

const kConditions: Record<string, Mark> = { low: 'warn', high: 'warn', silent: 'off', invalid: 'faulty' };
const kWords: Record<string, string> = { low: 'Low', high: 'High', silent: 'Silent', invalid: 'Invalid' };

// While it is open, what is wrong; afterwards, what became of it.
export function markOfAlert(item: AlertItem): [Mark, string] {
  if (item.state !== 'firing') return wordOfAlert(item.state);
  const mark = kConditions[item.condition] ?? 'warn';
  const isGrave = item.severity === 'critical' && mark === 'warn';
  return [isGrave ? 'bad' : mark, kWords[item.condition] ?? item.condition];
}

function snoozeText(item: AlertItem): string {
  return item.snoozed_until === null ? 'until it is fixed' : `until ${moment(item.snoozed_until)}`;
}

export function AlertRows({ alerts, onChange, chosen, onChoose }: {
  alerts: AlertItem[]; onChange: (changed: AlertItem) => void; chosen?: string | undefined; onChoose?: (id: string) => void;
}) {
  return (
    <ul class="alert-rows">
      {alerts.map((item) => {
        const [mark, word] = markOfAlert(item);
        return (
          <li key={item.id} class={chosen === item.id ? 'chosen' : undefined} data-alert={item.id}
            onFocusCapture={onChoose ? () => onChoose(item.id) : undefined}>
            <span class="alert-state"><StateMark mark={mark} word={word} /></span>
            <span class="alert-what wrap">
              <a href={`/alerts/${encodeURIComponent(item.id)}`}>{keepUnits(item.text)}</a>
              <span class="alert-more">
                {item.state === 'normal'
                  ? <span title={fullTime(item.changed)}>ended {moment(item.changed)}</span>
                  : <Age time={item.since} way="since" />}
                {item.state === 'snoozed' && <span>{snoozeText(item)}</span>}
                {item.flaps > 1 && <span>{plural(item.flaps, 'time', 'times')}</span>}
                {item.owner && <span>{item.owner}</span>}
                {item.note && <span>“{item.note}”</span>}
              </span>
            </span>
            <AlertButtons item={item} onChange={onChange} />
          </li>
        );
      })}
    </ul>
  );
}
