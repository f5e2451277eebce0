// What the frame and several views show: the server's state, the pages there are, open alerts.
import { signal } from '@preact/signals';
import { get } from './api';
import { announce } from './ui/announce';
import type { AlertItem, PageName, Status } from './documents';
import { showFavicon } from './favicon';
import { live, type Subscription } from './live';

const kStatusEveryMs = 10_000;
const kLateMs = 30_000;

export const status = signal<Status | null>(null);
export const pages = signal<PageName[]>([]);
// Counts up whenever an alert changed, or may have; lists of alerts are then fetched again.
export const alertChanges = signal(0);

// Notices wait for longer than a server that takes them would need.
export const areNoticesLate = signal(false);
let waitingSince: number | null = null;

let isAsked = false;
let isAskedAgain = false;

export async function loadStatus(): Promise<void> {
  if (isAsked) {
    isAskedAgain = true;  // the answer on its way may be older than the reason to ask
    return;
  }
  isAsked = true;
  try {
    status.value = await get<Status>('/status');
    showFavicon(status.value.alerts.open > 0);
    waitingSince = status.value.notices.waiting > 0 ? waitingSince ?? Date.now() : null;
    areNoticesLate.value = waitingSince !== null && Date.now() - waitingSince >= kLateMs;
  } catch {
    // The header says that there is no connection; the last state stays.
  }
  isAsked = false;
  if (!isAskedAgain) return;
  isAskedAgain = false;
  await loadStatus();
}

export async function loadPages(): Promise<void> {
  try {
    pages.value = (await get<{ pages: PageName[] }>('/pages')).pages;
  } catch {
    // The destinations that are always there remain.
  }
}

function hearAlerts(alerts: AlertItem[]): void {
  alertChanges.value += 1;
  void loadStatus();
  const newest = alerts.filter((alert) => alert.state === 'firing').pop();
  if (newest) announce(newest.text);
}

// From login to logout; returns how to end it.
export function startStore(): () => void {
  void loadStatus();
  void loadPages();
  const timer = setInterval(() => { if (!document.hidden) void loadStatus(); }, kStatusEveryMs);
  const again = () => {
    alertChanges.value += 1;
    void loadStatus();
  };
  const alerts: Subscription = live.subscribe({ alerts: true }, {
    onAlerts: hearAlerts,
    onSubscribed: again,
    onReset: () => alerts.restart(null),
  });
  return () => {
    clearInterval(timer);
    alerts.close();
    status.value = null;
    pages.value = [];
    showFavicon(false);
  };
}
