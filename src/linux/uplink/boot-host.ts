/** Which managers of network devices a host, or an image that is mounted somewhere, has. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { BootHost } from './boot-files.ts';
import type { Card, Sysfs } from './sysfs.ts';

/** Buses that let a driver be prescribed, for when the card cannot be looked at (linux: `driver_override` in their sysfs). */
const OVERRIDING = ['pci', 'platform', 'vmbus', 'amba', 'cdx', 'fsl-mc', 'spi', 'rpmsg'];

/** `root`: `/`, or where the image is. */
export function bootHost(root: string, sysfs: Sysfs, group: string | null): BootHost {
  const has = (...paths: string[]): boolean => paths.some((path) => existsSync(join(root, path)));
  return {
    networkd: has('usr/lib/systemd/systemd-networkd', 'lib/systemd/systemd-networkd'),
    networkManager: has('etc/NetworkManager'),
    canOverride: (card: Card) =>
      sysfs.hasCard(card) ? sysfs.canOverride(card) : OVERRIDING.includes(card.bus),
    group,
  };
}
