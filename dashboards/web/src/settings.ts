// What a person chose in this browser, besides the theme.
import { createSetting } from './store';

export const zone = createSetting('clock', ['local', 'utc'] as const);
export const refresh = createSetting('refresh', ['live', '10 s', '60 s', 'off'] as const);
export const singleKeys = createSetting('keys', ['on', 'off'] as const);

export const RANGES = ['1h', '24h', '48h', '7d', '28d'] as const;
