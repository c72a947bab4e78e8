import type { Params } from '../router';
import { Page } from '../shell';

export function Sensor(_: { params: Params }) {
  return <Page title="Sensor"><p class="soft">Not built yet.</p></Page>;
}
