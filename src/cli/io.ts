/** Where commands talk: data on standard output, words on standard error. Tests hand in their own. */

import { processIo } from './key-io.ts';
import { type Style, styleFor, takesOrders } from './style.ts';

export interface CommandIo {
  /** Data for programs and people; whole lines. */
  out(text: string): void;
  /** Everything else. */
  err(text: string): void;
  /** Asks on the terminal, without echo; null when there is none. */
  askSecret(question: string): Uint8Array | null;
  /** Asks on the terminal, with what is typed shown; null, or no such method: there is none. */
  askLine?(question: string): string | null;
  /** Standard output is a terminal that takes orders; absent: it is none. */
  readonly screen?: { readonly style: Style };
}

export const PROCESS_IO: CommandIo = {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  askSecret: processIo.askSecret,
  askLine: processIo.askLine,
  ...(takesOrders(process.stdout) ? { screen: { style: styleFor(process.stdout) } } : {}),
};

let isOutputGone = false;

/** Whether what is printed reaches nobody any more: the end of a command that goes on for as long as it is read. */
export function outputGone(): boolean {
  return isOutputGone;
}

/**
 * Who reads our output may stop (`| head -1`): what is said then is said to nobody, and the command goes on to its end.
 * Anything else that stands in the way of the data (a full disk) is a failure.
 */
export function outliveReaders(): void {
  process.stdout.on('error', ({ code = 'error' }: NodeJS.ErrnoException) => {
    isOutputGone = true;
    if (code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED') return;
    process.exitCode = 1;
    process.stderr.write(`portcullis: error: standard output cannot be written (${code})\n`);
    process.stderr.write('portcullis: hint: what was printed is not whole; is the disk full?\n');
  });
  // There is nowhere left to say so.
  process.stderr.on('error', () => undefined);
}
