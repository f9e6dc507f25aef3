/**
 * Sockets on one device for the checker: unprivileged, bounded in time, and never sent by another way than the
 * device's. `through` leaves the routes out altogether: the kernel takes the target for a neighbour, and the actuator
 * has told it whose hardware address that neighbour has (the gateway's). The answer to one route is nobody's default.
 */
import { parseIp } from '../ip.ts';
import {
  AF_INET,
  AF_INET6,
  bindSocket,
  closeFd,
  connectionStands,
  connectSocket,
  EAGAIN,
  EINPROGRESS,
  openSocket,
  receive,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  SystemCallError,
  send,
  setOption,
} from '../libc.ts';

const SO_DONTROUTE = 5;
const SO_BINDTODEVICE = 25;
const LOOK_MS = 2;
const ECONNREFUSED = 111;
const WORDS: { readonly [errno: number]: string } = {
  101: 'network unreachable',
  104: 'connection reset',
  110: 'timed out',
  [ECONNREFUSED]: 'connection refused',
  113: 'no route to host',
};

/** By which way a check talks. */
export interface Way {
  readonly device: string;
  /** An own address to speak from; null: the kernel's choice. */
  readonly source: string | null;
  readonly through: boolean;
}

/** struct sockaddr_in or sockaddr_in6. */
function socketAddress(address: string, port: number): Buffer {
  const ip = parseIp(address);
  if (ip === null) throw new Error(`${address} is no address`);
  const out = Buffer.alloc(ip.family === 4 ? 16 : 28);
  out.writeUInt16LE(ip.family === 4 ? AF_INET : AF_INET6, 0);
  out.writeUInt16BE(port, 2);
  ip.bytes.copy(out, ip.family === 4 ? 4 : 8);
  return out;
}

function said(error: unknown): Error {
  if (!(error instanceof SystemCallError)) return error instanceof Error ? error : new Error(String(error));
  return new Error(WORDS[error.errno] ?? error.message);
}

function open(type: number, way: Way, address: string): number {
  const family = parseIp(address)?.family === 6 ? AF_INET6 : AF_INET;
  const fd = openSocket(family, type, 0);
  try {
    setOption(fd, SOL_SOCKET, SO_BINDTODEVICE, Buffer.from(`${way.device}\0`));
    if (way.through) setOption(fd, SOL_SOCKET, SO_DONTROUTE, Buffer.from([1, 0, 0, 0]));
    if (way.source !== null) bindSocket(fd, socketAddress(way.source, 0));
    return fd;
  } catch (error) {
    closeFd(fd);
    throw said(error);
  }
}

/** Looks until `look` says something; rejects with 'no answer' at the limit. */
async function lookUntil<T>(look: () => T | null, limitMs: number): Promise<T> {
  const endMs = performance.now() + limitMs;
  for (;;) {
    const found = look();
    if (found !== null) return found;
    if (performance.now() >= endMs) throw new Error('no answer');
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** A TCP connection that stands: its descriptor, which the caller closes. Rejects with the reason in words. */
export async function connectTcp(way: Way, address: string, port: number, limitMs: number): Promise<number> {
  const fd = open(SOCK_STREAM, way, address);
  try {
    const errno = connectSocket(fd, socketAddress(address, port));
    if (errno !== 0 && errno !== EINPROGRESS) throw new SystemCallError('connect', errno);
    await lookUntil(() => connectionStands(fd), limitMs);
    return fd;
  } catch (error) {
    closeFd(fd);
    throw said(error);
  }
}

/** Sends `question` up to three times within the limit and returns the first datagram that `answers` takes. */
export async function askUdp<T>(
  way: Way,
  target: { readonly address: string; readonly port: number },
  question: Buffer,
  answers: (datagram: Buffer) => T | null,
  limitMs: number,
): Promise<T> {
  const fd = open(SOCK_DGRAM, way, target.address);
  const buffer = Buffer.alloc(4096);
  const read = (): T | null => {
    // What others send here is not for us: the socket is connected, and looks at few a turn.
    for (let i = 0; i < 8; i++) {
      const got = receive(fd, buffer);
      if (got === -EAGAIN) return null;
      if (got < 0) throw new SystemCallError('receive', -got);
      const taken = answers(Buffer.from(buffer.subarray(0, got)));
      if (taken !== null) return taken;
    }
    return null;
  };
  try {
    const errno = connectSocket(fd, socketAddress(target.address, target.port));
    if (errno !== 0) throw new SystemCallError('connect', errno);
    for (let tries = 3; ; tries--) {
      const refused = send(fd, question, null);
      if (refused !== 0) throw new SystemCallError('send', refused);
      try {
        return await lookUntil(read, limitMs / 3);
      } catch (error) {
        if (tries <= 1 || error instanceof SystemCallError) throw error;
      }
    }
  } catch (error) {
    throw said(error);
  } finally {
    closeFd(fd);
  }
}
