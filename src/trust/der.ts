/**
 * The few lines of DER (X.690) that key files need: heads written shortest, and read no deeper than the caller asks.
 * Pure; any bytes give an element or null.
 */

export const DER = { integer: 0x02, octets: 0x04, oid: 0x06, sequence: 0x30 } as const;

/** One element: tag, shortest length, content. */
export function der(tag: number, ...content: readonly Uint8Array[]): Uint8Array {
  const length = content.reduce((sum, part) => sum + part.length, 0);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  const head = length < 128 ? [tag, length] : [tag, 0x80 | bytes.length, ...bytes];
  return Uint8Array.from(Buffer.concat([Uint8Array.from(head), ...content]));
}

/** A whole number from 0 to 2^53 - 1. */
export function derInteger(value: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  if (bytes.length === 0 || (bytes[0] ?? 0) >= 128) bytes.unshift(0); // the first bit is the sign
  return der(DER.integer, Uint8Array.from(bytes));
}

export interface DerElement {
  readonly tag: number;
  /** A view of the bytes read. */
  readonly content: Uint8Array;
}

/** The elements that fill `bytes` exactly, at most 16 of them; null when they do not. */
export function readDer(bytes: Uint8Array): readonly DerElement[] | null {
  const elements: DerElement[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at] ?? 0;
    const first = bytes[at + 1] ?? 0x80;
    const width = first < 0x80 ? 0 : first & 0x7f;
    if (first === 0x80 || width > 4 || elements.length === 16) return null; // no end in sight, or beyond any key
    let length = width === 0 ? first : 0;
    for (let i = 0; i < width; i++) length = length * 256 + (bytes[at + 2 + i] ?? 0);
    const start = at + 2 + width;
    if (start + length > bytes.length) return null;
    elements.push({ tag, content: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return elements;
}

/** The elements within the one SEQUENCE that `bytes` are; null when they are none. */
export function readDerSequence(bytes: Uint8Array): readonly DerElement[] | null {
  const [only, more] = readDer(bytes) ?? [];
  return only?.tag === DER.sequence && more === undefined ? readDer(only.content) : null;
}

/** A not negative INTEGER below 2^53; null when the element is none. */
export function derNumber(element: DerElement | undefined): number | null {
  if (element?.tag !== DER.integer || element.content.length === 0 || element.content.length > 7) return null;
  if ((element.content[0] ?? 0) >= 128) return null;
  const value = element.content.reduce((sum, byte) => sum * 256 + byte, 0);
  return Number.isSafeInteger(value) ? value : null;
}
