/**
 * Addresses as bytes and text: IPv4, IPv6 (RFC 4291, RFC 5952) and hardware addresses.
 */
import { isIP } from 'node:net';

export interface Ip {
  readonly family: 4 | 6;
  /** 4 or 16 bytes. */
  readonly bytes: Buffer;
}

/** What was made once is kept for so many: the same few addresses are read and written each interval. */
const KEPT_MAX = 1024;
const parsed = new Map<string, Ip | null>();
const formatted = new Map<string, string>();

function kept<T>(values: Map<string, T>, key: string, value: T): T {
  if (values.size >= KEPT_MAX) values.clear();
  values.set(key, value);
  return value;
}

/** Null when the text is no address. The bytes are everybody's: to be read. */
export function parseIp(text: string): Ip | null {
  return parsed.get(text) ?? kept(parsed, text, parse(text));
}

function parse(text: string): Ip | null {
  const kind = isIP(text);
  if (kind === 4) return { family: 4, bytes: Buffer.from(text.split('.').map(Number)) };
  if (kind !== 6 || text.includes('%')) return null;
  const [head = '', tail] = text.split('::');
  const front = groups(head);
  const back = tail === undefined ? [] : groups(tail);
  const middle = new Array<number>(Math.max(0, 8 - front.length - back.length)).fill(0);
  const bytes = Buffer.alloc(16);
  [...front, ...middle, ...back].forEach((group, i) => {
    bytes.writeUInt16BE(group, i * 2);
  });
  return { family: 6, bytes };
}

function groups(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((part) => {
    if (!part.includes('.')) return [Number.parseInt(part, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}

/** Canonical text of 4 or 16 bytes. */
export function formatIp(bytes: Buffer): string {
  if (bytes.length === 4) return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`;
  const key = bytes.toString('latin1');
  return formatted.get(key) ?? kept(formatted, key, format(bytes));
}

function format(bytes: Buffer): string {
  const words = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(i * 2));
  let best = { at: -1, length: 1 };
  for (let at = 0; at < 8; at++) {
    let length = 0;
    while (at + length < 8 && words[at + length] === 0) length++;
    if (length > best.length) best = { at, length };
  }
  const hex = (list: number[]): string => list.map((w) => w.toString(16)).join(':');
  if (best.at < 0) return hex(words);
  return `${hex(words.slice(0, best.at))}::${hex(words.slice(best.at + best.length))}`;
}

export function formatMac(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  let text = hex.slice(0, 2);
  for (let at = 2; at < hex.length; at += 2) text += `:${hex.slice(at, at + 2)}`;
  return text;
}

export function parseMac(text: string): Buffer {
  return Buffer.from(text.replaceAll(':', ''), 'hex');
}

/** Whether `address` lies in the network of `prefix`/`prefixLength`. */
export function inPrefix(address: Ip, prefix: Ip, prefixLength: number): boolean {
  if (address.family !== prefix.family) return false;
  for (let bit = 0; bit < prefixLength; bit += 8) {
    const mask = 0xff << Math.max(0, 8 - (prefixLength - bit));
    const differ = (address.bytes[bit / 8] ?? 0) ^ (prefix.bytes[bit / 8] ?? 0);
    if ((differ & mask & 0xff) !== 0) return false;
  }
  return true;
}

export function isLinkLocal(bytes: Buffer): boolean {
  return bytes.length === 16 && bytes[0] === 0xfe && ((bytes[1] ?? 0) & 0xc0) === 0x80;
}
