/**
 * One packet socket on one device (packet(7)): sends frames in one system call and hears what the filter lets
 * through. Invariant: no frame of our own comes back as heard, and nothing heard can make it throw.
 *
 * The kernel keeps some 250 frames for it, and drops what comes then. Where nobody asks that is noise: no rule rests on what was not
 * heard, and a foreigner or a rival says again what it says. Before a question the queue is emptied, and the answer of a healthy host
 * is among the first that come after it: measured beside 20,000 broadcasts a second, no round missed one. So no answer needs a filter
 * of its own in the kernel, which would have to be changed with each question.
 */
import { type Heard, parseFrame } from './frames.ts';
import { closeFd, ENETDOWN, EPERM, receive, send } from './libc.ts';
import { openPacketSocket } from './packetsocket.ts';
import type { Poller } from './poller.ts';
import type { Link } from './rtnetlink.ts';
import { earFilter } from './socketfilter.ts';

const ETH_P_ALL = 3;
/** More than these wait for the next turn, so that a storm costs a bounded share. */
const FRAMES_A_TURN = 64;
/** Before silence is told, so many turns of what has come already are read. */
const LAST_TURNS = 16;

export type Listener = (heard: Heard) => void;

export interface Question {
  /** What to send, each time anew. */
  readonly frames: () => readonly Buffer[];
  /** Whether this is the awaited answer. */
  readonly answers: (heard: Heard) => boolean;
  readonly times: number;
  readonly gapMs: number;
  /** From the first sending. */
  readonly limitMs: number;
  /** Called for each frame that could not leave. */
  readonly unsent?: () => void;
  /** Who is asked answered the last time, and will so at once while all is well: this turn of the loop waits for it. */
  readonly isExpected?: boolean;
}

export class Ear {
  readonly device: string;
  /** Who had the addresses of the configuration that were asked for, the last time; by address. */
  readonly resolved = new Map<string, Buffer>();
  private readonly poller: Poller;
  private readonly maySend: () => boolean;
  private readonly listeners = new Set<Listener>();
  private readonly frame = Buffer.alloc(2048);
  private fd: number | null = null;
  /** Questions whose answers the thread is to hear. */
  private waiting = 0;
  private current: Link | null = null;

  /** `maySend`: asked for each frame. */
  constructor(poller: Poller, device: string, maySend: () => boolean = () => true) {
    this.poller = poller;
    this.device = device;
    this.maySend = maySend;
  }

  /** The device as last told by the kernel; null when it is not there. */
  get link(): Link | null {
    return this.current;
  }

  /** Follows the device: a new index needs a new socket. */
  setLink(link: Link | null): void {
    const moved = link?.index !== this.current?.index;
    this.current = link;
    if (!moved) return;
    this.resolved.clear();
    this.closeSocket();
    if (link === null) return;
    try {
      this.openOn(link.index);
    } catch {
      // It went away since it was looked up. The event that tells so is on its way.
      this.current = null;
    }
  }

  /** Sends at once. Returns 0, or the errno (ENETDOWN when the device is down or gone, EPERM when it must be silent). */
  send(frame: Buffer): number {
    if (this.fd === null) return ENETDOWN;
    return this.maySend() ? send(this.fd, frame, null) : EPERM;
  }

  /** Hears every frame until the returned function is called. */
  listen(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /**
   * Asks until answered or until the limit; null: no answer. Late is not dead: when this process was held up, what came
   * meanwhile is read before silence is told, and a question that left late is given its time.
   */
  ask(question: Question): Promise<Heard | null> {
    // What came before the question is no answer to it.
    this.readWaiting();
    return new Promise((resolve) => {
      const timers: NodeJS.Timeout[] = [];
      let isOver = false;
      let isHeard = false;
      let sentMs = 0;
      const end = (heard: Heard | null): void => {
        isOver = true;
        deafen();
        if (isHeard) this.attend(-1);
        for (const timer of timers) clearTimeout(timer);
        resolve(heard);
      };
      const deafen = this.listen((heard) => {
        if (!isOver && question.answers(heard)) end(heard);
      });
      const sendAll = (): void => {
        sentMs = performance.now();
        for (const frame of question.frames()) if (this.send(frame) !== 0) question.unsent?.();
      };
      const limit = (): void => {
        this.readWaiting();
        if (isOver) return;
        const restMs = sentMs + question.gapMs - performance.now();
        if (restMs > question.gapMs / 2) timers.push(setTimeout(limit, restMs));
        else end(null);
      };
      const later = (): void => {
        isHeard = true;
        this.attend(1);
        for (let i = 1; i < question.times; i++) timers.push(setTimeout(sendAll, i * question.gapMs));
        timers.push(setTimeout(limit, question.limitMs));
      };
      const isAwaited = this.fd !== null && question.isExpected === true;
      // Before it is asked: the answer may be there with the next call.
      if (!isAwaited) later();
      sendAll();
      if (isAwaited && this.fd !== null) this.poller.expect({ fd: this.fd, isOpen: () => !isOver, later });
    });
  }

  /** One more that waits, or one less. */
  private attend(change: 1 | -1): void {
    this.waiting += change;
    if (this.fd !== null && (this.waiting === 0 || (this.waiting === 1 && change === 1)))
      this.poller.hear(this.fd, this.waiting > 0);
  }

  close(): void {
    this.closeSocket();
    this.listeners.clear();
  }

  private openOn(index: number): void {
    const fd = openPacketSocket(index, ETH_P_ALL, earFilter());
    this.fd = fd;
    this.poller.add(fd, () => this.read(fd), true);
    if (this.waiting > 0) this.poller.hear(fd, true);
  }

  private closeSocket(): void {
    if (this.fd === null) return;
    this.poller.remove(this.fd);
    closeFd(this.fd);
    this.fd = null;
  }

  private readWaiting(): void {
    for (let turns = 0; turns < LAST_TURNS && this.fd !== null; turns++) if (!this.read(this.fd)) return;
  }

  private read(fd: number): boolean {
    for (let i = 0; i < FRAMES_A_TURN; i++) {
      const got = receive(fd, this.frame);
      if (got < 0) return false;
      const heard = parseFrame(this.frame.subarray(0, got));
      if (heard === null || (this.current !== null && heard.mac.equals(this.current.mac))) continue;
      for (const listener of [...this.listeners]) listener(heard);
      if (this.fd !== fd) return false;
    }
    return true;
  }
}
