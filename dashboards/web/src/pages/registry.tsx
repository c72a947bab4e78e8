import type { Params } from '../router';
import { Page } from '../shell';

export function Registry(_: { params: Params }) {
  return <Page title="Registry"><p class="soft">Not built yet.</p></Page>;
}
