/**
 * Marks: eight bytes beside each number of a session that only this run can make, since they hang on a secret that
 * never leaves it. A peer that shows a mark for a number which this process has not used yet proves that the same
 * run went further elsewhere: this process was set back to an earlier state, or copied (spec/protocol.md, P28).
 * A peer that never had the number cannot invent its mark.
 */
import { createHmac } from 'node:crypto';
import { MARK_BYTES } from './limits.ts';

/** A number that was taken, with its mark. */
export interface Marked {
  readonly seq: number;
  readonly mark: Uint8Array;
}

/** Marks that one HMAC gives. */
const PER_BLOCK = 32 / MARK_BYTES;

export class Marks {
  readonly #secret: Uint8Array;
  #block = -1;
  #marks: Uint8Array = new Uint8Array(32);

  constructor(secret: Uint8Array) {
    this.#secret = secret;
  }

  /** The mark of a number; 8 bytes. */
  of(seq: number): Uint8Array {
    const block = Math.floor(seq / PER_BLOCK);
    if (block !== this.#block) {
      this.#marks = createHmac('sha256', this.#secret).update(String(block)).digest();
      this.#block = block;
    }
    const at = (seq % PER_BLOCK) * MARK_BYTES;
    return Uint8Array.from(this.#marks.subarray(at, at + MARK_BYTES));
  }
}
