/**
 * One peer as the endpoint keeps it: keys made once from the roster, its session, its budgets, and when a HELLO to
 * it is due. Roughly 20 kB each.
 */
import type { Roster, RosterMember } from '../trust/roster.ts';
import { Budget } from './budget.ts';
import { messageAad } from './cose.ts';
import type { Identity, VerifyKey } from './ed25519.ts';
import type { GateTag } from './gate.ts';
import { HexMemo } from './hex.ts';
import { DATA_BUDGET_PER_S, HANDSHAKE_BUDGET_PER_S, UPLINK } from './limits.ts';
import type { Primitives } from './primitives.ts';
import { PeerSession, remeasureMs, type SessionTiming } from './session.ts';

export interface Peer {
  member: RosterMember;
  readonly verifyKey: VerifyKey;
  readonly sendKey: Uint8Array;
  readonly receiveKey: Uint8Array;
  readonly gateTag: GateTag;
  /** External data of what is meant for this peer. */
  readonly aad: Uint8Array;
  readonly session: PeerSession;
  /** The session id and the roster hash of its words, as text. */
  readonly sids: HexMemo;
  readonly rosterHashes: HexMemo;
  readonly dataBudget: Budget;
  readonly handshakeBudget: Budget;
  /** The roster that it showed last, signed; null before its first word. */
  roster: { readonly version: number; readonly hash: string } | null;
  /** Since when a session or a measurement is wanted; the HELLOs grow rarer with it. */
  wantedSinceMs: number;
  /** When a HELLO last went to a session, not just to whoever is there. */
  lastAskedMs: number;
  nextHelloMs: number;
  lastBareReplyMs: number;
}

/** The record of a member; costs about a millisecond for its keys. */
export function createPeer(
  nowMs: number,
  roster: Roster,
  self: RosterMember,
  member: RosterMember,
  identity: Identity,
  timing: SessionTiming,
  primitives: Primitives,
): Peer {
  const shared = identity.agree(member.publicKey);
  const peer: Peer = {
    member,
    verifyKey: primitives.importVerifyKey(member.publicKey),
    sendKey: primitives.gateKey(shared, roster.clusterId, self.kid, member.kid),
    receiveKey: primitives.gateKey(shared, roster.clusterId, member.kid, self.kid),
    gateTag: primitives.gateTag,
    aad: messageAad(roster.clusterId, member.kid),
    session: new PeerSession(timing),
    sids: new HexMemo(),
    rosterHashes: new HexMemo(),
    dataBudget: new Budget(nowMs, DATA_BUDGET_PER_S),
    handshakeBudget: new Budget(nowMs, HANDSHAKE_BUDGET_PER_S),
    roster: null,
    wantedSinceMs: nowMs,
    lastAskedMs: Number.NEGATIVE_INFINITY,
    nextHelloMs: nowMs,
    lastBareReplyMs: Number.NEGATIVE_INFINITY,
  };
  shared.fill(0);
  return peer;
}

/** The links over which that member can be reached now: it has an address for them, or they are the uplink. */
export function sharedLinks(peer: Peer, present: readonly number[]): readonly number[] {
  return present.filter((link) => leadsTo(link, peer));
}

export function leadsTo(link: number, peer: Peer): boolean {
  return link === UPLINK || link <= peer.member.addresses.length;
}

/** How long after a HELLO the next one goes out while nothing answers. */
function helloPauseMs(nowMs: number, peer: Peer): number {
  const wantedMs = nowMs - peer.wantedSinceMs;
  return wantedMs < 2000 ? 50 : wantedMs < 10_000 ? 200 : 1000;
}

/** New candidates are asked at once, but not more often than this. */
const CANDIDATE_PAUSE_MS = 10;

/** Whom a HELLO is due to now: sessions by sid, null for "whoever is there". */
export function helloTargets(nowMs: number, peer: Peer, timing: SessionTiming): readonly (string | null)[] {
  const { session } = peer;
  if (session.sid === null) return session.candidates.length > 0 ? session.candidates : [null];
  const targets: string[] = [];
  if (nowMs >= (session.measuredMs ?? 0) + remeasureMs(timing)) targets.push(session.sid);
  if (nowMs >= (session.yieldsAtMs ?? 0)) targets.push(...session.candidates);
  return targets;
}

/** Notes that the due HELLOs went out. */
export function helloSent(nowMs: number, peer: Peer, targets: readonly (string | null)[]): void {
  if (!targets.includes(null)) peer.lastAskedMs = nowMs;
  peer.nextHelloMs = nowMs + helloPauseMs(nowMs, peer);
}

/** After a session was accepted or measured: the next HELLO is the next measurement. */
export function sessionMeasured(nowMs: number, peer: Peer, timing: SessionTiming): void {
  // Where the older measurement was the better one it stays in force, and the next one is not wanted at once.
  const pauseMs = remeasureMs(timing);
  peer.wantedSinceMs = Math.max((peer.session.measuredMs ?? nowMs) + pauseMs, nowMs + pauseMs / 2);
  peer.nextHelloMs = peer.wantedSinceMs;
}

/** After something new was learnt: HELLOs that are due for it go out soon. */
export function helloSoon(nowMs: number, peer: Peer): void {
  if (peer.wantedSinceMs > nowMs) peer.wantedSinceMs = nowMs;
  const atMs = Math.max(nowMs, peer.lastAskedMs + CANDIDATE_PAUSE_MS, peer.session.yieldsAtMs ?? 0);
  peer.nextHelloMs = Math.min(peer.nextHelloMs, atMs);
}
