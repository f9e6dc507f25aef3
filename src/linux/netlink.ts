/**
 * Netlink messages (RFC 3549; linux/netlink.h): building, parsing, and a socket for requests that the kernel
 * answers within the sending call. Integers are in host order, little-endian on every machine Node 20 supports here.
 */
import {
  AF_NETLINK,
  bindSocket,
  closeFd,
  EAGAIN,
  openSocket,
  receive,
  SOCK_RAW,
  SystemCallError,
  send,
  sendInThread,
  setOption,
} from './libc.ts';

export const NETLINK_ROUTE = 0;
export const NETLINK_NETFILTER = 12;

export const NLM_F_REQUEST = 1;
export const NLM_F_ACK = 4;
export const NLM_F_ECHO = 8;
export const NLM_F_DUMP = 0x300;
export const NLM_F_REPLACE = 0x100;
export const NLM_F_CREATE = 0x400;

const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const HEADER_BYTES = 16;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const NESTED = 0x8000;
/** A dump that is longer is cut: nothing here needs more. */
const DUMP_READS_MAX = 64;

export interface NetlinkMessage {
  readonly type: number;
  readonly seq: number;
  readonly body: Buffer;
}

/** One attribute: length, type, data, padded to four bytes. */
export function attribute(type: number, data: Buffer): Buffer {
  const out = Buffer.alloc((4 + data.length + 3) & ~3);
  out.writeUInt16LE(4 + data.length, 0);
  out.writeUInt16LE(type, 2);
  data.copy(out, 4);
  return out;
}

export function nested(type: number, ...children: Buffer[]): Buffer {
  return attribute(type | NESTED, Buffer.concat(children));
}

export function text(type: number, value: string): Buffer {
  return attribute(type, Buffer.from(`${value}\0`));
}

export function u32(type: number, value: number): Buffer {
  const data = Buffer.alloc(4);
  data.writeUInt32LE(value, 0);
  return attribute(type, data);
}

export function message(type: number, flags: number, seq: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(HEADER_BYTES);
  head.writeUInt32LE(HEADER_BYTES + body.length, 0);
  head.writeUInt16LE(type, 4);
  head.writeUInt16LE(flags, 6);
  head.writeUInt32LE(seq, 8);
  return Buffer.concat([head, body]);
}

/** The messages in one received buffer; a malformed rest is dropped. Bodies are copies. */
export function parseMessages(buffer: Buffer): NetlinkMessage[] {
  const out: NetlinkMessage[] = [];
  let at = 0;
  while (at + HEADER_BYTES <= buffer.length) {
    const length = buffer.readUInt32LE(at);
    if (length < HEADER_BYTES || at + length > buffer.length) break;
    out.push({
      type: buffer.readUInt16LE(at + 4),
      seq: buffer.readUInt32LE(at + 8),
      body: Buffer.from(buffer.subarray(at + HEADER_BYTES, at + length)),
    });
    at += (length + 3) & ~3;
  }
  return out;
}

/**
 * The attributes after a body's fixed part of `skip` bytes, by type; of repeated ones the last. `wanted`: of these types alone; a
 * device has some forty.
 */
export function parseAttributes(body: Buffer, skip: number, wanted?: readonly number[]): Map<number, Buffer> {
  const out = new Map<number, Buffer>();
  let at = skip;
  while (at + 4 <= body.length) {
    const length = body.readUInt16LE(at);
    if (length < 4 || at + length > body.length) break;
    const type = body.readUInt16LE(at + 2) & 0x3fff;
    if (wanted === undefined || wanted.includes(type)) out.set(type, body.subarray(at + 4, at + length));
    at += (length + 3) & ~3;
  }
  return out;
}

/** The errno in an acknowledgement (0: done), or null when the message is none. */
export function errnoOf(reply: NetlinkMessage): number | null {
  if (reply.type !== NLMSG_ERROR || reply.body.length < 4) return null;
  return -reply.body.readInt32LE(0);
}

/** `groups`: multicast groups to hear, as a bit mask of the first 32. */
export function openNetlink(protocol: number, groups = 0): number {
  const fd = openSocket(AF_NETLINK, SOCK_RAW, protocol);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(1 << 20, 0);
  setOption(fd, SOL_SOCKET, SO_RCVBUF, size);
  const address = Buffer.alloc(12);
  address.writeUInt16LE(AF_NETLINK, 0);
  address.writeUInt32LE(groups, 8);
  bindSocket(fd, address);
  return fd;
}

