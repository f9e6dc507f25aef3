/** The byte mutator: an input of the corpus, changed in a few places, as a broken or hostile sender would. */
import type { Chance } from '../sim/random.ts';

/** Bytes at which decoders like to stumble: heads of CBOR, ends of ranges, line ends. */
const INTERESTING = [
  0x00, 0x01, 0x17, 0x18, 0x1b, 0x40, 0x58, 0x7f, 0x80, 0x9f, 0xa0, 0xbf, 0xd2, 0xf6, 0xff, 10, 13, 32, 34,
];
const CHANGES_MAX = 4;

/** One of the corpus with one to four changes; now and then noise. `corpus` must not be empty. */
export function mutated(corpus: readonly Uint8Array[], chance: Chance): Uint8Array {
  const pick = (): Uint8Array => corpus[chance.below(corpus.length)] ?? new Uint8Array();
  if (chance.next() < 0.02) return Uint8Array.from({ length: chance.below(80) }, () => chance.below(256));
  let bytes = Uint8Array.from(pick());
  for (let i = chance.below(CHANGES_MAX); i >= 0; i--) bytes = changed(bytes, pick, chance);
  return bytes;
}

function changed(bytes: Uint8Array, pick: () => Uint8Array, chance: Chance): Uint8Array<ArrayBuffer> {
  const at = chance.below(bytes.length + 1);
  const length = 1 + chance.below(8);
  const copy = Uint8Array.from(bytes);
  switch (chance.below(8)) {
    case 0: // a bit
      if (at < copy.length) copy[at] = (copy[at] ?? 0) ^ (1 << chance.below(8));
      return copy;
    case 1: // a byte, any
      if (at < copy.length) copy[at] = chance.below(256);
      return copy;
    case 2: // a byte that means something
      if (at < copy.length) copy[at] = INTERESTING[chance.below(INTERESTING.length)] ?? 0;
      return copy;
    case 3: // a cut
      return copy.slice(0, at);
    case 4: // something left out
      return joined(copy.subarray(0, at), copy.subarray(at + length));
    case 5: // something twice
      return joined(copy.subarray(0, at), copy.subarray(Math.max(0, at - length)));
    case 6: // something put in
      return joined(
        copy.subarray(0, at),
        Uint8Array.from({ length }, () => chance.below(256)),
        copy.subarray(at),
      );
    default: {
      // the head of one with the tail of another
      const other = pick();
      return joined(copy.subarray(0, at), other.subarray(Math.min(at, other.length)));
    }
  }
}

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.concat(parts));
}
