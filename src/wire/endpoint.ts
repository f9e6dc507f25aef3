/**
 * One host's end of the cluster's conversation, all that the driver uses of the wire: messages in, gated and signed datagrams out;
 * datagrams in, a known member's fresh words out, or a refusal. No I/O, no clock: time, chance and the signing key are handed in.
 */
import type { HostName } from '../core/basics.ts';
import type { Message, MessageType } from '../core/messages.ts';
import type { Roster } from '../trust/roster.ts';
import { sameBytes } from './bytes.ts';
import { type CborValue, encodeCbor } from './cbor.ts';
import {
  decodeRecords,
  encodeRecord,
  isSignedOnce,
  maySay,
  messageType,
  packRecords,
  typeNumber,
} from './codec.ts';
import type { Identity } from './ed25519.ts';
import { Handshaker } from './handshake.ts';
import type { Head, ShownHead } from './head.ts';
import { hex } from './hex.ts';
import { type Opened, openDatagram, refused, signatureHolds } from './inbound.ts';
import {
  DATAGRAM_MAX_BYTES,
  GATE_BYTES,
  PROTOCOL,
  PROTOCOL_LEAST,
  ROSTER_HASH_BYTES,
  UPLINK,
} from './limits.ts';
import { SESSION_TYPES } from './messages.ts';
import { decodeBody, ENVELOPE_OVERHEAD_BYTES, PAYLOAD_OVERHEAD_BYTES, shownIn } from './payload.ts';
import { advertLinks, clocksDoubted, measureAt, type Peer, sharedLinks } from './peer.ts';
import { PeerTable } from './peers.ts';
import { type Primitives, REAL_PRIMITIVES } from './primitives.ts';
import { protocolOf } from './protocol.ts';
import type { PeerStatus, Received } from './received.ts';
import { REJECTION_CODES, type RejectionCode } from './rejection.ts';
import { decodeRosterWord, encodeRosterWord, type RosterWord } from './roster-words.ts';
import type { SessionTiming } from './session-timing.ts';
import { type Outgoing, Speaker } from './speaker.ts';

export type { Identity } from './ed25519.ts';
export type { ShownRoster } from './payload.ts';
export type { HeardHead, PeerStatus, Received } from './received.ts';
export type { RosterWord } from './roster-words.ts';
export type { Outgoing } from './speaker.ts';

export interface EndpointOptions {
  readonly nowMs: number;
  readonly roster: Roster;
  readonly self: HostName;
  readonly identity: Identity;
  /** From the kernel: session ids and nonces hang on it. */
  readonly randomBytes: (length: number) => Uint8Array;
  readonly intervalMs: number;
  /** How far the clocks of `nowMs` may be off in rate. Default 0.1, for slewed ones. */
  readonly maxDrift?: number;
  /** Default max(500 ms, 4 intervals). */
  readonly maxAgeMs?: number;
  readonly links: readonly number[];
  /** Default: the real ones. Others are for the simulator alone. */
  readonly primitives?: Primitives;
  /** Default 0. For tests of a session's end; below 2^48. */
  readonly firstSeq?: number;
  /** The highest protocol number to speak. Default: the highest that this software knows. */
  readonly protocol?: number;
}

const RECORDS_BYTES = DATAGRAM_MAX_BYTES - GATE_BYTES - ENVELOPE_OVERHEAD_BYTES - PAYLOAD_OVERHEAD_BYTES;
/** Not taken from a host in whose name two runs are alive. */
const VOTES: ReadonlySet<MessageType> = new Set<MessageType>(['ACK', 'GRANT']);
/** Of these types only the newest word of each service counts. */
const NEWEST_ONLY: ReadonlySet<MessageType> = new Set<MessageType>(['STATUS', 'REPORT']);

export class Endpoint {
  readonly #timing: SessionTiming;
  readonly #speaker: Speaker;
  readonly #handshaker: Handshaker;
  /** Does not change in a run. */
  readonly #ownKid: string;
  readonly #counters = new Map<RejectionCode, number>(REJECTION_CODES.map((code) => [code, 0]));
  readonly #peers: PeerTable;
  /** As last given: the same list again is no news. */
  #links: readonly number[] = [];

