import type { Params } from '../router';
import { Page } from '../shell';

export function Blocking(_: { params: Params }) {
  return <Page title="Blocking"><p class="soft">Not built yet.</p></Page>;
}
