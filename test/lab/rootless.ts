/**
 * Namespaces need rights. Root has them; others get them in a user namespace of their own, where the system allows
 * that: the program starts itself again inside one, with a /run of its own for the names of network namespaces.
 * The caller keeps its user id there, with all capabilities over what is inside, because tcpdump as
 * uid 0 would change its groups, which a user namespace forbids.
 */
import { spawnSync } from 'node:child_process';
import { run } from './process.ts';

const MARK = 'PORTCULLIS_LAB_INSIDE';

/** What a start without root led to. */
export type Rights =
  | { readonly kind: 'root' }
  /** Inside the user namespace, ready. */
  | { readonly kind: 'inside' }
  /** The program ran inside and ended with this status: nothing is left to do here. */
  | { readonly kind: 'done'; readonly status: number }
  | { readonly kind: 'refused'; readonly why: string };

/** Makes sure that this process may make namespaces. `file` is the program to start again. */
export async function obtainRights(file: string): Promise<Rights> {
  if (process.env[MARK] === '1') {
    const mounted = await run(['mount', '-t', 'tmpfs', 'tmpfs', '/run']);
    return mounted.code === 0
      ? { kind: 'inside' }
      : { kind: 'refused', why: `no /run of our own can be mounted: ${mounted.stderr.trim()}` };
  }
  if (process.getuid?.() === 0) return { kind: 'root' };
  const namespace = ['--map-current-user', '--keep-caps', '--user', '--net', '--mount'];
  const trial = await run(['unshare', ...namespace, 'true']);
  if (trial.code !== 0)
    return { kind: 'refused', why: `user namespaces are not allowed here: ${trial.stderr.trim()}` };
  const ended = spawnSync('unshare', [...namespace, process.execPath, file, ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: { ...process.env, [MARK]: '1' },
  });
  return { kind: 'done', status: ended.status ?? 1 };
}