  /** Throws RangeError when the roster has no member `self` with the identity's key. */
  constructor(options: EndpointOptions) {
    const { roster, self, identity, links, randomBytes, intervalMs } = options;
    const { maxDrift = 0.1, maxAgeMs = Math.max(500, 4 * intervalMs) } = options;
    this.#timing = { intervalMs, maxAgeMs, maxDrift };
    const { primitives = REAL_PRIMITIVES, firstSeq = 0, protocol = PROTOCOL } = options;
    this.#speaker = new Speaker(roster, self, identity, links, randomBytes, firstSeq, protocol);
    this.#handshaker = new Handshaker(this.#speaker);
    this.#ownKid = hex(this.#speaker.kid);
    const { clusterId } = roster;
    this.#peers = new PeerTable({ clusterId, ownKid: this.#speaker.kid, identity, primitives }, this.#timing);
    this.#peers.follow(options.nowMs, roster, self);
  }

  get roster(): Roster {
    return this.#speaker.roster;
  }

  /** Whether the roster has this host, under the key that this process speaks with, and its floor lets it take part. */
  get isMember(): boolean {
    return !this.#speaker.isExpelled && this.#speaker.protocol >= this.#speaker.roster.body.floor;
  }

  /** What STATUS and REPORT show of this host's log from now on, and what is held of a peer's. */
  setHeads(own: ShownHead | null, heldOf: (host: HostName) => Head | null): void {
    this.#speaker.head = own;
    this.#speaker.heldOf = heldOf;
  }

