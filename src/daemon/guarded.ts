/** Files that tell root what to do: nobody else may be able to change them, or to put others in their place. */
import { realpathSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { isMapped } from '../linux/usermap.ts';
import { OperatorError } from '../trust/errors.ts';

const WRITABLE = 0o022;
const STICKY = 0o1000;

/** Throws OperatorError when somebody else than root, or this process's own user, could change what stands in that file. */
export function refuseUnguarded(file: string): void {
  const path = resolved(file);
  const found = statSync(path);
  if (!isOwn(found))
    throw new OperatorError(
      `${file}: belongs to user ${found.uid}, who could change it`,
      `chown root ${file}`,
    );
  if ((found.mode & WRITABLE) !== 0)
    throw new OperatorError(`${file}: others can write it`, `chmod go-w ${file}`);
  for (let directory = dirname(path); ; directory = dirname(directory)) {
    const stat = statSync(directory);
    const isShared = (stat.mode & WRITABLE) !== 0 && (stat.mode & STICKY) === 0;
    if (isShared || !isOwn(stat))
      throw new OperatorError(
        `${file}: others can put another file in its place, in ${directory}`,
        `chown root ${directory}; chmod go-w ${directory}`,
      );
    if (directory === '/') return;
  }
}

/** Whether it is root's or this process's own. Who does not exist in a user namespace (its outside's root, among others) can do nothing in it either. */
export function isOwn({ uid }: Stats): boolean {
  return uid === 0 || uid === process.geteuid?.() || !isMapped(uid);
}

function resolved(file: string): string {
  try {
    return realpathSync(file);
  } catch (error) {
    const { code = 'error' } = error as NodeJS.ErrnoException;
    throw new OperatorError(`${file}: cannot be read (${code})`, 'name the configuration file with --config');
  }
}
