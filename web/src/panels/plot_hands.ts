// Mouse, wheel and fingers on a chart. (Dragging a span is uPlot's own.)
import type { Span } from '../time/range';

const kWheelStep = 1.0015;

export interface PlotHands {
  hover(time: number | null): void;
  zoomTo(span: Span): void;
  zoomAt(time: number, factor: number): void;
  pan(share: number): void;
  reset(): void;
}

// `over`: what lies on the lines; `timeAt`: of so many CSS pixels from its left. Listens as long as
// `over` lives.
export function listenTo(box: HTMLElement, over: HTMLElement, hands: PlotHands, timeAt: (x: number) => number): void {
  const touches = new Map<number, PointerEvent>();
  const timeOf = (clientX: number): number => timeAt(clientX - over.getBoundingClientRect().left);

  // One finger reads, two fingers stretch and shift; up and down scrolls the page (touch-action).
  const touched = (event: PointerEvent): void => {
    const before = [...touches.values()];
    if (event.type === 'pointerup' || event.type === 'pointercancel') {
      touches.delete(event.pointerId);
      return;
    }
    if (event.type === 'pointerdown') over.setPointerCapture(event.pointerId);
    if (event.type === 'pointermove' && !touches.has(event.pointerId)) return;
    touches.set(event.pointerId, event);
    const [a, b] = [...touches.values()];
    if (a && !b) hands.hover(timeOf(a.clientX));
    if (!a || !b || before.length < 2) return;
    const old = Math.abs(before[0]!.clientX - before[1]!.clientX);
    const wide = Math.abs(a.clientX - b.clientX);
    const shift = (before[0]!.clientX + before[1]!.clientX - a.clientX - b.clientX) / 2;
    if (old > 10 && wide > 10) hands.zoomAt(timeOf((a.clientX + b.clientX) / 2), old / wide);
    if (shift !== 0) hands.pan(shift / over.clientWidth);
  };

  // The wheel zooms when a chart has the focus (a click gives it) or Ctrl is held; otherwise it
  // scrolls the page, which is what a hand passing over expects.
  over.addEventListener('wheel', (event) => {
    const hasFocus = box.contains(document.activeElement) || box.parentElement === document.activeElement;
    const isAcross = Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (!event.ctrlKey && !event.metaKey && !hasFocus && !isAcross) return;
    event.preventDefault();
    if (isAcross) hands.pan(event.deltaX / over.clientWidth);
    else hands.zoomAt(timeOf(event.clientX), kWheelStep ** event.deltaY);
  }, { passive: false });
  over.addEventListener('dblclick', () => hands.reset());
  for (const name of ['pointerdown', 'pointermove', 'pointerup', 'pointercancel'] as const) {
    over.addEventListener(name, (event) => {
      if (event.pointerType === 'touch') touched(event);
    });
  }
}
