/** What both kinds of UDP socket share: no name is looked up, and a send neither waits nor throws. */
import type { Socket } from 'node:dgram';

/** Datagrams that may wait in one socket for the kernel. */
const SEND_QUEUE_MAX = 256;

/** The TTL (hop limit) of all that is sent: whatever arrives with less came through a router (RFC 5082). */
export const SENT_TTL = 255;

/** Addresses here are numbers; nothing is ever looked up, and so a send reaches the kernel at once. */
export function noLookup(
  address: string,
  _options: unknown,
  callback: (error: null, address: string, family: number) => void,
): void {
  callback(null, address, address.includes(':') ? 6 : 4);
}

/** Hands a datagram to the kernel. False when it was dropped here; later errors are the network's loss. */
export function sendNow(socket: Socket, datagram: Uint8Array, port: number, address: string): boolean {
  if (socket.getSendQueueCount() >= SEND_QUEUE_MAX) return false;
  try {
    socket.send(datagram, port, address, () => undefined);
    return true;
  } catch {
    return false; // closed in this moment
  }
}
