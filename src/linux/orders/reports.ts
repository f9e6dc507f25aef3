/** What the Linux side tells, as answers to the orders' numbers and as news, on the stream to the network process. */
import type { Writable } from 'node:stream';
import type { ActuatorEvents } from '../../driver/ports.ts';
import { textOf } from '../tools.ts';
import { type Answer, formatAnswer, type Word } from './grammar.ts';

/** News that wait for a reader who has stopped: beyond this they are dropped. Answers are bounded by the orders. */
const WAITING_MAX_BYTES = 64 * 1024;

export class Reports {
  private readonly stream: Writable;
  private readonly indexOf: (service: string) => number;
  /** By service: orders whose end was not told yet. */
  private readonly outstanding = new Map<string, number>();
  /** The last beat that was not answered yet; the answer to it answers all before it. */
  private beat: number | null = null;
  /** Of this turn. */
  private said = '';
  private isOver = false;

  /** `indexOf`: a service's number; -1 when it has none any more. */
  constructor(stream: Writable, indexOf: (service: string) => number) {
    this.stream = stream;
    this.indexOf = indexOf;
  }

  reply(seq: number, word: Word, text = ''): void {
    this.say({ seq, word, number: 0, text });
  }

  /** Answers a beat, with the next answer of this turn of the loop or at its end: nobody waits for it. */
  alive(seq: number): void {
    // No timer: one that is taken back wakes the loop all the same.
    if (this.beat === null) setImmediate(() => this.answerBeat());
    this.beat = seq;
  }

  private answerBeat(): void {
    const seq = this.beat;
    this.beat = null;
    if (seq !== null) this.reply(seq, 'ok');
  }

  /** What is wrong, and the remedy where there is one. */
  refuse(seq: number, error: unknown): void {
    const { hint } = error as { hint?: unknown };
    const remedy = typeof hint === 'string' && hint !== '' ? `; ${hint}` : '';
    this.reply(seq, 'fail', `${textOf(error)}${remedy}`);
  }

  news(word: Word, number: number, text: string): void {
    if (this.stream.writableLength + this.said.length < WAITING_MAX_BYTES)
      this.say({ seq: 0, word, number, text });
  }

  /** `alarm` null: nothing is wrong with that uplink any more; `note` null: nothing new for the log. */
  intruded(index: number, alarm: string | null, note: string | null): void {
    this.news('intruded', index, alarm ?? '');
    if (note !== null) this.news('guarded', index, `uplink guard: ${note}`);
  }

  /** What is said in one turn of the loop leaves as one. */
  say(answer: Answer): void {
    if (this.isOver) return;
    if (this.said === '') setImmediate(() => this.leave());
    this.said += formatAnswer(answer);
    if (this.beat !== null) this.answerBeat();
  }

  private leave(): void {
    this.stream.write(this.said);
    this.said = '';
  }

  begun(name: string): void {
    this.outstanding.set(name, this.waiting(name) + 1);
  }

  waiting(name: string): number {
    return this.outstanding.get(name) ?? 0;
  }

  end(): void {
    this.isOver = true;
  }

  readonly events: ActuatorEvents = {
    procedureEnded: (name, _procedure, id, verdict, detail) => {
      this.done(name);
      this.reply(id, verdict, detail);
    },
    addressesProbed: (name, _side, id, answered, detail) => {
      this.done(name);
      this.reply(id, answered ? 'answered' : 'silent', detail);
    },
    gateSet: (_name, id, openUntilMs) => {
      const word = openUntilMs === null ? 'shut' : 'open';
      this.say({ seq: id, word, number: openUntilMs ?? 0, text: '' });
    },
    linkChanged: (name, side) => this.about('link', name, side),
    foreignerHeard: (name) => this.about('foreigner', name, ''),
    rivalHeard: (name, side, detail) => this.about('rival', name, `${side} ${detail}`),
    loadMeasured: (load, detail) => this.news('load', load, detail),
  };

  private done(name: string): void {
    const rest = this.waiting(name) - 1;
    if (rest > 0) this.outstanding.set(name, rest);
    else this.outstanding.delete(name);
  }

  private about(word: Word, name: string, text: string): void {
    const index = this.indexOf(name);
    if (index >= 0) this.news(word, index, text);
  }
}
