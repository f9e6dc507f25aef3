/**
 * Questions on the terminal. The answer is read from a descriptor of its own: `process.stdin` of a terminal never
 * blocks once Node has made it, so that a synchronous read there fails before the first key (EAGAIN), and what is
 * typed next is echoed.
 */
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { OperatorError } from '../trust/errors.ts';

/** Of one answer. */
export const ANSWER_MAX_BYTES = 1024;
/** 128 and SIGINT, as a shell says of what Ctrl-C ended. */
const INTERRUPTED_STATUS = 130;

const CTRL_C = 0x03;
const CTRL_D = 0x04;
const BACKSPACE = 0x08;
const LF = 0x0a;
const CR = 0x0d;
const CTRL_U = 0x15;
const CTRL_BACKSLASH = 0x1c;
const DELETE = 0x7f;

/** One line from the terminal, without echo; null when there is none. Throws OperatorError. */
export function askSecret(question: string): Uint8Array | null {
  if (!process.stdin.isTTY) return null;
  const fd = openTerminal();
  if (fd === null) return null;
  const typed = new Answer();
  try {
    // Before the question, so that no answer is so fast as to be shown. Ctrl-C then comes as a byte.
    setRaw(true);
    process.stderr.write(question);
    for (let key = readKey(fd); key !== null && key !== LF && key !== CR; key = readKey(fd)) {
      if (key === CTRL_C || key === CTRL_BACKSLASH)
        throw new OperatorError('interrupted', undefined, INTERRUPTED_STATUS);
      if (key === CTRL_D) break;
      if (key === BACKSPACE || key === DELETE) typed.takeBack();
      else if (key === CTRL_U) typed.clear();
      else typed.add(key);
    }
    return typed.bytes();
  } finally {
    typed.clear();
    closeSync(fd);
    setRaw(false);
    process.stderr.write('\n');
  }
}

/** One line from the terminal, edited and shown by the terminal itself; null when there is none. */
export function askLine(question: string): string | null {
  if (!process.stdin.isTTY) return null;
  const fd = openTerminal();
  if (fd === null) return null;
  const typed = new Answer();
  try {
    process.stderr.write(question);
    for (let key = readKey(fd); key !== null && key !== LF; key = readKey(fd)) typed.add(key);
    return Buffer.from(typed.bytes()).toString('utf8').trim();
  } finally {
    closeSync(fd);
  }
}

/**
 * A blocking descriptor of the terminal; null when none can be had. Standard input's own terminal first, since it is
 * that one whose echo is turned off; under `su` it may be another user's, and then the controlling one is the same.
 */
function openTerminal(): number | null {
  for (const path of ['/proc/self/fd/0', '/dev/tty']) {
    try {
      return openSync(path, constants.O_RDONLY | constants.O_NOCTTY);
    } catch {}
  }
  return null;
}

/** Throws OperatorError when the echo cannot be turned off: then no secret may be asked for. */
function setRaw(raw: boolean): void {
  try {
    process.stdin.setRawMode(raw);
  } catch (error) {
    const { code = 'error' } = error as NodeJS.ErrnoException;
    throw new OperatorError(`the terminal cannot be set (${code})`, 'is it still there?');
  }
}

/** The next byte; null at the end of what is typed (Ctrl-D on an empty line, or the terminal is gone). */
function readKey(fd: number): number | null {
  const byte = new Uint8Array(1);
  try {
    return readSync(fd, byte) === 1 ? (byte[0] ?? null) : null;
  } catch (error) {
    const { code = 'error' } = error as NodeJS.ErrnoException;
    throw new OperatorError(`the terminal cannot be read (${code})`, 'is it still there?');
  }
}

/** What was typed so far; nothing of it stays in memory after `clear`. */
class Answer {
  readonly #bytes = new Uint8Array(ANSWER_MAX_BYTES);
  /** Goes on behind the end, so that the rest of a line that is too long is read and not left to the shell. */
  #length = 0;

  add(byte: number): void {
    if (this.#length < ANSWER_MAX_BYTES) this.#bytes[this.#length] = byte;
    this.#length++;
  }

  /** The last character, which in UTF-8 may be several bytes. */
  takeBack(): void {
    const continues = (byte: number | undefined): boolean => ((byte ?? 0) & 0xc0) === 0x80;
    while (this.#length > 0 && continues(this.#bytes[this.#length - 1])) this.#length--;
    if (this.#length > 0) this.#length--;
  }

  clear(): void {
    this.#bytes.fill(0);
    this.#length = 0;
  }

  /** A copy. Throws OperatorError when it is too long. */
  bytes(): Uint8Array {
    if (this.#length <= ANSWER_MAX_BYTES) return this.#bytes.slice(0, this.#length);
    throw new OperatorError(
      `the answer is longer than ${ANSWER_MAX_BYTES} bytes`,
      'give a shorter one, or --help for how to give it in a file',
    );
  }
}
