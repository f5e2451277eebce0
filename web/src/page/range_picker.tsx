// Which time a page shows: a button for each usual range, a dialog for days of one's own, and the
// way back from a zoom.
import { useState } from 'preact/hooks';
import { now } from '../format';
import { kRanges, rangeName, spanOf } from '../time/range';
import { wallOf } from '../time/zone';
import { Button, Dialog, Field } from '../ui/parts';
import type { PageTime } from './time';

function dateText(ms: number, zone: string): string {
  const { year, month, day } = wallOf(ms, zone);
  const two = (n: number) => String(n).padStart(2, '0');
  return `${year}-${two(month)}-${two(day)}`;
}

function DayField({ label, name, value, onDay }: { label: string; name: string; value: string; onDay: (day: string) => void }) {
  return (
    <Field label={label} name={name}>
      <input id={name} name={name} type="date" required value={value} onInput={(event) => onDay(event.currentTarget.value)} />
    </Field>
  );
}

function CustomRange({ time, onClose }: { time: PageTime; onClose: () => void }) {
  const zone = time.zone.peek();
  const span = spanOf(time.range.peek(), now());
  const [from, setFrom] = useState(dateText(span.from, zone));
  const [to, setTo] = useState(dateText(Math.min(span.to - 1, now()), zone));
  const [isWrong, setWrong] = useState(false);
  const show = (event: Event) => {
    event.preventDefault();
    if (time.choose(`${from}/${to}`)) onClose();
    else setWrong(true);
  };
  return (
    <Dialog title="Show these days" onClose={onClose}>
      <form class="form" onSubmit={show}>
        <div class="custom">
          <DayField label="First day" name="range-from" value={from} onDay={setFrom} />
          <DayField label="Last day" name="range-to" value={to} onDay={setTo} />
        </div>
        {isWrong && <p class="mistake" role="alert">The first day must not lie after the last one.</p>}
        <p class="hint">Whole days in {zone}.</p>
        <div class="buttons end"><Button type="submit" look="main">Show</Button></div>
      </form>
    </Dialog>
  );
}

export function RangePicker({ time }: { time: PageTime }) {
  const [isOpen, setOpen] = useState(false);
  const { text } = time.range.value;
  const isZoomed = time.isZoomed.value;
  const isUsual = kRanges.includes(text);
  return (
    <div class="range">
      <div class="range-list" role="group" aria-label="Time shown">
        {kRanges.map((range) => (
          <button type="button" key={range} aria-pressed={range === text && !isZoomed} title={rangeName(range)}
            data-testid={`range-${range}`} onClick={() => time.choose(range)}>{range}</button>
        ))}
        <button type="button" aria-pressed={!isUsual && !isZoomed} aria-haspopup="dialog" data-testid="range-custom"
          onClick={() => setOpen(true)}>{isUsual ? 'Days…' : rangeName(text)}</button>
      </div>
      {isZoomed && <Button small data-testid="zoom-reset" onClick={() => time.reset()}>Whole range</Button>}
      {isOpen && <CustomRange time={time} onClose={() => setOpen(false)} />}
    </div>
  );
}
