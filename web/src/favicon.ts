// The icon in the tab tells whether anything is wrong, also while the tab is not looked at.
import alertIcon from './art/alert.svg';
import quietIcon from './art/quiet.svg';

export function showFavicon(hasOpenAlerts: boolean): void {
  const link = document.getElementById('icon');
  if (link instanceof HTMLLinkElement) link.href = hasOpenAlerts ? alertIcon : quietIcon;
}
