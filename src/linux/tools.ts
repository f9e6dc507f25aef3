/**
 * Starting other programs: the kernel's tools, found in fixed directories only, and external procedures (child.ts).
 */
import { accessSync, constants } from 'node:fs';
import { OperatorError } from '../trust/errors.ts';
import { Child, type Ended, type Program } from './child.ts';
import { isMapped } from './usermap.ts';

const DIRECTORIES = ['/usr/sbin', '/sbin', '/usr/bin', '/bin'];
/** What an external program may say; the rest is read and forgotten. */
const OUTPUT_BYTES_MAX = 4096;
export const TOOL_LIMIT_MS = 5000;
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

/** One of the kernel's tools with fixed arguments. Throws `OperatorError` when it is not installed. */
export function toolProgram(tool: Tool, args: readonly string[]): Program {
  const path = findTool(tool);
  if (path === null)
    throw new OperatorError(`${tool} is not installed`, `install the package ${TOOLS[tool]}`);
  return { path, args, env: { PATH: DIRECTORIES.join(':'), LC_ALL: 'C' }, outputMax: TOOL_OUTPUT_BYTES_MAX };
}

/** Runs one of them to its end with `input` on its standard input. Throws when it is not installed. */
export function runTool(
  tool: Tool,
  args: readonly string[],
  input = '',
  limitMs = TOOL_LIMIT_MS,
): Promise<Ended> {
  return new Child(toolProgram(tool, args)).finish(input, limitMs);
}

/** Runs an external procedure: its environment holds a search path and what `env` says, nothing of ours. */
export function runProgram(
  path: string,
  args: readonly string[],
  env: { readonly [name: string]: string },
  limitMs: number,
): Promise<Ended> {
  const whole = { PATH: DIRECTORIES.join(':'), LC_ALL: 'C.UTF-8', ...env };
  return new Child({ path, args, env: whole, outputMax: OUTPUT_BYTES_MAX }).finish('', limitMs);
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
