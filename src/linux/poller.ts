/**
 * Tells when raw descriptors can be read, which Node's own loop cannot do for packet and netlink sockets.
 * Holds exactly one thread of libuv's pool, asleep in epoll_wait; nothing runs in it but that call.
 */
import {
  closeFd,
  epollAdd,
  epollCreate,
  epollReady,
  epollRemove,
  epollWait,
  eventDescriptor,
  receive,
  signal,
} from './libc.ts';

/** Bounds the wait, so that an exit without `close` is not held up for longer. */
const WAIT_MS = 500;
/** A descriptor that still has data after its turn is left alone for so long: a flood costs a bounded share. */
const REST_MS = 5;
/** So often more is served in one turn before a thread waits anew: what comes together costs one wake-up. */
const TURNS_MAX = 4;

/** Reads what is there, within bounds of its own; true when it stopped at its bound with more to read. */
export type Reader = () => boolean;

export class Poller {
  private readonly epollFd = epollCreate();
  private readonly wakeFd = eventDescriptor();
  private readonly readers = new Map<number, Reader>();
  private readonly wake = (): void => signal(this.wakeFd);
  private closed = false;

  constructor() {
    epollAdd(this.epollFd, this.wakeFd);
    // A thread asleep in epoll_wait would otherwise hold up process.exit.
    process.once('exit', this.wake);
    this.wait();
  }

  /** Calls `reader` whenever `fd` can be read, until `remove`. */
  add(fd: number, reader: Reader): void {
    this.readers.set(fd, reader);
    epollAdd(this.epollFd, fd);
  }

  /** Must come before the descriptor is closed. */
  remove(fd: number): void {
    if (this.readers.delete(fd)) epollRemove(this.epollFd, fd);
  }

  /** The thread comes home within microseconds; the descriptors handed to `add` stay open. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    process.off('exit', this.wake);
    this.readers.clear();
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
    if (reader === undefined || !reader()) return;
    epollRemove(this.epollFd, fd);
    setTimeout(() => {
      if (!this.closed && this.readers.get(fd) === reader) epollAdd(this.epollFd, fd);
    }, REST_MS);
  }
}
