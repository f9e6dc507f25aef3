/**
 * The kernel's word that some link changed (RTMGRP_LINK), for those who then look. An event carries a name and no
 * evidence: names change, and what it tells may be over.
 */
import { closeFd, EAGAIN, receive } from '../libc.ts';
import { NETLINK_ROUTE, openNetlink, parseMessages } from '../netlink.ts';
import type { Poller } from '../poller.ts';
import { parseLink, RTM_DELLINK, RTM_NEWLINK } from '../rtnetlink.ts';

const RTMGRP_LINK = 1;
const READS_A_TURN = 32;
/** Events can be lost where they come faster than they are read, and a rename may tell the old name only. */
const LOOK_ANYWAY_MS = 50;

/** `device` null: events were lost, look at all. */
export type LinkListener = (device: string | null) => void;

export class LinkEvents {
  private readonly poller: Poller;
  private readonly listeners = new Set<LinkListener>();
  private readonly buffer = Buffer.alloc(32768);
  private fd: number | null = null;

  constructor(poller: Poller) {
    this.poller = poller;
  }

  /** Returns what ends it. The socket is open while anybody listens. */
  listen(listener: LinkListener): () => void {
    this.listeners.add(listener);
    if (this.fd === null) {
      this.fd = openNetlink(NETLINK_ROUTE, RTMGRP_LINK);
      this.poller.add(this.fd, () => this.read());
    }
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) this.close();
    };
  }

  /** Looks now, at each event and every 50 ms, until `look` finds something; null when the time is over. */
  async until<T>(look: () => T | null, limitMs: number): Promise<T | null> {
    const first = look();
    if (first !== null) return first;
    return new Promise((resolve) => {
      const tryNow = (): void => {
        const found = look();
        if (found !== null) end(found);
      };
      const end = (found: T | null): void => {
        stop();
        clearInterval(again);
        clearTimeout(limit);
        resolve(found);
      };
      const stop = this.listen(tryNow);
      const again = setInterval(tryNow, LOOK_ANYWAY_MS);
      const limit = setTimeout(() => end(look()), limitMs);
    });
  }

  close(): void {
    this.listeners.clear();
    if (this.fd === null) return;
    this.poller.remove(this.fd);
    closeFd(this.fd);
    this.fd = null;
  }

  private read(): boolean {
    const { fd } = this;
    for (let i = 0; i < READS_A_TURN; i++) {
      const got = fd === null ? -EAGAIN : receive(fd, this.buffer);
      if (got === 0) continue;
      if (got < 0) {
        if (got !== -EAGAIN) this.tell(null);
        return false;
      }
      for (const message of parseMessages(this.buffer.subarray(0, got))) {
        if (message.type !== RTM_NEWLINK && message.type !== RTM_DELLINK) continue;
        const name = parseLink(message)?.name;
        if (name !== undefined) this.tell(name);
      }
    }
    return true;
  }

  private tell(device: string | null): void {
    for (const listener of [...this.listeners]) listener(device);
  }
}
