/**
 * The few C library calls that Node lacks: packet and netlink sockets, epoll, the clock that is not slewed.
 * The only file that knows koffi. Every call returns at once but `epollWait`, which runs in one pool thread,
 * and `awaitReadable`, whose callers bound it to a millisecond.
 */
import { createRequire } from 'node:module';
import { OperatorError } from '../trust/errors.ts';

type CFunction = ((...args: unknown[]) => number) & { async: (...args: unknown[]) => void };
interface Koffi {
  load(path: string): { func(definition: string): CFunction };
  errno(): number;
  address(value: Buffer): bigint;
}

export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;
export const AF_NETLINK = 16;
export const AF_PACKET = 17;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const CLOCK_MONOTONIC_RAW = 4;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLL_CTL_MOD = 3;
const EPOLLIN = 1;
const POLLIN = 1;
/** struct pollfd: descriptor, what is asked (2 bytes), what there is (2 bytes). */
const POLLFD_BYTES = 8;
/** epoll_event is packed on x86-64 (12 bytes) and padded elsewhere (16 bytes). */
const EVENT_BYTES = process.arch === 'x64' ? 12 : 16;
const EVENT_DATA_AT = EVENT_BYTES - 8;

const RLIMIT_CORE = 4;
const LOCK_EX = 2;
const LOCK_NB = 4;

export const SOL_SOCKET = 1;
const SO_ERROR = 4;
const SO_ATTACH_FILTER = 26;

export const EPERM = 1;
export const EAGAIN = 11;
export const ENOENT = 2;
export const ENETDOWN = 100;
export const EINPROGRESS = 115;

interface Calls {
  readonly koffi: Koffi;
  readonly socket: CFunction;
  readonly bind: CFunction;
  readonly setsockopt: CFunction;
  readonly getsockopt: CFunction;
  readonly connect: CFunction;
  readonly getpeername: CFunction;
  readonly sendto: CFunction;
  readonly recvfrom: CFunction;
  readonly close: CFunction;
  readonly epollCreate: CFunction;
  readonly epollCtl: CFunction;
  readonly epollWait: CFunction;
  readonly poll: CFunction;
  readonly eventfd: CFunction;
  readonly write: CFunction;
  readonly clockGettime: CFunction;
  readonly adjtimex: CFunction;
  readonly flock: CFunction;
  readonly setrlimit: CFunction;
}

let loaded: Calls | null = null;

function calls(): Calls {
  if (loaded === null) loaded = load();
  return loaded;
}

function load(): Calls {
  let koffi: Koffi;
  try {
    koffi = createRequire(import.meta.url)('koffi') as Koffi;
  } catch {
    throw new OperatorError(
      'the package koffi, which opens the raw sockets, cannot be loaded',
      'run npm ci in the installation directory on this kind of machine',
    );
  }
  const lib = koffi.load('libc.so.6');
  return {
    koffi,
    socket: lib.func('int socket(int, int, int)'),
    bind: lib.func('int bind(int, const void *, uint32_t)'),
    setsockopt: lib.func('int setsockopt(int, int, int, const void *, uint32_t)'),
    getsockopt: lib.func('int getsockopt(int, int, int, void *, void *)'),
    connect: lib.func('int connect(int, const void *, uint32_t)'),
    getpeername: lib.func('int getpeername(int, void *, void *)'),
    sendto: lib.func('int64_t sendto(int, const void *, size_t, int, const void *, uint32_t)'),
    recvfrom: lib.func('int64_t recvfrom(int, void *, size_t, int, void *, void *)'),
    close: lib.func('int close(int)'),
    epollCreate: lib.func('int epoll_create1(int)'),
    epollCtl: lib.func('int epoll_ctl(int, int, int, const void *)'),
    epollWait: lib.func('int epoll_wait(int, void *, int, int)'),
    poll: lib.func('int poll(void *, unsigned long, int)'),
    eventfd: lib.func('int eventfd(unsigned int, int)'),
    write: lib.func('int64_t write(int, const void *, size_t)'),
    clockGettime: lib.func('int clock_gettime(int, void *)'),
    adjtimex: lib.func('int adjtimex(void *)'),
    flock: lib.func('int flock(int, int)'),
    setrlimit: lib.func('int setrlimit(int, const void *)'),
  };
}

