// What happens if we switch it on? The studies that were run, with their reports.
import { addressOf, useGet } from '../api';
import type { Params } from '../router';
import { Page } from '../shell';
import { Empty, Loaded } from '../state';
import { Table, type Column } from '../table';
import { Wire, type WireText } from '../wire';
import { bytes, Time } from '../words';

interface StudyFile {
  name: string;
  bytes?: number;
  made?: string;
}

interface StudyRow {
  name: string;
  title?: WireText;
  from?: string;
  to?: string;
  made?: string;
  modified?: string;
  bytes?: number;
  size?: number;
  files?: (StudyFile | string)[];
}

const WHAT: Record<string, string> = { html: 'Report', json: 'Results', csv: 'Table', yaml: 'Plan', txt: 'Text' };

function fileHref(name: string): string {
  return addressOf(`/studies/${encodeURIComponent(name)}`);
}

function FileLinks({ row }: { row: StudyRow }) {
  const files = (row.files ?? [row.name]).map((f) => (typeof f === 'string' ? f : f.name));
  return (
    <>
      {files.map((name, i) => (
        <span key={name}>{i > 0 && ' · '}
          <a href={fileHref(files.length === 1 || name.startsWith(row.name) ? name : `${row.name}/${name}`)} download={name}>{WHAT[name.split('.').pop() ?? ''] ?? 'File'}</a> <Wire value={name} />
        </span>
      ))}
    </>
  );
}

const COLUMNS: Column<StudyRow>[] = [
  { id: 'name', head: 'Study', cell: (r) => <Wire value={r.title ?? r.name} prose />, sortBy: (r) => r.name },
  { id: 'window', head: 'Window', tight: true, cell: (r) => (r.from || r.to ? <><Time value={r.from} /> to <Time value={r.to} /></> : '–') },
  { id: 'made', head: 'Made', tight: true, cell: (r) => <Time value={r.made ?? r.modified} />, sortBy: (r) => r.made ?? r.modified },
  { id: 'size', head: 'Size', num: true, cell: (r) => bytes(r.bytes ?? r.size), sortBy: (r) => r.bytes ?? r.size },
  { id: 'files', head: 'Files', cell: (r) => <FileLinks row={r} /> },
];

export function Study(_: { params: Params }) {
  const got = useGet<{ rows?: StudyRow[] } | StudyRow[]>('/studies');
  return (
    <Page title="Study" question="What happens if we switch it on?">
      <Loaded of={got} what="studies">
        {(data) => {
          const rows = Array.isArray(data) ? data : data.rows ?? [];
          if (rows.length > 0) return <Table caption="Studies" columns={COLUMNS} rows={rows} keyOf={(r) => r.name} />;
          return (
            <Empty title="No study yet.">
              <p>A study replays the policy on at least 14 days of what was recorded, and says who would have been stopped. Run one beside the sensor:</p>
              <pre>span25 study run --from 2026-10-26 --to 2026-11-23 -o report.html</pre>
              <p>What lies in the folder studies/ of the state is listed here.</p>
            </Empty>
          );
        }}
      </Loaded>
      <p class="soft">A report is one file without any script. It is downloaded, so that it can be read, printed, mailed and kept.</p>
    </Page>
  );
}
