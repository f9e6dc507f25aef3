/**
 * A peer's head as that peer signed it: the STATUS or REPORT that showed it, judged again by whoever reads the log that
 * recorded it. So the word of the host that recorded it is not needed.
 */
import { messageAad, readSign1, sigStructure } from '../wire/cose.ts';
import type { VerifyKey } from '../wire/ed25519.ts';
import type { ShownHead } from '../wire/head.ts';
import { hex } from '../wire/hex.ts';
import { readHeader } from '../wire/payload.ts';
import { scan } from '../wire/scan.ts';

export interface JudgedWord {
  readonly head: ShownHead;
  /** The author's key id, hex. */
  readonly kid: string;
  /** The author's monotonic clock when it was said, whole milliseconds. */
  readonly sentMs: number;
  /** The roster that the author had: its number. */
  readonly rosterVersion: number;
}

/**
 * The head in a word, its signature judged; or why it proves nothing. `receiver`: the key id of the host that recorded
 * it, since a REPORT is signed for one.
 */
export function judgeWord(
  word: Uint8Array,
  clusterId: Uint8Array,
  receiver: Uint8Array,
  keys: ReadonlyMap<string, VerifyKey>,
): JudgedWord | string {
  const sign1 = readSign1(word);
  if (sign1 === null || sign1.end !== word.length || scan(sign1.payload) !== null) return 'no message at all';
  const header = readHeader(sign1.payload);
  if (header === null || header.head === null) return 'a message that shows no head';
  const kid = hex(sign1.kid);
  const key = keys.get(kid);
  if (key === undefined) return 'signed by a key that no host of the roster has had';
  const aad = messageAad(clusterId, header.toSid === null ? null : receiver);
  if (!key.verify(sigStructure(sign1.protectedBytes, aad, sign1.payload), sign1.signature))
    return 'its signature does not hold';
  return { head: header.head, kid, sentMs: header.sentMs, rosterVersion: header.rosterVersion };
}
