/**
 * How long nobody serves, at most: the formulas of spec/timing.md as code. `check` prints them for a configuration,
 * the simulator holds its maxima to them. The state machine itself uses nothing of this.
 */
import type { ServiceConfig, Timing } from './basics.ts';
import { listening } from './listening.ts';
import { objectionMs, probeMs } from './trips.ts';

/** What a takeover takes beside the configured times: assumptions about the network, the kernel and the procedures. */
export interface StepTimes {
  /** A word's way from one host's step to the other's, at most. */
  readonly delayMs: number;
  /** A question and its answer between two hosts, as measured before the fault (R28); null: nothing was measured. */
  readonly tripMs: number | null;
  /** How late a host's loop serves a deadline, at most. */
  readonly lateMs: number;
  /** From a carrier's loss until the kernel has told of it. */
  readonly linkEventMs: number;
  /** From the order to the gate until it was read back. */
  readonly gateMs: number;
  readonly activateUplinkMs: number;
  /** checkUplink, answered. */
  readonly checkUplinkMs: number;
  readonly activateServiceMs: number;
  readonly checkServiceLocalMs: number;
  /** The same when somebody has changed the host's rules since: they are read back. */
  readonly rereadMs: number;
  /** checkDownlink, answered. */
  readonly checkDownlinkMs: number;
  /** A test that nobody answers. */
  readonly unansweredMs: number;
  /** A round of address probes that nobody answers. */
  readonly addressRoundMs: number;
  /** Service off and uplink down, both read back. */
  readonly deactivateMs: number;
}

/** The built-in procedures on a quick uplink: what the lab sees, rounded up; and what the probes' times make of it. */
export function usualSteps(timing: Timing): StepTimes {
  const roundMs = timing.probes * timing.probeTimeoutMs;
  return {
    delayMs: 1,
    tripMs: 2,
    lateMs: 2,
    linkEventMs: 5,
    gateMs: 2,
    activateUplinkMs: 10,
    checkUplinkMs: 5,
    activateServiceMs: 8,
    checkServiceLocalMs: 5,
    rereadMs: 40,
    checkDownlinkMs: 2,
    unansweredMs: 2 * roundMs,
    addressRoundMs: roundMs,
    deactivateMs: 30,
  };
}

export const FAULTS = [
  'power', // both links dark at once
  'kill', // kill -9 or a hang: the kernel goes on until the lease ends
  'downlink-cut', // the master sees it and releases; nobody hears that
  'downlink-mute', // the carrier stays
  'uplink-cut',
  'uplink-mute',
  'service', // the master's own check sees it
  'disputed', // only a backup's check sees it
  'handover', // planned; a stop is the same
  'release-lost', // as service, and all three RELEASED are lost
  'handover-lost', // as handover, and all three RELEASED are lost
  'successor-failed', // as power, and the first successor's uplink is dead
  'attacker', // as power, and somebody answers for the roving addresses
  'bootstrap', // all hosts start at once
] as const;
export type Fault = (typeof FAULTS)[number];

/** Milliseconds without service. `median`: over the fault's phase, every other term as long as in `worst`. */
export interface Bound {
  readonly worstMs: number;
  readonly medianMs: number;
}
export type Bounds = { readonly [F in Fault]: Bound };

/**
 * The longest outage for each fault. `rank`: how many fit hosts stand before the successor in the table and are gone
 * too. `drift`: how far each clock may be off; 0 for right clocks.
 */
