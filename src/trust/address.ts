/**
 * Socket addresses of members: text for people and configuration, bytes in the roster. Only one text stands for an
 * address (IPv4 dotted, IPv6 as RFC 5952), so that two spellings can never pass for two addresses.
 */

/** An IP address and UDP port. */
export interface SocketAddress {
  readonly family: 4 | 6;
  /** Canonical text, without brackets. */
  readonly ip: string;
  readonly port: number;
}

/** Reads `10.0.0.1:7946` or `[fd00::1]:7946`; null when it is neither. A zone (`%eth0`) is refused: it is local. */
export function parseSocketAddress(text: string): SocketAddress | null {
  const parts = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):([1-9][0-9]{0,4})$/.exec(text);
  if (parts === null) return null;
  const [, ip6, ip4, portText] = parts;
  const port = Number(portText);
  const bytes = ip6 === undefined ? parseIp4(ip4 ?? '') : parseIp6(ip6);
  if (bytes === null || port > 65_535) return null;
  return socketAddressOf(bytes, port);
}

/** `10.0.0.1:7946` or `[fd00::1]:7946`. */
export function formatSocketAddress(address: SocketAddress): string {
  return address.family === 4 ? `${address.ip}:${address.port}` : `[${address.ip}]:${address.port}`;
}

/** Whether only this host itself reaches it: 127.0.0.0/8 or ::1. */
export function isLoopback({ family, ip }: SocketAddress): boolean {
  return family === 4 ? ip.startsWith('127.') : ip === '::1';
}

/** Whether it is one of fe80::/10, which no socket can be bound to without its device. */
export function isLinkLocal({ family, ip }: SocketAddress): boolean {
  return family === 6 && /^fe[89ab]/.test(ip);
}

/** The 4 or 16 bytes of an address that this file made. */
export function ipBytes(address: SocketAddress): Uint8Array {
  const bytes = address.family === 4 ? parseIp4(address.ip) : parseIp6(address.ip);
  if (bytes === null) throw new RangeError('not an address');
  return bytes;
}

/**
 * The address of 4 or 16 bytes; null for other lengths, for addresses that no host can have as its own, and for IPv4
 * written as IPv6 (RFC 4291, section 2.5.5.2): a second spelling of one address.
 */
export function socketAddressOf(bytes: Uint8Array, port: number): SocketAddress | null {
  if (port < 1 || port > 65_535 || (bytes.length !== 4 && bytes.length !== 16)) return null;
  const multicast = bytes.length === 4 ? (bytes[0] ?? 0) >= 224 : bytes[0] === 0xff;
  const mapped =
    bytes.length === 16 && bytes[10] === 0xff && bytes[11] === 0xff && isZero(bytes.subarray(0, 10));
  if (multicast || mapped || isZero(bytes)) return null;
  const family = bytes.length === 4 ? 4 : 6;
  return { family, ip: family === 4 ? bytes.join('.') : formatIp6(bytes), port };
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

function parseIp4(text: string): Uint8Array | null {
  const parts = text.split('.');
  if (
    parts.length !== 4 ||
    !parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) < 256)
  ) {
    return null;
  }
  return Uint8Array.from(parts, Number);
}

/** Groups of four hex digits with at most one `::`; the mixed form with dotted IPv4 is refused. */
function parseIp6(text: string): Uint8Array | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const [head, tail] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const front = head ?? [];
  const back = tail ?? [];
  const missing = 8 - front.length - back.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
  const groups = [...front, ...Array<string>(missing).fill('0'), ...back];
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return null;
  return Uint8Array.from(
    groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]),
  );
}

/** RFC 5952, section 4: lower case, no leading zeros, the first longest run of two or more zero groups as `::`. */
function formatIp6(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0));
  let start = -1;
  let length = 1;
  for (let i = 0; i < 8; i++) {
    let run = 0;
    while (i + run < 8 && groups[i + run] === 0) run++;
    if (run > length) [start, length] = [i, run];
  }
  const hex = groups.map((group) => group.toString(16));
  if (start < 0) return hex.join(':');
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`;
}