/** Loads the C library, so that a broken installation shows at the start. Throws `OperatorError`. */
export function requireLibc(): void {
  calls();
}

/** A system call was refused by the kernel; `errno` as in errno(3). */
export class SystemCallError extends Error {
  readonly errno: number;
  constructor(call: string, errno: number) {
    super(`${call}: errno ${errno}`);
    this.name = 'SystemCallError';
    this.errno = errno;
  }
}

function check(call: string, result: number): number {
  if (result < 0) throw new SystemCallError(call, calls().koffi.errno());
  return result;
}

/** A non-blocking, close-on-exec socket. Throws `SystemCallError`. */
export function openSocket(family: number, type: number, protocol: number): number {
  return check('socket', calls().socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol));
}

export function bindSocket(fd: number, address: Buffer): void {
  check('bind', calls().bind(fd, address, address.length));
}

export function setOption(fd: number, level: number, name: number, value: Buffer): void {
  check('setsockopt', calls().setsockopt(fd, level, name, value, value.length));
}

/** Attaches a classic BPF program: sock_filter instructions of eight bytes. The kernel copies it within the call. */
export function attachFilter(fd: number, program: Buffer): void {
  // struct sock_fprog: a count, padding, a pointer.
  const description = Buffer.alloc(16);
  description.writeUInt16LE(program.length / 8, 0);
  description.writeBigUInt64LE(calls().koffi.address(program), 8);
  setOption(fd, SOL_SOCKET, SO_ATTACH_FILTER, description);
}

/** Begins a connection. Returns 0, EINPROGRESS, or the errno that ended it at once. */
export function connectSocket(fd: number, address: Buffer): number {
  return calls().connect(fd, address, address.length) < 0 ? calls().koffi.errno() : 0;
}

/** Whether a connection that was begun stands; null: not yet. Throws `SystemCallError` when it failed. */
export function connectionStands(fd: number): true | null {
  const value = Buffer.alloc(4);
  const length = Buffer.from([4, 0, 0, 0]);
  check('getsockopt', calls().getsockopt(fd, SOL_SOCKET, SO_ERROR, value, length));
  if (value.readInt32LE(0) !== 0) throw new SystemCallError('connect', value.readInt32LE(0));
  const peer = Buffer.alloc(32);
  return calls().getpeername(fd, peer, Buffer.from([32, 0, 0, 0])) === 0 ? true : null;
}

/** One sendto(2) that never waits. Returns 0, or the errno. */
export function send(fd: number, data: Buffer, address: Buffer | null): number {
  const sent = calls().sendto(fd, data, data.length, MSG_DONTWAIT, address, address?.length ?? 0);
  return sent < 0 ? calls().koffi.errno() : 0;
}

/** The same in a pool thread, for the orders that a driver may take its time over (a card that is raised). */
export function sendInThread(fd: number, data: Buffer, address: Buffer | null): Promise<void> {
  return new Promise((resolve, reject) => {
    calls().sendto.async(
      fd,
      data,
      data.length,
      0,
      address,
      address?.length ?? 0,
      (error: Error | null, sent: number) => {
        if (error !== null) reject(error);
        else if (sent < 0) reject(new SystemCallError('sendto', 0));
        else resolve();
      },
    );
  });
}

/** One recvfrom(2) that never waits: bytes read into `buffer`, or a negative errno. */
export function receive(fd: number, buffer: Buffer): number {
  const got = calls().recvfrom(fd, buffer, buffer.length, MSG_DONTWAIT, null, null);
  return got < 0 ? -calls().koffi.errno() : Number(got);
}

export function closeFd(fd: number): void {
  calls().close(fd);
}

export function epollCreate(): number {
  return check('epoll_create1', calls().epollCreate(SOCK_CLOEXEC));
}

export function epollAdd(epollFd: number, fd: number): void {
  check('epoll_ctl', calls().epollCtl(epollFd, EPOLL_CTL_ADD, fd, eventOf(fd, true)));
}

/** Whether whoever waits is woken by that descriptor. One that is not there is no error. */
export function epollHear(epollFd: number, fd: number, isHeard: boolean): void {
  calls().epollCtl(epollFd, EPOLL_CTL_MOD, fd, eventOf(fd, isHeard));
}

