/**
 * The words between the actuator and its checker: a line of JSON asks, a line `ID ok|no TEXT` answers. The actuator reads
 * nothing else of what the checker has read of the network, and of TEXT only printable characters.
 */
import type { SocketCheck } from './kinds.ts';
import type { Way } from './sockets.ts';

/** Line ends included. */
export const REPLY_BYTES_MAX = 320;

export interface Asked {
  readonly id: number;
  readonly way: Way;
  readonly check: SocketCheck;
  readonly limitMs: number;
}

export interface Reply {
  readonly id: number;
  readonly ok: boolean;
  readonly text: string;
}

export function formatReply({ id, ok, text }: Reply): string {
  const clean = text.replace(/[^\x20-\x7e]+/g, ' ').slice(0, REPLY_BYTES_MAX - 32);
  return `${id} ${ok ? 'ok' : 'no'} ${clean}\n`;
}

/** Null: not a word of this language. */
export function parseReply(line: string): Reply | null {
  const [, id, word, text = ''] = /^([1-9]\d{0,14}) (ok|no) ([\x20-\x7e]*)$/.exec(line) ?? [];
  return id === undefined ? null : { id: Number(id), ok: word === 'ok', text };
}
