/**
 * Links, addresses, routes and neighbours over NETLINK_ROUTE (rtnetlink(7)): what `ip` does, without starting it.
 * Every change is acknowledged by the kernel or throws; reading back is a dump.
 */
import { AF_INET, AF_INET6, ENOENT, SystemCallError } from './libc.ts';
import {
  attribute,
  NETLINK_ROUTE,
  type NetlinkMessage,
  NetlinkSocket,
  NLM_F_CREATE,
  NLM_F_REPLACE,
  parseAttributes,
  text,
  u32,
} from './netlink.ts';
import { Noticed } from './noticed.ts';
import { readSysctl } from './sysctl.ts';

export const RTM_NEWLINK = 16;
export const RTM_DELLINK = 17;
const RTM_GETLINK = 18;
const RTM_NEWADDR = 20;
const RTM_DELADDR = 21;
const RTM_GETADDR = 22;
const RTM_NEWROUTE = 24;
const RTM_DELROUTE = 25;
const RTM_GETROUTE = 26;
const RTM_NEWNEIGH = 28;
const RTM_DELNEIGH = 29;
const RTM_GETNEIGH = 30;

const IFF_UP = 1;
const IFF_LOWER_UP = 0x10000;
const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_EXT_MASK = 29;
/** Without the device's counters, which take the kernel longer than all else of the answer. */
const RTEXT_FILTER_SKIP_STATS = 1 << 3;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_CACHEINFO = 6;
const IFA_FLAGS = 8;
const IFA_F_NODAD = 2;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_PRIORITY = 6;
const NDA_DST = 1;
const NDA_LLADDR = 2;
/** States in which the kernel holds a hardware address that was once true: reachable, stale, delay, probe. */
const NUD_KNOWN = 0x02 | 0x04 | 0x08 | 0x10;
/** Believed for a while, then asked anew and forgotten. */
const NUD_REACHABLE = 0x02;
/** Asked for, and not answered yet: what is to go there waits, past all rules, for some seconds. */
const NUD_INCOMPLETE = 0x01;
const RT_TABLE_MAIN = 254;
const RTNH_F_ONLINK = 4;
const RTN_UNICAST = 1;
/** Marks our default routes as ours (`ip route` shows `proto 112`, 112 being VRRP's number). */
const ROUTE_PROTOCOL = 112;
/** Before the kernel's own 1024, so that an own IPv6 default route of the host steps back while serving. */
const METRIC6 = 1;

const EEXIST = 17;
const ENODEV = 19;
const EADDRNOTAVAIL = 99;
const ESRCH = 3;
export const FOREVER = 0xffffffff;

export interface Link {
  readonly index: number;
  readonly name: string;
  /** Six bytes on Ethernet. */
  readonly mac: Buffer;
  /** Set up by an operator or by us. */
  readonly up: boolean;
  /** There is a carrier. */
  readonly carrier: boolean;
}

export interface DeviceAddress {
  readonly index: number;
  readonly bytes: Buffer;
  readonly prefixLength: number;
}

export interface DefaultRoute {
  readonly index: number | undefined;
  readonly gateway: Buffer;
}

export interface Neighbour {
  readonly bytes: Buffer;
  readonly mac: Buffer;
}

/** A link from a RTM_NEWLINK or RTM_DELLINK message; null when it is malformed. */
export function parseLink({ body }: NetlinkMessage): Link | null {
  if (body.length < 16) return null;
  const flags = body.readUInt32LE(8);
  const attributes = parseAttributes(body, 16, [IFLA_ADDRESS, IFLA_IFNAME]);
  const name = attributes.get(IFLA_IFNAME)?.toString('latin1').replace(/\0.*$/, '');
  if (name === undefined) return null;
  return {
    index: body.readInt32LE(4),
    name,
    mac: attributes.get(IFLA_ADDRESS) ?? Buffer.alloc(0),
    up: (flags & IFF_UP) !== 0,
    carrier: (flags & IFF_UP) !== 0 && (flags & IFF_LOWER_UP) !== 0,
  };
}

function family(bytes: Buffer): number {
  return bytes.length === 4 ? AF_INET : AF_INET6;
}

/** Zeroed bytes with some set: the fixed part of a message. */
function fixed(
  length: number,
  bytes: { readonly [at: number]: number },
  index?: readonly [number, number],
): Buffer {
  const out = Buffer.alloc(length);
  for (const [at, value] of Object.entries(bytes)) out.writeUInt8(value, Number(at));
  if (index !== undefined) out.writeInt32LE(index[1], index[0]);
  return out;
}

