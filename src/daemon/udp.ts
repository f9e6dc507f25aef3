/**
 * Datagrams over UDP: one socket a cluster link, bound to this host's own address there, and link 0 while an uplink
 * is open. Whoever sends is let through to the gate: a source address proves nothing. Sending never waits and never
 * throws; what cannot go out is lost and counted, as a network would lose it.
 */
import { createSocket, type Socket } from 'node:dgram';
import type { HostName, ServiceName } from '../core/basics.ts';
import type { Transport } from '../driver/ports.ts';
import { formatSocketAddress, type SocketAddress } from '../trust/address.ts';
import { OperatorError } from '../trust/errors.ts';
import { noLookup, SENT_TTL, sendNow } from './datagram.ts';
import type { Log } from './log.ts';
import { type UplinkPlace, UplinkSocket } from './uplink-socket.ts';

/** The largest datagram of the protocol; a longer one is dropped here. */
const DATAGRAM_MAX_BYTES = 1232;
/** Asked for; the kernel cuts it to net.core.rmem_max. A small buffer loses honest words during a stall. */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;
const BIND_RETRY_MS = 1000;
/** libuv reads so many datagrams of a socket before it looks at others. */
const READ_AT_ONCE = 32;

export interface LinkPlace {
  /** n: this host's n-th address in the roster. */
  readonly index: number;
  readonly listen: SocketAddress;
}

export interface UdpOptions {
  readonly links: readonly LinkPlace[];
  /** The other members' addresses; the n-th is that of link n. */
  readonly peers: ReadonlyMap<HostName, readonly SocketAddress[]>;
  readonly uplinks: ReadonlyMap<ServiceName, UplinkPlace>;
  readonly onDatagram: (link: number, datagram: Uint8Array) => void;
  /** The services that stand together under that name; alone unless said otherwise. */
  readonly membersOf?: (service: ServiceName) => readonly ServiceName[];
  /** The result of `links()` has changed. */
  readonly onLinksChanged: () => void;
  readonly log: Log;
}

export interface UdpCounters {
  received: number;
  sent: number;
  oversized: number;
  notSent: number;
}

export class UdpTransport implements Transport {
  readonly #options: UdpOptions;
  readonly #sockets = new Map<number, Socket>();
  /** By device, so that two services may share an uplink. */
  readonly #uplinks = new Map<string, { socket: UplinkSocket; users: Set<ServiceName> }>();
  readonly #retries = new Set<NodeJS.Timeout>();
  readonly counters: UdpCounters = { received: 0, sent: 0, oversized: 0, notSent: 0 };
  #peers: UdpOptions['peers'];
  #places: UdpOptions['uplinks'];
  #closed = false;
  /** By link: datagrams since `holdMore` was asked. */
  readonly #lately = new Map<number, number>();
  /** As last told; null: to be found out. */
  #present: readonly number[] | null = null;

  constructor(options: UdpOptions) {
    this.#options = options;
    this.#peers = options.peers;
    this.#places = options.uplinks;
  }

