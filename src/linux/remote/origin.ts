/**
 * From which hardware addresses a host's packets come in on one device, while somebody talks to it: by this a check knows
 * that an answer came through the gateway. Reads two fields at fixed places and nothing else.
 */
import { formatMac } from '../ip.ts';
import {
  AF_PACKET,
  attachFilter,
  bindSocket,
  closeFd,
  openSocket,
  receive,
  SOCK_RAW,
  setOption,
} from '../libc.ts';
import type { Poller } from '../poller.ts';

const SOL_PACKET = 263;
const PACKET_IGNORE_OUTGOING = 23;
const ETHERTYPE_IP4 = 0x0800;
const ETHERTYPE_IP6 = 0x86dd;
const LOAD_HALF = 0x28;
const LOAD_WORD = 0x20;
const JUMP_EQUAL = 0x15;
const RETURN = 0x06;
/** Up to the source of the Ethernet header. */
const SNAP_BYTES = 14;
const MACS_MAX = 8;
const FRAMES_A_TURN = 64;

/** Classic BPF: packets with that source address, cut behind the Ethernet header. */
function sourceFilter(address: Buffer): Buffer {
  const isFour = address.length === 4;
  const words = Array.from({ length: address.length / 4 }, (_, i) => address.readUInt32BE(i * 4));
  const at = 14 + (isFour ? 12 : 8);
  const take = 2 + 2 * words.length;
  // A jump counts from the next instruction; the last one drops.
  const unlike = (from: number): number => take - from;
  const steps: (readonly [code: number, yes: number, no: number, k: number])[] = [
    [LOAD_HALF, 0, 0, 12],
    [JUMP_EQUAL, 0, unlike(1), isFour ? ETHERTYPE_IP4 : ETHERTYPE_IP6],
    ...words.flatMap((word, i) => [
      [LOAD_WORD, 0, 0, at + 4 * i] as const,
      [JUMP_EQUAL, 0, unlike(3 + 2 * i), word] as const,
    ]),
    [RETURN, 0, 0, SNAP_BYTES],
    [RETURN, 0, 0, 0],
  ];
  const out = Buffer.alloc(steps.length * 8);
  steps.forEach(([code, yes, no, k], i) => {
    out.writeUInt16LE(code, i * 8);
    out.writeUInt8(yes, i * 8 + 2);
    out.writeUInt8(no, i * 8 + 3);
    out.writeUInt32LE(k, i * 8 + 4);
  });
  return out;
}

export class Origin {
  private readonly poller: Poller;
  private readonly fd: number;
  private readonly frame = Buffer.alloc(64);
  private readonly macs = new Set<string>();

  /** Listens from now on. Throws `SystemCallError`. */
  constructor(poller: Poller, index: number, address: Buffer) {
    this.poller = poller;
    this.fd = openSocket(AF_PACKET, SOCK_RAW, 0);
    try {
      attachFilter(this.fd, sourceFilter(address));
      setOption(this.fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, Buffer.from([1, 0, 0, 0]));
      // struct sockaddr_ll. Bound only now: nothing unfiltered is ever queued.
      const place = Buffer.alloc(20);
      place.writeUInt16LE(AF_PACKET, 0);
      place.writeUInt16BE(address.length === 4 ? ETHERTYPE_IP4 : ETHERTYPE_IP6, 2);
      place.writeInt32LE(index, 4);
      bindSocket(this.fd, place);
    } catch (error) {
      closeFd(this.fd);
      throw error;
    }
    poller.add(this.fd, () => this.read());
  }

  /** Ends, and says why what was heard did not all come from `mac`; null: it did, and there was something. */
  end(mac: Buffer): string | null {
    // What the poller has not told of yet.
    this.read();
    this.poller.remove(this.fd);
    closeFd(this.fd);
    const others = [...this.macs].filter((heard) => heard !== formatMac(mac));
    if (others.length > 0) return `the answer came from ${others.join(', ')}, not through the gateway`;
    return this.macs.size > 0 ? null : 'no answer came in on the downlink';
  }

  private read(): boolean {
    for (let i = 0; i < FRAMES_A_TURN; i++) {
      const got = receive(this.fd, this.frame);
      if (got < 0) return false;
      if (got >= SNAP_BYTES && this.macs.size < MACS_MAX)
        this.macs.add(formatMac(this.frame.subarray(6, 12)));
    }
    return true;
  }
}
