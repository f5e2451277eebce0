// The drum: a scale from 0 to 100, water with a wave, dashed limits. The product's own emblem.
//
// `fill`: 0 to 1; null draws a dashed outline without water, as nothing sound is known. The water
// is always in the drawing and moved by a transform, so that a new level can rise or fall to its
// place; with reduced motion the style sheet lets it jump.
import { useId } from 'preact/hooks';
import type { Limits } from './level';

const kTop = 10;
const kHeight = 130;
const kLeft = 46;
const kWidth = 62;
const kWave = 'q7.75 -5 15.5 0t15.5 0 15.5 0 15.5 0 15.5 0 15.5 0';

function heightOf(share: number): number {
  return kTop + kHeight * (1 - share);
}

function Scale() {
  const marks = Array.from({ length: 11 }, (_, i) => i / 10);
  return (
    <g class="tank-scale">
      {marks.map((share) => {
        const isLong = Math.round(share * 10) % 5 === 0;
        const y = heightOf(share);
        return <path key={share} d={`M${isLong ? 30 : 36} ${y}H42`} class={isLong ? 'long' : undefined} />;
      })}
    </g>
  );
}

function Limit({ share }: { share: number }) {
  if (share < 0 || share > 1) return null;
  return <path class="tank-limit" d={`M${kLeft} ${heightOf(share)}H${kLeft + kWidth}`} />;
}

export function Tank({ fill, min, max, limits, label }: {
  fill: number | null; min: number; max: number; limits: Limits; label: string;
}) {
  const clip = `drum${useId()}`;
  const shareOf = (value: number) => (value - min) / (max - min);
  const number = (share: number) => String(Math.round((min + share * (max - min)) * 100) / 100);
  const wave = `M${kLeft - 16} 0${kWave}`;
  // Moving the wave a little below the brim keeps its crests within a full drum.
  const y = fill === null ? kTop + kHeight + 8 : heightOf(fill) + 2.5 * fill;
  return (
    <svg class={`tank-drawing${fill === null ? ' unknown' : ''}`} viewBox="0 0 116 150" role="img" aria-label={label}>
      <clipPath id={clip}><rect x={kLeft + 1} y={kTop} width={kWidth - 2} height={kHeight - 1} rx="5" /></clipPath>
      {fill !== null && (
        <g clip-path={`url(#${clip})`}>
          <g class="tank-water" style={{ transform: `translateY(${y}px)` }}>
            <path class="tank-fill" d={`${wave}V${kHeight + 20}H${kLeft - 16}z`} />
            <path class="tank-wave" d={wave} />
          </g>
        </g>
      )}
      {limits.low !== null && <Limit share={shareOf(limits.low)} />}
      {limits.high !== null && <Limit share={shareOf(limits.high)} />}
      <rect class="tank-drum" x={kLeft} y={kTop} width={kWidth} height={kHeight} rx="6" />
      <Scale />
      {[0, 0.5, 1].map((share) => (
        <text key={share} x="26" y={heightOf(share) + 4.5} text-anchor="end" aria-hidden="true">{number(share)}</text>
      ))}
    </svg>
  );
}
