/**
 * Starting other programs: the kernel's tools, found in fixed directories only, and external procedures. Never a
 * shell; a program that is late is killed with all that it started.
 */
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { OperatorError } from '../trust/errors.ts';
import { isMapped } from './usermap.ts';

const DIRECTORIES = ['/usr/sbin', '/sbin', '/usr/bin', '/bin'];
/** What a program may say; the rest is read and forgotten. */
const OUTPUT_BYTES_MAX = 4096;
const TOOL_LIMIT_MS = 5000;
/** Nobody's: neither the network process (whatever its user) nor the actuator runs as this one. */
const POWERLESS_ID = 65_533;
/** Enough for the rule sets that are read back. */
const TOOL_OUTPUT_BYTES_MAX = 8 << 20;

export const TOOLS = {
  ip: 'iproute2',
  nft: 'nftables',
  'iptables-restore': 'iptables',
  'iptables-save': 'iptables',
  'ip6tables-restore': 'iptables',
  'ip6tables-save': 'iptables',
  unshare: 'util-linux',
  modprobe: 'kmod',
  lsinitramfs: 'initramfs-tools-core',
  'update-initramfs': 'initramfs-tools',
  setpriv: 'util-linux',
  conntrackd: 'conntrackd',
} as const;
export type Tool = keyof typeof TOOLS;

const found = new Map<Tool, string>();

/** The absolute path of a tool, or null when it is not installed. */
export function findTool(tool: Tool): string | null {
  const known = found.get(tool);
  if (known !== undefined) return known;
  for (const directory of DIRECTORIES) {
    const path = `${directory}/${tool}`;
    try {
      accessSync(path, constants.X_OK);
      found.set(tool, path);
      return path;
    } catch {
      // Not here: the next directory.
    }
  }
  return null;
}

/** Why a host without nft cannot be a gateway of the cluster. */
export const NFT_MISSING =
  'nft is not installed: the kernel would not hold the lease, and a host whose daemon hangs would go on serving';

/** Throws `OperatorError` where nothing could hold the lease. */
export function requireNft(): void {
  if (findTool('nft') === null) throw new OperatorError(NFT_MISSING, `install the package ${TOOLS.nft}`);
}

export interface Ended {
  /** Exit status; null when the program was killed or could not be started. */
  readonly status: number | null;
  readonly output: string;
  /** Said on standard error. */
  readonly errors: string;
  /** It was killed at its limit. */
  readonly late: boolean;
}

interface Running {
  readonly path: string;
  readonly args: readonly string[];
  readonly input: string;
  readonly env: { readonly [name: string]: string };
  readonly limitMs: number;
  readonly outputMax: number;
}

/** Runs one program to its end. Never throws: what goes wrong is in the answer. */
function runToEnd(running: Running): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(running.path, [...running.args], {
      cwd: '/',
      env: { ...running.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
    const said = { output: '', errors: '' };
    let late = false;
    const keep = (which: 'output' | 'errors', max: number) => (chunk: string) => {
      if (said[which].length < max) said[which] = (said[which] + chunk).slice(0, max);
    };
    child.stdout.setEncoding('utf8').on('data', keep('output', running.outputMax));
    child.stderr.setEncoding('utf8').on('data', keep('errors', OUTPUT_BYTES_MAX));
    // A child that ends without reading its input must not end us.
    child.stdin.on('error', () => {});
    const killAll = (): void => {
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // The whole group is gone.
      }
    };
    let done = false;
    const end = (status: number | null, problem: string): void => {
      if (done) return;
      done = true;
      clearTimeout(timer);
      resolve({ status, output: said.output, errors: said.errors + problem, late });
    };
    const timer = setTimeout(() => {
      late = true;
      killAll();
      // Something may have left the group and hold the pipes open: do not wait for it.
      child.stdout.destroy();
      child.stderr.destroy();
      end(null, `killed after ${running.limitMs} ms`);
    }, running.limitMs);
    child.on('error', (error) => end(null, error.message));
    child.on('close', (status) => end(status, ''));
    child.on('exit', killAll);
    child.stdin.end(running.input);
  });
}

/** Runs one of the kernel's tools with fixed arguments and `input` on its standard input. Throws when it is not installed. */
export function runTool(
  tool: Tool,
  args: readonly string[],
  input = '',
  limitMs = TOOL_LIMIT_MS,
): Promise<Ended> {
  const path = findTool(tool);
  if (path === null)
    throw new OperatorError(`${tool} is not installed`, `install the package ${TOOLS[tool]}`);
  const env = { PATH: DIRECTORIES.join(':'), LC_ALL: 'C' };
  return runToEnd({ path, args, input, env, limitMs, outputMax: TOOL_OUTPUT_BYTES_MAX });
}

/** Runs an external procedure: its environment holds a search path and what `env` says, nothing of ours. */
export function runProgram(
  path: string,
  args: readonly string[],
  env: { readonly [name: string]: string },
  limitMs: number,
): Promise<Ended> {
  const whole = { PATH: DIRECTORIES.join(':'), LC_ALL: 'C.UTF-8', ...env };
  return runToEnd({ path, args, input: '', env: whole, limitMs, outputMax: OUTPUT_BYTES_MAX });
}

/**
 * The same without any right: no capability, none to be won by what it starts, and, where this process is root, as a user
 * whom no other process belongs to. A test looks and changes nothing (M5).
 */
export function runPowerless(...[path, args, env, limitMs]: Parameters<typeof runProgram>): Promise<Ended> {
  const [command = '', ...before] = powerless();
  return runProgram(command, [...before, path, ...args], env, limitMs);
}

/** What stands before a program's path so that it starts without any right. Throws `OperatorError` without setpriv. */
export function powerless(): string[] {
  const setpriv = findTool('setpriv');
  if (setpriv === null)
    throw new OperatorError('setpriv is not installed', `install the package ${TOOLS.setpriv}`);
  const isRoot = process.geteuid?.() === 0 && isMapped(POWERLESS_ID);
  const user = isRoot ? [`--reuid=${POWERLESS_ID}`, `--regid=${POWERLESS_ID}`, '--clear-groups'] : [];
  // Not root: the ambient set is what a program would inherit; as another user nothing is left anyway.
  const rights = ['--inh-caps=-all', ...(isRoot ? [] : ['--ambient-caps=-all']), '--no-new-privs'];
  return [setpriv, ...user, ...rights];
}

/** The text of whatever was thrown or said, bounded and on one line. */
export function textOf(error: unknown): string {
  const whole = error instanceof Error ? error.message : String(error);
  // Programs' words go into logs; control characters must not.
  return whole
    .replace(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, 500);
}
