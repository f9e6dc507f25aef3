/**
 * The frames of the raw sockets: ARP (RFC 826, RFC 5227), neighbour discovery (RFC 4861), echo (RFC 792, RFC 4443).
 * `parseFrame` takes any bytes and never throws: what it does not know is null.
 */

export const BROADCAST_MAC = Buffer.from('ffffffffffff', 'hex');
const ZERO_MAC = Buffer.alloc(6);
const ETHERTYPE_IP4 = 0x0800;
const ETHERTYPE_ARP = 0x0806;
const ETHERTYPE_IP6 = 0x86dd;
const ICMP6 = 58;
const NEIGHBOUR_SOLICITATION = 135;
const NEIGHBOUR_ADVERTISEMENT = 136;
const ALL_NODES = Buffer.from('ff020000000000000000000000000001', 'hex');
const UNSPECIFIED = Buffer.alloc(16);
/** NA flags (RFC 4861, 4.4). */
const ROUTER = 0x80;
const OVERRIDE = 0x20;

/** What a frame says, as far as it matters here. */
export type Heard =
  /** `sender` is 0.0.0.0 in a probe. */
  | {
      readonly kind: 'arp';
      readonly mac: Buffer;
      readonly reply: boolean;
      readonly sender: Buffer;
      readonly target: Buffer;
    }
  /** A solicitation; `source` is `::` in duplicate address detection. */
  | { readonly kind: 'solicitation'; readonly mac: Buffer; readonly source: Buffer; readonly target: Buffer }
  | { readonly kind: 'advertisement'; readonly mac: Buffer; readonly source: Buffer; readonly target: Buffer }
  | {
      readonly kind: 'echo-reply';
      readonly mac: Buffer;
      readonly source: Buffer;
      readonly id: number;
      readonly seq: number;
    }
  /** Any other frame; `source` null when it is no IP. */
  | { readonly kind: 'other'; readonly mac: Buffer; readonly source: Buffer | null };

/** Reads a frame that may be cut short. Fields are copies. */
export function parseFrame(frame: Buffer): Heard | null {
  if (frame.length < 14) return null;
  const copy = Buffer.from(frame);
  const mac = copy.subarray(6, 12);
  const type = copy.readUInt16BE(12);
  const body = copy.subarray(14);
  if (type === ETHERTYPE_ARP) return parseArp(mac, body);
  if (type === ETHERTYPE_IP4) return parseIp4(mac, body);
  if (type === ETHERTYPE_IP6) return parseIp6(mac, body);
  return { kind: 'other', mac, source: null };
}

function parseArp(mac: Buffer, body: Buffer): Heard | null {
  // Ethernet, IPv4, six and four bytes; request or reply.
  if (body.length < 28 || body.readUIntBE(0, 6) !== 0x000108000604) return null;
  const operation = body.readUInt16BE(6);
  if (operation !== 1 && operation !== 2) return null;
  return {
    kind: 'arp',
    mac,
    reply: operation === 2,
    sender: body.subarray(14, 18),
    target: body.subarray(24, 28),
  };
}

function parseIp4(mac: Buffer, body: Buffer): Heard | null {
  if (body.length < 20) return null;
  const source = body.subarray(12, 16);
  const at = ((body[0] ?? 0) & 15) * 4;
  if (body[9] !== 1 || body.length < at + 8 || body[at] !== 0 || (body.readUInt16BE(6) & 0x1fff) !== 0)
    return { kind: 'other', mac, source };
  return { kind: 'echo-reply', mac, source, id: body.readUInt16BE(at + 4), seq: body.readUInt16BE(at + 6) };
}

function parseIp6(mac: Buffer, body: Buffer): Heard | null {
  if (body.length < 40) return null;
  const source = body.subarray(8, 24);
  if (body[6] !== ICMP6 || body.length < 48) return { kind: 'other', mac, source };
  const type = body[40];
  if (type === 129)
    return { kind: 'echo-reply', mac, source, id: body.readUInt16BE(44), seq: body.readUInt16BE(46) };
  // Hop limit 255: the sender is on this link (RFC 4861, 7.1).
  if (body.length < 64 || body[7] !== 255) return { kind: 'other', mac, source };
  const target = body.subarray(48, 64);
  if (type === NEIGHBOUR_SOLICITATION) return { kind: 'solicitation', mac, source, target };
  if (type === NEIGHBOUR_ADVERTISEMENT) return { kind: 'advertisement', mac, source, target };
  return { kind: 'other', mac, source };
}

function ethernet(to: Buffer, from: Buffer, type: number, body: Buffer): Buffer {
  const head = Buffer.alloc(14);
  to.copy(head, 0);
  from.copy(head, 6);
  head.writeUInt16BE(type, 12);
  return Buffer.concat([head, body]);
}

