/**
 * The devices of the configuration as the kernel has them, told of each change within milliseconds
 * (RTMGRP_LINK). Keeps one ear on each.
 */
import { Ear } from './ear.ts';
import { closeFd, receive } from './libc.ts';
import { NETLINK_ROUTE, openNetlink, parseMessages } from './netlink.ts';
import type { Poller } from './poller.ts';
import { type Link, parseLink, RouteSocket, RTM_DELLINK, RTM_NEWLINK } from './rtnetlink.ts';

const RTMGRP_LINK = 1;
const READS_A_TURN = 32;

export class Links {
  /** Shared by all that read or change addresses and routes: its requests end within the call. */
  readonly route = new RouteSocket();
  private readonly poller: Poller;
  private readonly changed: (device: string) => void;
  private readonly maySend: (device: string) => boolean;
  private readonly ears = new Map<string, Ear>();
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
      ear.setLink(this.route.link(device));
    }
    return ear;
  }

  /** Asks the kernel anew, so that nobody decides on a link event that is still on its way. */
  fresh(device: string): Link | null {
    const ear = this.ear(device);
    ear.setLink(this.route.link(device));
    return ear.link;
  }

  /** Whether a hardware address is one of this host's watched devices. */
  isOwn(mac: Buffer): boolean {
    for (const ear of this.ears.values()) if (ear.link?.mac.equals(mac)) return true;
    return false;
  }

  /** The host's addresses on a device, but for those in `except`. */
  addressesOn(device: string, except: ReadonlySet<string>, format: (bytes: Buffer) => string): Buffer[] {
    const index = this.ear(device).link?.index;
    return this.route
      .addresses()
      .filter((a) => a.index === index && !except.has(format(a.bytes)))
      .map((a) => a.bytes);
  }

  /** Forgets devices that are no longer configured. */
  keepOnly(devices: ReadonlySet<string>): void {
    for (const [device, ear] of this.ears) {
      if (devices.has(device)) continue;
      ear.close();
      this.ears.delete(device);
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
    ear.setLink(this.route.link(device));
    const now = ear.link;
    if (before?.index !== now?.index || before?.up !== now?.up || before?.carrier !== now?.carrier)
      this.changed(device);
  }
}
