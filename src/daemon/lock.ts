/**
 * One daemon a state directory. The lock is the kernel's (flock), so it cannot outlive its holder: after a crash
 * nothing has to be cleaned up.
 */
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { lockFile } from '../linux/libc.ts';
import { OperatorError } from '../trust/errors.ts';

/** Takes the lock of that directory and returns what releases it. Throws OperatorError when another has it. */
export function lockState(stateDir: string): () => void {
  const file = join(stateDir, 'daemon.lock');
  const fd = open(file);
  if (lockFile(fd)) return () => closeSync(fd);
  closeSync(fd);
  throw new OperatorError(
    `${file}: another daemon uses this state directory`,
    'stop it first, or give each daemon its own state',
  );
}

function open(file: string): number {
  try {
    return openSync(file, 'a', 0o600);
  } catch (error) {
    const { code = 'error' } = error as NodeJS.ErrnoException;
    throw new OperatorError(
      `${file}: cannot be opened (${code})`,
      'the state directory and all in it must belong to the user that the daemon runs as',
    );
  }
}

/** Whether a daemon holds that directory's lock now. */
export function isLocked(stateDir: string): boolean {
  try {
    lockState(stateDir)();
    return false;
  } catch (error) {
    return error instanceof OperatorError && error.message.includes('another daemon');
  }
}