export function takeoverBounds(
  timing: Timing,
  service: Pick<ServiceConfig, 'policy' | 'checkIntervalMs' | 'fall' | 'uplinkLimitMs' | 'preparesEarly'>,
  steps: StepTimes = usualSteps(timing),
  rank = 0,
  drift = 0,
): Bounds {
  const t = slowed(timing, drift);
  const checkMs = service.checkIntervalMs / (1 - drift);
  const p = phases(t, service, steps, rank);
  const s = steps;
  const { delayMs, lateMs, gateMs } = steps;
  const half = t.intervalMs / 2;
  const bound = (worstMs: number, phaseMs: number): Bound => ({ worstMs, medianMs: worstMs - phaseMs });

  const power = p.claimMs + p.grantedMs + p.finishMs;
  // The gate stands open for a lease from the last renewal: half an interval ago at most; under quorum the last round
  // may be unanswered yet.
  const ageMs = lateMs + (service.policy === 'quorum' ? t.intervalMs : half);
  const shortestLeaseMs = timing.leaseMs / (1 + drift) - ageMs;
  const quietRoundsMs = 2 * s.addressRoundMs + t.probeTimeoutMs + 2 * lateMs;
  const answeredUntilShut = p.preparedAfterMs(quietRoundsMs) + gateMs;
  const kill = Math.max(p.claimAliveMs + p.grantedMs + p.finishMs - shortestLeaseMs, answeredUntilShut);

  const detectedMs = checkMs + lateMs + service.fall * s.rereadMs;
  const lentMs = timing.leaseMs / (1 + drift) - t.intervalMs - 2 * delayMs - gateMs;
  const lapsesMs = lentMs < SHORTEST_GATE_MS + delayMs + gateMs ? 2 * delayMs + gateMs : 0;
  const gap = gateMs + delayMs + gateMs + lapsesMs;
  const planned = delayMs + p.raiseMs + p.prepareMs + delayMs + gap;

  const listeningMs = p.claimMs + p.grantedMs + p.raiseMs;
  const listeningAliveMs = p.claimAliveMs + p.grantedMs + p.raiseMs;
  const letGoMs = 2 * delayMs + 2 * s.unansweredMs + gateMs;
  const mute = listeningMs + p.preparedAfterMs(Math.max(p.windowMs, letGoMs + quietRoundsMs)) + gateMs;

  const remoteMs = Math.ceil((2 * s.unansweredMs) / checkMs) * checkMs;
  const disputed = 2 * service.fall * Math.max(checkMs, remoteMs) + 2 * s.unansweredMs + lateMs + delayMs;
  const failed = p.grantedMs + s.activateUplinkMs + service.uplinkLimitMs / (1 - drift) + lateMs + gateMs;
  const listenMs = Math.max(t.promiseMs, 2 * t.intervalMs + t.probes * t.probeTimeoutMs) + lateMs;
  return {
    power: bound(power, half),
    kill: {
      worstMs: kill,
      medianMs: Math.max(kill - (service.policy === 'quorum' ? 1 : 0.75) * t.intervalMs, answeredUntilShut),
    },
    'downlink-cut': bound(power, half),
    'downlink-mute': bound(service.policy === 'quorum' ? power : mute, half),
    'uplink-cut': bound(s.linkEventMs + s.unansweredMs + lateMs + planned, 0),
    'uplink-mute': bound(checkMs + lateMs + service.fall * s.unansweredMs + planned, checkMs / 2),
    service: bound(detectedMs + p.releasedMs, checkMs / 2 + p.releasedMs - p.orderlyMs),
    disputed: bound(disputed + planned, checkMs / 2),
    handover: bound(gap, 0),
    // Tests are due with adverts (R7): when one fails, the last advert is always as old.
    'release-lost': bound(detectedMs + gateMs + power, checkMs / 2),
    'handover-lost': bound(
      2 * (t.promiseMs + lateMs) + gateMs + s.deactivateMs + p.probedMs + t.slotMs + p.grantedMs + p.finishMs,
      half,
    ),
    'successor-failed': bound(power + failed + delayMs + t.slotMs + lateMs, half),
    attacker: bound(listeningAliveMs + p.preparedAfterMs(p.windowMs + t.promiseMs + lateMs) + gateMs, half),
    bootstrap: bound(
      gateMs +
        s.deactivateMs +
        s.checkDownlinkMs +
        listenMs +
        p.probedMs +
        rank * t.intervalMs +
        p.grantedMs +
        p.finishMs,
      0,
    ),
  };
}

/** The kernel's gate is not opened for less (spec/procedures.md). */
const SHORTEST_GATE_MS = 10;

/** The times as a clock that is slow by `drift` lets them pass. */
function slowed(timing: Timing, drift: number): Timing {
  const entries = Object.entries(timing).map(([key, ms]) => [key, key === 'probes' ? ms : ms / (1 - drift)]);
  return Object.fromEntries(entries) as Timing;
}

/** The parts that the formulas are made of, each in milliseconds; `claim` counts from the fault. */
function phases(
  t: Timing,
  { policy, preparesEarly }: Pick<ServiceConfig, 'policy' | 'preparesEarly'>,
  s: StepTimes,
  rank: number,
) {
  const { delayMs, lateMs, gateMs } = s;
  const silentMs = delayMs + t.intervalMs + t.slackMs + lateMs;
  const probedMs = Math.max(t.probes * (probeMs(t, s.tripMs) + lateMs), 2 * s.checkDownlinkMs);
  const slotsMs = rank === 0 ? 0 : rank * t.slotMs + lateMs;
  const freeMs = t.promiseMs + delayMs + lateMs;
  const suspectedMs = silentMs + probedMs + slotsMs;
  const claimAliveMs = Math.max(silentMs + probedMs, freeMs) + slotsMs;
  // Another voter may have heard the last advert a delay later, and then tells the rest of its promise.
  const grantedMs = policy === 'available' ? objectionMs(t, s.tripMs) + lateMs : 3 * delayMs + 1 + lateMs;
  // At another voter RELEASED may come after CLAIM, or before the last STATUS, which binds again: until the next copies.
  const grantedAtOnceMs =
    policy === 'available' ? grantedMs : Math.max(grantedMs, 2 * (t.probeTimeoutMs + lateMs) + 3 * delayMs);
  const raiseMs = s.activateUplinkMs + s.checkUplinkMs;
  const { windowMs: listenMs, askMs } = listening(t, policy);
  const windowMs = Math.max(listenMs, Math.min(s.addressRoundMs, t.probes * askMs)) + lateMs;
  const prepareMs = s.activateServiceMs + s.checkServiceLocalMs;
  /** From the next hop's answer until the service is prepared and that long a wait for answers is over. */
  const preparedAfterMs = (waitMs: number): number =>
    preparesEarly ? Math.max(waitMs, prepareMs) : waitMs + prepareMs;
  const finishMs = raiseMs + preparedAfterMs(windowMs) + gateMs;
  const afterReleaseMs = gateMs + delayMs + 2 * s.checkDownlinkMs + slotsMs + finishMs;
  return {
    probedMs,
    /** Nobody answers any more. */
    claimMs: policy === 'available' ? suspectedMs : claimAliveMs,
    /** The promise must run out first: voters are bound by it, unsigned answers delay by it. */
    claimAliveMs,
    grantedMs,
    raiseMs,
    windowMs,
    prepareMs,
    preparedAfterMs,
    finishMs,
    /** From the order to shut, RELEASED being heard. */
    releasedMs: afterReleaseMs + grantedAtOnceMs,
    /** The same when no word overtakes another. */
    orderlyMs: afterReleaseMs + grantedMs,
  };
}
