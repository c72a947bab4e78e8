import type { Params } from '../router';
import { Page } from '../shell';

export function Hosts(_: { params: Params }) {
  return <Page title="Hosts"><p class="soft">Not built yet.</p></Page>;
}

export function Host(_: { params: Params }) {
  return <Page title="Host"><p class="soft">Not built yet.</p></Page>;
}
