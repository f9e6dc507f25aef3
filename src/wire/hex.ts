/** Bytes as lower-case hex: the form in which ids are map keys and are compared where nothing is secret. */
import { sameBytes } from './bytes.ts';

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}

export function fromHex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'hex'));
}

/** Hex of bytes that are mostly the same as the last time, as the session id in all that a peer says. */
export class HexMemo {
  #bytes: Uint8Array = new Uint8Array();
  #text = '';

  hex(bytes: Uint8Array): string {
    if (!sameBytes(bytes, this.#bytes)) {
      this.#bytes = Uint8Array.from(bytes);
      this.#text = hex(bytes);
    }
    return this.#text;
  }
}
