/** Where commands talk: data on standard output, words on standard error. Tests hand in their own. */

import { processIo } from './key-io.ts';

export interface CommandIo {
  /** Data for programs and people; whole lines. */
  out(text: string): void;
  /** Everything else. */
  err(text: string): void;
  /** Asks on the terminal, without echo; null when there is none. */
  askSecret(question: string): Uint8Array | null;
  /** Asks on the terminal, with what is typed shown; null, or no such method: there is none. */
  askLine?(question: string): string | null;
}

export const PROCESS_IO: CommandIo = {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  askSecret: processIo.askSecret,
  askLine: processIo.askLine,
};
