// The few pictures we need, drawn as lines in the colour of the text beside them. They are
// decoration: the word stands next to each, or in the label of its button.
import type { ComponentChildren } from 'preact';

function Svg({ children, size = 16, fill = false }: { children: ComponentChildren; size?: number; fill?: boolean }) {
  const line = fill
    ? { fill: 'currentColor' }
    : {
      fill: 'none', stroke: 'currentColor', 'stroke-width': '2.2',
      'stroke-linecap': 'round' as const, 'stroke-linejoin': 'round' as const,
    };
  return (
    <svg class="icon" viewBox="0 0 24 24" width={size} height={size} aria-hidden="true" {...line}>
      {children}
    </svg>
  );
}

// A hand: cuff at the left, thumb up; down is the same hand turned over.
const kHand = 'M3 11h4v10H3zM7 11.5 11.2 3a2.6 2.6 0 0 1 2.5 2.7V9h5.4a2 2 0 0 1 2 2.4l-1.6 8a2 2 0 0 1-2 1.6H7';

export type IconName =
  | 'up' | 'down' | 'sun' | 'moon' | 'auto' | 'user' | 'search' | 'copy' | 'check' | 'close'
  | 'pause' | 'play' | 'back' | 'next' | 'bell' | 'edit' | 'plus' | 'keys';

const kShapes: Record<IconName, ComponentChildren> = {
  up: <path d={kHand} />,
  down: <path d={kHand} transform="matrix(1 0 0 -1 0 24)" />,
  sun: <><circle cx="12" cy="12" r="4.5" /><path d="M12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6 19 19M19 5l-1.4 1.4M6.4 17.6 5 19" /></>,
  moon: <path d="M20 14.5A8.5 8.5 0 1 1 9.5 4a7 7 0 0 0 10.5 10.5z" />,
  auto: <><circle cx="12" cy="12" r="8.5" /><path d="M12 3.5v17a8.5 8.5 0 0 0 0-17z" fill="currentColor" /></>,
  user: <><circle cx="12" cy="8" r="4" /><path d="M4 21a8 8 0 0 1 16 0" /></>,
  search: <><circle cx="10.5" cy="10.5" r="6.5" /><path d="m15.5 15.5 5 5" /></>,
  copy: <><rect x="8" y="8" width="12" height="12" rx="2" /><path d="M16 8V6a2 2 0 0 0-2-2H6a2 2 0 0 0-2 2v8a2 2 0 0 0 2 2h2" /></>,
  check: <path d="m4 12.5 5.5 5.5L20 7" />,
  close: <path d="m5 5 14 14M19 5 5 19" />,
  pause: <path d="M8 5v14M16 5v14" />,
  play: <path d="M7 4.5v15l12-7.5z" />,
  back: <path d="m14 5-7 7 7 7" />,
  next: <path d="m10 5 7 7-7 7" />,
  bell: <path d="M6 16V11a6 6 0 0 1 12 0v5l1.5 2h-15zM10 20.5a2 2 0 0 0 4 0" />,
  edit: <path d="M4 20h4L19.5 8.5l-4-4L4 16zM13 7l4 4" />,
  plus: <path d="M12 5v14M5 12h14" />,
  keys: <path d="M3 6h18v12H3zM7 10h.01M11 10h.01M15 10h.01M7 14h10" />,
};

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return <Svg size={size}>{kShapes[name]}</Svg>;
}

// One shape for each state, so that colour is never all there is.
export type Mark = 'good' | 'warn' | 'bad' | 'off' | 'faulty' | 'back';

const kMarks: Record<Mark, ComponentChildren> = {
  good: <circle cx="12" cy="12" r="8" fill="currentColor" stroke="none" />,
  warn: <path d="M12 2.5 21.5 12 12 21.5 2.5 12z" fill="currentColor" stroke="none" />,
  bad: <path d="M12 3 22.5 21h-21z" fill="currentColor" stroke="none" />,
  off: <circle cx="12" cy="12" r="7.5" stroke-width="2.6" />,
  faulty: <path d="m5 5 14 14M19 5 5 19" stroke-width="3.4" />,
  back: <path d="M5 12a7.5 7.5 0 1 0 2.5-5.6M5 3v5h5" stroke-width="2.6" />,
};

export function MarkIcon({ mark, size = 12 }: { mark: Mark; size?: number }) {
  return <Svg size={size}>{kMarks[mark]}</Svg>;
}

export function Logo({ size = 28 }: { size?: number }) {
  return (
    <svg class="logo" viewBox="0 0 32 32" width={size} height={size} aria-hidden="true">
      <rect x="1" y="1" width="30" height="30" rx="7" fill="#0C4A5B" />
      <path fill="#F7F5F0" d="M11 5h10v2.5h-1.5V24.5H21V27H11v-2.5h1.5V7.5H11z" />
      <path d="M16 10.5h3.5M17.250 13.5h2.250M16 16.5h3.5" stroke="#0C4A5B" stroke-width="1.5" />
      <path d="M1 20.5c2.5 0 2.5-2 5-2s2.5 2 5 2 2.5-2 5-2 2.5 2 5 2 2.5-2 5-2 2.5 2 5 2V24a7 7 0 0 1-7 7H8a7 7 0 0 1-7-7z" fill="#5BB8CF" fill-opacity=".86" />
    </svg>
  );
}