/** Requests on one socket. The kernel handles them in the sending call, so that answers wait there to be read. */
export class NetlinkSocket {
  private readonly protocol: number;
  private readonly readsMax: number;
  private fd: number;
  private readonly buffer = Buffer.alloc(65536);
  private seq = 1;

  /** `readsMax`: how many reads the answers to one call take at most. */
  constructor(protocol: number, readsMax = DUMP_READS_MAX) {
    this.protocol = protocol;
    this.readsMax = readsMax;
    this.fd = openNetlink(protocol);
  }

  nextSeq(): number {
    this.seq = (this.seq % 0x7fffffff) + 1;
    return this.seq;
  }

  /**
   * Sends messages in one call and returns what the kernel answered by then, up to the one that `isLast` tells: to find that there is
   * no more takes a call each time. What another exchange left behind is among it. Throws `SystemCallError`.
   */
  exchange(messages: Buffer, isLast: (answer: NetlinkMessage) => boolean = () => false): NetlinkMessage[] {
    const errno = send(this.fd, messages, null);
    if (errno !== 0) throw new SystemCallError('netlink send', errno);
    return this.drain(isLast);
  }

  /** One acknowledged request: 0, or the errno. */
  request(type: number, flags: number, ...parts: Buffer[]): number {
    const seq = this.nextSeq();
    const asked = message(type, NLM_F_REQUEST | NLM_F_ACK | flags, seq, ...parts);
    const isAck = (answer: NetlinkMessage): boolean => answer.seq === seq && errnoOf(answer) !== null;
    return this.ackOf(this.exchange(asked, isAck), seq);
  }

  /** The same with the call made in a pool thread. Not to be mixed with other requests while it runs. */
  async requestInThread(type: number, flags: number, ...parts: Buffer[]): Promise<number> {
    const seq = this.nextSeq();
    await sendInThread(this.fd, message(type, NLM_F_REQUEST | NLM_F_ACK | flags, seq, ...parts), null);
    return this.ackOf(
      this.drain(() => false),
      seq,
    );
  }

  /** All entries of one table of the kernel's, up to a bound. */
  dump(type: number, ...parts: Buffer[]): NetlinkMessage[] {
    const seq = this.nextSeq();
    const isEnd = (m: NetlinkMessage): boolean =>
      m.seq === seq && (m.type === NLMSG_DONE || m.type === NLMSG_ERROR);
    const answers = this.exchange(message(type, NLM_F_REQUEST | NLM_F_DUMP, seq, ...parts), isEnd);
    // The rest of one that was cut is still to come, and until it has the kernel begins no other.
    if (!answers.some(isEnd)) this.reopen();
    return answers.filter((m) => m.seq === seq && m.type !== NLMSG_ERROR && m.type !== NLMSG_DONE);
  }

  /** One question that is answered with one message, or with an error. */
  exchangeOne(type: number, ...parts: Buffer[]): NetlinkMessage[] {
    const seq = this.nextSeq();
    const isAnswer = (m: NetlinkMessage): boolean => m.seq === seq;
    return this.exchange(message(type, NLM_F_REQUEST, seq, ...parts), isAnswer).filter(isAnswer);
  }

  close(): void {
    closeFd(this.fd);
    // Who still asks fails, and does not meet whatever socket gets this number next.
    this.fd = -1;
  }

  private reopen(): void {
    const fresh = openNetlink(this.protocol);
    closeFd(this.fd);
    this.fd = fresh;
  }

  private ackOf(answers: readonly NetlinkMessage[], seq: number): number {
    for (const answer of answers) {
      const errno = answer.seq === seq ? errnoOf(answer) : null;
      if (errno !== null) return errno;
    }
    throw new SystemCallError('netlink answer', EAGAIN);
  }

  private drain(isLast: (answer: NetlinkMessage) => boolean): NetlinkMessage[] {
    const out: NetlinkMessage[] = [];
    for (let reads = 0; reads < this.readsMax; reads++) {
      const got = receive(this.fd, this.buffer);
      if (got <= 0) break;
      const answers = parseMessages(this.buffer.subarray(0, got));
      out.push(...answers);
      if (answers.some(isLast)) break;
    }
    return out;
  }
}
