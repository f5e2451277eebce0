// The header: whose server, which zone, whether what is shown is live, theme, and who is in.
import { useEffect, useRef, useState } from 'preact/hooks';
import { post } from '../api';
import { clock, zone } from '../format';
import type { IconName } from '../icons';
import { live, type LiveState } from '../live';
import { navigate } from '../router';
import { chooseTheme, chooseZone, session, theme, viewerZone, type Theme } from '../session';
import { Button, Chip } from '../ui/parts';

const kLiveWords: Record<LiveState, [mark: 'good' | 'warn' | 'off', word: string]> = {
  live: ['good', 'Live'],
  connecting: ['off', 'Connecting'],
  lost: ['warn', 'No connection'],
  paused: ['off', 'Paused'],
};

const kThemes: Record<Theme, { icon: IconName; name: string; next: Theme }> = {
  auto: { icon: 'auto', name: 'as the system', next: 'light' },
  light: { icon: 'sun', name: 'light', next: 'dark' },
  dark: { icon: 'moon', name: 'dark', next: 'auto' },
};

function ThemeSwitch() {
  const { icon, name, next } = kThemes[theme.value];
  return (
    <Button look="bare" icon={icon} label={`Theme: ${name}. Change to ${kThemes[next].name}`}
      onClick={() => chooseTheme(next)} />
  );
}

function Zone() {
  const site = session.value?.site.zone ?? 'UTC';
  const here = viewerZone();
  if (site === here) return <span>times in {site}</span>;
  const isSite = zone.value === site;
  return (
    <button type="button" class="button bare small" title={isSite ? `Show times in ${here}` : `Show times in ${site}`}
      onClick={() => chooseZone(isSite ? 'viewer' : 'site')}>times in {zone.value}</button>
  );
}

function UserMenu() {
  const [isOpen, setOpen] = useState(false);
  const menu = useRef<HTMLDivElement>(null);
  const user = session.value?.user;
  useEffect(() => {
    if (!isOpen) return undefined;
    menu.current?.querySelector<HTMLElement>('.menu-list a, .menu-list button')?.focus();
    const close = (event: Event) => {
      const isEscape = event instanceof KeyboardEvent && event.key === 'Escape';
      const isOutside = event.type === 'mousedown' && event.target instanceof Node && !menu.current?.contains(event.target);
      if (!isEscape && !isOutside) return;
      setOpen(false);
      if (isEscape) menu.current?.querySelector('button')?.focus();
    };
    document.addEventListener('keydown', close);
    document.addEventListener('mousedown', close);
    return () => {
      document.removeEventListener('keydown', close);
      document.removeEventListener('mousedown', close);
    };
  }, [isOpen]);
  if (!user) return null;
  if (!user.name) return <span class="small" title="This server was started with --open">open to this machine</span>;
  const logOut = async () => {
    await post('/logout').catch(() => undefined);
    window.location.assign('/login');
  };
  return (
    <div class="menu" ref={menu}>
      <Button look="bare" icon="user" aria-expanded={isOpen} aria-haspopup="true" onClick={() => setOpen(!isOpen)}>
        <span class="wide-only">{user.name}</span><span class="unseen"> menu</span>
      </Button>
      {isOpen && (
        <div class="menu-list">
          <p class="who">{user.name}, {user.role}</p>
          <button type="button" onClick={() => { setOpen(false); navigate('/settings/password'); }}>Change password</button>
          <button type="button" onClick={logOut}>Log out</button>
        </div>
      )}
    </div>
  );
}

export function TopBar({ onJump }: { onJump: () => void }) {
  const [mark, word] = kLiveWords[live.state.value];
  const lostAt = live.lostAt.value;
  return (
    <header class="top-bar">
      {session.value?.site.name && <span class="site">{session.value.site.name}</span>}
      <Chip mark={mark}>{word}{lostAt !== null && live.state.value === 'lost' && ` since ${clock(lostAt)}`}</Chip>
      <span class="wide-only"><Zone /></span>
      <div class="rest">
        <Button look="bare" icon="search" label="Jump to a thing or page (Ctrl-K)" onClick={onJump} />
        <ThemeSwitch />
        <UserMenu />
      </div>
    </header>
  );
}
