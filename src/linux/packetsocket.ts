/** A packet socket (packet(7)) on one device, which hears what its filter lets through, and nothing that this host sends. */
import { AF_PACKET, attachFilter, bindSocket, closeFd, openSocket, SOCK_RAW, setOption } from './libc.ts';

const SOL_PACKET = 263;
const PACKET_IGNORE_OUTGOING = 23;

/** `index`: of the device; `ethertype`: in host order; `filter`: classic BPF. Throws `SystemCallError`. */
export function openPacketSocket(index: number, ethertype: number, filter: Buffer): number {
  const fd = openSocket(AF_PACKET, SOCK_RAW, 0);
  try {
    attachFilter(fd, filter);
    setOption(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, Buffer.from([1, 0, 0, 0]));
    // struct sockaddr_ll. Bound only now: nothing unfiltered is ever queued.
    const place = Buffer.alloc(20);
    place.writeUInt16LE(AF_PACKET, 0);
    place.writeUInt16BE(ethertype, 2);
    place.writeInt32LE(index, 4);
    bindSocket(fd, place);
  } catch (error) {
    closeFd(fd);
    throw error;
  }
  return fd;
}
