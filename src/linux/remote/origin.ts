/**
 * From which hardware addresses a host's packets come in on one device, while somebody talks to it: by this a check knows
 * that an answer came through the gateway. Reads two fields at fixed places and nothing else.
 */
import { assembled, type Instruction, JUMP_EQUAL, LOAD_HALF, LOAD_WORD, RETURN } from '../bpf.ts';
import { formatMac } from '../ip.ts';
import { closeFd, receive } from '../libc.ts';
import { openPacketSocket } from '../packetsocket.ts';
import type { Poller } from '../poller.ts';

const ETHERTYPE_IP4 = 0x0800;
const ETHERTYPE_IP6 = 0x86dd;
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
  const program: Instruction[] = [
    [LOAD_HALF, 0, 0, 12],
    [JUMP_EQUAL, 0, unlike(1), isFour ? ETHERTYPE_IP4 : ETHERTYPE_IP6],
    ...words.flatMap((word, i) => [
      [LOAD_WORD, 0, 0, at + 4 * i] as const,
      [JUMP_EQUAL, 0, unlike(3 + 2 * i), word] as const,
    ]),
    [RETURN, 0, 0, SNAP_BYTES],
    [RETURN, 0, 0, 0],
  ];
  return assembled(program);
}

export class Origin {
  private readonly poller: Poller;
  private readonly fd: number;
  private readonly frame = Buffer.alloc(64);
  private readonly macs = new Set<string>();

  /** Listens from now on. Throws `SystemCallError`. */
  constructor(poller: Poller, index: number, address: Buffer) {
    this.poller = poller;
    const ethertype = address.length === 4 ? ETHERTYPE_IP4 : ETHERTYPE_IP6;
    this.fd = openPacketSocket(index, ethertype, sourceFilter(address));
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