  /** The links that are present now; a list that is never changed afterwards. Over a new one the peers are asked at once where their measurement is due. */
  setLinks(nowMs: number, links: readonly number[]): void {
    if (links === this.#links) return;
    this.#links = links;
    const fresh = links.filter((link) => !this.#speaker.links.includes(link));
    this.#speaker.links = [...links];
    if (fresh.length === 0) return;
    for (const peer of this.#peers.all()) {
      if (sharedLinks(peer, fresh).length === 0) continue;
      if (peer.session.sid === null || nowMs >= peer.measureAtMs) measureAt(peer, nowMs);
    }
  }

  /**
   * A newer roster of the same cluster. Members whose key stays keep their session; the others' words end here. One
   * that has this host no more ends nothing on our side: others may not know yet, and we can still tell them.
   */
  setRoster(nowMs: number, roster: Roster): void {
    this.#speaker.setRoster(roster);
    this.#peers.follow(nowMs, roster, this.#speaker.self.name);
  }

  /**
   * Datagrams for these messages: those of one type as records of as few as possible, a copy for each link. STATUS
   * and BYE to all are signed once for each protocol number that is spoken. Hosts without a session are passed over. Throws on a message that is ours
   * and impossible (RangeError).
   */
  seal(nowMs: number, to: HostName | 'all', messages: readonly Message[]): Outgoing[] {
    const targets = this.#targets(to);
    if (targets.length === 0) return [];
    const out: Outgoing[] = [];
    for (const [type, group] of groupBy(messages, ({ type }) => type)) {
      const isOnce = to === 'all' && isSignedOnce(type);
      const isAdvert = isOnce && group.every((one) => one.type === 'STATUS' && one.phase === 'serving');
      for (const [protocol, peers] of groupBy(targets, (peer) => this.#protocolWith(peer.session.sid))) {
        const records = group.map((message) => encodeRecord(message, protocol));
        const linksTo = isAdvert
          ? advertLinks(nowMs, peers, this.#timing.intervalMs, this.#speaker.links)
          : null;
        for (const body of packRecords(records, RECORDS_BYTES)) {
          const once = isOnce ? this.#speaker.envelope(nowMs, typeNumber(type), null, null, body) : null;
          for (const peer of peers) {
            if (once !== null) out.push(...this.#speaker.copies(peer, peer.key, once, linksTo?.get(peer)));
            else out.push(...this.#sealFor(nowMs, peer, typeNumber(type), body));
          }
        }
      }
    }
    return out;
  }

  /** The number in which this host and that run speak: the lower of the two highest. */
  #protocolWith(sid: string | null): number {
    return Math.min(this.#speaker.protocol, sid === null ? PROTOCOL_LEAST : protocolOf(sid));
  }

  /** Datagrams for a word about rosters. Hosts without a session are passed over. */
  sealRoster(nowMs: number, to: HostName | 'all', word: RosterWord): Outgoing[] {
    const body = encodeCbor(encodeRosterWord(word));
    return this.#targets(to).flatMap((peer) => this.#sealFor(nowMs, peer, SESSION_TYPES.ROSTER, body));
  }

  /** Signed for one receiver's present run. */
  #sealFor(nowMs: number, peer: Peer, type: number, body: Uint8Array): Outgoing[] {
    const { key, session } = peer;
    const envelope = this.#speaker.envelope(nowMs, type, { peer, key }, session.sid, body);
    return this.#speaker.copies(peer, key, envelope);
  }

  #targets(to: HostName | 'all'): Peer[] {
    return this.#peers
      .all()
      .filter((peer) => (to === 'all' || peer.member.name === to) && peer.session.sid !== null);
  }

  /** Judges one datagram that arrived on that link. Never throws on account of its bytes. */
  receive(nowMs: number, link: number, datagram: Uint8Array): Received {
    const received = this.#judge(nowMs, link, datagram);
    if (received.kind === 'refused') {
      this.#counters.set(received.code, (this.#counters.get(received.code) ?? 0) + 1);
    }
    return received;
  }

  /** HELLOs that are due. Harmless at any time. */
  tick(nowMs: number): Outgoing[] {
    const out: Outgoing[] = [];
    for (const peer of this.#peers.all())
      if (nowMs >= peer.nextHelloMs) out.push(...this.#handshaker.hellos(nowMs, peer));
    return out;
  }

  /** When `tick` has something to do next; may be now after any call. Infinity in a cluster of one. */
  nextTickMs(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const peer of this.#peers.all()) next = Math.min(next, peer.nextHelloMs);
    return next;
  }

  peers(): PeerStatus[] {
    const ownHash = hex(this.#speaker.roster.hash.subarray(0, ROSTER_HASH_BYTES));
    return this.#peers.all().map(({ member, session, roster }) => ({
      host: member.name,
      session: session.sid !== null,
      lastHeardMs: session.heardMs,
      rosterVersion: roster?.version ?? null,
      rosterDiffers:
        roster !== null && (roster.version !== this.#speaker.roster.version || roster.hash !== ownHash),
      duplicateMs: session.duplicateMs,
      roundTripMs: session.roundTripMs,
      delayMs: session.delayMs,
      protocol: session.sid === null ? null : protocolOf(session.sid),
    }));
  }

  counters(): Record<RejectionCode, number> {
    return Object.fromEntries(this.#counters) as Record<RejectionCode, number>;
  }

  #judge(nowMs: number, link: number, datagram: Uint8Array): Received {
    const around = {
      peersByKid: this.#peers.byKid,
      ownKid: this.#ownKid,
      isRekeying: this.#speaker.self.oldKey !== null,
      links: this.#speaker.links,
    };
    const opened = openDatagram(around, link, datagram);
    if (opened.kind === 'refused') return opened;
    const { peer, header } = opened;
    if (header.toSid !== null && !sameBytes(header.toSid, this.#speaker.sid)) {
      // It believes in another run of this host: it must be asked, or two that do so of each other never meet again.
      this.#handshaker.noteCandidate(nowMs, peer, hex(header.sid));
      return refused(peer.member.name, true, 'wrong-session');
    }
    if (this.#speaker.isSetBack(header.heard))
      return { kind: 'set-back', from: peer.member.name, replies: [] };
    const type = messageType(header.type);
    if (type !== undefined) return this.#judgeMessages(nowMs, link, datagram, opened, type);
    if (header.type === SESSION_TYPES.ROSTER) return this.#judgeRoster(nowMs, link, opened);
    return this.#handshaker.judge(nowMs, opened);
  }

  /** Steps 4 to 7 for the core's messages. From below the floor nothing but session messages and rosters is taken. */
  #judgeMessages(
    nowMs: number,
    link: number,
    datagram: Uint8Array,
    opened: Opened,
    type: MessageType,
  ): Received {
    const { member, session } = opened.peer;
    if (protocolOf(hex(opened.header.sid)) < this.#speaker.roster.body.floor)
      return refused(member.name, true, 'protocol');
    const judged = this.#judgeData(nowMs, link, opened, !isSignedOnce(type), (body) => {
      const messages = decodeRecords(type, body, this.#protocolWith(session.sid));
      if (messages === undefined) return 'body';
      return messages.every((message) => maySay(member.name, member.role, message)) ? messages : 'role';
    });
    if (!judged.ok) return refused(member.name, true, judged.code);
    const current = NEWEST_ONLY.has(type)
      ? judged.value.filter((message) => session.isNewest(`${type} ${message.service}`, opened.header.seq))
      : judged.value;
    if (current.length === 0) return refused(member.name, true, 'overtaken');
    const shown = shownIn(opened.header);
    const { head } = opened.header;
    const heard = head === null ? null : { head, word: datagram.subarray(GATE_BYTES) };
    return { kind: 'messages', from: member.name, link, messages: current, shown, head: heard, replies: [] };
  }

  /** The same for words about rosters. */
  #judgeRoster(nowMs: number, link: number, opened: Opened): Received {
    const { peer, header } = opened;
    const from = peer.member.name;
    const judged = this.#judgeData(nowMs, link, opened, true, (body) => decodeRosterWord(body) ?? 'body');
    if (!judged.ok) return refused(from, true, judged.code);
    const word = judged.value;
    if (word.kind === 'ask') {
      // The copy over another link, or a question that a later one overtook.
      const last = peer.lastAsked;
      if (last?.sid === hex(header.sid) && header.seq <= last.seq) return refused(from, true, 'overtaken');
      if (!peer.rosterBudget.spend(nowMs, this.#speaker.chance())) return refused(from, true, 'budget');
      peer.lastAsked = { sid: hex(header.sid), seq: header.seq };
    }
    return { kind: 'roster', from, link, word, shown: shownIn(header), replies: [] };
  }

  /** Session, window, age, budget, signature, body, and the window again: what all words in a session share. */
  #judgeData<T extends object>(
    nowMs: number,
    link: number,
    opened: Opened,
    isForOne: boolean,
    decode: (body: CborValue) => T | RejectionCode,
  ): { readonly ok: true; readonly value: T } | { readonly ok: false; readonly code: RejectionCode } {
    const { peer, key, header, sign1 } = opened;
    const { session } = peer;
    const refuse = (code: RejectionCode) => ({ ok: false, code }) as const;
    if (header.toSid === null && isForOne) return refuse('header');
    const sid = hex(header.sid);
    if (sid !== session.sid || key !== peer.key) {
      this.#handshaker.noteCandidate(nowMs, peer, sid);
      return refuse(session.isRetired(sid) ? 'retired' : 'no-session');
    }
    const type = messageType(header.type);
    if (type !== undefined && VOTES.has(type) && session.isDuplicate(nowMs))
      return refuse('duplicate-session');
    if (!session.isFresh(link, header.seq)) return refuse('replayed');
    if (session.ageMs(nowMs, header.sentMs) > this.#timing.maxAgeMs) {
      clocksDoubted(nowMs, peer, this.#timing);
      return refuse('too-old');
    }
    if (!peer.dataBudget.spend(nowMs, this.#speaker.chance())) return refuse('budget');
    if (!signatureHolds(opened, this.#speaker.ownAad, this.#speaker.allAad)) return refuse('signature');
    const value = decode(decodeBody(sign1.payload, header) ?? null);
    if (typeof value === 'string') return refuse(value);
    if (!session.commit(nowMs, link, header)) return refuse('replayed');
    peer.roster = { version: header.rosterVersion, hash: hex(header.rosterHash) };
    if (link === UPLINK) peer.uplinkHeardMs = nowMs;
    return { ok: true, value };
  }
}

/** In the order in which each key first comes. */
function groupBy<T, K>(all: readonly T[], keyOf: (one: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const one of all) {
    const key = keyOf(one);
    const group = groups.get(key) ?? [];
    group.push(one);
    groups.set(key, group);
  }
  return groups;
}
