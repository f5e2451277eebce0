// The panels of pages. A kind is a file; whoever adds one adds it here.
import type { ComponentType } from 'preact';
import { useMemo } from 'preact/hooks';
import type { Panel } from '../documents';
import type { PanelPage } from '../page/time';
import { AlertsPanel } from './alerts';
import { ChartPanel } from './chart';
import { Nothing, PanelFrame } from './frame';
import { NowPanel } from './now';
import { TablePanel } from './table';
import { TextPanel } from './text';

export type { PanelPage } from '../page/time';
export { usePanelPage } from '../page/use_page';

export type PanelProps = { panel: Panel; page: PanelPage };

const kKinds: Record<string, ComponentType<PanelProps>> = {
  now: NowPanel,
  chart: ChartPanel,
  table: TablePanel,
  alerts: AlertsPanel,
  text: TextPanel,
};

// One panel of a page; it needs a parent of class "grid" for its width. A parent that is drawn again
// with the same options does not make it begin again.
export function PanelView({ panel: given, page }: PanelProps) {
  const panel = useMemo(() => given, [JSON.stringify(given)]);
  const View = Object.hasOwn(kKinds, panel.kind) ? kKinds[panel.kind] : undefined;
  if (View) return <View panel={panel} page={page} />;
  return (
    <PanelFrame panel={panel}>
      <Nothing title={`There is no panel "${panel.kind}"`} hint={`Kinds are ${Object.keys(kKinds).join(', ')}.`} />
    </PanelFrame>
  );
}
