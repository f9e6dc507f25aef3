/**
 * Tells when raw descriptors can be read, which Node's own loop cannot do for packet and netlink sockets.
 * Holds exactly one thread of libuv's pool, asleep in epoll_wait; nothing runs in it but that call.
 */
import {
  awaitReadable,
  closeFd,
  epollAdd,
  epollCreate,
  epollHear,
  epollReady,
  epollRemove,
  epollWait,
  eventDescriptor,
  receive,
  signal,
} from './libc.ts';
import { everyQuarters } from './pulse.ts';

/** Bounds the wait, so that not even an exit of which nobody is told is held up for longer. */
const WAIT_MS = 5000;
/** A descriptor that still has data after its turn is left alone for so long: a flood costs a bounded share. */
const REST_MS = 5;
/** So often more is served in one turn before a thread waits anew: what comes together costs one wake-up. */
const TURNS_MAX = 4;
/**
 * A healthy neighbour on the link answers within a fraction of this. So long the process waits for it where it stands: that costs no
 * more than the sleep, where a thread that hears the answer wakes the loop for a turn of its own.
 */
const GLANCE_MS = 1;
/** After an answer that did not come at once nobody waits for one on that descriptor for so long. */
const PATIENT_MS = 1000;

/**
 * What nobody waits for is read each quarter of a second, or with the next answer that somebody does wait for: to its end within so many
 * turns, which is more than the kernel keeps for a socket. What finds no room there is lost.
 */
const LAZY_TURNS_MAX = 16;

/** Reads what is there, within bounds of its own; true when it stopped at its bound with more to read. */
export type Reader = () => boolean;

/** A question that was sent in this turn of the loop. */
export interface Expectation {
  readonly fd: number;
  readonly isOpen: () => boolean;
  /** It was not answered at once: called before anything else of this turn's end. */
  readonly later: () => void;
}

export class Poller {
  private readonly epollFd = epollCreate();
  private readonly wakeFd = eventDescriptor();
  private readonly readers = new Map<number, Reader>();
  /** Descriptors that wake nobody while nobody waits for them, and whether somebody does. */
  private readonly lazy = new Map<number, boolean>();
  private readonly stopLazy: () => void;
  private readonly wake = (): void => signal(this.wakeFd);
  private expected: Expectation[] = [];
  /** Descriptors that nobody waits for, and until when. */
  private readonly patientUntil = new Map<number, number>();
  private closed = false;

  constructor() {
    epollAdd(this.epollFd, this.wakeFd);
    // A thread asleep in epoll_wait would otherwise hold up process.exit.
    process.once('exit', this.wake);
    this.stopLazy = everyQuarters(1, () => this.readLazy());
    this.wait();
  }

  /** Calls `reader` whenever `fd` can be read, until `remove`. `isLazy`: at once only while `hear` says so, else within a quarter of a second. */
  add(fd: number, reader: Reader, isLazy = false): void {
    this.readers.set(fd, reader);
    if (isLazy) this.lazy.set(fd, false);
    epollAdd(this.epollFd, fd);
    if (isLazy) epollHear(this.epollFd, fd, false);
  }

  /** Whether what comes on a lazy descriptor is to be told at once. */
  hear(fd: number, isHeard: boolean): void {
    if (!this.lazy.has(fd)) return;
    this.lazy.set(fd, isHeard);
    epollHear(this.epollFd, fd, isHeard);
  }

  private readLazy(): void {
    for (const [fd, isHeard] of this.lazy)
      for (let turn = 0; !isHeard && turn < LAZY_TURNS_MAX; turn++) if (!this.read(fd)) break;
  }

  /** Whether there is more to read. */
  private read(fd: number): boolean {
    return this.readers.get(fd)?.() ?? false;
  }

  /**
   * An answer is expected at once: when all that this turn of the loop asks has been sent, the answers to it are waited for
   * together, within bounds, and are told as by the thread.
   */
  expect(expectation: Expectation): void {
    if (this.expected.length === 0) process.nextTick(() => this.glance());
    this.expected.push(expectation);
  }

  private glance(): void {
    const asked = this.expected;
    this.expected = [];
    const nowMs = performance.now();
    const isWaitedFor = ({ fd, isOpen }: Expectation): boolean =>
      isOpen() && this.readers.has(fd) && nowMs >= (this.patientUntil.get(fd) ?? 0);
    const fds = new Set(asked.filter(isWaitedFor).map(({ fd }) => fd));
    for (let restMs = GLANCE_MS; restMs > 0; restMs = nowMs + GLANCE_MS - performance.now()) {
      const open = new Set(asked.filter(({ fd, isOpen }) => fds.has(fd) && isOpen()).map(({ fd }) => fd));
      const ready = open.size === 0 ? [] : awaitReadable([...open], GLANCE_MS);
      for (const fd of ready) this.read(fd);
      if (ready.length === 0) break;
    }
    for (const { fd, isOpen, later } of asked) {
      if (!isOpen()) continue;
      if (fds.has(fd)) this.patientUntil.set(fd, performance.now() + PATIENT_MS);
      later();
    }
  }

  /** Must come before the descriptor is closed. */
  remove(fd: number): void {
    this.patientUntil.delete(fd);
    this.lazy.delete(fd);
    if (this.readers.delete(fd)) epollRemove(this.epollFd, fd);
  }

  /** The thread comes home within microseconds; the descriptors handed to `add` stay open. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    process.off('exit', this.wake);
    this.stopLazy();
    this.readers.clear();
    this.lazy.clear();
    this.wake();
  }

  private wait(): void {
    epollWait(this.epollFd, WAIT_MS, (ready) => {
      if (this.closed) {
        closeFd(this.epollFd);
        closeFd(this.wakeFd);
        return;
      }
      let more = ready;
      for (let turn = 0; more.length > 0 && turn < TURNS_MAX && !this.closed; turn++) {
        for (const fd of more) this.serve(fd);
        more = this.closed ? [] : epollReady(this.epollFd);
      }
      this.wait();
    });
  }

  private serve(fd: number): void {
    if (fd === this.wakeFd) {
      receive(fd, Buffer.alloc(8));
      return;
    }
    const reader = this.readers.get(fd);
    if (reader === undefined || !this.read(fd)) return;
    epollHear(this.epollFd, fd, false);
    setTimeout(() => {
      if (!this.closed && this.readers.get(fd) === reader)
        epollHear(this.epollFd, fd, this.lazy.get(fd) ?? true);
    }, REST_MS);
  }
}
