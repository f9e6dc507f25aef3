/**
 * Network namespaces for tests: made under names that hold this process's id, joined by veth pairs, taken down
 * whatever becomes of the test. `needsRoot` skips a test where they cannot be made.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { programArgs } from '../programs.ts';

const IP = '/usr/sbin/ip';

function ip(...args: string[]): string {
  return execFileSync(IP, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** The reason why namespaces cannot be made here, for `skip`; false when they can. */
export function needsRoot(): string | false {
  if (process.getuid?.() !== 0) return 'needs root';
  try {
    const name = `pc${process.pid}-try`;
    ip('netns', 'add', name);
    ip('netns', 'del', name);
    return false;
  } catch {
    return 'needs network namespaces';
  }
}

let made = 0;

/** A test that is ended by a signal leaves nothing behind either: what is made is taken down at the exit. */
function exitOnSignals(): void {
  const numbers = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;
  for (const [signal, number] of Object.entries(numbers))
    process.once(signal, () => process.exit(128 + number));
}

/** A set of namespaces that belong to one test. */
export class Namespaces {
  private readonly names: string[] = [];
  private readonly children: ChildProcess[] = [];
  private readonly prefix = `pc${process.pid}-${made++}`;
  private readonly onExit = (): void => this.close();

  constructor() {
    if (made === 1) exitOnSignals();
    process.once('exit', this.onExit);
  }

  /** Makes a namespace with its loopback up; returns its full name. */
  add(short: string): string {
    const name = `${this.prefix}-${short}`;
    ip('netns', 'add', name);
    this.names.push(name);
    ip('-n', name, 'link', 'set', 'lo', 'up');
    return name;
  }

  /** Joins two namespaces by a veth pair, both ends up. */
  join(a: string, deviceA: string, b: string, deviceB: string): void {
    // The pair is made inside one of them: names need not be unique on the machine.
    ip('-n', a, 'link', 'add', deviceA, 'type', 'veth', 'peer', 'name', deviceB, 'netns', b);
    ip('-n', a, 'link', 'set', deviceA, 'up');
    ip('-n', b, 'link', 'set', deviceB, 'up');
  }

  /** A switch: a bridge `br0` in a namespace of its own, without spanning tree, and without an address of any kind. */
  addSwitch(short: string): string {
    const name = this.add(short);
    for (const which of ['all', 'default'])
      this.exec(name, '/usr/sbin/sysctl', '-q', `net.ipv6.conf.${which}.disable_ipv6=1`);
    ip('-n', name, 'link', 'add', 'br0', 'type', 'bridge', 'stp_state', '0', 'mcast_snooping', '0');
    ip('-n', name, 'link', 'set', 'br0', 'up');
    return name;
  }

  /** Plugs a namespace into a switch; the port has the name `port`. */
  plug(name: string, device: string, switchName: string, port: string): void {
    this.join(name, device, switchName, port);
    ip('-n', switchName, 'link', 'set', port, 'master', 'br0');
  }

  /** `ip ARGS` inside a namespace. */
  ip(name: string, ...args: string[]): string {
    return ip('-n', name, ...args);
  }

  /** Runs a program inside a namespace to its end and returns what it printed. Throws when it fails. */
  exec(name: string, command: string, ...args: string[]): string {
    return execFileSync(IP, ['netns', 'exec', name, command, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 20_000,
    });
  }

  /** The same with text on standard input. */
  feed(name: string, input: string, command: string, ...args: string[]): string {
    return execFileSync(IP, ['netns', 'exec', name, command, ...args], {
      encoding: 'utf8',
      input,
      timeout: 20_000,
    });
  }

  /** Whether a program inside a namespace ends with status 0. */
  succeeds(name: string, command: string, ...args: string[]): boolean {
    try {
      this.exec(name, command, ...args);
      return true;
    } catch {
      return false;
    }
  }

  /** Starts a module of this project (`test/netns/linux-driver.ts`) inside a namespace, its standard streams piped. */
  start(name: string, source: string, ...args: string[]): ChildProcess {
    return this.spawn(name, process.execPath, ...programArgs(source), ...args);
  }

  /** Starts a program inside a namespace; it is killed by `close` at the latest. */
  spawn(name: string, command: string, ...args: string[]): ChildProcess {
    const argv = ['netns', 'exec', name, command, ...args];
    const child = spawn(IP, argv, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.children.push(child);
    return child;
  }

  /** Ends what was started and removes all namespaces. Idempotent. */
  close(): void {
    process.off('exit', this.onExit);
    for (const child of this.children.splice(0)) child.kill('SIGKILL');
    for (const name of this.names.splice(0)) {
      try {
        ip('netns', 'del', name);
      } catch {
        // It may be gone with a failed test.
      }
    }
  }
}

/** Waits until `probe` is true, at most `limitMs`; whether it came true. */
export async function until(probe: () => boolean | Promise<boolean>, limitMs: number): Promise<boolean> {
  const end = performance.now() + limitMs;
  while (performance.now() < end) {
    if (await probe()) return true;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return probe();
}

/**
 * Waits until a count stays as it is for that long, at most ten seconds; whether it came to rest. What a program printed before may be
 * read long after, on a busy machine: so no single look tells that it has fallen silent.
 */
export async function comesToRest(count: () => number, quietMs: number): Promise<boolean> {
  const end = performance.now() + 10_000;
  let [last, sinceMs] = [count(), performance.now()];
  while (performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    if (count() !== last) [last, sinceMs] = [count(), performance.now()];
    else if (performance.now() - sinceMs >= quietMs) return true;
  }
  return false;
}

/** The configuration of a daemon that starts its own actuator, as root, and then runs as another user in that directory. */
export function asNobody(text: string, dir: string): string {
  // The directory's own files stay root's; what the daemon makes lies below.
  chmodSync(dir, 0o711);
  return text
    .replace('user    = "portcullis"', 'user    = "nobody"')
    .replace(/^control = .*$/m, (line) => line.replace(`${dir}/`, `${dir}/run/`))
    .replace(/^\[timing\]$/m, `actuator = "${dir}/no-actuator.sock"\n$&`);
}
