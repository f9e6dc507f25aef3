/**
 * The stateless first half of receiving: from bytes to a known sender and a readable header, cheapest checks first.
 * Nothing here changes any state, and nothing here has judged a signature yet.
 */
import type { HostName } from '../core/basics.ts';
import { hasAt, sameBytes } from './bytes.ts';
import { mayRoleSend } from './codec.ts';
import { hasPrefix, readSign1, type Sign1, sigStructure } from './cose.ts';
import { gateHolds } from './gate.ts';
import { DATAGRAM_MAX_BYTES, GATE_BYTES, KID_BYTES, UPLINK } from './limits.ts';
import { type ReadHeader, readHeader } from './payload.ts';
import { leadsTo, type Peer } from './peer.ts';
import type { RejectionCode } from './rejection.ts';
import { scan } from './scan.ts';

/** Where the kid lies: behind the gate and the ten constant bytes. */
const KID_AT = GATE_BYTES + 10;

export interface Refused {
  readonly kind: 'refused';
  /** In whose name it came; null when that is nobody's of the roster. */
  readonly host: HostName | null;
  /** It passed the gate of that pair of hosts, so it comes from that host or was recorded from it. */
  readonly gated: boolean;
  readonly code: RejectionCode;
}

export function refused(host: HostName | null, gated: boolean, code: RejectionCode): Refused {
  return { kind: 'refused', host, gated, code };
}

export interface Opened {
  readonly kind: 'opened';
  readonly peer: Peer;
  readonly sign1: Sign1;
  readonly header: ReadHeader;
}

/** What the first half must know of the endpoint. */
export interface Surroundings {
  readonly peers: readonly Peer[];
  readonly ownKid: Uint8Array;
  readonly ownSid: Uint8Array;
  readonly links: readonly number[];
}

/** Steps 1 to 3 of the pipeline in spec/protocol.md. */
export function openDatagram(around: Surroundings, link: number, datagram: Uint8Array): Opened | Refused {
  if (datagram.length > DATAGRAM_MAX_BYTES || datagram.length < KID_AT + KID_BYTES)
    return refused(null, false, 'size');
  if (!hasPrefix(datagram, GATE_BYTES)) return refused(null, false, 'envelope');
  const peer = around.peers.find(({ member }) => hasAt(datagram, KID_AT, member.kid));
  if (peer === undefined)
    return refused(null, false, hasAt(datagram, KID_AT, around.ownKid) ? 'own-echo' : 'unknown-sender');
  const host = peer.member.name;
  if (!around.links.includes(link) || !leadsTo(link, peer)) return refused(host, false, 'unknown-link');
  if (!gateHolds(peer.receiveKey, link, datagram, peer.gateTag)) {
    return refused(host, false, link === UPLINK ? 'overheard' : 'gate');
  }
  const sign1 = readSign1(datagram, GATE_BYTES);
  if (sign1 === null || sign1.end !== datagram.length) return refused(host, true, 'envelope');
  if (scan(sign1.payload) !== null) return refused(host, true, 'encoding');
  const header = readHeader(sign1.payload);
  if (header === null) return refused(host, true, 'header');
  const may = mayRoleSend(peer.member.role, header.type);
  if (may !== true) return refused(host, true, may === false ? 'role' : 'unknown-type');
  if (header.toSid !== null && !sameBytes(header.toSid, around.ownSid))
    return refused(host, true, 'wrong-session');
  return { kind: 'opened', peer, sign1, header };
}

/** Step 6: the signature, with the external data of what is meant for us, or of what is to all. */
export function signatureHolds(opened: Opened, ownAad: Uint8Array, allAad: Uint8Array): boolean {
  const { sign1, header, peer } = opened;
  const aad = header.toSid === null ? allAad : ownAad;
  return peer.verifyKey.verify(sigStructure(sign1.protectedBytes, aad, sign1.payload), sign1.signature);
}
