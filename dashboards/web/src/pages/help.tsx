import type { Params } from '../router';
import { Page } from '../shell';

export function Help(_: { params: Params }) {
  return <Page title="Help"><p class="soft">Not built yet.</p></Page>;
}
