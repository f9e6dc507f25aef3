/**
 * One daemon a state directory. The lock is the kernel's (flock), so it cannot outlive its holder: after a crash
 * nothing has to be cleaned up. Node cannot call flock; the program `flock` of util-linux locks the descriptor
 * that it inherits, and the lock stays with our open file when that program has ended.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { OperatorError } from '../trust/errors.ts';

const FLOCK = '/usr/bin/flock';

/** Takes the lock of that directory and returns what releases it. Throws OperatorError when another has it. */
export function lockState(stateDir: string): () => void {
  const file = join(stateDir, 'daemon.lock');
  const fd = openSync(file, 'a', 0o600);
  const result = spawnSync(FLOCK, ['--nonblock', '3'], {
    stdio: ['ignore', 'ignore', 'ignore', fd],
    env: {},
    timeout: 5000,
  });
  if (result.status === 0) return () => closeSync(fd);
  closeSync(fd);
  if (result.error !== undefined) {
    throw new OperatorError(
      `cannot lock ${file}: ${result.error.message}`,
      `${FLOCK} of util-linux is needed`,
    );
  }
  throw new OperatorError(
    `${file}: another daemon uses this state directory`,
    'stop it first, or give each daemon its own state',
  );
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