function done(what: string, errno: number, ...tolerated: number[]): void {
  if (errno !== 0 && !tolerated.includes(errno)) throw new SystemCallError(what, errno);
}

export class RouteSocket {
  private readonly socket = new NetlinkSocket(NETLINK_ROUTE);
  private opened: Noticed | null = null;

  private get noticed(): Noticed {
    this.opened ??= new Noticed();
    return this.opened;
  }

  /** What follows from links, addresses, routes and forwarding alone: as it was, unless something may have changed. */
  held<T>(name: string | object, read: () => T): T {
    return this.noticed.get(name, read);
  }

  /** A setting of forwarding, as `ipv4/conf/eth0/forwarding`; null: there is none. Of other settings' changes the kernel tells nothing. */
  forwarding(path: string): string | null {
    return this.noticed.get(path, () => readSysctl(path));
  }

  /** All links, by name. */
  links(): Map<string, Link> {
    const out = new Map<string, Link>();
    for (const m of this.socket.dump(RTM_GETLINK, Buffer.alloc(16))) {
      const link = m.type === RTM_NEWLINK ? parseLink(m) : null;
      if (link !== null) out.set(link.name, link);
    }
    return out;
  }

  link(name: string): Link | null {
    const asked = [text(IFLA_IFNAME, name), u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS)];
    const answers = this.socket.exchangeOne(RTM_GETLINK, Buffer.alloc(16), ...asked);
    for (const m of answers) if (m.type === RTM_NEWLINK) return parseLink(m);
    return null;
  }

  /** Every device's. The same array as before unless something may have changed. */
  addresses(): readonly DeviceAddress[] {
    return this.noticed.get('addresses', () => this.readAddresses());
  }

  private readAddresses(): DeviceAddress[] {
    const out: DeviceAddress[] = [];
    for (const { type, body } of this.socket.dump(RTM_GETADDR, Buffer.alloc(8))) {
      if (type !== RTM_NEWADDR || body.length < 8) continue;
      const attributes = parseAttributes(body, 8, [IFA_ADDRESS, IFA_LOCAL]);
      const bytes = attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS);
      if (bytes === undefined) continue;
      out.push({ index: body.readUInt32LE(4), bytes, prefixLength: body.readUInt8(1) });
    }
    return out;
  }

  /** Adds an address, or renews its lifetime in whole seconds. Duplicate address detection is left out: ours is our own. */
  setAddress(index: number, bytes: Buffer, prefixLength: number, lifetimeSeconds: number): void {
    const cache = Buffer.alloc(16);
    cache.writeUInt32LE(lifetimeSeconds, 0);
    cache.writeUInt32LE(lifetimeSeconds, 4);
    const errno = this.socket.request(
      RTM_NEWADDR,
      NLM_F_CREATE | NLM_F_REPLACE,
      fixed(8, { 0: family(bytes), 1: prefixLength }, [4, index]),
      attribute(IFA_LOCAL, bytes),
      attribute(IFA_ADDRESS, bytes),
      attribute(IFA_CACHEINFO, cache),
      u32(IFA_FLAGS, bytes.length === 16 ? IFA_F_NODAD : 0),
    );
    done('set address', errno);
  }

  /** Removing what is not there is no error. */
  removeAddress(index: number, bytes: Buffer, prefixLength: number): void {
    const head = fixed(8, { 0: family(bytes), 1: prefixLength }, [4, index]);
    const errno = this.socket.request(
      RTM_DELADDR,
      0,
      head,
      attribute(IFA_LOCAL, bytes),
      attribute(IFA_ADDRESS, bytes),
    );
    done('remove address', errno, EADDRNOTAVAIL, ENODEV);
  }

  /** A default route before all others of its family; a route of the host's own stays behind it. */
  addDefaultRoute(index: number, gateway: Buffer): void {
    const errno = this.socket.request(RTM_NEWROUTE, NLM_F_CREATE, ...defaultRoute(index, gateway));
    done('add default route', errno, EEXIST);
  }

  removeDefaultRoute(index: number, gateway: Buffer): void {
    done(
      'remove route',
      this.socket.request(RTM_DELROUTE, 0, ...defaultRoute(index, gateway)),
      ESRCH,
      ENODEV,
    );
  }

  hasDefaultRoute(index: number, gateway: Buffer): boolean {
    const of = family(gateway);
    const known = this.noticed.get(`routes ${of}`, () => this.readDefaultRoutes(of));
    return known.some((route) => route.index === index && route.gateway.equals(gateway));
  }

  /** Of the main table, both families, in the kernel's order; those that have a gateway. */
  defaultRoutes(): DefaultRoute[] {
    return [...this.readDefaultRoutes(AF_INET), ...this.readDefaultRoutes(AF_INET6)];
  }

  private readDefaultRoutes(ofFamily: number): DefaultRoute[] {
    const out: DefaultRoute[] = [];
    for (const { type, body } of this.socket.dump(RTM_GETROUTE, fixed(12, { 0: ofFamily }))) {
      if (type !== RTM_NEWROUTE || body.length < 12 || body[1] !== 0 || body[4] !== RT_TABLE_MAIN) continue;
      const attributes = parseAttributes(body, 12, [RTA_GATEWAY, RTA_OIF]);
      const gateway = attributes.get(RTA_GATEWAY);
      if (gateway !== undefined) out.push({ index: attributes.get(RTA_OIF)?.readInt32LE(0), gateway });
    }
    return out;
  }

  /** Hosts on a device whose hardware address the kernel knows, at most 256. */
  neighbours(index: number): Neighbour[] {
    const out: Neighbour[] = [];
    for (const { body } of this.socket.dump(RTM_GETNEIGH, Buffer.alloc(12))) {
      if (body.length < 12 || body.readInt32LE(4) !== index || (body.readUInt16LE(8) & NUD_KNOWN) === 0)
        continue;
      const attributes = parseAttributes(body, 12, [NDA_DST, NDA_LLADDR]);
      const bytes = attributes.get(NDA_DST);
      const mac = attributes.get(NDA_LLADDR);
      if (bytes !== undefined && mac?.length === 6 && out.length < 256) out.push({ bytes, mac });
    }
    return out;
  }

  /** Has the kernel take `mac` for the hardware address of `bytes` on that device, for some tens of seconds. */
  setNeighbour(index: number, bytes: Buffer, mac: Buffer): void {
    const head = fixed(12, { 0: family(bytes), 8: NUD_REACHABLE }, [4, index]);
    const parts = [attribute(NDA_DST, bytes), attribute(NDA_LLADDR, mac)];
    done('set neighbour', this.socket.request(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, head, ...parts));
  }

  /** Drops what waits on that device for a neighbour that has not answered yet. */
  dropWaiting(index: number): void {
    for (const { body } of this.socket.dump(RTM_GETNEIGH, Buffer.alloc(12))) {
      if (body.length < 12 || body.readInt32LE(4) !== index || body.readUInt16LE(8) !== NUD_INCOMPLETE)
        continue;
      const bytes = parseAttributes(body, 12).get(NDA_DST);
      if (bytes === undefined) continue;
      const head = fixed(12, { 0: family(bytes) }, [4, index]);
      // Answered, or given up, since.
      done('drop what waits', this.socket.request(RTM_DELNEIGH, 0, head, attribute(NDA_DST, bytes)), ENOENT);
    }
  }

  close(): void {
    this.socket.close();
    this.opened?.close();
    this.opened = null;
  }
}