function eventOf(fd: number, isHeard: boolean): Buffer {
  const event = Buffer.alloc(EVENT_BYTES);
  event.writeUInt32LE(isHeard ? EPOLLIN : 0, 0);
  event.writeInt32LE(fd, EVENT_DATA_AT);
  return event;
}

/** Removing what is not there is no error. */
export function epollRemove(epollFd: number, fd: number): void {
  calls().epollCtl(epollFd, EPOLL_CTL_DEL, fd, Buffer.alloc(EVENT_BYTES));
}

const EVENTS_AT_ONCE = 16;

function readyOf(events: Buffer, count: number): number[] {
  const ready: number[] = [];
  for (let i = 0; i < count; i++) ready.push(events.readInt32LE(i * EVENT_BYTES + EVENT_DATA_AT));
  return ready;
}

/** Waits in a pool thread; calls back with the descriptors that can be read, none on a timeout or an error. */
export function epollWait(
  epollFd: number,
  timeoutMs: number,
  done: (ready: readonly number[]) => void,
): void {
  const events = Buffer.alloc(EVENT_BYTES * EVENTS_AT_ONCE);
  calls().epollWait.async(epollFd, events, EVENTS_AT_ONCE, timeoutMs, (error: Error | null, count: number) =>
    done(error === null ? readyOf(events, count) : []),
  );
}

const readyEvents = Buffer.alloc(EVENT_BYTES * EVENTS_AT_ONCE);

/** The descriptors that can be read now. */
export function epollReady(epollFd: number): readonly number[] {
  return readyOf(readyEvents, calls().epollWait(epollFd, readyEvents, EVENTS_AT_ONCE, 0));
}

/** Those of a few descriptors that can be read, as soon as one can; none when that takes longer. Holds the whole process up. */
export function awaitReadable(fds: readonly number[], limitMs: number): readonly number[] {
  const entries = Buffer.alloc(POLLFD_BYTES * fds.length);
  for (const [i, fd] of fds.entries()) {
    entries.writeInt32LE(fd, POLLFD_BYTES * i);
    entries.writeInt16LE(POLLIN, POLLFD_BYTES * i + 4);
  }
  if (calls().poll(entries, fds.length, limitMs) <= 0) return [];
  return fds.filter((_, i) => entries.readInt16LE(POLLFD_BYTES * i + 6) !== 0);
}

/** A descriptor that `signal` makes readable. */
export function eventDescriptor(): number {
  return check('eventfd', calls().eventfd(0, SOCK_NONBLOCK | SOCK_CLOEXEC));
}

export function signal(eventFd: number): void {
  const one = Buffer.alloc(8);
  one.writeBigUInt64LE(1n);
  calls().write(eventFd, one, 8);
}

const timespec = Buffer.alloc(16);
const UINT32 = 2 ** 32;

/** Milliseconds of CLOCK_MONOTONIC_RAW, which no time daemon can slew; since boot, with fractions. */
export function rawNowMs(): number {
  calls().clockGettime(CLOCK_MONOTONIC_RAW, timespec);
  const seconds = timespec.readInt32LE(4) * UINT32 + timespec.readUInt32LE(0);
  return seconds * 1000 + timespec.readUInt32LE(8) / 1e6;
}

/** struct timex and more. */
const TIMEX_BYTES = 256;
/** The kernel's clock is not synchronised (adjtimex(2)). */
const TIME_ERROR = 5;

/** Whether a time daemon keeps the clock of the day; null: the kernel does not tell. Changes nothing. */
export function isClockKept(): boolean | null {
  // All zero: no mode, so that it only reads.
  const state = calls().adjtimex(Buffer.alloc(TIMEX_BYTES));
  return state < 0 ? null : state !== TIME_ERROR;
}

/** Locks an open file for this process alone, without waiting; false when somebody else has it. */
export function lockFile(fd: number): boolean {
  return calls().flock(fd, LOCK_EX | LOCK_NB) === 0;
}

/** A crash of this process leaves no image of its memory, in which its key would be. False: a sandbox does not let us; its unit says it itself. */
export function forbidCoreDumps(): boolean {
  return calls().setrlimit(RLIMIT_CORE, Buffer.alloc(16)) === 0;
}