  /** Resolves when each link was tried once. A link whose address is not there yet is tried again each second. */
  async start(): Promise<void> {
    await Promise.all(this.#options.links.map((link) => this.#bind(link)));
  }

  send(to: HostName, link: number, datagram: Uint8Array): void {
    if (link === 0) {
      for (const { socket } of this.#uplinks.values()) this.#count(socket.send(datagram));
      return;
    }
    const address = this.#peers.get(to)?.[link - 1];
    const socket = this.#sockets.get(link);
    const known = address !== undefined && socket !== undefined;
    this.#count(known && sendNow(socket, datagram, address.port, address.ip));
  }

  links(): readonly number[] {
    if (this.#present === null) {
      const present = [...this.#sockets.keys()].sort((a, b) => a - b);
      const uplink = [...this.#uplinks.values()].some(({ socket }) => socket.ready);
      this.#present = uplink ? [0, ...present] : present;
    }
    return this.#present;
  }

  /** Whether a socket may hold more than was read of it since this was asked the last time. */
  holdMore(): boolean {
    let isFull = false;
    for (const count of this.#lately.values()) isFull ||= count >= READ_AT_ONCE;
    this.#lately.clear();
    return isFull;
  }

  #linksChanged(): void {
    this.#present = null;
    this.#options.onLinksChanged();
  }

  uplinkTalk(service: ServiceName, open: boolean): void {
    for (const member of this.#options.membersOf?.(service) ?? [service])
      if (open) this.#openUplink(member);
      else this.#closeUplink(member);
  }

  /** After a reload or a roster change. An uplink that is open stays as it is until it is closed. */
  configure(peers: UdpOptions['peers'], uplinks: UdpOptions['uplinks']): void {
    this.#peers = peers;
    this.#places = uplinks;
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#retries) clearTimeout(timer);
    for (const socket of this.#sockets.values()) socket.close();
    for (const { socket } of this.#uplinks.values()) socket.close();
    this.#sockets.clear();
    this.#uplinks.clear();
    this.#present = null;
  }

  #openUplink(service: ServiceName): void {
    const place = this.#places.get(service);
    if (place === undefined || this.#closed) return;
    const held = this.#uplinks.get(place.device);
    if (held !== undefined) {
      held.users.add(service);
      return;
    }
    const socket = new UplinkSocket(
      place,
      (datagram) => this.#received(0, datagram),
      () => this.#linksChanged(),
    );
    this.#uplinks.set(place.device, { socket, users: new Set([service]) });
    socket.open();
  }

  /** By who uses it, not by device: a reload may have named another device since. */
  #closeUplink(service: ServiceName): void {
    for (const [device, { socket, users }] of this.#uplinks) {
      if (!users.delete(service) || users.size > 0) continue;
      this.#uplinks.delete(device);
      socket.close();
      this.#linksChanged();
    }
  }

  /** Resolves when it is bound, or will be tried again; rejects when trying again would not help. */
  #bind(link: LinkPlace): Promise<void> {
    const { listen } = link;
    const v6 = listen.family === 6;
    const socket = createSocket({
      type: v6 ? 'udp6' : 'udp4',
      ipv6Only: v6,
      recvBufferSize: RECEIVE_BUFFER_BYTES,
      lookup: noLookup,
    });
    return new Promise((resolve, reject) => {
      socket.on('error', (error: NodeJS.ErrnoException) => {
        const wasBound = this.#sockets.delete(link.index);
        socket.close();
        if (!wasBound && error.code !== 'EADDRNOTAVAIL') {
          reject(cannotBind(listen, error));
          return;
        }
        this.#options.log.warn(
          { link: link.index, listen: listen.ip, error: error.message },
          'cluster link absent',
        );
        if (wasBound) this.#linksChanged();
        this.#later(link);
        resolve();
      });
      socket.on('message', (datagram) => this.#received(link.index, datagram));
      socket.bind({ address: listen.ip, port: listen.port }, () => {
        socket.setTTL(SENT_TTL);
        this.#sockets.set(link.index, socket);
        this.#options.log.info(
          { link: link.index, listen: formatSocketAddress(listen) },
          'cluster link open',
        );
        this.#linksChanged();
        resolve();
      });
    });
  }

  /** The address is not on this host yet (or any more): tried again until it is. */
  #later(link: LinkPlace): void {
    if (this.#closed) return;
    const timer = setTimeout(() => {
      this.#retries.delete(timer);
      this.#bind(link).catch((error: Error) => {
        this.#options.log.error({ link: link.index, error: error.message }, 'cluster link absent');
        this.#later(link);
      });
    }, BIND_RETRY_MS);
    this.#retries.add(timer);
  }

  #received(link: number, datagram: Uint8Array): void {
    this.counters.received++;
    this.#lately.set(link, (this.#lately.get(link) ?? 0) + 1);
    if (datagram.length > DATAGRAM_MAX_BYTES) this.counters.oversized++;
    else this.#options.onDatagram(link, datagram);
  }

  #count(sent: boolean): void {
    if (sent) this.counters.sent++;
    else this.counters.notSent++;
  }
}

function cannotBind(listen: SocketAddress, error: NodeJS.ErrnoException): OperatorError {
  const place = formatSocketAddress(listen);
  const hint =
    error.code === 'EADDRINUSE' ? 'is another daemon running here?' : 'see the address under [[link]] listen';
  return new OperatorError(`${place}: cannot listen there (${error.code ?? error.message})`, hint);
}