function arp(
  operation: 1 | 2,
  from: Buffer,
  sender: Buffer,
  targetMac: Buffer,
  target: Buffer,
  to: Buffer,
): Buffer {
  const head = Buffer.from('0001080006040000', 'hex');
  head.writeUInt16BE(operation, 6);
  return ethernet(to, from, ETHERTYPE_ARP, Buffer.concat([head, from, sender, targetMac, target]));
}

/** "Who has `target`?" by broadcast, or of one host alone (RFC 1122, 2.3.2.1); with `sender` 0.0.0.0 an ARP probe. */
export function arpRequest(from: Buffer, sender: Buffer, target: Buffer, to: Buffer = BROADCAST_MAC): Buffer {
  return arp(1, from, sender, ZERO_MAC, target, to);
}

/**
 * Gratuitous ARP, as request and as reply. The reply names the sender's own hardware address as target: with
 * any other, Linux does not take it as gratuitous and ignores it for a second after the entry last changed.
 */
export function gratuitousArp(from: Buffer, address: Buffer): Buffer[] {
  return [
    arp(1, from, address, ZERO_MAC, address, BROADCAST_MAC),
    arp(2, from, address, from, address, BROADCAST_MAC),
  ];
}

/** The Internet checksum (RFC 1071). */
function checksum(...parts: Buffer[]): number {
  let sum = 0;
  for (const part of parts)
    for (let i = 0; i < part.length; i += 2) sum += ((part[i] ?? 0) << 8) + (part[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function ip6(to: Buffer, from: Buffer, source: Buffer, destination: Buffer, icmp: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head[0] = 0x60;
  head.writeUInt16BE(icmp.length, 4);
  head[6] = ICMP6;
  head[7] = 255;
  const pseudo = Buffer.alloc(8);
  pseudo.writeUInt32BE(icmp.length, 0);
  pseudo[7] = ICMP6;
  icmp.writeUInt16BE(checksum(source, destination, pseudo, icmp), 2);
  return ethernet(to, from, ETHERTYPE_IP6, Buffer.concat([head, source, destination, icmp]));
}

/** The Ethernet address of an IPv6 group (RFC 2464, 7). */
function groupMac(group: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0x33, 0x33]), group.subarray(12, 16)]);
}

/**
 * Neighbour solicitation by multicast, or of one host alone (RFC 4861, 7.3.3); `source` null: from `::`, as in duplicate
 * address detection.
 */
export function solicitation(from: Buffer, source: Buffer | null, target: Buffer, to?: Buffer): Buffer {
  const group = Buffer.concat([Buffer.from('ff0200000000000000000001ff', 'hex'), target.subarray(13, 16)]);
  const option = source === null ? Buffer.alloc(0) : Buffer.concat([Buffer.from([1, 1]), from]);
  const icmp = Buffer.concat([Buffer.from([NEIGHBOUR_SOLICITATION, 0, 0, 0, 0, 0, 0, 0]), target, option]);
  if (to !== undefined && source !== null) return ip6(to, from, source, target, icmp);
  return ip6(groupMac(group), from, source ?? UNSPECIFIED, group, icmp);
}

/** Unsolicited neighbour advertisement of a router's address to all nodes, with override (RFC 4861, 7.2.6). */
export function advertisement(from: Buffer, address: Buffer): Buffer {
  const flags = [NEIGHBOUR_ADVERTISEMENT, 0, 0, 0, ROUTER | OVERRIDE, 0, 0, 0];
  const icmp = Buffer.concat([Buffer.from(flags), address, Buffer.from([2, 1]), from]);
  return ip6(groupMac(ALL_NODES), from, address, ALL_NODES, icmp);
}

function echo(type: 8 | 128, id: number, seq: number): Buffer {
  const icmp = Buffer.alloc(16);
  icmp[0] = type;
  icmp.writeUInt16BE(id, 4);
  icmp.writeUInt16BE(seq, 6);
  return icmp;
}

/** IPv4 echo request to one host, or by broadcast with BROADCAST_MAC and a broadcast address. One hop: for this link only. */
export function echoRequest4(
  to: Buffer,
  from: Buffer,
  source: Buffer,
  target: Buffer,
  id: number,
  seq: number,
  hops = 1,
): Buffer {
  const icmp = echo(8, id, seq);
  icmp.writeUInt16BE(checksum(icmp), 2);
  const head = Buffer.from('450000240000000040010000', 'hex');
  head[8] = hops;
  const whole = Buffer.concat([head, source, target]);
  whole.writeUInt16BE(checksum(whole), 10);
  return ethernet(to, from, ETHERTYPE_IP4, Buffer.concat([whole, icmp]));
}

/** IPv6 echo request to one host, or to all nodes when `target` is null. */
export function echoRequest6(
  to: Buffer | null,
  from: Buffer,
  source: Buffer,
  target: Buffer | null,
  id: number,
  seq: number,
): Buffer {
  return ip6(to ?? groupMac(ALL_NODES), from, source, target ?? ALL_NODES, echo(128, id, seq));
}
