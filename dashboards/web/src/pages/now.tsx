import type { Params } from '../router';
import { Page } from '../shell';

export function Now(_: { params: Params }) {
  return <Page title="Now"><p class="soft">Not built yet.</p></Page>;
}
