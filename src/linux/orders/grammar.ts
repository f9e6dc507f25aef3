/**
 * The words between the network process and the actuator (spec/actuator.md). An order is one line of at most 64 bytes,
 * `SEQ VERB INDEX DEADLINE [WAIT]`, its verb from a closed list, its service a number of root's configuration: no text of the
 * network ever stands in one. An answer is one line, `SEQ WORD NUMBER [TEXT]`, SEQ 0 for what nobody asked. Pure.
 */
import type { Side } from '../../core/events.ts';
import { PROCEDURES, type Procedure, type Verdict } from '../../core/procedures.ts';
import { SERVICES_MAX } from '../config.ts';

/** Of the grammar; both processes are of one installation, and one that differs is refused. */
export const GRAMMAR = 3;
/** Line ends included. */
export const ORDER_BYTES_MAX = 64;
export const ANSWER_BYTES_MAX = 640;
/** The highest number of a service: of those in the file, and as many that a reload took out. */
export const INDEX_MAX = 2 * SERVICES_MAX - 1;
/** Addresses of other members that one list may hold. */
export const MEMBERS_MAX = 256;

/** Times are milliseconds of CLOCK_MONOTONIC_RAW, to a thousandth. */
export type Order =
  | {
      readonly verb: Procedure;
      readonly seq: number;
      readonly index: number;
      readonly deadlineMs: number;
    }
  | {
      readonly verb: 'gate';
      readonly seq: number;
      readonly index: number;
      readonly deadlineMs: number;
    }
  /** Each of its questions waits for `waitMs`. */
  | {
      readonly verb: 'probeDownlink' | 'probeUplink';
      readonly seq: number;
      readonly index: number;
      readonly deadlineMs: number;
      readonly waitMs: number;
    }
  /** Shuts that service's gate; needs no deadline, since late is better than never. */
  | { readonly verb: 'shut'; readonly seq: number; readonly index: number }
  /** A hint: the uplink may soon be wanted, or will not be now (`speculative`). */
  | { readonly verb: 'prepare' | 'dismiss'; readonly seq: number; readonly index: number }
  /** The network process lives, and will have said so again by the deadline. */
  | { readonly verb: 'beat'; readonly seq: number; readonly deadlineMs: number }
  /** The first order: index 1 for a gateway, 0 for a witness, whose services are not touched. */
  | { readonly verb: 'begin'; readonly seq: number; readonly isGateway: boolean }
  /** Makes the host harmless at once. */
  | { readonly verb: 'fence'; readonly seq: number }
  /** Read your file again; it must be the one of that hash. */
  | { readonly verb: 'reload'; readonly seq: number; readonly hash: string }
  /** One address of another member, for the list that `members` puts in force. */
  | { readonly verb: 'member'; readonly seq: number; readonly address: string }
  | { readonly verb: 'members'; readonly seq: number; readonly count: number };

/** An order without its number, which the sender's end gives. */
export type Unnumbered = Order extends infer O ? (O extends Order ? Omit<O, 'seq'> : never) : never;
export type Timed = Extract<Order, { readonly index: number; readonly deadlineMs: number }>;

const TIMED: ReadonlySet<string> = new Set([...PROCEDURES, 'gate']);
const SEQ = /^[1-9]\d{0,14}$/;
const TIME = /^(?:0|[1-9]\d{0,12})(?:\.\d{0,2}[1-9])?$/;
const INDEX = /^(?:0|[1-9]\d{0,2})$/;
const HASH = /^[0-9a-f]{32}$/;
const COUNT = /^(?:0|[1-9]\d{0,2})$/;
/** What an address is made of; that it is one is for its reader to see. */
const ADDRESS = /^[0-9a-f:.]{2,39}$/;

/** Reads one line, without its end. Null: not a word of this language. */
export function parseOrder(line: string): Order | null {
  const [first = '', verb = '', third = '', fourth, fifth, ...rest] = line.split(' ');
  if (rest.length > 0 || !SEQ.test(first)) return null;
  const seq = Number(first);
  if (fourth === undefined) return parseShort(seq, verb, third);
  const index = INDEX.test(third) ? Number(third) : Number.NaN;
  if (!(index <= INDEX_MAX) || !TIME.test(fourth)) return null;
  const deadlineMs = Number(fourth);
  if (verb === 'probeDownlink' || verb === 'probeUplink')
    return fifth !== undefined && TIME.test(fifth)
      ? { verb, seq, index, deadlineMs, waitMs: Number(fifth) }
      : null;
  if (fifth !== undefined) return null;
  if (TIMED.has(verb)) return { verb: verb as Procedure | 'gate', seq, index, deadlineMs };
  if (verb === 'beat') return index === 0 ? { verb, seq, deadlineMs } : null;
  if (fourth !== '0') return null;
  if (verb === 'shut' || verb === 'prepare' || verb === 'dismiss') return { verb, seq, index };
  if (verb === 'begin') return index <= 1 ? { verb, seq, isGateway: index === 1 } : null;
  if (verb === 'fence') return index === 0 ? { verb, seq } : null;
  return null;
}

