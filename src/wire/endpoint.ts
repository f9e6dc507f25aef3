/**
 * One host's end of the cluster's conversation, and the one thing that the driver uses of the wire: messages in,
 * gated and signed datagrams out; datagrams in, a known member's fresh words out, or a refusal with its code. It
 * does no I/O and has no clock: time, chance and the signing key are handed in.
 */
import type { HostName } from '../core/basics.ts';
import type { Message, MessageType } from '../core/messages.ts';
import type { Roster, RosterMember } from '../trust/roster.ts';
import { sameBytes } from './bytes.ts';
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
import { type Handshaken, Handshaker } from './handshake.ts';
import { hex } from './hex.ts';
import { type Opened, openDatagram, type Refused, refused, signatureHolds } from './inbound.ts';
import { DATAGRAM_MAX_BYTES, GATE_BYTES, ROSTER_HASH_BYTES } from './limits.ts';
import { SESSION_TYPES } from './messages.ts';
import { decodeBody, ENVELOPE_OVERHEAD_BYTES, PAYLOAD_OVERHEAD_BYTES } from './payload.ts';
import { createPeer, type Peer, sharedLinks } from './peer.ts';
import { type Primitives, REAL_PRIMITIVES } from './primitives.ts';
import { REJECTION_CODES, type RejectionCode } from './rejection.ts';
import { remeasureMs, type SessionTiming } from './session.ts';
import { type Outgoing, Speaker } from './speaker.ts';

export type { Identity } from './ed25519.ts';
export type { Outgoing } from './speaker.ts';

export type Received =
  | {
      readonly kind: 'messages';
      readonly from: HostName;
      readonly link: number;
      readonly messages: Message[];
      readonly replies: Outgoing[];
    }
  | Handshaken
  | Refused;

export interface EndpointOptions {
  readonly nowMs: number;
  readonly roster: Roster;
  readonly self: HostName;
  readonly identity: Identity;
  /** From the kernel: session ids and nonces hang on it. */
  readonly randomBytes: (length: number) => Uint8Array;
  readonly intervalMs: number;
  /** Default 0.1: a slewed clock may be off by a tenth. */
  readonly maxDrift?: number;
  /** Default max(500 ms, 4 intervals). */
  readonly maxAgeMs?: number;
  readonly links: readonly number[];
  /** Default: the real ones. Others are for the simulator alone. */
  readonly primitives?: Primitives;
}

/** A peer as `status` shows it. */
export interface PeerStatus {
  readonly host: HostName;
  readonly session: boolean;
  /** This host's clock; null: nothing of an accepted session was heard. */
  readonly lastHeardMs: number | null;
  /** The roster that it showed last; null before its first word. */
  readonly rosterVersion: number | null;
  /** It shows another roster than ours: another version, or the same with another hash. */
  readonly rosterDiffers: boolean;
  /** When a second run in its name was last refused; null: never. */
  readonly duplicateMs: number | null;
}

const RECORDS_BYTES = DATAGRAM_MAX_BYTES - GATE_BYTES - ENVELOPE_OVERHEAD_BYTES - PAYLOAD_OVERHEAD_BYTES;
/** Of these types only the newest word of each service counts. */
const NEWEST_ONLY: ReadonlySet<MessageType> = new Set<MessageType>(['STATUS', 'REPORT']);

export class Endpoint {
  readonly #timing: SessionTiming;
  readonly #speaker: Speaker;
  readonly #handshaker: Handshaker;
  readonly #identity: Identity;
  /** Neither changes in a run: a roster with another key for this host is refused. */
  readonly #own: { readonly ownKid: Uint8Array; readonly ownSid: Uint8Array };
  readonly #primitives: Primitives;
  readonly #counters = new Map<RejectionCode, number>(REJECTION_CODES.map((code) => [code, 0]));
  #peers: readonly Peer[] = [];

  /** Throws RangeError when the roster has no member `self` with the identity's key. */
  constructor(options: EndpointOptions) {
    const { roster, self, identity, links, randomBytes, intervalMs } = options;
    const { maxDrift = 0.1, maxAgeMs = Math.max(500, 4 * intervalMs) } = options;
    this.#timing = { intervalMs, maxAgeMs, maxDrift };
    this.#identity = identity;
    this.#primitives = options.primitives ?? REAL_PRIMITIVES;
    this.#speaker = new Speaker(roster, self, identity, links, randomBytes);
    this.#handshaker = new Handshaker(this.#speaker, this.#timing);
    this.#own = { ownKid: this.#speaker.self.kid, ownSid: this.#speaker.sid };
    this.#makePeers(options.nowMs);
  }

