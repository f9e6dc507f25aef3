/**
 * Link 0: the cluster's words over one raised uplink, where no host has an address of its own yet. IPv6 link-local
 * multicast to all nodes (ff02::1), or IPv4 to all hosts (224.0.0.1) from `own_address` where IPv6 is off.
 * It is open only in Handover and Service, and ready within milliseconds of the device being up.
 */
import { createSocket, type Socket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { noLookup, SENT_TTL, sendNow } from './datagram.ts';

export interface UplinkPlace {
  readonly device: string;
  /** This host's own IPv4 address on the uplink; null: IPv6 link-local. */
  readonly ownAddress: string | null;
  readonly port: number;
}

/** The first second is what a takeover waits for; after it the device is slow anyway. */
const QUICK_RETRY_MS = 3;
const QUICK_RETRIES = 400;
const SLOW_RETRY_MS = 100;

export class UplinkSocket {
  readonly #place: UplinkPlace;
  readonly #onDatagram: (datagram: Uint8Array) => void;
  readonly #onReady: () => void;
  #socket: Socket | null = null;
  #timer: NodeJS.Timeout | null = null;
  #tries = 0;
  #closed = false;
  #ready = false;

  constructor(place: UplinkPlace, onDatagram: (datagram: Uint8Array) => void, onReady: () => void) {
    this.#place = place;
    this.#onDatagram = onDatagram;
    this.#onReady = onReady;
  }

  /** Whether it can send and receive now. */
  get ready(): boolean {
    return this.#ready;
  }

  open(): void {
    if (this.#closed) return;
    if (!isUsable(this.#place)) {
      this.#retry();
      return;
    }
    const { device, ownAddress, port } = this.#place;
    const v6 = ownAddress === null;
    // Bound to the group and device: the kernel gives it that device's words only, and nothing unicast.
    const group = v6 ? `ff02::1%${device}` : '224.0.0.1';
    const socket = createSocket({
      type: v6 ? 'udp6' : 'udp4',
      reuseAddr: !v6,
      ipv6Only: v6,
      lookup: noLookup,
    });
    this.#socket = socket;
    socket.on('error', () => this.#failed());
    socket.on('message', (datagram) => this.#onDatagram(datagram));
    socket.bind({ address: group, port }, () => {
      try {
        socket.setMulticastLoopback(false);
        socket.setMulticastTTL(SENT_TTL); // these groups stay on the link whatever it says
        socket.setMulticastInterface(v6 ? `::%${device}` : ownAddress);
      } catch {
        this.#failed(); // the device went away meanwhile
        return;
      }
      this.#ready = true;
      this.#onReady();
    });
  }

  /** False when it is not ready or the kernel's queue is full. */
  send(datagram: Uint8Array): boolean {
    if (!this.#ready || this.#socket === null) return false;
    const { ownAddress, port } = this.#place;
    // It is bound to the device: naming that again would cost three system calls each time.
    return sendNow(this.#socket, datagram, port, ownAddress === null ? 'ff02::1' : '224.0.0.1');
  }

  close(): void {
    this.#closed = true;
    this.#ready = false;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#socket?.close();
    this.#socket = null;
  }

  #failed(): void {
    this.#socket?.close();
    this.#socket = null;
    const was = this.#ready;
    this.#ready = false;
    if (was) this.#onReady();
    this.#retry();
  }

  #retry(): void {
    if (this.#closed) return;
    this.#tries++;
    this.#timer = setTimeout(() => this.open(), this.#tries < QUICK_RETRIES ? QUICK_RETRY_MS : SLOW_RETRY_MS);
  }
}

/** Whether the device has the address that its words would come from. */
function isUsable(place: UplinkPlace): boolean {
  if (place.ownAddress !== null) {
    const addresses = networkInterfaces()[place.device] ?? [];
    return addresses.some((entry) => entry.address === place.ownAddress);
  }
  return hasLinkLocal(place.device);
}

/** /proc/self/net/if_inet6: address, index, prefix length, scope, flags, device; all hexadecimal (proc(5)). */
const SCOPE_LINK = 0x20;
const FLAGS_NOT_USABLE = 0x40 | 0x08; // tentative, failed DAD

function hasLinkLocal(device: string): boolean {
  try {
    return readFileSync('/proc/self/net/if_inet6', 'latin1')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .some(([, , , scope = '', flags = '', name]) => {
        const usable = (Number.parseInt(flags, 16) & FLAGS_NOT_USABLE) === 0;
        return name === device && Number.parseInt(scope, 16) === SCOPE_LINK && usable;
      });
  } catch {
    return false; // no IPv6 in this kernel: the link stays absent
  }
}
