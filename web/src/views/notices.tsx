// Notices: what was sent to whom, and what the other side answered.
import { useState } from 'preact/hooks';
import { asApiError, post, type ApiError } from '../api';
import type { NoticeItem } from '../documents';
import { clockSeconds, fullTime, moment, now, plural } from '../format';
import type { Mark } from '../icons';
import { isAdmin } from '../session';
import { Button, ErrorState, StateMark, Table } from '../ui/parts';

const kNoticeStates: Record<NoticeItem['state'], [Mark, string]> = {
  sent: ['good', 'Delivered'], waiting: ['off', 'Waiting'], parked: ['bad', 'Given up'],
};

export function NoticeTable({ notices, onChange, label = 'Notices' }: {
  notices: NoticeItem[]; onChange: () => void; label?: string;
}) {
  const [error, setError] = useState<ApiError | null>(null);
  const retry = async (notice: NoticeItem) => {
    setError(null);
    try {
      await post(`/notices/${encodeURIComponent(notice.id)}/retry`);
    } catch (reason) {
      setError(asApiError(reason));
    }
    onChange();
  };
  return (
    <>
      {error && <ErrorState error={error} />}
      <Table label={label} rows={notices} keyOf={(notice) => notice.id} columns={[
        { head: 'When', cell: (n) => <span class="nowrap" title={fullTime(n.created)}>{moment(n.created)}</span> },
        {
          head: 'What',
          cell: (n) => (
            <span class="name-cell"><span class="wrap">{n.subject || n.event}</span>
              <span class="hint wrap phone-only">{n.channel} {n.to}</span></span>
          ),
          isName: true,
        },
        { head: 'To', cell: (n) => <span class="wrap">{n.channel} {n.to}</span>, phone: 'hide' },
        {
          head: 'Delivery',
          cell: (n) => {
            const [mark, word] = kNoticeStates[n.state] ?? ['off', n.state];
            return (
              <span class="name-cell"><StateMark mark={mark} word={n.tries > 1 ? `${word}, ${plural(n.tries, 'try', 'tries')}` : word} />
                {n.answer && <span class="hint wrap">{n.answer}</span>}
                {n.state === 'waiting' && n.next !== null && (
                  <span class="hint">{n.next > now() ? `next try ${clockSeconds(n.next)}` : 'waits for its turn'}</span>
                )}
              </span>
            );
          },
        },
        {
          head: '',
          right: true,
          cell: (n) => (isAdmin.value && (n.state === 'parked' || (n.state === 'waiting' && n.answer)) ? <Button small onClick={() => void retry(n)}>Try again</Button> : null),
        },
      ]} />
    </>
  );
}
