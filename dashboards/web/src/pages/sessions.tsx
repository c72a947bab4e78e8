import type { Params } from '../router';
import { Page } from '../shell';

export function Sessions(_: { params: Params }) {
  return <Page title="Sessions"><p class="soft">Not built yet.</p></Page>;
}

export function Session(_: { params: Params }) {
  return <Page title="Session"><p class="soft">Not built yet.</p></Page>;
}
