/**
 * A signer outside this process (`--signer PROGRAM`), so that a key can live in a token, an HSM or an agent. The
 * program is started without a shell, as `PROGRAM public` (answers with the line of a public key file) or
 * `PROGRAM sign` (reads the bytes to be signed, answers with the 64 bytes of the Ed25519 signature), and ends with
 * status 0. It has a time limit, its answer is capped, and no signature is used before it was verified.
 * keys/README.md has the protocol in full.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { publicKeyOfLine } from '../daemon/key-files.ts';
import { OperatorError } from '../trust/errors.ts';
import { fingerprint } from '../trust/fingerprint.ts';
import { type Identity, importVerifyKey } from '../wire/ed25519.ts';
import { SIGNATURE_BYTES } from '../wire/limits.ts';

/** What a roster is signed with. */
export type Signer = Pick<Identity, 'publicKey' | 'sign'>;

const PUBLIC_LINE_MAX_BYTES = 4096;
const OTHERS_WRITE = 0o002;

/**
 * The signer behind a program. `publicKey`: the admitted key that it must sign with; null: it is asked for it.
 * `limitMs`: for each call, long enough for somebody to touch a token. Throws OperatorError, as `sign` does.
 */
export function externalSigner(program: string, publicKey: Uint8Array | null, limitMs: number): Signer {
  refuseProgram(program);
  const key = publicKey ?? askedPublicKey(program, limitMs);
  const judge = importVerifyKey(key);
  return {
    publicKey: key,
    sign: (message) => {
      const signature = call(program, 'sign', message, SIGNATURE_BYTES, limitMs);
      if (signature.length !== SIGNATURE_BYTES) {
        throw new OperatorError(
          `${program} sign: answered with ${signature.length} bytes`,
          `it must answer with the ${SIGNATURE_BYTES} raw bytes of the signature and nothing else`,
        );
      }
      if (!judge.verify(message, signature)) {
        throw new OperatorError(
          `${program} sign: the signature does not hold for the key ${fingerprint(key)}`,
          'does it sign with that key, with Ed25519, the bytes as they come?',
        );
      }
      return signature;
    },
  };
}

function askedPublicKey(program: string, limitMs: number): Uint8Array {
  const line = call(program, 'public', new Uint8Array(), PUBLIC_LINE_MAX_BYTES, limitMs);
  return publicKeyOfLine(`${program} public`, Buffer.from(line).toString('latin1')).publicKey;
}

/** Standard output of one call. Standard error stays the operator's: the program may ask for a PIN or a touch. */
function call(
  program: string,
  verb: 'public' | 'sign',
  input: Uint8Array,
  maxBytes: number,
  limitMs: number,
): Uint8Array {
  const ended = spawnSync(program, [verb], {
    input,
    timeout: limitMs,
    killSignal: 'SIGKILL',
    maxBuffer: maxBytes,
    stdio: ['pipe', 'pipe', 'inherit'],
    shell: false,
  });
  const fail = (reason: string, hint: string): OperatorError =>
    new OperatorError(`${program} ${verb}: ${reason}`, hint);
  const code = (ended.error as NodeJS.ErrnoException | undefined)?.code;
  if (code === 'ETIMEDOUT')
    throw fail(`no answer in ${limitMs / 1000} s, ended`, 'more time: --signer-timeout SECONDS');
  if (code === 'ENOBUFS')
    throw fail(
      `answered with more than ${maxBytes} bytes`,
      'nothing but the answer may be on standard output',
    );
  // A program that does not read its input to the end may still have ended well; it is its answer that counts.
  if (code !== undefined && code !== 'EPIPE')
    throw fail(`cannot be started (${code})`, 'give the path of a program that you may run');
  if (ended.status !== 0)
    throw fail(`ended with ${ended.signal ?? `status ${ended.status}`}`, 'its own words are above');
  return Uint8Array.from(ended.stdout);
}

function refuseProgram(program: string): void {
  const refuse = (reason: string, hint: string): OperatorError =>
    new OperatorError(`--signer: ${program}: ${reason}`, hint, 2);
  if (!program.includes('/')) throw refuse('not a path', `a program in this directory is ./${program}`);
  let head: string;
  try {
    const stat = statSync(program, { throwIfNoEntry: false });
    if (stat?.isFile() !== true) throw refuse('no such program', 'give the path of a program');
    if ((stat.mode & OTHERS_WRITE) !== 0) throw refuse('anybody may change it', `chmod o-w ${program}`);
    head = headOf(program);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ELOOP') throw refuse('a symbolic link that leads nowhere', 'give the path of a program');
    if (code === 'EACCES')
      throw refuse(
        'cannot be read (EACCES)',
        'it is looked at before it is started: make it readable for you',
      );
    if (typeof code === 'string') throw refuse(`cannot be read (${code})`, 'give the path of a program');
    throw error;
  }
  // execvp hands every other file to a shell, and here none is started unasked.
  if (!head.startsWith('#!') && head !== '\x7fELF')
    throw refuse('no program', 'a script must begin with #! and its interpreter');
}

function headOf(program: string): string {
  const bytes = Buffer.alloc(4);
  const fd = openSync(program, 'r');
  try {
    return bytes.toString('latin1', 0, readSync(fd, bytes));
  } finally {
    closeSync(fd);
  }
}
