// Overview: the problem first, otherwise since when all is quiet.
import { useGet } from '../api';
import type { Status } from '../documents';
import { count, number, sinceWhen } from '../format';
import { EmptyState, ErrorState, PageHead } from '../ui/parts';

export function Overview() {
  const status = useGet<Status>('/status');
  const data = status.data.value;
  return (
    <>
      <PageHead title="Overview">
        {data && <span>{count(data.things.reporting)} of {count(data.things.total)} things reporting</span>}
        {data && <span>{number(data.messages_per_s, 1)} messages/s</span>}
      </PageHead>
      {status.error.value && <ErrorState error={status.error.value} retry={status.reload} />}
      {data && data.alerts.open === 0 && data.quiet_since !== null
        && <EmptyState title={`All quiet since ${sinceWhen(data.quiet_since)}`} />}
    </>
  );
}
