/**
 * Looking for anybody on a downlink where nobody is known: a slow walk over the roving addresses' IPv4 networks.
 * Slow, since switches may shut a port that asks too much: 64 addresses a second on the first round, 8 afterwards.
 */
import type { AddressPrefix } from './config.ts';
import { type Ip, inPrefix, parseIp } from './ip.ts';

const FIRST_ROUND_A_SECOND = 64;
const LATER_A_SECOND = 8;
/** A larger network is walked in its first so many addresses only. */
const ADDRESSES_MAX = 4096;

export class Sweep {
  private readonly prefixes: { readonly ip: Ip; readonly length: number }[] = [];
  private readonly nowMs: () => number;
  private readonly total: number;
  private at = 0;
  private round = 0;
  private lastMs: number;

  constructor(addresses: readonly AddressPrefix[], nowMs: () => number) {
    for (const a of addresses) {
      const ip = parseIp(a.address);
      if (ip !== null) this.prefixes.push({ ip, length: a.prefixLength });
    }
    this.nowMs = nowMs;
    this.total = this.four().reduce((sum, p) => sum + hosts(p.length), 0);
    this.lastMs = nowMs() - 1000;
  }

  /** Whether an address lies in one of the networks. */
  contains(ip: Ip): boolean {
    return this.prefixes.some((p) => inPrefix(ip, p.ip, p.length));
  }

  /** The addresses to ask now; often none. */
  next(): Buffer[] {
    const now = this.nowMs();
    const rate = this.round === 0 ? FIRST_ROUND_A_SECOND : LATER_A_SECOND;
    const count = Math.min(Math.floor(((now - this.lastMs) * rate) / 1000), rate, this.total);
    if (count === 0) return [];
    this.lastMs = now;
    const out: Buffer[] = [];
    for (let i = 0; i < count; i++) {
      const address = this.nth(this.at);
      if (address !== null) out.push(address);
      this.at = (this.at + 1) % this.total;
      if (this.at === 0) this.round++;
    }
    return out;
  }

  private four(): { readonly ip: Ip; readonly length: number }[] {
    return this.prefixes.filter((p) => p.ip.family === 4);
  }

  private nth(n: number): Buffer | null {
    let rest = n;
    for (const { ip, length } of this.four()) {
      const count = hosts(length);
      if (rest >= count) {
        rest -= count;
        continue;
      }
      const network = ip.bytes.readUInt32BE(0) & (length === 0 ? 0 : 0xffffffff << (32 - length));
      const out = Buffer.alloc(4);
      out.writeUInt32BE((network + 1 + rest) >>> 0, 0);
      return out.equals(ip.bytes) ? null : out;
    }
    return null;
  }
}

/** Host addresses of an IPv4 network, network and broadcast address left out. */
function hosts(prefixLength: number): number {
  return Math.min(Math.max(2 ** (32 - prefixLength) - 2, 0), ADDRESSES_MAX);
}
