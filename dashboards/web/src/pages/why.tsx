import type { Params } from '../router';
import { Page } from '../shell';

export function Why(_: { params: Params }) {
  return <Page title="Why"><p class="soft">Not built yet.</p></Page>;
}
