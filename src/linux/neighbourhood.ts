/**
 * Who else is on a downlink: hosts outside the cluster that were heard there, and which hardware addresses are
 * members'. Invariant: no member, no roving address and no device of this host is ever taken for a foreigner,
 * as far as its hardware address is known.
 */
import type { Heard } from './frames.ts';
import { formatIp, formatMac } from './ip.ts';

const HOSTS_MAX = 256;
const MEMBER_MACS_MAX = 2;
/** Who was not heard for so long is no longer asked. */
const FORGET_MS = 3_600_000;
/** Who answered within this time and no longer does is `lost`. */
export const LATELY_MS = 30_000;

export interface Foreigner {
  readonly mac: string;
  readonly ip: Buffer;
  heardMs: number;
  answeredMs: number | null;
}

/** The address that a frame's sender says it has; null when it says none. */
export function senderOf(heard: Heard): Buffer | null {
  const ip =
    heard.kind === 'arp' ? heard.sender : heard.kind === 'advertisement' ? heard.target : heard.source;
  return ip === null || ip.every((byte) => byte === 0) ? null : ip;
}

export class Neighbourhood {
  private members: ReadonlySet<string>;
  private roving: ReadonlySet<string>;
  private readonly isOwn: (mac: Buffer) => boolean;
  private readonly memberMacs = new Map<string, string[]>();
  private readonly hosts = new Map<string, Foreigner>();

  /** Addresses as canonical text. */
  constructor(members: ReadonlySet<string>, roving: ReadonlySet<string>, isOwn: (mac: Buffer) => boolean) {
    this.members = members;
    this.roving = roving;
    this.isOwn = isOwn;
  }

  /** Other members, or other roving addresses: what else was learnt stays learnt. */
  configure(members: ReadonlySet<string>, roving: ReadonlySet<string>): void {
    this.members = members;
    this.roving = roving;
    for (const ip of this.memberMacs.keys()) if (!members.has(ip)) this.memberMacs.delete(ip);
    for (const [key, { mac, ip }] of this.hosts) {
      const text = formatIp(ip);
      // Who has a member's address now is a member, and heard as one from its next word on.
      if (members.has(text)) this.learnMember(text, mac);
      if (members.has(text) || roving.has(text)) this.hosts.delete(key);
    }
  }

  /** Takes note of a frame; true when a host outside the cluster sent it. */
  hear(heard: Heard, nowMs: number): boolean {
    if (this.isOwn(heard.mac) || ((heard.mac[0] ?? 0) & 1) === 1) return false;
    const mac = formatMac(heard.mac);
    const ip = senderOf(heard);
    const text = ip === null ? null : formatIp(ip);
    if (text !== null && this.members.has(text)) {
      this.learnMember(text, mac);
      return false;
    }
    if (text !== null && this.roving.has(text)) return false;
    if (this.isMember(mac)) return false;
    // Only ARP and neighbour discovery say that this address is on this link; other frames may be routed.
    const onLink = heard.kind === 'arp' || heard.kind === 'advertisement' || heard.kind === 'solicitation';
    if (ip !== null && onLink) this.note(mac, ip, nowMs);
    return true;
  }

  /** Adds a host that the kernel's table names, unless it is a member or already known. */
  suggest(macBytes: Buffer, ip: Buffer, nowMs: number): void {
    const mac = formatMac(macBytes);
    const text = formatIp(ip);
    if (((macBytes[0] ?? 0) & 1) === 1 || this.isOwn(macBytes) || macBytes.every((b) => b === 0)) return;
    if (this.members.has(text) || this.roving.has(text) || this.isMember(mac)) return;
    if (!this.hosts.has(`${mac} ${text}`)) this.note(mac, ip, nowMs);
  }

  /** Whether an answer from this hardware address comes from outside the cluster. */
  isForeign(mac: Buffer): boolean {
    return !this.isOwn(mac) && !this.isMember(formatMac(mac));
  }

  /** Members' addresses whose hardware address was never heard. */
  unresolvedMembers(): string[] {
    return [...this.members].filter((ip) => !this.memberMacs.has(ip));
  }

  answered(heard: Heard, nowMs: number): void {
    const ip = senderOf(heard);
    const host = ip === null ? undefined : this.hosts.get(`${formatMac(heard.mac)} ${formatIp(ip)}`);
    if (host !== undefined) host.answeredMs = nowMs;
  }

  /** The hosts worth asking: who answered last first, then who was heard last. */
  candidates(count: number, nowMs: number): Foreigner[] {
    const known = [...this.hosts.values()].filter(
      (h) => !this.isMember(h.mac) && nowMs - h.heardMs < FORGET_MS,
    );
    const rank = (h: Foreigner): number => h.answeredMs ?? h.heardMs - FORGET_MS;
    return known.sort((a, b) => rank(b) - rank(a)).slice(0, count);
  }

  private isMember(mac: string): boolean {
    for (const macs of this.memberMacs.values()) if (macs.includes(mac)) return true;
    return false;
  }

  private learnMember(ip: string, mac: string): void {
    const macs = (this.memberMacs.get(ip) ?? []).filter((m) => m !== mac);
    this.memberMacs.set(ip, [mac, ...macs].slice(0, MEMBER_MACS_MAX));
  }

  private note(mac: string, ip: Buffer, nowMs: number): void {
    const key = `${mac} ${formatIp(ip)}`;
    const known = this.hosts.get(key);
    if (known !== undefined) {
      known.heardMs = nowMs;
      return;
    }
    if (this.hosts.size >= HOSTS_MAX) {
      // The one heard longest ago goes; a flood of made-up hosts must not push out one that answered.
      const oldest = [...this.hosts].reduce((a, b) => (age(a[1]) <= age(b[1]) ? a : b));
      this.hosts.delete(oldest[0]);
    }
    this.hosts.set(key, { mac, ip: Buffer.from(ip), heardMs: nowMs, answeredMs: null });
  }
}

function age(host: Foreigner): number {
  return host.answeredMs === null ? host.heardMs - FORGET_MS : host.answeredMs;
}
