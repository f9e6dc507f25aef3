/**
 * The admin's machine of the pages: a directory, a terminal, no network. Where a command asks for a pass phrase it is typed.
 */
import assert from 'node:assert/strict';
import { TerminalSession } from '../unit/terminal-session.ts';

const PHRASE = 'correct horse battery\n';
/** A network namespace of its own, with nothing in it. */
const OFFLINE = ['unshare', '--net'];

/** Runs `portcullis WORDS`, as typed in `line`, on a terminal; what it showed. Throws AssertionError when it does not end with 0. */
export async function atDesk(line: string, words: readonly string[], prefix = OFFLINE): Promise<string> {
  const session = new TerminalSession(words, prefix);
  const questions = words.includes('--passphrase')
    ? ['new pass phrase: ', 'the same again: ']
    : words.includes('--admin-key')
      ? ['pass phrase of ']
      : [];
  for (const question of questions) await session.answer(question, PHRASE);
  const { status } = await session.end();
  assert.equal(status, 0, `${line}: ${session.seen}`);
  return session.seen;
}
