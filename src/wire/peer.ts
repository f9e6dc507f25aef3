/**
 * One peer as the endpoint keeps it: keys made once from the roster, its session, its budgets, and when a HELLO to
 * it is due. Roughly 20 kB each.
 */
import type { RosterMember } from '../trust/roster.ts';
import { Budget } from './budget.ts';
import { messageAad } from './cose.ts';
import type { Identity, VerifyKey } from './ed25519.ts';
import type { GateTag } from './gate.ts';
import { hex } from './hex.ts';
import { DATA_BUDGET_PER_S, HANDSHAKE_BUDGET_PER_S, ROSTER_ASKS_PER_S, UPLINK } from './limits.ts';
import type { Primitives } from './primitives.ts';
import { PeerSession } from './session.ts';
import { remeasureMs, type SessionTiming, SOONER } from './session-timing.ts';

/** One public key of a peer, and all that is derived from it and our own. */
export interface PeerKey {
  /** Hex. */
  readonly kid: string;
  readonly verifyKey: VerifyKey;
  readonly sendKey: Uint8Array;
  readonly receiveKey: Uint8Array;
  /** External data of what is meant for this peer. */
  readonly aad: Uint8Array;
}

export interface Peer {
  member: RosterMember;
  /** One; two while they are exchanged. */
  keys: readonly PeerKey[];
  /** The one that its accepted session uses. */
  key: PeerKey;
  readonly gateTag: GateTag;
  readonly session: PeerSession;
  readonly dataBudget: Budget;
  readonly handshakeBudget: Budget;
  readonly rosterBudget: Budget;
  /** Its last question about a roster: a copy over another link is not answered again. */
  lastAsked: { readonly sid: string; readonly seq: number } | null;
  /** The roster that it showed last, signed; null before its first word. */
  roster: { readonly version: number; readonly hash: string } | null;
  /** When the clocks are to be measured anew. */
  measureAtMs: number;
  /** Since when a session or a measurement is wanted; the HELLOs grow rarer with it. */
  wantedSinceMs: number;
  /** When a HELLO last went to a session, not just to whoever is there. */
  lastAskedMs: number;
  /** How long after that new candidates wait. */
  candidatePauseMs: number;
  nextHelloMs: number;
  lastBareReplyMs: number;
  /** When a word of it last came over the uplink, and when an advert last went there to it. */
  uplinkHeardMs: number;
  uplinkToldMs: number;
}

/** What the keys of a peer are made of. */
export interface KeyMaker {
  readonly clusterId: Uint8Array;
  readonly ownKid: Uint8Array;
  readonly identity: Identity;
  readonly primitives: Primitives;
}

/** The keys of a member, the newest first; those in `known` are not made again: each costs about a millisecond. */
export function keysOf(member: RosterMember, maker: KeyMaker, known: readonly PeerKey[] = []): PeerKey[] {
  const make = (publicKey: Uint8Array, kid: Uint8Array): PeerKey =>
    known.find((key) => key.kid === hex(kid)) ?? createKey(publicKey, kid, maker);
  const newest = make(member.publicKey, member.kid);
  if (member.oldKey === null || member.oldKid === null) return [newest];
  return [newest, make(member.oldKey, member.oldKid)];
}

function createKey(publicKey: Uint8Array, kid: Uint8Array, maker: KeyMaker): PeerKey {
  const { clusterId, ownKid, identity, primitives } = maker;
  const shared = identity.agree(publicKey);
  const key: PeerKey = {
    kid: hex(kid),
    verifyKey: primitives.importVerifyKey(publicKey),
    sendKey: primitives.gateKey(shared, clusterId, ownKid, kid),
    receiveKey: primitives.gateKey(shared, clusterId, kid, ownKid),
    aad: messageAad(clusterId, kid),
  };
  shared.fill(0);
  return key;
}

/** The record of a member. */
export function createPeer(
  nowMs: number,
  member: RosterMember,
  maker: KeyMaker,
  timing: SessionTiming,
): Peer {
  const keys = keysOf(member, maker);
  const [key] = keys;
  if (key === undefined) throw new RangeError('a member has a key');
  return {
    member,
    keys,
    key,
    gateTag: maker.primitives.gateTag,
    session: new PeerSession(timing),
    dataBudget: new Budget(nowMs, DATA_BUDGET_PER_S),
    handshakeBudget: new Budget(nowMs, HANDSHAKE_BUDGET_PER_S),
    rosterBudget: new Budget(nowMs, ROSTER_ASKS_PER_S),
    lastAsked: null,
    roster: null,
    measureAtMs: nowMs,
    wantedSinceMs: nowMs,
    lastAskedMs: Number.NEGATIVE_INFINITY,
    candidatePauseMs: 0,
    nextHelloMs: nowMs,
    lastBareReplyMs: Number.NEGATIVE_INFINITY,
    uplinkHeardMs: Number.NEGATIVE_INFINITY,
    uplinkToldMs: Number.NEGATIVE_INFINITY,
  };
}