function parseShort(seq: number, verb: string, word: string): Order | null {
  if (verb === 'reload') return HASH.test(word) ? { verb, seq, hash: word } : null;
  if (verb === 'member') return ADDRESS.test(word) ? { verb, seq, address: word } : null;
  if (verb !== 'members' || !COUNT.test(word)) return null;
  const count = Number(word);
  return count <= MEMBERS_MAX ? { verb, seq, count } : null;
}

/** The line of an order, with its end. Deadlines are cut, never rounded up. */
export function formatOrder(order: Order): string {
  const head = `${order.seq} ${order.verb}`;
  switch (order.verb) {
    case 'shut':
    case 'prepare':
    case 'dismiss':
      return `${head} ${order.index} 0\n`;
    case 'beat':
      return `${head} 0 ${timeText(order.deadlineMs)}\n`;
    case 'begin':
      return `${head} ${order.isGateway ? 1 : 0} 0\n`;
    case 'fence':
      return `${head} 0 0\n`;
    case 'reload':
      return `${head} ${order.hash}\n`;
    case 'member':
      return `${head} ${order.address}\n`;
    case 'members':
      return `${head} ${order.count}\n`;
    case 'probeDownlink':
    case 'probeUplink':
      return `${head} ${order.index} ${timeText(order.deadlineMs)} ${Math.round(order.waitMs * 1000) / 1000}\n`;
    default:
      return `${head} ${order.index} ${timeText(order.deadlineMs)}\n`;
  }
}

function timeText(ms: number): string {
  return String(Math.floor(Math.max(ms, 0) * 1000) / 1000);
}

/** What answers and news may say. */
export const WORDS = [
  ...(['confirmed', 'unknown', 'lost', 'refuted'] as const satisfies readonly Verdict[]),
  'answered', // a probe of addresses: somebody has or wants one
  'silent', // nobody does
  'open', // the gate, until NUMBER
  'shut',
  'ok',
  'fail',
  'ready', // NUMBER: the grammar; TEXT: the hash of the settings that were read
  'link', // NUMBER: the service; TEXT: the side
  'foreigner', // NUMBER: the service
  'rival', // NUMBER: the service; TEXT: the side, a blank, what was heard
  'filter', // NUMBER: 1, there is trouble with the port's filter, or 0
  'sync', // NUMBER: 1, there is trouble with conntrackd, or 0
  'counts', // TEXT: what that filter dropped, three numbers
  'load', // NUMBER: how burdened the host is, 0 to 1000; TEXT: what each source told
  'intruded', // NUMBER: the service whose uplink was up, or there, unwanted; TEXT: what is wrong, nothing if it is over
  'guarded', // NUMBER: that service; TEXT: what was done about it, for the log
  'spent', // NUMBER: the service whose uplink may not be raised again so soon
] as const;
export type Word = (typeof WORDS)[number];

export interface Answer {
  readonly seq: number;
  readonly word: Word;
  readonly number: number;
  readonly text: string;
}

/** Reads one line, without its end; null: none of ours. */
export function parseAnswer(line: string): Answer | null {
  const [, seq = '', word = '', number = '', text = ''] =
    /^(\d{1,15}) ([a-z]{1,9}) (\d{1,13}(?:\.\d{1,3})?)(?: (.*))?$/.exec(line) ?? [];
  const known = WORDS.find((candidate) => candidate === word);
  return known === undefined ? null : { seq: Number(seq), word: known, number: Number(number), text };
}

/** The line of an answer, with its end, cut to what a line may have; control characters never stand in it. */
export function formatAnswer({ seq, word, number, text }: Answer): string {
  const head = `${seq} ${word} ${timeText(number)}`;
  const clean = text.replace(/[^\x20-\x7e]+/g, ' ').slice(0, ANSWER_BYTES_MAX - head.length - 2);
  return clean === '' ? `${head}\n` : `${head} ${clean}\n`;
}

/** The side that `link` and `rival` name, and what stands after it. */
export function sideOf(text: string): { side: Side; rest: string } | null {
  const [side, ...rest] = text.split(' ');
  if (side !== 'downlink' && side !== 'uplink') return null;
  return { side, rest: rest.join(' ') };
}
