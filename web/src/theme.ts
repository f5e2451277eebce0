// Runs before the first paint, so that a page chosen dark never flashes white. No import: it is
// loaded as a plain script.
try {
  const chosen = localStorage.getItem('theme');
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset['theme'] = chosen;
} catch {
  // A browser that keeps nothing for us: the system's choice holds.
}
