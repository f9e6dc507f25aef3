/**
 * Which protocol numbers a host speaks (spec/protocol.md, P76 to P79). A session's id says its host's highest number, and every word
 * shows the id of its sender, signed: so nothing need be agreed, and nobody between two hosts can talk them down.
 */
import { PROTOCOL, PROTOCOL_LEAST, SID_BYTES } from './limits.ts';

/** In front of the number, in the last bytes of a session's id. By chance a host of protocol 1 has it once in 2^40 starts. */
const TAG = new TextEncoder().encode('proto');
const TAG_AT = SID_BYTES - TAG.length - 1;
const NUMBER_AT = SID_BYTES - 1;

/** A session's id that says that its host speaks up to that number; `random` has 16 bytes. Of protocol 1 it is random throughout. */
export function sessionId(random: Uint8Array, protocol: number): Uint8Array {
  const sid = Uint8Array.from(random);
  if (protocol === PROTOCOL_LEAST) return sid;
  sid.set(TAG, TAG_AT);
  sid[NUMBER_AT] = protocol;
  return sid;
}

/** The highest protocol number that a session's host speaks; may be above our own. `sid` in hex. */
export function protocolOf(sid: string): number {
  if (sid.slice(2 * TAG_AT, 2 * NUMBER_AT) !== TAG_HEX) return PROTOCOL_LEAST;
  return Math.max(PROTOCOL_LEAST, Number.parseInt(sid.slice(2 * NUMBER_AT), 16));
}

/** Throws RangeError on a number that this software does not speak. */
export function checkedProtocol(protocol: number): number {
  if (!Number.isInteger(protocol) || protocol < PROTOCOL_LEAST || protocol > PROTOCOL)
    throw new RangeError(`no protocol of this software: ${protocol}`);
  return protocol;
}

const TAG_HEX = Buffer.from(TAG).toString('hex');
