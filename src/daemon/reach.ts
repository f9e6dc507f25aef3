/**
 * How the network process comes to its actuator and loses its own rights. Where an actuator listens on the configured
 * socket, that one is it; else one is started, which keeps the rights, over a pair of sockets.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, lchownSync, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import type { Socket } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { OperatorError } from '../trust/errors.ts';
import { connectActuator, isOurSocket } from './actuator-socket.ts';
import type { Settings } from './config/settings.ts';
import { refuseUnguarded } from './guarded.ts';
import type { Log } from './log.ts';
import { becomeUser, type User, unprivilegedUser } from './user.ts';

/** Nothing that comes as text becomes code, and no object's prototype is replaced (threats, M13). */
const NODE_FLAGS = ['--disallow-code-generation-from-strings', '--disable-proto=throw'];
const END_LIMIT_MS = 5000;

export interface Reached {
  readonly stream: Socket;
  /** Resolves when an actuator that was started here has ended, or soon. */
  ended(): Promise<void>;
}

/** Everything that needs rights is done when this resolves, and they are gone. Throws OperatorError. */
export async function reachActuator(settings: Settings, log: Log): Promise<Reached> {
  const isRoot = process.geteuid?.() === 0;
  const user = userOf(settings);
  makeDirectories(settings, user);
  const path = settings.actuator;
  const uids = [process.geteuid?.() ?? 0, ...(user === null ? [] : [user.uid])];
  const stream = isOurSocket(path, uids) ? await connectActuator(path) : null;
  const reached = stream === null ? startActuator(settings) : { stream, ended: async () => undefined };
  if (user !== null) becomeUser(user);
  const uid = process.getuid?.() ?? 0;
  if (stream !== null) log.info({ actuator: path, uid }, 'actuator reached');
  else log.info({ uid }, 'actuator started');
  if (isRoot && user === null)
    log.warn('no user is named: this process keeps the rights of the actuator, and a fault in it is root’s');
  return reached;
}

/** A witness has no actuator, and whatever rights it was started with it has no more. Throws OperatorError. */
export function standAlone(settings: Settings, log: Log): void {
  const user = userOf(settings);
  makeDirectories(settings, user);
  if (user !== null) becomeUser(user);
  log.info({ uid: process.getuid?.() ?? 0 }, 'a witness: no actuator');
}

/** Whom this process becomes; null: nobody else, since none is named or it is not root. */
function userOf({ file, user }: Settings): User | null {
  return user === null || process.geteuid?.() !== 0 ? null : unprivilegedUser(file, user);
}

function startActuator(settings: Settings): Reached {
  refuseUnguarded(settings.file);
  const main = fileURLToPath(
    new URL(import.meta.url.endsWith('.ts') ? 'actuator-main.ts' : 'actuator-main.js', import.meta.url),
  );
  const flags = NODE_FLAGS.filter((flag) => !process.execArgv.includes(flag));
  const child = spawn(
    process.execPath,
    [...process.execArgv, ...flags, main, '--config', settings.file, '--fd', '3'],
    { stdio: ['ignore', 'inherit', 'inherit', 'pipe'], env: withoutNodeOptions() },
  );
  const stream = child.stdio[3] as Socket | undefined;
  if (stream === undefined || stream === null)
    throw new OperatorError(
      'the actuator cannot be started',
      'are there processes and memory left on this host?',
    );
  child.on('error', () => stream.destroy());
  return { stream, ended: () => endOf(child) };
}

/** What NODE_OPTIONS could load has no business in a process with capabilities. */
function withoutNodeOptions(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _options, NOTIFY_SOCKET: _notify, WATCHDOG_USEC: _watchdog, ...env } = process.env;
  return env;
}

async function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await Promise.race([once(child, 'exit'), sleep(END_LIMIT_MS, null, { ref: false })]);
}

/** What the network process writes: its state, and the place of its sockets. They become its user's, where they are new. */
function makeDirectories(settings: Settings, user: User | null): void {
  const sockets = [settings.control, settings.statusSocket ?? settings.control];
  for (const path of new Set([settings.state, ...sockets.map(dirname)])) {
    try {
      const made = mkdirSync(path, { recursive: true, mode: 0o750 });
      if (user === null) continue;
      // All that it made: a directory of root's on the way would be shut to the user. The innermost first: in one that is the user's
      // already something else might stand by then.
      if (made !== undefined)
        for (const at of upTo(resolve(made), resolve(path))) lchownSync(at, user.uid, user.gid);
      else if (path === settings.state) handOver(path, user);
    } catch (error) {
      const { code = 'error' } = error as NodeJS.ErrnoException;
      const inTheWay = code === 'EEXIST' || code === 'ENOTDIR';
      throw new OperatorError(
        `${path}: the directory cannot be made (${code})`,
        inTheWay ? 'move away the file that stands there, or name another' : 'make it, or name another',
      );
    }
  }
}

/** `path` and the directories above it, one after another, as far as `first`. */
function upTo(first: string, path: string): string[] {
  return path.length <= first.length ? [path] : [path, ...upTo(first, dirname(path))];
}

/**
 * The state of an installation that ran as root until now. Only while the directory is root's: later somebody else could
 * have put a link to another's file there.
 */
function handOver(state: string, user: User): void {
  if (lstatSync(state).uid !== 0) return;
  for (const name of readdirSync(state, { recursive: true, encoding: 'utf8' })) {
    const path = join(state, name);
    const found = lstatSync(path);
    if (found.isDirectory() || (found.isFile() && found.nlink === 1)) chownSync(path, user.uid, user.gid);
  }
  chownSync(state, user.uid, user.gid);
}
