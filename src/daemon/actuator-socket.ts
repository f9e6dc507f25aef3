/**
 * Where the two processes meet. The actuator takes a socket that the service manager made for it (sd_listen_fds(3)), or
 * makes one at the configured path, which only root and the network process's user can open.
 */
import { chownSync, lstatSync, mkdirSync, unlinkSync } from 'node:fs';
import { connect, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { OperatorError } from '../trust/errors.ts';
import type { Settings } from './config/settings.ts';
import { unprivilegedUser } from './user.ts';

/** SD_LISTEN_FDS_START */
const FIRST_PASSED_FD = 3;

/** Throws OperatorError when the socket cannot be made. */
export async function listenForNetwork(server: Server, settings: Settings): Promise<void> {
  const { LISTEN_FDS, LISTEN_PID } = process.env;
  if (LISTEN_FDS === '1' && Number(LISTEN_PID) === process.pid) {
    await listening(server, () => server.listen({ fd: FIRST_PASSED_FD }));
    return;
  }
  const path = settings.actuator;
  const user = settings.user === null ? null : unprivilegedUser(settings.file, settings.user);
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    await removeStale(path);
    const before = process.umask(0o177);
    await listening(server, () => {
      server.listen(path);
      process.umask(before); // the bind has been done, within listen()
    });
    if (user !== null && process.geteuid?.() === 0) chownSync(path, user.uid, user.gid);
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    throw new OperatorError(
      `${path}: the actuator's socket cannot be made: ${error instanceof Error ? error.message : error}`,
      'is the directory there and writable?',
    );
  }
}

/**
 * Whether there is a socket, of root's or of one of these users'. Throws OperatorError when it is somebody else's, who could play the
 * actuator: say that all is done, and do nothing.
 */
export function isOurSocket(path: string, uids: readonly number[]): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return false;
  if (found.uid !== 0 && !uids.includes(found.uid))
    throw new OperatorError(
      `${path}: belongs to user ${found.uid}, who is neither root nor the \`user\` of the configuration`,
      'name a path under actuator where nobody else can put a socket',
    );
  return true;
}

/** An actuator that listens there; null: none does. */
export function connectActuator(path: string): Promise<Socket | null> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) => {
      if (code === 'ENOENT' || code === 'ECONNREFUSED') resolve(null);
      else
        reject(
          new OperatorError(
            `${path}: the actuator cannot be reached (${code ?? 'error'})`,
            'its socket belongs to the user that the configuration names: is the daemon run as that one?',
          ),
        );
    });
  });
}

function listening(server: Server, listen: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => resolve());
    listen();
  });
}

async function removeStale(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket())
    throw new OperatorError(`${path} is no socket`, 'name another path under actuator, or remove the file');
  // Root without CAP_DAC_OVERRIDE may not connect to what it gave away.
  const euid = process.geteuid?.() ?? 0;
  const isGiven = euid === 0 && found.uid !== euid;
  if (isGiven) chownSync(path, euid, found.gid);
  const live = await connectActuator(path);
  live?.destroy();
  if (live !== null) {
    if (isGiven) chownSync(path, found.uid, found.gid);
    throw new OperatorError(`${path}: another actuator listens there`, 'stop it first');
  }
  unlinkSync(path);
}
