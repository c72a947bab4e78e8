// Before the first paint, so that a chosen theme never flashes. theme.ts keeps what is read here.
try {
  const kept = localStorage.getItem('span25.theme');
  if (kept === 'light' || kept === 'dark') document.documentElement.setAttribute('data-theme', kept);
} catch { /* no storage, no choice */ }
