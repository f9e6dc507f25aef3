/**
 * The devices of the configuration as the kernel has them, told of each change within milliseconds
 * (RTMGRP_LINK). Keeps one ear on each.
 */
import { Ear } from './ear.ts';
import { formatIp } from './ip.ts';
import { closeFd, receive } from './libc.ts';
import { NETLINK_ROUTE, openNetlink, parseMessages } from './netlink.ts';
import type { Poller } from './poller.ts';
import {
  type DeviceAddress,
  type Link,
  parseLink,
  RouteSocket,
  RTM_DELLINK,
  RTM_NEWLINK,
} from './rtnetlink.ts';

const RTMGRP_LINK = 1;
const READS_A_TURN = 32;
/** What one test has read serves those that begin beside it. */
const MOMENT_MS = 5;

/** A device's addresses, picked from these for that index and without those. */
interface OwnAddresses {
  readonly all: readonly DeviceAddress[];
  readonly index: number | undefined;
  readonly except: ReadonlySet<string>;
  readonly bytes: readonly Buffer[];
}

export class Links {
  /** Shared by all that read or change addresses and routes: its requests end within the call. */
  readonly route = new RouteSocket();
  private readonly poller: Poller;
  private readonly changed: (device: string) => void;
  private readonly maySend: (device: string) => boolean;
  private readonly ears = new Map<string, Ear>();
  /** When each device was last asked for. */
  private readonly askedMs = new Map<string, number>();
  private readonly own = new Map<string, OwnAddresses>();
  private readonly fd: number;
  private readonly buffer = Buffer.alloc(32768);

  /**
   * `changed`: a link came, went, was set up or down, or its carrier changed. `maySend`: whether a frame of ours may leave
   * there now.
   */
  constructor(
    poller: Poller,
    changed: (device: string) => void,
    maySend: (device: string) => boolean = () => true,
  ) {
    this.poller = poller;
    this.maySend = maySend;
    this.changed = changed;
    this.fd = openNetlink(NETLINK_ROUTE, RTMGRP_LINK);
    poller.add(this.fd, () => this.read());
  }

  /** The ear on a device, which need not exist yet. */
  ear(device: string): Ear {
    let ear = this.ears.get(device);
    if (ear === undefined) {
      ear = new Ear(this.poller, device, () => this.maySend(device));
      this.ears.set(device, ear);
      this.ask(ear);
    }
    return ear;
  }

  private ask(ear: Ear): void {
    this.askedMs.set(ear.device, performance.now());
    ear.setLink(this.route.link(ear.device));
  }

  /** Asks the kernel anew, so that nobody decides on a link event that is still on its way; what is found changed is told as by one. */
  fresh(device: string): Link | null {
    const ear = this.ear(device);
    this.look(device);
    return ear.link;
  }

  /** The same for tests, of which several begin in one turn of the loop. */
  lately(device: string): Link | null {
    const ear = this.ear(device);
    const isOld = performance.now() - (this.askedMs.get(device) ?? Number.NEGATIVE_INFINITY) > MOMENT_MS;
    return isOld ? this.fresh(device) : ear.link;
  }

  /** Whether a hardware address is one of this host's watched devices. */
  isOwn(mac: Buffer): boolean {
    for (const ear of this.ears.values()) if (ear.link?.mac.equals(mac)) return true;
    return false;
  }

  /** The host's addresses on a device, but for those in `except`. */
  addressesOn(device: string, except: ReadonlySet<string>): readonly Buffer[] {
    const index = this.ear(device).link?.index;
    const all = this.route.addresses();
    const known = this.own.get(device);
    if (known?.all === all && known.index === index && known.except === except) return known.bytes;
    const here = all.filter((a) => a.index === index && !except.has(formatIp(a.bytes)));
    const bytes = here.map((a) => a.bytes);
    this.own.set(device, { all, index, except, bytes });
    return bytes;
  }

  /** Forgets devices that are no longer configured. */
  keepOnly(devices: ReadonlySet<string>): void {
    for (const [device, ear] of this.ears) {
      if (devices.has(device)) continue;
      ear.close();
      this.ears.delete(device);
      this.askedMs.delete(device);
      this.own.delete(device);
    }
  }

  close(): void {
    this.poller.remove(this.fd);
    closeFd(this.fd);
    for (const ear of this.ears.values()) ear.close();
    this.ears.clear();
    this.route.close();
  }

  private read(): boolean {
    for (let i = 0; i < READS_A_TURN; i++) {
      const got = receive(this.fd, this.buffer);
      if (got === 0) continue;
      if (got < 0) {
        // Nothing more, or events were lost (ENOBUFS): then look at all of them.
        if (got !== -11) for (const device of [...this.ears.keys()]) this.look(device);
        return false;
      }
      for (const m of parseMessages(this.buffer.subarray(0, got))) {
        if (m.type !== RTM_NEWLINK && m.type !== RTM_DELLINK) continue;
        const name = parseLink(m)?.name;
        if (name !== undefined && this.ears.has(name)) this.look(name);
      }
    }
    return true;
  }

  private look(device: string): void {
    const ear = this.ears.get(device);
    if (ear === undefined) return;
    const before = ear.link;
    this.ask(ear);
    const now = ear.link;
    // A cable that is in again: what waits behind a question that went into the void would hold up all that is new for a second.
    if (before?.up === true && !before.carrier && now?.carrier === true) this.dropWaiting(now.index);
    if (before?.index !== now?.index || before?.up !== now?.up || before?.carrier !== now?.carrier)
      this.changed(device);
  }

  private dropWaiting(index: number): void {
    try {
      this.route.dropWaiting(index);
    } catch {
      // The kernel asks anew by itself, later.
    }
  }
}
