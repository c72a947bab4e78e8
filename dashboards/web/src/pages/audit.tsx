import type { Params } from '../router';
import { Page } from '../shell';

export function Audit(_: { params: Params }) {
  return <Page title="Audit"><p class="soft">Not built yet.</p></Page>;
}
