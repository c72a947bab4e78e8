// Where a host stands among those at home: figures beside those of registered servers.
import { useGet } from '../api';
import { Loaded } from '../state';
import type { HostRow, Rows } from '../types';
import { count, RATED } from '../words';
import { addressOfSubject } from './desk';

type Measure = 'sessions' | 'rcpt_offered' | 'rcpt_unknown' | 'organisations' | 'ordinary';

const MEASURES: readonly (readonly [Measure, string])[] = [
  ['sessions', 'Connections'], ['rcpt_offered', 'Recipients offered'], ['rcpt_unknown', 'Unknown users'],
  ['organisations', 'New organisations'], ['ordinary', 'Ordinary-looking mail in a week'],
];

// The value that a share p of them do not exceed; of none: null.
export function quantile(values: number[], p: number): number | null {
  const all = [...values].sort((a, b) => a - b);
  return all.length === 0 ? null : all[Math.max(0, Math.ceil(p * all.length) - 1)]!;
}

// How many of the others are below it.
export function below(values: number[], own: number): number {
  return values.filter((v) => v < own).length;
}

export function Peers({ address }: { address: string }) {
  const got = useGet<Rows<HostRow>>('/hosts', { limit: 500 });
  return (
    <Loaded of={got} what="the other hosts" rows={3}>
      {(data) => {
        const home = data.rows.filter((h) => h.home);
        const mine = home.find((h) => addressOfSubject(h.host) === address);
        const others = home.filter((h) => h !== mine);
        if (!mine) return <p class="none">It is not among the {count(home.length)} hosts at home that are listed, so it is not compared.</p>;
        const registered = others.filter((h) => h.registered === 'registered');
        return (
          <>
            <div class="scroll" tabIndex={0} role="region" aria-label="Compared with other hosts">
              <table>
                <thead><tr><th scope="col">Figure</th><th scope="col" class="n">This host</th><th scope="col">More than</th><th scope="col" class="n">Median of all</th><th scope="col" class="n">99 % of registered are at most</th></tr></thead>
                <tbody>{MEASURES.map(([key, label]) => <Row key={key} label={label} own={mine[key]} all={valuesOf(others, key)} peers={valuesOf(registered, key)} />)}</tbody>
              </table>
            </div>
            <p class="soft">{data.total !== undefined && data.total > data.rows.length ? `Of the ${count(data.rows.length)} hosts seen last. ` : ''}Of fewer than {RATED} hosts no share is told.</p>
          </>
        );
      }}
    </Loaded>
  );
}

function valuesOf(rows: HostRow[], key: Measure): number[] {
  return rows.map((h) => h[key]).filter((v): v is number => v !== null);
}

function Row({ label, own, all, peers }: { label: string; own: number | null; all: number[]; peers: number[] }) {
  return (
    <tr>
      <th scope="row">{label}</th>
      <td class="n">{own === null ? 'not observable' : count(own)}</td>
      <td>{own === null ? '–' : <>{count(below(all, own))} of {count(all.length)} others{all.length >= RATED && ` (${Math.round((100 * below(all, own)) / all.length)} %)`} <Position own={own} all={all} /></>}</td>
      <td class="n">{count(quantile(all, 0.5))}</td>
      <td class="n">{peers.length < RATED ? <span class="none">n = {peers.length}: not rated</span> : count(quantile(peers, 0.99))}</td>
    </tr>
  );
}

// The curve of all and where this one stands; the row says the same in figures.
function Position({ own, all }: { own: number; all: number[] }) {
  if (all.length < 2) return null;
  const sorted = [...all].sort((a, b) => a - b);
  const top = Math.log1p(Math.max(own, sorted[sorted.length - 1]!)) || 1;
  const x = (v: number) => 2 + (Math.log1p(v) / top) * 96;
  const y = (i: number) => 22 - (i / sorted.length) * 20;
  const d = sorted.map((v, i) => `${i === 0 ? `M2 22H${x(v)}` : `H${x(v)}`}V${y(i + 1)}`).join('') + 'H98';
  return <svg class="ecdf" viewBox="0 0 100 24" width="100" height="24" aria-hidden="true" focusable="false"><path d={d} /><line x1={x(own)} x2={x(own)} y1="0" y2="24" /></svg>;
}
