/** Which managers of network devices a host, or an image that is mounted somewhere, has. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ACTUATOR_GROUP, type BootHost } from './boot-files.ts';
import type { Card, Sysfs } from './sysfs.ts';

/** Buses that let a driver be prescribed, for when the card cannot be looked at (linux: `driver_override` in their sysfs). */
const OVERRIDING = ['pci', 'platform', 'vmbus', 'amba', 'cdx', 'fsl-mc', 'spi', 'rpmsg'];

const UNIT = 'systemd/system/portcullis-actuator.service';

/** `root`: `/`, or where the image is. `group` null: the actuator's, where there is one. */
export function bootHost(root: string, sysfs: Sysfs, group: string | null): BootHost {
  const has = (...paths: string[]): boolean => paths.some((path) => existsSync(join(root, path)));
  return {
    networkd: has('usr/lib/systemd/systemd-networkd', 'lib/systemd/systemd-networkd'),
    networkManager: has('etc/NetworkManager'),
    actuatorUnit: has(`usr/lib/${UNIT}`, `lib/${UNIT}`, `etc/${UNIT}`),
    canOverride: (card: Card) =>
      sysfs.hasCard(card) ? sysfs.canOverride(card) : OVERRIDING.includes(card.bus),
    group: group ?? actuatorGroup(join(root, 'etc/group')),
  };
}

function actuatorGroup(file: string): string | null {
  const groups = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  return groups.some((line) => line.startsWith(`${ACTUATOR_GROUP}:`)) ? ACTUATOR_GROUP : null;
}