  /** The links that are present now. Over a new one the peers are asked at once where their measurement is due. */
  setLinks(nowMs: number, links: readonly number[]): void {
    const before = this.#speaker.links;
    if (links.length === before.length && links.every((link, i) => link === before[i])) return;
    this.#speaker.links = [...links];
    const fresh = links.filter((link) => !before.includes(link));
    for (const peer of this.#peers) {
      if (sharedLinks(peer, fresh).length === 0) continue;
      const { measuredMs } = peer.session;
      if (measuredMs !== null && nowMs < measuredMs + remeasureMs(this.#timing)) continue;
      peer.wantedSinceMs = nowMs;
      peer.nextHelloMs = nowMs;
    }
  }

  /** A newer roster of the same cluster. Members whose key stays keep their session; the others' words end here. */
  setRoster(nowMs: number, roster: Roster): void {
    this.#speaker.setRoster(roster);
    this.#makePeers(nowMs);
  }

  #makePeers(nowMs: number): void {
    const { roster, self } = this.#speaker;
    const peers: Peer[] = [];
    for (const member of roster.members) {
      if (member.name === self.name) continue;
      const known = this.#peers.find((peer) => sameBytes(peer.member.kid, member.kid));
      if (known !== undefined) known.member = member;
      peers.push(known ?? this.#createPeer(nowMs, member));
    }
    this.#peers = peers;
  }

  #createPeer(nowMs: number, member: RosterMember): Peer {
    const { roster, self } = this.#speaker;
    return createPeer(nowMs, roster, self, member, this.#identity, this.#timing, this.#primitives);
  }

  /**
   * Datagrams for these messages: those of one type as records of as few as possible, a copy for each link. STATUS
   * and BYE to all are signed once. Hosts without a session are passed over. Throws on a message that is ours
   * and impossible (RangeError).
   */
  seal(nowMs: number, to: HostName | 'all', messages: readonly Message[]): Outgoing[] {
    const targets = this.#peers.filter(
      (peer) => (to === 'all' || peer.member.name === to) && peer.session.sid !== null,
    );
    if (targets.length === 0) return [];
    const out: Outgoing[] = [];
    for (const [type, group] of groupByType(messages)) {
      for (const body of packRecords(group.map(encodeRecord), RECORDS_BYTES)) {
        if (to === 'all' && isSignedOnce(type)) {
          const envelope = this.#speaker.envelope(nowMs, typeNumber(type), null, this.#speaker.allAad, body);
          for (const peer of targets) out.push(...this.#speaker.copies(peer, envelope));
          continue;
        }
        for (const peer of targets) {
          out.push(
            ...this.#speaker.copies(
              peer,
              this.#speaker.envelope(nowMs, typeNumber(type), peer.session.sidBytes, peer.aad, body),
            ),
          );
        }
      }
    }
    return out;
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
    for (const peer of this.#peers)
      if (nowMs >= peer.nextHelloMs) out.push(...this.#handshaker.hellos(nowMs, peer));
    return out;
  }

  /** When `tick` has something to do next; may be now after any call. Infinity in a cluster of one. */
  nextTickMs(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const peer of this.#peers) next = Math.min(next, peer.nextHelloMs);
    return next;
  }

  peers(): PeerStatus[] {
    const ownHash = hex(this.#speaker.roster.hash.subarray(0, ROSTER_HASH_BYTES));
    return this.#peers.map(({ member, session, roster }) => ({
      host: member.name,
      session: session.sid !== null,
      lastHeardMs: session.heardMs,
      rosterVersion: roster?.version ?? null,
      rosterDiffers:
        roster !== null && (roster.version !== this.#speaker.roster.version || roster.hash !== ownHash),
      duplicateMs: session.duplicateMs,
    }));
  }

  counters(): Record<RejectionCode, number> {
    return Object.fromEntries(this.#counters) as Record<RejectionCode, number>;
  }

  #judge(nowMs: number, link: number, datagram: Uint8Array): Received {
    const opened = openDatagram(
      { peers: this.#peers, ...this.#own, links: this.#speaker.links },
      link,
      datagram,
    );
    if (opened.kind === 'refused') return opened;
    const type = messageType(opened.header.type);
    if (type !== undefined) return this.#judgeData(nowMs, link, opened, type);
    // The roster's own messages are reserved: no host sends them yet.
    if (opened.header.type === SESSION_TYPES.ROSTER)
      return refused(opened.peer.member.name, true, 'unknown-type');
    return this.#handshaker.judge(nowMs, opened);
  }

  /** Steps 4 to 7 for the core's messages. */
  #judgeData(nowMs: number, link: number, opened: Opened, type: MessageType): Received {
    const { peer, header, sign1 } = opened;
    const { session, member } = peer;
    const refuse = (code: RejectionCode): Refused => refused(member.name, true, code);
    if (header.toSid === null && !isSignedOnce(type)) return refuse('header');
    const sid = peer.sids.hex(header.sid);
    if (sid !== session.sid) {
      this.#handshaker.noteCandidate(nowMs, peer, sid);
      return refuse(session.isRetired(sid) ? 'retired' : 'no-session');
    }
    if (!session.isFresh(link, header.seq)) return refuse('replayed');
    if (session.ageMs(nowMs, header.sentMs) > this.#timing.maxAgeMs) return refuse('too-old');
    if (!peer.dataBudget.spend(nowMs, this.#speaker.chance())) return refuse('budget');
    if (!signatureHolds(opened, this.#speaker.ownAad, this.#speaker.allAad)) return refuse('signature');
    const messages = decodeRecords(type, decodeBody(sign1.payload, header.bodyAt) ?? null);
    if (messages === undefined) return refuse('body');
    if (!messages.every((message) => maySay(member.name, member.role, message))) return refuse('role');
    if (!session.commit(nowMs, link, header.seq)) return refuse('replayed');
    peer.roster = { version: header.rosterVersion, hash: peer.rosterHashes.hex(header.rosterHash) };
    const current = NEWEST_ONLY.has(type)
      ? messages.filter((message) => session.isNewest(`${type} ${message.service}`, header.seq))
      : messages;
    if (current.length === 0) return refuse('overtaken');
    return { kind: 'messages', from: member.name, link, messages: current, replies: [] };
  }
}

function groupByType(messages: readonly Message[]): Map<MessageType, Message[]> {
  const groups = new Map<MessageType, Message[]>();
  for (const message of messages) {
    const group = groups.get(message.type) ?? [];
    group.push(message);
    groups.set(message.type, group);
  }
  return groups;
}
