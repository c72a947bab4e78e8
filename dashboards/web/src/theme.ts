// Theme: auto, light or dark, kept in this browser.
import { createSetting } from './store';

export const THEMES = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

export const theme = createSetting<Theme>('theme', THEMES);


export function applyTheme(t: Theme): void {
  const root = document.documentElement;
  if (t === 'auto') root.removeAttribute('data-theme');
  else root.setAttribute('data-theme', t);
}

export function watchTheme(): void {
  theme.subscribe(() => applyTheme(theme.get()));
}

// Calls `redraw` whenever colours changed, by choice or by the system.
export function onColours(redraw: () => void): () => void {
  const query = matchMedia('(prefers-color-scheme: dark)');
  const off = theme.subscribe(redraw);
  query.addEventListener('change', redraw);
  return () => {
    off();
    query.removeEventListener('change', redraw);
  };
}

export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
