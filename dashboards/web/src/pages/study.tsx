import type { Params } from '../router';
import { Page } from '../shell';

export function Study(_: { params: Params }) {
  return <Page title="Study"><p class="soft">Not built yet.</p></Page>;
}
