/**
 * What was read of links, addresses, routes and forwarding since the kernel last told of a change of them. It tells within the call
 * that makes the change, so that what was read after its last word stands until the next one: one quick call does for a look at whole
 * tables. What it says is not read; that it spoke counts, or that some of its words were lost.
 */
import { closeFd, EAGAIN, receive } from './libc.ts';
import { NETLINK_ROUTE, openNetlink } from './netlink.ts';

/** RTNLGRP_LINK, IPV4_IFADDR, IPV4_ROUTE, IPV6_IFADDR, IPV6_ROUTE, IPV4_NETCONF and IPV6_NETCONF, as bits. */
const GROUPS = [1, 5, 7, 9, 11, 24, 25].reduce((mask, group) => mask | (1 << (group - 1)), 0);
/** A storm of changes costs a bounded share; what is left is a change again at the next look. */
const READS_MAX = 256;
/** Nothing rests on those words alone: what is so old is read anew in any case. */
const LOOK_ANYWAY_MS = 1000;

export class Noticed {
  private readonly fd = openNetlink(NETLINK_ROUTE, GROUPS);
  /** A word is taken from the socket whole, however little of it finds room. */
  private readonly buffer = Buffer.alloc(16);
  private words = 0;
  private readonly held = new Held(() => this.version());

  /** Grows whenever there was a change since the last call. */
  private version(): number {
    for (let reads = 0; reads < READS_MAX && receive(this.fd, this.buffer) !== -EAGAIN; reads++) this.words++;
    return this.words;
  }

  /** The value of that name: the one held, or else as read now. */
  get<T>(name: string | object, read: () => T): T {
    return this.held.get(name, read);
  }

  close(): void {
    closeFd(this.fd);
  }
}

/** Values by name, for as long as a version stands, and a second at most. */
export class Held {
  private readonly version: () => number;
  private readonly nowMs: () => number;
  private readonly values = new Map<string | object, unknown>();
  private of = Number.NaN;
  private untilMs = 0;

  constructor(version: () => number, nowMs: () => number = () => performance.now()) {
    this.version = version;
    this.nowMs = nowMs;
  }

  get<T>(name: string | object, read: () => T): T {
    // Before it is read: a change in between makes it read once more.
    const version = this.version();
    const nowMs = this.nowMs();
    if (version !== this.of || nowMs >= this.untilMs) {
      this.values.clear();
      this.of = version;
      this.untilMs = nowMs + LOOK_ANYWAY_MS;
    }
    if (this.values.has(name)) return this.values.get(name) as T;
    const value = read();
    // It may have looked at other values, and there was a change meanwhile.
    if (version === this.of) this.values.set(name, value);
    return value;
  }
}
