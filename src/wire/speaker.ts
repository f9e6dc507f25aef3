/**
 * What a host says, as bytes: it alone holds this run's session id, counts its numbers and uses the signing key.
 * Invariant: no number of a session is used twice, over all links and receivers.
 */
import type { HostName } from '../core/basics.ts';
import type { Roster, RosterMember } from '../trust/roster.ts';
import { sameBytes } from './bytes.ts';
import { messageAad, writeSign1 } from './cose.ts';
import type { Identity } from './ed25519.ts';
import { addGate } from './gate.ts';
import { ROSTER_HASH_BYTES, SID_BYTES, SIGNATURE_BYTES } from './limits.ts';
import { SESSION_TYPES } from './messages.ts';
import { encodeHandshake, encodePayload, type Handshake, handshakeType } from './payload.ts';
import { type Peer, sharedLinks } from './peer.ts';

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
  /** External data of what is to all. */
  readonly allAad: Uint8Array;
  /** External data of what is meant for this host. */
  readonly ownAad: Uint8Array;
  links: readonly number[];
  #roster: Roster;
  #self: RosterMember;
  readonly #identity: Identity;
  readonly #randomBytes: RandomBytes;
  #seq = 0;
  #chances: Uint8Array = new Uint8Array();

  /** Throws RangeError when the roster has no member `self` with the identity's key. */
  constructor(
    roster: Roster,
    self: HostName,
    identity: Identity,
    links: readonly number[],
    randomBytes: RandomBytes,
  ) {
    this.#roster = roster;
    this.#identity = identity;
    this.#randomBytes = randomBytes;
    this.#self = ownEntry(roster, self, identity);
    this.links = [...links];
    this.sid = randomBytes(SID_BYTES);
    this.allAad = messageAad(roster.clusterId, null);
    this.ownAad = messageAad(roster.clusterId, this.#self.kid);
  }

  get self(): RosterMember {
    return this.#self;
  }

  get roster(): Roster {
    return this.#roster;
  }

  setRoster(roster: Roster): void {
    this.#self = ownEntry(roster, this.#self.name, this.#identity);
    this.#roster = roster;
  }

  nonce(length: number): Uint8Array {
    return this.#randomBytes(length);
  }

  /** A session message to one peer, over all links that lead to it. `toSid` null: a bare HELLO. */
  handshake(nowMs: number, peer: Peer, toSid: Uint8Array | null, handshake: Handshake): Outgoing[] {
    const type = handshakeType(handshake);
    return this.copies(peer, this.envelope(nowMs, type, toSid, peer.aad, encodeHandshake(handshake)));
  }

  /** One signed message. A bare HELLO, which nobody believes or checks, carries zeros for a signature. */
  envelope(
    nowMs: number,
    type: number,
    toSid: Uint8Array | null,
    aad: Uint8Array,
    body: Uint8Array,
  ): Uint8Array {
    const header = {
      type,
      sid: this.sid,
      seq: this.#seq++,
      sentMs: Math.floor(nowMs),
      rosterVersion: this.#roster.version,
      rosterHash: this.#roster.hash.subarray(0, ROSTER_HASH_BYTES),
      toSid,
    };
    const isBare = type === SESSION_TYPES.HELLO && toSid === null;
    const sign = isBare ? () => NO_SIGNATURE : this.#identity.sign;
    return writeSign1(this.#self.kid, aad, encodePayload(header, body), sign);
  }

  /** The datagrams that carry an envelope to a peer: one for each link, as the gate binds the link. */
  copies(peer: Peer, envelope: Uint8Array): Outgoing[] {
    return sharedLinks(peer, this.links).map((link) => ({
      to: peer.member.name,
      link,
      datagram: addGate(peer.sendKey, link, envelope, peer.gateTag),
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

function ownEntry(roster: Roster, name: HostName, identity: Identity): RosterMember {
  const member = roster.members.find((candidate) => candidate.name === name);
  if (member === undefined) throw new RangeError(`${name} is not in the roster`);
  if (!sameBytes(member.publicKey, identity.publicKey))
    throw new RangeError(`the roster has another key for ${name}`);
  return member;
}
