/** Whether this machine can run guests. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { needsRoot } from '../netns/netns.ts';

const PROGRAMS = ['qemu-system-x86_64', 'busybox', 'depmod', 'dpkg', 'apt-get'];

/** The reason why guests cannot run here, for `skip`; false when they can. */
export function needsMachines(): string | false {
  const root = needsRoot();
  if (root !== false) return root;
  if (!existsSync('/dev/net/tun')) return 'needs /dev/net/tun';
  const path = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`.split(delimiter);
  const missing = PROGRAMS.filter((name) => !path.some((directory) => existsSync(join(directory, name))));
  return missing.length > 0 ? `needs ${missing.join(', ')} (.ci/setup vm installs them)` : false;
}
