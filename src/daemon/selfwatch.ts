/**
 * Watches this process and its peers for what the core cannot see: stalls of the event loop longer than the lease
 * allows for, a loop that is too late for the interval, peers with another roster, a second process in a peer's name. Raises alarms, decides nothing.
 */
import type { Timing } from '../core/basics.ts';
import type { Endpoint } from '../wire/endpoint.ts';
import { DUPLICATE_MS } from '../wire/limits.ts';
import type { Alarms } from './alarms.ts';
import { fullTiming } from './config/timing.ts';
import { Jitter, patienceMs } from './jitter.ts';
import { type LoopStatus, LoopWatch } from './loopwatch.ts';

const LOOK_MS = 1000;
/** A stall is told for so long after it happened. */
const STALL_SHOWN_MS = 60_000;

export interface SelfWatchOptions {
  readonly endpoint: Endpoint;
  readonly alarms: Alarms;
  readonly nowMs: () => number;
  /** With `timing.stall`; asked each time, since a reload may change it. */
  readonly timing: () => Timing & { readonly stallMs: number };
}

export interface SelfWatch {
  /** How well the loop of this process turned of late. */
  loop(): LoopStatus;
  /** A timer of this process ended so much too late, in milliseconds. */
  late(ms: number): void;
  stop(): void;
}

/** Begins to watch. */
export function watchSelf(options: SelfWatchOptions): SelfWatch {
  const loop = new LoopWatch();
  const jitter = new Jitter();
  let stalledAtMs = Number.NEGATIVE_INFINITY;
  const timer = setInterval(() => {
    const { alarms } = options;
    const nowMs = options.nowMs();
    const timing = options.timing();
    const { stallMs: allowedMs } = timing;
    const worstMs = Math.round(loop.look());
    if (worstMs > allowedMs) {
      stalledAtMs = nowMs;
      const detail = `this process was kept from running for more than ${allowedMs} ms; is the host overloaded?`;
      alarms.set('stall', null, true, detail);
    } else if (nowMs - stalledAtMs > STALL_SHOWN_MS) alarms.set('stall', null, false, '');
    const unpunctual = jitter.second(worstMs, timing, defaultPatienceMs);
    alarms.set('jitter', null, unpunctual !== null, unpunctual ?? '');
    watchPeers(options, nowMs);
  }, LOOK_MS);
  timer.unref();
  return {
    loop: () => loop.status(),
    late: (ms) => loop.late(ms),
    stop: () => {
      clearInterval(timer);
      loop.stop();
    },
  };
}

/** Of another interval, all else by default. */
function defaultPatienceMs(intervalMs: number): number {
  return patienceMs(fullTiming({ interval: intervalMs } as Parameters<typeof fullTiming>[0]));
}

function watchPeers({ endpoint, alarms }: SelfWatchOptions, nowMs: number): void {
  const peers = endpoint.peers();
  const differing = peers
    .filter((peer) => peer.rosterDiffers)
    .map((peer) => `${peer.host} (version ${peer.rosterVersion})`);
  alarms.set(
    'roster-differs',
    null,
    differing.length > 0,
    `another roster than ours: ${differing.join(', ')}`,
  );
  const doubled = peers.filter(
    (peer) => peer.duplicateMs !== null && nowMs - peer.duplicateMs < DUPLICATE_MS,
  );
  const names = doubled.map((peer) => peer.host).join(', ');
  alarms.set(
    'duplicate-host',
    null,
    doubled.length > 0,
    `two processes speak in the name of ${names}, whose grants do not count meanwhile: was its key or machine copied?`,
  );
}
