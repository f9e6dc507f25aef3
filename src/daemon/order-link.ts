/**
 * The network process's end of the conversation with the actuator: numbers the orders, finds the answers' owners, says
 * that this process lives, and sees when the other one no longer answers. Decides nothing.
 */
import type { Duplex } from 'node:stream';
import {
  ANSWER_BYTES_MAX,
  type Answer,
  formatOrder,
  GRAMMAR,
  type Order,
  parseAnswer,
  type Unnumbered,
} from '../linux/orders/grammar.ts';
import { isAnswerByte, Lines } from '../linux/orders/lines.ts';
import { aliveMs, patienceMs } from '../linux/orders/liveness.ts';
import type { Beside } from './clock.ts';

/** Of the time for which a beat counts: after so much of it one goes with the next orders, and after so much by itself. */
const WITH_ORDERS_AFTER = 1 / 4;
const ALONE_AFTER = 3 / 4;
/** Orders that wait for a stopped actuator to read them; it is dead long before there are as many. */
const WAITING_MAX_BYTES = 256 * 1024;

export interface OrderLinkOptions {
  readonly stream: Duplex;
  readonly nowMs: () => number;
  readonly leaseMs: number;
  readonly onNews: (answer: Answer) => void;
  /** The conversation is over, and with it this process's use; called once, not after `close`. */
  readonly onLost: (why: string) => void;
  /** What calls for the next beat by itself, which each one puts off. */
  readonly beside: (run: () => void) => Beside;
}

export class OrderLink {
  /** Resolves with the hash of the settings that the actuator has read; rejects with why there is no conversation. */
  readonly ready: Promise<string>;
  readonly #options: OrderLinkOptions;
  readonly #lines: Lines;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  /** Until the next beat by itself; each beat puts it off. */
  readonly #alone: Beside;
  #seq = 0;
  #isOver = false;
  /** When the oldest beat that was not answered was sent; null: all were. */
  #askedMs: number | null = null;
  /** When the last one was sent; null: none yet. */
  #beatMs: number | null = null;
  #beats = new Map<number, number>();
  #judgedMs: number;
  /** After a silence no order to raise goes out before then. */
  #trustedFromMs = Number.NEGATIVE_INFINITY;
  #isSilent = false;
  #isYielding = false;
  #settle: { resolve: (hash: string) => void; reject: (error: Error) => void } | null = null;

