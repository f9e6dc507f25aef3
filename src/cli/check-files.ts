/**
 * What `check` finds about files and directories: who may change what the process with the rights obeys, and whether the
 * process that reads the network can read and write what it needs. Looks at modes and owners; opens nothing.
 */
import { readFileSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Settings } from '../daemon/config/settings.ts';
import { refuseUnguarded } from '../daemon/guarded.ts';
import { findUser, type User } from '../daemon/user.ts';
import { OperatorError } from '../trust/errors.ts';
import type { CheckFinding } from './check.ts';

const OTHERS_WRITE = 0o002;
const STICKY = 0o1000;
const READ = 4;
const WRITE = 2;
const ENTER = 1;

export function inspectFiles(settings: Settings): CheckFinding[] {
  const rules = settings.services.flatMap(({ gateway: { firewall } }) =>
    Object.values(firewall).filter((path) => path !== null),
  );
  const obeyed = [...new Set([settings.file, ...rules])];
  const sockets = new Set([settings.control, settings.actuator].map((path) => dirname(path)));
  return [
    ...obeyed.flatMap(changeable),
    ...[...sockets].flatMap(exchangeable),
    ...inspectState(settings),
    ...inspectReadable(settings),
  ];
}

function statOf(path: string): Stats | null {
  try {
    return statSync(path);
  } catch {
    return null;
  }
}

/** What the actuator obeys, with all its rights, nobody but root (or who runs this) may change, as it refuses itself. */
function changeable(path: string): CheckFinding[] {
  if (statOf(path) === null) return [];
  try {
    refuseUnguarded(path);
    return [];
  } catch (problem) {
    if (!(problem instanceof OperatorError)) throw problem;
    return [error(`${problem.message}: it decides what is done as root`, problem.hint ?? '')];
  }
}

/** Whoever can put another socket there gets the orders, or gives them. */
function exchangeable(directory: string): CheckFinding[] {
  const mode = statOf(directory)?.mode ?? 0;
  if ((mode & OTHERS_WRITE) === 0 || (mode & STICKY) !== 0) return [];
  return [error(`${directory}: anybody may put another socket in its place`, `chmod o-w ${directory}`)];
}

/** A missing directory, and one of root's, are the user's once the daemon has started. */
function inspectState({ state, user }: Settings): CheckFinding[] {
  const stat = statOf(state);
  const owner = user === null ? null : findUser(user);
  if (stat === null) return [];
  if (!stat.isDirectory())
    return [
      error(`${state}: is no directory`, 'move it away; the daemon makes the directory when it starts'),
    ];
  if (owner !== null && stat.uid !== 0 && !may(stat, owner, READ | WRITE | ENTER))
    return [
      error(
        `${state}: ${owner.name} may not write there: no event log, no newer roster`,
        `chown -R ${owner.name} ${state}`,
      ),
    ];
  if ((stat.mode & OTHERS_WRITE) !== 0)
    return [error(`${state}: anybody may exchange the event log and the roster`, `chmod 0750 ${state}`)];
  return [];
}

/** The network process reads them anew, as its user, on each reload and roster change. */
function inspectReadable(settings: Settings): CheckFinding[] {
  const user = settings.user === null ? null : findUser(settings.user);
  if (user === null) return [];
  const out: CheckFinding[] = [];
  for (const path of [settings.file, settings.admin, settings.roster]) {
    const stat = statOf(path);
    if (stat === null) continue;
    const closed = parents(path).find((directory) => {
      const found = statOf(directory);
      return found !== null && !may(found, user, ENTER);
    });
    if (closed !== undefined || !may(stat, user, READ))
      out.push(
        warning(
          `${path}: ${user.name} may not read it${closed === undefined ? '' : ` (${closed} is shut)`}: a reload will fail`,
          `chgrp ${user.name} ${closed ?? path}; chmod ${closed === undefined ? 'g+r' : 'g+x'} ${closed ?? path}`,
        ),
      );
  }
  return out;
}

/** From the root downwards. */
function parents(path: string): string[] {
  const out: string[] = [];
  for (let at = dirname(path); !out.includes(at); at = dirname(at)) out.push(at);
  return out.reverse();
}

/** What the mode's bits say to a user; access control lists are not looked at. */
function may(stat: Stats, user: User, wanted: number): boolean {
  if (user.uid === 0) return true;
  const bits = stat.uid === user.uid ? stat.mode >> 6 : isIn(user, stat.gid) ? stat.mode >> 3 : stat.mode;
  return (bits & wanted) === wanted;
}

function isIn({ name, gid }: User, group: number): boolean {
  if (gid === group) return true;
  try {
    return readFileSync('/etc/group', 'utf8')
      .split('\n')
      .some((line) => {
        const [, , id, members = ''] = line.split(':');
        return Number(id) === group && members.split(',').includes(name);
      });
  } catch {
    return false;
  }
}

function error(message: string, hint: string): CheckFinding {
  return { level: 'error', message, hint };
}

function warning(message: string, hint: string): CheckFinding {
  return { level: 'warning', message, hint };
}
