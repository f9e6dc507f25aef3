/**
 * IP addresses as text: one canonical spelling for each, so that two hosts that write the same address
 * differently still agree. Pure; no name is ever resolved.
 */
import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import type { AddressPrefix } from '../../linux/config.ts';

/** Canonical text (RFC 5952 for IPv6), or null when it is no address. Zones (`%eth0`) are no part of an address. */
export function canonicalIp(text: string): { family: 4 | 6; address: string } | null {
  if (isIPv4(text)) return { family: 4, address: text };
  if (!isIPv6(text) || text.includes('%')) return null;
  return { family: 6, address: new SocketAddress({ address: text, family: 'ipv6' }).address };
}

/** `10.77.1.1/24` or `fd00:77:1::1/64`; null when it is none. */
export function parsePrefix(text: string): AddressPrefix | null {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text);
  const ip = match?.[1] === undefined ? null : canonicalIp(match[1]);
  const prefixLength = Number(match?.[2]);
  if (ip === null || prefixLength < 1 || prefixLength > (ip.family === 4 ? 32 : 128)) return null;
  return { ...ip, prefixLength };
}

/** Whether two addresses lie in one network of `prefix`'s length. */
export function inNetwork(ip: { family: 4 | 6; address: string }, prefix: AddressPrefix): boolean {
  if (ip.family !== prefix.family) return false;
  const shift = BigInt((ip.family === 4 ? 32 : 128) - prefix.prefixLength);
  return ipNumber(ip) >> shift === ipNumber(prefix) >> shift;
}

/** Why no host can have that address in its network; null: one can. */
export function unusable(prefix: AddressPrefix): string | null {
  const bits = prefix.family === 4 ? 32 : 128;
  const number = ipNumber(prefix);
  const first = number >> BigInt(bits - 8);
  const isNobodys =
    prefix.family === 4
      ? first === 0n || first === 127n || first >= 224n
      : number <= 1n || first === 0xffn || number >> 32n === 0xffffn;
  if (isNobodys) return 'is no address that a host can have';
  const rest = bits - prefix.prefixLength;
  const all = (1n << BigInt(rest)) - 1n;
  // RFC 3021, RFC 6164: a network of two has neither.
  if (rest < 2) return null;
  if ((number & all) === 0n) return 'is the address of the network itself';
  return prefix.family === 4 && (number & all) === all ? 'is the broadcast address of its network' : null;
}

function ipNumber(ip: { family: 4 | 6; address: string }): bigint {
  if (ip.family === 4) return ip.address.split('.').reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  const [head = '', tail] = withoutDots(ip.address).split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  const groups = [...left, ...Array<string>(zeros).fill('0'), ...right];
  return groups.reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n);
}

/** `::ffff:1.2.3.4` → `::ffff:102:304`. */
function withoutDots(address: string): string {
  const match = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  if (match === null) return address;
  const [, head, a, b, c, d] = match.map((part, i) =>
    i < 2 ? part : Number(part).toString(16).padStart(2, '0'),
  );
  return `${head}${a}${b}:${c}${d}`;
}
