/**
 * What `check` finds about files and directories: who may change what the process with the rights obeys, and whether the
 * process that reads the network can read and write what it needs. Looks at modes and owners; opens nothing.
 */
import { readdirSync, readFileSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Settings } from '../daemon/config/settings.ts';
import { isOwn, refuseUnguarded } from '../daemon/guarded.ts';
import { findUser, type User } from '../daemon/user.ts';
import { OperatorError } from '../trust/errors.ts';
import type { CheckFinding } from './check.ts';

const OTHERS_WRITE = 0o002;
const STICKY = 0o1000;
const READ = 4;
const WRITE = 2;
const ENTER = 1;

/** Where units stand, the package's and an operator's own. */
const UNIT_PLACES = ['/etc', '/run', '/usr/local/lib', '/usr/lib', '/lib'].map(
  (at) => `${at}/systemd/system`,
);
const UNITS = ['portcullis.service', 'portcullis-witness.service'];

/**
 * What is wrong with owners and modes: of configuration, rules and keys, sockets’ directories, the state, and what the network
 * process must read. `unitPlaces`: directories that may have its unit.
 */
export function inspectFiles(
  settings: Settings,
  unitPlaces: readonly string[] = UNIT_PLACES,
): CheckFinding[] {
  const rules = settings.services.flatMap(({ gateway: { firewall } }) =>
    Object.values(firewall).filter((path) => path !== null),
  );
  const obeyed = [...new Set([settings.file, ...rules])];
  const sockets = new Set([settings.control, settings.actuator].map((path) => dirname(path)));
  return [
    ...obeyed.flatMap((path) => changeable(path, 'it decides what is done as root')),
    ...changeable(settings.admin, 'it decides who is a member'),
    ...inspectKey(settings),
    ...[...sockets].flatMap(exchangeable),
    ...inspectControl(settings, unitPlaces),
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

/** What the actuator obeys, with all its rights, nobody but root (or who runs this) may change, as it refuses itself; nor whose word the roster is. */
function changeable(path: string, why: string): CheckFinding[] {
  if (statOf(path) === null) return [];
  try {
    refuseUnguarded(path);
    return [];
  } catch (problem) {
    if (!(problem instanceof OperatorError)) throw problem;
    return [error(`${problem.message}: ${why}`, problem.hint ?? '')];
  }
}

/** Its mode is looked at where it is read; whose it is can read it all the same. */
function inspectKey({ key, user }: Settings): CheckFinding[] {
  const stat = statOf(key);
  const own = user === null ? null : findUser(user);
  if (stat === null || isOwn(stat) || stat.uid === own?.uid) return [];
  return [
    error(`${key}: belongs to user ${stat.uid}, who can speak as this host with it`, `chown root ${key}`),
  ];
}

/** Whoever can put another socket there gets the orders, or gives them. */
function exchangeable(directory: string): CheckFinding[] {
  const mode = statOf(directory)?.mode ?? 0;
  if ((mode & OTHERS_WRITE) === 0 || (mode & STICKY) !== 0) return [];
  return [error(`${directory}: anybody may put another socket in its place`, `chmod o-w ${directory}`)];
}

/**
 * The daemon makes its sockets as its user. A missing directory it makes as root, where it is started so; the units start it as its
 * user, for which systemd has made what is under /run by then (systemd/portcullis.tmpfiles, or a drop-in's RuntimeDirectory).
 */
function inspectControl(
  { control, statusSocket, state, user }: Settings,
  unitPlaces: readonly string[],
): CheckFinding[] {
  const owner = user === null ? null : findUser(user);
  if (owner === null) return [];
  const { name } = owner;
  const sockets = new Map<string, string>();
  if (statusSocket !== null) sockets.set(dirname(statusSocket), 'status_socket');
  sockets.set(dirname(control), 'control');
  return [...sockets].flatMap(([directory, key]) => {
    const there = [directory, ...parents(directory).reverse()].find((path) => statOf(path) !== null);
    const isMissing = there !== directory;
    if (isMissing && (isOfSystemd(directory) || !hasUnit(unitPlaces))) return [];
    // A state directory of root's is made over to the user first, by the units and by a start as root.
    if (directory === state && statOf(state)?.uid === 0) return [];
    const shut = there === undefined ? null : shutOut(there, owner);
    if (shut === null) return [];
    const { path, words } = shut;
    if (isMissing)
      return [
        error(
          `${directory}: is not there, and the unit starts the daemon as ${name}, who may not make it (${words})`,
          `install -d -o ${name} -m 0750 ${directory}, and name it in a drop-in under ReadWritePaths=; or name a path in /run/portcullis under ${key}`,
        ),
      ];
    const other = `name a path in a directory that is ${name}’s under ${key}`;
    const own = path === directory ? `chown ${name} ${path}` : `chgrp ${name} ${path}; chmod g+x ${path}`;
    return [
      error(
        `${directory}: ${name} may not make the socket of ${key} there (${words}): the daemon will not start`,
        path === directory && readdirSync(path).length > 0 ? other : `${own}; or ${other}`,
      ),
    ];
  });
}

/** What keeps a user from making something in that directory; null: nothing that modes say. */
function shutOut(directory: string, user: User): { path: string; words: string } | null {
  for (const path of [...parents(directory), directory]) {
    const stat = statOf(path);
    const wanted = path === directory ? WRITE | ENTER : ENTER;
    if (stat === null || may(stat, user, wanted)) continue;
    const mode = (stat.mode & 0o7777).toString(8).padStart(4, '0');
    return { path, words: `${path} is of user ${stat.uid} and group ${stat.gid}, mode ${mode}` };
  }
  return null;
}

/** The last is the units' StateDirectory. */
function isOfSystemd(directory: string): boolean {
  return ['/run/', '/var/run/', '/var/lib/portcullis/'].some((place) => `${directory}/`.startsWith(place));
}

function hasUnit(places: readonly string[]): boolean {
  return places.some((place) => UNITS.some((unit) => statOf(`${place}/${unit}`) !== null));
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
