/**
 * What a host says, as bytes: it alone holds this run's session id, counts its numbers and uses the signing key.
 * Invariant: no number of a session is used twice, over all links and receivers.
 */
import type { HostName } from '../core/basics.ts';
import { thumbprint } from '../trust/fingerprint.ts';
import type { Roster, RosterMember } from '../trust/roster.ts';
import { messageAad, writeSign1 } from './cose.ts';
import type { Identity } from './ed25519.ts';
import { addGate } from './gate.ts';
import type { Head, ShownHead } from './head.ts';
import { hex } from './hex.ts';
import { ROSTER_HASH_BYTES, SID_BYTES, SIGNATURE_BYTES } from './limits.ts';
import { type Marked, Marks } from './marks.ts';
import { SESSION_TYPES } from './messages.ts';
import { encodeHandshake, encodePayload, type Handshake, handshakeType, mayShowHead } from './payload.ts';
import { type Peer, type PeerKey, sharedLinks } from './peer.ts';
import { checkedProtocol, sessionId } from './protocol.ts';

export interface Outgoing {
  readonly to: HostName;
  readonly link: number;
  readonly datagram: Uint8Array;
}

/** `length` bytes from the kernel: session ids and nonces hang on it. */
export type RandomBytes = (length: number) => Uint8Array;

const NO_SIGNATURE = new Uint8Array(SIGNATURE_BYTES);

export class Speaker {
  readonly sid: Uint8Array;
  /** The highest protocol number that this run speaks. */
  readonly protocol: number;
  /** External data of what is to all. */
  readonly allAad: Uint8Array;
  /** The key id that this process speaks under. */
  readonly kid: Uint8Array;
  /** External data of what is meant for this host. */
  readonly ownAad: Uint8Array;
  links: readonly number[];
  /** The durable head of this host's log, which STATUS and REPORT show; null: there is none. */
  head: ShownHead | null = null;
  /** What this host holds of a peer's log. */
  heldOf: (host: HostName) => Head | null = () => null;
  #roster: Roster;
  #self: RosterMember;
  #isExpelled = false;
  readonly #identity: Identity;
  readonly #randomBytes: RandomBytes;
  readonly #marks: Marks;
  #seq: number;
  #chances: Uint8Array = new Uint8Array();

  /** Throws RangeError when the roster has no member `self` with the identity's key. */
  constructor(
    roster: Roster,
    self: HostName,
    identity: Identity,
    links: readonly number[],
    randomBytes: RandomBytes,
    firstSeq: number,
    protocol: number,
  ) {
    this.#roster = roster;
    this.#identity = identity;
    this.#randomBytes = randomBytes;
    const own = ownEntry(roster, self, identity);
    if (own === null) throw new RangeError(`the roster has no ${self} with this key`);
    this.#self = own;
    this.links = [...links];
    this.protocol = checkedProtocol(protocol);
    this.sid = sessionId(randomBytes(SID_BYTES), protocol);
    this.#marks = new Marks(randomBytes(32));
    this.#seq = firstSeq;
    this.allAad = messageAad(roster.clusterId, null);
    this.kid = thumbprint(identity.publicKey);
    this.ownAad = messageAad(roster.clusterId, this.kid);
  }

  get self(): RosterMember {
    return this.#self;
  }

  get roster(): Roster {
    return this.#roster;
  }

  /** The roster has this host, or this key of it, no more: what it was is kept, so that it can still tell others. */
  get isExpelled(): boolean {
    return this.#isExpelled;
  }

  setRoster(roster: Roster): void {
    const own = ownEntry(roster, this.#self.name, this.#identity);
    this.#isExpelled = own === null;
    this.#self = own ?? this.#self;
    this.#roster = roster;
  }

  nonce(length: number): Uint8Array {
    return this.#randomBytes(length);
  }

  /** A session message to one peer, over all links that lead to it. `toSid` null: a bare HELLO. */
  handshake(nowMs: number, peer: Peer, key: PeerKey, toSid: string | null, handshake: Handshake): Outgoing[] {
    const type = handshakeType(handshake);
    const envelope = this.envelope(nowMs, type, { peer, key }, toSid, encodeHandshake(handshake));
    return this.copies(peer, key, envelope);
  }

  /**
   * One signed message, to a key of a peer and its session or (`to` null) to all; `body` is encoded. A bare HELLO, which nobody
   * believes or checks, has a peer and no session, and zeros for a signature. Throws RunEnded when the numbers are used up.
   */
  envelope(
    nowMs: number,
    type: number,
    to: { readonly peer: Peer; readonly key: PeerKey } | null,
    toSid: string | null,
    body: Uint8Array,
  ): Uint8Array {
    const seq = this.#seq++;
    const header = {
      type,
      sid: this.sid,
      seq,
      mark: this.#marks.of(seq),
      sentMs: Math.floor(nowMs),
      rosterVersion: this.#roster.version,
      rosterHash: this.#roster.hash.subarray(0, ROSTER_HASH_BYTES),
      toSid: toSid === null ? null : Uint8Array.from(Buffer.from(toSid, 'hex')),
      heard: toSid !== null && toSid === to?.peer.session.sid ? to.peer.session.heard : null,
      head: mayShowHead(type) ? this.head : null,
    };
    const isBare = type === SESSION_TYPES.HELLO && toSid === null;
    const sign = isBare ? () => NO_SIGNATURE : this.#identity.sign;
    return writeSign1(this.kid, to?.key.aad ?? this.allAad, encodePayload(header, body), sign);
  }

  /** Whether a peer has taken a number of this run that this process has not used yet: it was set back, or copied. */
  isSetBack(heard: Marked | null): boolean {
    if (heard === null || heard.seq < this.#seq) return false;
    return Buffer.compare(this.#marks.of(heard.seq), heard.mark) === 0;
  }

  /** The datagrams that carry an envelope to a peer: one for each of these links, as the gate binds the link. */
  copies(peer: Peer, key: PeerKey, envelope: Uint8Array, links: readonly number[] = this.links): Outgoing[] {
    return sharedLinks(peer, links).map((link) => ({
      to: peer.member.name,
      link,
      datagram: addGate(key.sendKey, link, envelope, peer.gateTag),
    }));
  }

  /** Uniform in [0, 1). For dropping and displacing only: no secret hangs on it. */
  chance(): number {
    if (this.#chances.length < 2) this.#chances = this.#randomBytes(512);
    const [high = 0, low = 0] = this.#chances;
    this.#chances = this.#chances.subarray(2);
    return (high * 256 + low) / 65_536;
  }
}

/** This host's entry under one of its keys; null when there is none. */
function ownEntry(roster: Roster, name: HostName, identity: Identity): RosterMember | null {
  const member = roster.members.find((candidate) => candidate.name === name);
  if (member === undefined) return null;
  const keys = [member.publicKey, ...(member.oldKey === null ? [] : [member.oldKey])];
  return keys.some((key) => hex(key) === hex(identity.publicKey)) ? member : null;
}
