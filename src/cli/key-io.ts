/**
 * What the key and cluster commands say and ask: data on stdout, talk on stderr, pass phrases from a file or from
 * the terminal without echo. Never a secret on either stream. Replaced by a double in tests.
 */
import { readSecretFile } from '../daemon/safe-files.ts';
import { OperatorError } from '../trust/errors.ts';
import { askLine, askSecret } from './terminal.ts';

const OPTION = '--passphrase-file';

export interface KeyIo {
  /** Data. */
  out(text: string): void;
  /** Talk; one line without its end. */
  say(text: string): void;
  /** Asks on the terminal, without echo; null when there is none. */
  askSecret(question: string): Uint8Array | null;
  /** Asks on the terminal, with what is typed shown; null when there is none. */
  askLine(question: string): string | null;
}

export const processIo: KeyIo = {
  out: (text) => void process.stdout.write(text),
  say: (text) => void process.stderr.write(`portcullis: ${text}\n`),
  askSecret,
  askLine,
};

/** The pass phrase in the first line of a file that only its owner can read. Throws OperatorError. */
export function readPassphraseFile(path: string): Uint8Array {
  const bytes = readSecretFile(path, 'pass phrase');
  const lineEnd = bytes.indexOf(0x0a);
  const passphrase = Uint8Array.from(lineEnd < 0 ? bytes : bytes.subarray(0, lineEnd));
  bytes.fill(0);
  if (passphrase.length === 0)
    throw new OperatorError(`${path}: the pass phrase is empty`, 'it is the first line of the file');
  return passphrase;
}

/** How a command comes by the pass phrase of a key that needs one: from the file that `option` names, or by asking. */
export function passphraseAsker(io: KeyIo, file: string | undefined, option = OPTION) {
  const ask = (path: string) =>
    file === undefined ? io.askSecret(`pass phrase of ${path}: `) : readPassphraseFile(file);
  return Object.assign(ask, { option });
}

/** A new pass phrase, asked for twice. Throws OperatorError without a terminal, or when the two differ. */
function askNewPassphrase(io: KeyIo, option: string): Uint8Array {
  const first = io.askSecret('new pass phrase: ');
  if (first === null)
    throw new OperatorError('no terminal to ask for a pass phrase', `give it with ${option} FILE`);
  if (first.length === 0)
    throw new OperatorError('the pass phrase is empty', 'type one, or leave out --passphrase');
  const second = io.askSecret('the same again: ');
  if (second === null || Buffer.compare(first, second) !== 0)
    throw new OperatorError('the two pass phrases differ', 'nothing was written: try again');
  return first;
}

/** A new pass phrase from a file, from the terminal, or none. Throws OperatorError. */
export function newPassphrase(
  io: KeyIo,
  file: string | undefined,
  ask: boolean,
  option = OPTION,
): Uint8Array | null {
  if (file !== undefined) return readPassphraseFile(file);
  return ask ? askNewPassphrase(io, option) : null;
}