/** The links over which that member can be reached now: it has an address for them, or they are the uplink. */
export function sharedLinks(peer: Peer, present: readonly number[]): readonly number[] {
  return present.filter((link) => link === UPLINK || link <= peer.member.addresses.length);
}

/** P82: an advert goes over the uplink once in so many intervals to a peer that was not heard there for one more. */
const UPLINK_ADVERT_INTERVALS = 5;

/**
 * The links over which an advert to all goes to each of these peers now; null: over all. At rest nobody else has an uplink, and
 * nobody hears what is said there.
 */
export function advertLinks(
  nowMs: number,
  peers: readonly Peer[],
  intervalMs: number,
  present: readonly number[],
): ReadonlyMap<Peer, readonly number[]> | null {
  if (!present.includes(UPLINK)) return null;
  const others = present.filter((link) => link !== UPLINK);
  const linksTo = new Map<Peer, readonly number[]>();
  for (const peer of peers) {
    const isHeard = nowMs - peer.uplinkHeardMs <= (UPLINK_ADVERT_INTERVALS + 1) * intervalMs;
    // An advert may be a little early.
    const isDue = nowMs - peer.uplinkToldMs >= (UPLINK_ADVERT_INTERVALS - 0.5) * intervalMs;
    if (isHeard || isDue) peer.uplinkToldMs = nowMs;
    linksTo.set(peer, isHeard || isDue ? present : others);
  }
  return linksTo;
}

/** How long after a HELLO the next one goes out while nothing answers. */
function helloPauseMs(nowMs: number, peer: Peer): number {
  const wantedMs = nowMs - peer.wantedSinceMs;
  return wantedMs < 2000 ? 50 : wantedMs < 10_000 ? 200 : 1000;
}

/**
 * New candidates are asked at once, but not more often than this, give or take a half: two hosts that asked in step would, in a flood
 * of old words, always speak at the same moment of the other's pause, and be displaced before its end each time.
 */
const CANDIDATE_PAUSE_MS = 10;

/** Whom a HELLO is due to now: sessions by sid, null for "whoever is there". */
export function helloTargets(nowMs: number, peer: Peer): readonly (string | null)[] {
  const { session } = peer;
  if (session.sid === null) return session.candidates.length > 0 ? session.candidates : [null];
  const targets: string[] = [];
  if (nowMs >= peer.measureAtMs) targets.push(session.sid);
  if (nowMs >= (session.yieldsAtMs ?? 0)) targets.push(...session.candidates);
  return targets;
}

/** Notes that the due HELLOs went out. `chance` in [0, 1). */
export function helloSent(
  nowMs: number,
  peer: Peer,
  targets: readonly (string | null)[],
  chance: number,
): void {
  if (!targets.includes(null)) {
    peer.lastAskedMs = nowMs;
    peer.candidatePauseMs = CANDIDATE_PAUSE_MS * (0.5 + chance);
  }
  peer.nextHelloMs = nowMs + helloPauseMs(nowMs, peer);
}

/** Of the time between two measurements: so much longer the second host of a pair waits for the first one's question (P20). */
const SECOND_WAITS = 1 / 8;

/**
 * After a session was accepted or measured: the next HELLO is the next measurement. One exchange measures for both: were both to
 * ask, they would do so in the same moment for ever.
 */
export function sessionMeasured(nowMs: number, peer: Peer, ownKid: string): void {
  // Where the older measurement was the better one it stays in force, and the next one is not wanted at once.
  const { pauseMs, measuredMs } = peer.session;
  const waitsMs = peer.key.kid < ownKid ? SECOND_WAITS * pauseMs : 0;
  measureAt(peer, Math.max((measuredMs ?? nowMs) + pauseMs, nowMs + pauseMs / 2) + waitsMs);
}

/** The clocks are to be measured anew then. */
export function measureAt(peer: Peer, atMs: number): void {
  peer.measureAtMs = atMs;
  peer.wantedSinceMs = atMs;
  peer.nextHelloMs = atMs;
}

/**
 * A word of its session was too old: it was held back, or one of the two clocks stood still (a paused machine), and whoever it is
 * would not be understood until the next measurement. So that comes at once, if the last question was long enough ago.
 */
export function clocksDoubted(nowMs: number, peer: Peer, timing: SessionTiming): void {
  if (nowMs >= peer.lastAskedMs + SOONER * remeasureMs(timing)) measureAt(peer, nowMs);
}

/** After something new was learnt: HELLOs that are due for it go out soon. */
export function helloSoon(nowMs: number, peer: Peer): void {
  if (peer.wantedSinceMs > nowMs) peer.wantedSinceMs = nowMs;
  const atMs = Math.max(nowMs, peer.lastAskedMs + peer.candidatePauseMs, peer.session.yieldsAtMs ?? 0);
  peer.nextHelloMs = Math.min(peer.nextHelloMs, atMs);
}
