/**
 * The judge of one blow: from the frames at the switch ports and the instants that the blow's own program took down,
 * never from a host's word about itself. A host that was struck may act until its lease has run out, and not beyond. Once it runs
 * again it may take over again as any other, and its acts after its own CLAIM are no longer those of the host that was struck.
 */
import { actingSpans, type Evidence, judge } from './judge.ts';
import type { Struck } from './strike.ts';

/** By so much the kernel's gate may outlast the right (g of spec/timing.md), and 2 ms for the clocks of two programs. */
export const GRAIN_MS = 8 + 2;
const AROUND_MS = 250;
const WORDS_MAX = 12;

export interface BlowVerdict {
  /** The struck host's last act (an answer or a forwarded datagram delivered), from the blow; null: none after it. */
  readonly lastActMs: number | null;
  /** The same from the last renewal of its lease that its kernel was given; null when it was never seen. */
  readonly leftMs: number | null;
  /** The first act of another host after the blow, from it; null: nobody took over. */
  readonly takeoverMs: number | null;
  readonly overlapMs: number;
  readonly masters: number;
  readonly standbyUplinkPackets: number;
  readonly endMasters: readonly string[];
  readonly problems: readonly string[];
}

/**
 * Judges one blow to `host`, which was woken or started anew at `wokenMs`. `evidence` reaches from before the blow until the
 * cluster is settled again.
 */
export function judgeBlow(evidence: Evidence, host: string, struck: Struck, wokenMs: number): BlowVerdict {
  const { leaseMs } = evidence;
  const claim = evidence.words.find((w) => w.host === host && w.type === 'CLAIM' && w.saidMs > wokenMs);
  const againMs = claim?.saidMs ?? Number.POSITIVE_INFINITY;
  const acting = actingSpans(evidence);
  const verdict = judge(evidence);
  const ends = (acting.get(host) ?? [])
    .filter((span) => span.from < againMs && span.to > struck.atMs)
    .map((span) => span.to);
  const last = ends.length === 0 ? null : Math.max(...ends);
  const firsts = [...acting]
    .filter(([name]) => name !== host)
    .flatMap(([, spans]) => spans.map((span) => span.from))
    .filter((at) => at > struck.atMs);
  const lastActMs = last === null ? null : tenths(last - struck.atMs);
  const leftMs = last === null || struck.lastRenewedMs === null ? null : tenths(last - struck.lastRenewedMs);
  const takeoverMs = firsts.length === 0 ? null : tenths(Math.min(...firsts) - struck.atMs);
  const problems: string[] = [];
  if (lastActMs !== null && lastActMs > leaseMs + GRAIN_MS)
    problems.push(`${host} acted ${lastActMs} ms after the blow, the lease is ${leaseMs} ms`);
  if (leftMs !== null && leftMs > leaseMs + GRAIN_MS)
    problems.push(`${host} acted ${leftMs} ms after its last renewal, the lease is ${leaseMs} ms`);
  if (takeoverMs === null) problems.push('nobody took over');
  if (verdict.overlapMs > 0) problems.push(`two hosts acted for ${verdict.overlapMs} ms`);
  if (verdict.masters > 1)
    problems.push(`${verdict.masters} hosts in Service at once: ${wordsAfter(evidence, struck.atMs)}`);
  if (verdict.standbyUplinkPackets > 0)
    problems.push(
      `standby hosts sent ${verdict.standbyUplinkPackets} frames into the uplink: ${verdict.standbyDetail.join('; ')}`,
    );
  if (verdict.endMasters.length === 0) problems.push('nobody serves at the end');
  const { overlapMs, masters, standbyUplinkPackets, endMasters } = verdict;
  return { lastActMs, leftMs, takeoverMs, overlapMs, masters, standbyUplinkPackets, endMasters, problems };
}

/** The first words after the blow that say whether their host serves, with when they came and, if long before, were made. For people. */
function wordsAfter({ words }: Evidence, atMs: number): string {
  return words
    .filter((word) => word.serving !== null && word.atMs > atMs - AROUND_MS)
    .slice(0, WORDS_MAX)
    .map((word) => {
      const made = word.atMs - word.saidMs > 5 ? `, made at ${tenths(word.saidMs - atMs)}` : '';
      return `${word.host} ${word.type}${word.serving === true ? '' : ' (not)'} at ${tenths(word.atMs - atMs)}${made}`;
    })
    .join('; ');
}

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}
