/** Bytes as lower-case hex: the form in which ids are map keys and are compared where nothing is secret. */
export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}
