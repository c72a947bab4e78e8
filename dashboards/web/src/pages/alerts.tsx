import type { Params } from '../router';
import { Page } from '../shell';

export function Alerts(_: { params: Params }) {
  return <Page title="Alerts"><p class="soft">Not built yet.</p></Page>;
}

export function Alert(_: { params: Params }) {
  return <Page title="Alert"><p class="soft">Not built yet.</p></Page>;
}
