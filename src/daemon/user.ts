/**
 * Users of this host, and how a process becomes one. Only /etc/passwd is read: a service's user stands there, and a
 * directory service that does not answer must not hold up a firewall's start.
 */
import { readFileSync } from 'node:fs';
import { OperatorError } from '../trust/errors.ts';

export interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** Null: there is no such user. */
export function findUser(name: string, passwd = '/etc/passwd'): User | null {
  for (const line of readFileSync(passwd, 'utf8').split('\n')) {
    const [found, , uid = '', gid = ''] = line.split(':');
    if (found === name && /^\d+$/.test(uid) && /^\d+$/.test(gid))
      return { name, uid: Number(uid), gid: Number(gid) };
  }
  return null;
}

/** The configured user. Throws OperatorError when there is none, or it is root. */
export function unprivilegedUser(file: string, name: string): User {
  const user = findUser(name);
  if (user === null)
    throw new OperatorError(
      `${file}: user names nobody: "${name}"`,
      `make that user, as in: useradd --system --shell /usr/sbin/nologin ${name}`,
    );
  if (user.uid === 0)
    throw new OperatorError(
      `${file}: user "${name}" is root`,
      'name an unprivileged user of its own, as in user = "portcullis"',
    );
  return user;
}

/** For good: user, groups and with them every capability. Throws when anything of it is left. */
export function becomeUser(user: User): void {
  // Its types lack it (Node: process.initgroups(user, extraGroup)).
  (process as { initgroups?: (user: string, group: number) => void }).initgroups?.(user.name, user.gid);
  process.setgid?.(user.gid);
  process.setuid?.(user.uid);
  if (process.getuid?.() !== user.uid || process.geteuid?.() !== user.uid || process.getgid?.() !== user.gid)
    throw new Error(`this process could not become ${user.name}`);
  const left = capabilities();
  if (left !== '0000000000000000') throw new Error(`as ${user.name} this process has capabilities: ${left}`);
}

/** The effective capabilities of this process, as proc(5) shows them: 16 hexadecimal digits. */
export function capabilities(): string {
  return /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '';
}