  constructor(options: OrderLinkOptions) {
    this.#options = options;
    const { stream, nowMs } = options;
    this.ready = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.#lines = new Lines({
      maxBytes: ANSWER_BYTES_MAX,
      isAllowed: isAnswerByte,
      onLine: (line) => this.#line(line),
      onGarbage: (why) => this.#lost(`the actuator sent ${why}`),
    });
    stream.on('data', (chunk: Uint8Array) => this.#lines.take(chunk));
    stream.on('error', () => this.#lost('the actuator is gone'));
    stream.on('close', () => this.#lost('the actuator is gone'));
    stream.on('end', () => this.#lost('the actuator is gone'));
    this.#judgedMs = nowMs();
    this.#alone = options.beside(() => this.#beatAlone());
    this.#putOff();
  }

  /** False after a silence of the actuator, and for one lease after its end: what it was told before may still hold. */
  get isTrusted(): boolean {
    return !this.#isSilent && this.#options.nowMs() >= this.#trustedFromMs;
  }

  /** How long ago the actuator answered last, at most, in milliseconds. */
  get silentMs(): number {
    return this.#askedMs === null ? 0 : this.#options.nowMs() - this.#askedMs;
  }

  /** Sends an order, and a beat before it when the last one was a while ago; `onAnswer` is called at most once. */
  send(order: Unnumbered, onAnswer?: (answer: Answer) => void): number {
    const { stream, leaseMs } = this.#options;
    if (this.#beatAgeMs < WITH_ORDERS_AFTER * aliveMs(leaseMs)) return this.#write(order, onAnswer);
    stream.cork();
    this.beat();
    const seq = this.#write(order, onAnswer);
    stream.uncork();
    return seq;
  }

  #write(order: Unnumbered, onAnswer?: (answer: Answer) => void): number {
    const seq = ++this.#seq;
    if (this.#isOver) return seq;
    if (onAnswer !== undefined) this.#waiting.set(seq, onAnswer);
    this.#options.stream.write(formatOrder({ ...order, seq } as Order));
    if (this.#options.stream.writableLength > WAITING_MAX_BYTES) this.#lost('the actuator reads no orders');
    return seq;
  }

  /**
   * Tests and what lowers need not hurry, and what the same step says to other hosts must: the successor waits for it. Orders from
   * here to the end of this turn leave after that, in their order and all at once.
   */
  yield(): void {
    if (this.#isYielding || this.#isOver) return;
    this.#isYielding = true;
    this.#options.stream.cork();
    process.nextTick(() => {
      this.#isYielding = false;
      this.#options.stream.uncork();
    });
  }

  /** An order whose answer is `ok` or `fail`; rejects with the words of a refusal, or when the actuator is lost. */
  ask(order: Unnumbered): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#isOver) reject(new Error('the actuator is gone'));
      this.send(order, ({ word, text }) => (word === 'ok' ? resolve() : reject(new Error(text))));
    });
  }

  /** Begins to say that this process lives. */
  beat(): void {
    const { nowMs, leaseMs } = this.#options;
    if (this.#isOver || this.#isSilenceOver()) return;
    this.#putOff();
    // Reckoned from before it is sent.
    const sentMs = nowMs();
    this.#beatMs = sentMs;
    this.#askedMs ??= sentMs;
    const seq = this.#write({ verb: 'beat', deadlineMs: sentMs + aliveMs(leaseMs) }, () => this.#beaten(seq));
    this.#beats.set(seq, sentMs);
  }

  close(): void {
    this.#over();
    this.#options.stream.end();
  }

  #beaten(seq: number): void {
    for (const older of [...this.#beats.keys()])
      if (older <= seq) {
        this.#beats.delete(older);
        this.#waiting.delete(older);
      }
    const [oldest = null] = this.#beats.values();
    this.#askedMs = oldest;
    if (!this.#isSilent) return;
    this.#isSilent = false;
    this.#trustedFromMs = this.#options.nowMs() + this.#options.leaseMs;
  }

  #beatAlone(): void {
    this.#putOff();
    if (this.#settle === null) this.beat();
  }

  #putOff(): void {
    const { nowMs, leaseMs } = this.#options;
    this.#alone.by(nowMs() + ALONE_AFTER * aliveMs(leaseMs));
  }

  /** Judges the actuator's silence, with each beat; true when it has lasted too long, and the conversation is over. */
  #isSilenceOver(): boolean {
    const { nowMs, leaseMs } = this.#options;
    const now = nowMs();
    const isLate = now - this.#judgedMs > aliveMs(leaseMs);
    this.#judgedMs = now;
    // Late is not dead: who was paused itself first reads what has come meanwhile.
    if (isLate) return false;
    if (this.silentMs > aliveMs(leaseMs)) this.#isSilent = true;
    if (this.silentMs <= aliveMs(leaseMs) + patienceMs(leaseMs)) return false;
    this.#lost('the actuator does not answer');
    return true;
  }

  /** How long ago the last beat was sent; 0 before the first one, which goes by itself. */
  get #beatAgeMs(): number {
    return this.#beatMs === null ? 0 : this.#options.nowMs() - this.#beatMs;
  }

  #line(line: string): void {
    const answer = parseAnswer(line);
    if (answer === null) this.#lost('the actuator sent what is no answer');
    else if (this.#settle !== null) this.#greeted(answer);
    else if (answer.seq === 0) this.#options.onNews(answer);
    else {
      const owner = this.#waiting.get(answer.seq);
      this.#waiting.delete(answer.seq);
      owner?.(answer);
    }
  }

  #greeted({ word, number, text }: Answer): void {
    const settle = this.#settle;
    if (word === 'ready' && number === GRAMMAR) {
      this.#settle = null;
      settle?.resolve(text);
    } else this.#lost('the actuator is of another version');
  }

  #over(): void {
    this.#isOver = true;
    this.#lines.end();
    this.#alone.stop();
  }

  #lost(why: string): void {
    if (this.#isOver) return;
    this.#over();
    this.#options.stream.destroy();
    const settle = this.#settle;
    this.#settle = null;
    for (const [seq, owner] of this.#waiting) owner({ seq, word: 'fail', number: 0, text: why });
    this.#waiting.clear();
    if (settle !== null) settle.reject(new Error(why));
    else this.#options.onLost(why);
  }
}