function defaultRoute(index: number, gateway: Buffer): Buffer[] {
  const head = fixed(12, {
    0: family(gateway),
    4: RT_TABLE_MAIN,
    5: ROUTE_PROTOCOL,
    7: RTN_UNICAST,
    8: RTNH_F_ONLINK,
  });
  const parts = [head, attribute(RTA_GATEWAY, gateway), u32(RTA_OIF, index)];
  if (gateway.length === 16) parts.push(u32(RTA_PRIORITY, METRIC6));
  return parts;
}

/** Gives a link that is down another name. Returns 0, or the errno (EEXIST: taken, EBUSY: it is up). */
export function renameLink(index: number, name: string): number {
  const socket = new NetlinkSocket(NETLINK_ROUTE);
  try {
    const head = Buffer.alloc(16);
    head.writeInt32LE(index, 4);
    return socket.request(RTM_NEWLINK, 0, head, text(IFLA_IFNAME, name));
  } finally {
    socket.close();
  }
}

/**
 * Sets a link up or down in a pool thread, as a card's driver may take its time. Throws `SystemCallError`;
 * a device that is not there counts as down.
 */
export async function setLink(name: string, up: boolean): Promise<void> {
  const socket = new NetlinkSocket(NETLINK_ROUTE);
  try {
    const head = Buffer.alloc(16);
    head.writeUInt32LE(up ? IFF_UP : 0, 8);
    head.writeUInt32LE(IFF_UP, 12);
    const errno = await socket.requestInThread(RTM_NEWLINK, 0, head, text(IFLA_IFNAME, name));
    if (up) done(`raise ${name}`, errno);
    else done(`lower ${name}`, errno, ENODEV);
  } finally {
    socket.close();
  }
}
