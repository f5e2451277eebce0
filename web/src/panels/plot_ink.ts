// What a chart draws besides its lines: alerts under them, limits over them, letters that stay
// legible. Pixels are those of the canvas (CSS pixels times devicePixelRatio).
import type uPlot from 'uplot';
import type { AlertMark } from './marks';
import type { Line as Limit } from './options';

export const kFont = '13px "Source Sans 3", system-ui, sans-serif';
export const kBold = '600 13px "Source Sans 3", system-ui, sans-serif';

// A token of the page ("--warn") -> "#12647a".
type ColourOf = (token: string) => string;

// Spans in which an alert was open: a tint, and its shape where it began.
export function drawMarks(plot: uPlot, marks: AlertMark[], colourOf: ColourOf): void {
  const { ctx, bbox } = plot;
  const right = bbox.left + bbox.width;
  const radius = 5 * devicePixelRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  for (const mark of marks) {
    const from = plot.valToPos(mark.from, 'x', true);
    const to = mark.to === null ? right : plot.valToPos(mark.to, 'x', true);
    if (to < bbox.left || from > right) continue;
    const colour = colourOf(mark.condition === 'silent' ? '--off' : mark.condition === 'invalid' ? '--bad' : '--warn');
    ctx.fillStyle = withAlpha(colour, 0.08);
    ctx.fillRect(from, bbox.top, Math.max(devicePixelRatio, to - from), bbox.height);
    // Whole, also of what began just now.
    drawShape(ctx, Math.min(from, right - radius), bbox.top + 7 * devicePixelRatio, radius, colour, mark.condition);
  }
  ctx.restore();
}

export function drawLimits(plot: uPlot, limits: Limit[], colourOf: ColourOf): void {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.font = scaled(kFont, ratio);
  ctx.textAlign = 'left';
  for (const { at, label } of limits) {
    const y = plot.valToPos(at, 'y', true);
    if (y < bbox.top - 1 || y > bbox.top + bbox.height + 1) continue;
    ctx.strokeStyle = colourOf('--bad');
    ctx.lineWidth = ratio;
    ctx.setLineDash([4 * ratio, 4 * ratio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    if (!label) continue;
    ctx.setLineDash([]);
    const x = bbox.left + 8 * ratio;
    ctx.textBaseline = 'bottom';
    halo(ctx, label, x, y - 2 * ratio, colourOf('--panel'), colourOf('--bad'), 3 * ratio);
  }
  ctx.restore();
}

export function scaled(font: string, ratio: number): string {
  return font.replace('13px', `${13 * ratio}px`);
}

// Text that stays legible over lines.
export function halo(ctx: CanvasRenderingContext2D, text: string, x: number, y: number, ground: string, colour: string,
  width: number, max?: number): void {
  ctx.lineJoin = 'round';
  ctx.strokeStyle = ground;
  ctx.lineWidth = width;
  ctx.strokeText(text, x, y, max);
  ctx.fillStyle = colour;
  ctx.fillText(text, x, y, max);
}

function drawShape(ctx: CanvasRenderingContext2D, x: number, y: number, r: number, colour: string,
  condition: AlertMark['condition']): void {
  ctx.beginPath();
  if (condition === 'silent') {
    ctx.arc(x, y, r * 0.8, 0, 2 * Math.PI);
    ctx.strokeStyle = colour;
    ctx.lineWidth = r * 0.4;
    ctx.stroke();
    return;
  }
  if (condition === 'invalid') {
    ctx.moveTo(x - r, y - r);
    ctx.lineTo(x + r, y + r);
    ctx.moveTo(x + r, y - r);
    ctx.lineTo(x - r, y + r);
    ctx.strokeStyle = colour;
    ctx.lineWidth = r * 0.5;
    ctx.stroke();
    return;
  }
  ctx.moveTo(x, y - r);
  ctx.lineTo(x + r, y);
  ctx.lineTo(x, y + r);
  ctx.lineTo(x - r, y);
  ctx.closePath();
  ctx.fillStyle = colour;
  ctx.fill();
}

// "#12647a" at some opacity; the tokens are hexadecimal.
export function withAlpha(colour: string, alpha: number): string {
  const hex = /^#([0-9a-f]{6})$/i.exec(colour)?.[1];
  return hex ? `#${hex}${Math.round(alpha * 255).toString(16).padStart(2, '0')}` : colour;
}
