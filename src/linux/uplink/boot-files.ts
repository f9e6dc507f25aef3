/**
 * The files that keep uplinks down from boot on, before any daemon runs: what they are called and what stands in them. Pure.
 * Each begins with a line that says whose it is; no other file is ever changed or removed.
 */
import type { GatewayService } from '../config.ts';
import { type Card, cardText, moduleName } from './sysfs.ts';
import { NO_DRIVER } from './sysfs-write.ts';

export interface BootFile {
  readonly path: string;
  readonly text: string;
  /** Without it: an uplink comes up at boot, or a takeover fails. */
  readonly purpose: 'keeps down' | 'lets raise';
}

/** What is on this host, or in the image that is provisioned. */
export interface BootHost {
  readonly networkd: boolean;
  readonly networkManager: boolean;
  /** The actuator's unit is installed. */
  readonly actuatorUnit: boolean;
  readonly canOverride: (card: Card) => boolean;
  /** The group that may bind and unbind; null: root alone. */
  readonly group: string | null;
}

export const MODPROBE_FILE = '/etc/modprobe.d/portcullis.conf' as const;
export const UDEV_FILE = '/etc/udev/rules.d/10-portcullis.rules' as const;
/** Before netplan's `10-netplan-DEVICE.network`: the first file that matches counts. */
export const NETWORKD_FILE = '/etc/systemd/network/05-portcullis.network' as const;
export const MANAGER_FILE = '/etc/NetworkManager/conf.d/90-portcullis.conf' as const;
/** What the actuator's unit may not without it: load modules. */
export const UNIT_FILE = '/etc/systemd/system/portcullis-actuator.service.d/uplink.conf' as const;
export const BOOT_FILES = [MODPROBE_FILE, UDEV_FILE, NETWORKD_FILE, MANAGER_FILE, UNIT_FILE] as const;
/** Who the actuator is where its unit is installed: systemd/portcullis.sysusers. */
export const ACTUATOR_GROUP = 'portcullis-actuator' as const;

/** The drop-in for the actuator's unit that lets it run modprobe. */
export const UNIT_LINES: readonly string[] = [
  '# activation = "module": the actuator runs modprobe.',
  '[Service]',
  'CapabilityBoundingSet=CAP_SYS_MODULE',
  'AmbientCapabilities=CAP_SYS_MODULE',
  'ProtectKernelModules=no',
  'SystemCallFilter=@module',
];

const MARK = '# Written by portcullis uplink provision; changed and removed by it alone.';

export function isOurs(text: string): boolean {
  return text.startsWith(`${MARK}\n`);
}

/** All files that these services need, in a fixed order. */
export function bootFiles(services: readonly GatewayService[], host: BootHost): BootFile[] {
  // Services that share an uplink mean the same by it.
  const uplinks = [...new Map(services.map((s) => [s.uplink.device, s.uplink])).values()];
  const devices = uplinks.map((u) => u.device);
  const out: BootFile[] = [];
  const add = (path: string, lines: readonly string[]): void => {
    const purpose = path === UNIT_FILE ? 'lets raise' : 'keeps down';
    if (lines.length > 0) out.push({ path, text: `${[MARK, ...lines].join('\n')}\n`, purpose });
  };
  add(MODPROBE_FILE, uplinks.flatMap(modprobeLines));
  add(
    UDEV_FILE,
    uplinks.flatMap((u) => udevLines(u, host)),
  );
  // A program of the operator's may need its device managed.
  const ours = devices.filter((_, i) => uplinks[i]?.activation !== 'command');
  if (host.networkd && ours.length > 0)
    add(NETWORKD_FILE, ['[Match]', `Name=${ours.join(' ')}`, '', '[Link]', 'Unmanaged=yes']);
  if (host.networkManager)
    add(
      MANAGER_FILE,
      ours.flatMap((device) => [
        `[device-portcullis-${device}]`,
        `match-device=interface-name:=${device}`,
        'managed=0',
      ]),
    );
  if (host.actuatorUnit && uplinks.some((u) => u.activation === 'module')) add(UNIT_FILE, UNIT_LINES);
  return out;
}

type Uplink = GatewayService['uplink'];

/**
 * `blacklist` stops a loading by the card's name of itself (udev), `install` one by the module's name (initramfs,
 * modules-load.d, people). We load it with --ignore-install.
 */
function modprobeLines({ device, activation, module, card }: Uplink): string[] {
  if (activation !== 'module' || module === undefined || card === undefined) return [];
  return [
    `# ${device}, ${cardText(card)}: loaded by portcullis alone (by hand: modprobe --ignore-install ${module})`,
    `blacklist ${moduleName(module)}`,
    `install ${moduleName(module)} /bin/false`,
  ];
}

function udevLines({ device, activation, card, driver }: Uplink, host: BootHost): string[] {
  if (activation !== 'unbind' || card === undefined || driver === undefined) return [];
  const out: string[] = [];
  const { bus, address } = card;
  const match = `ACTION=="add", SUBSYSTEM=="${bus}", KERNEL=="${address}"`;
  const override = host.canOverride(card);
  if (override)
    out.push(
      `# ${device}: its card is given a driver by portcullis alone`,
      `${match}, ATTR{driver_override}="${NO_DRIVER}"`,
    );
  if (host.group !== null) {
    const directory = `/sys/bus/${bus}/drivers/${driver}`;
    const grant = (files: string): string =>
      `RUN+="/bin/chgrp ${host.group} ${files}", RUN+="/bin/chmod g+w ${files}"`;
    if (override) out.push(`${match}, ${grant(`/sys/bus/${bus}/devices/${address}/driver_override`)}`);
    out.push(
      `ACTION=="add", SUBSYSTEM=="drivers", DEVPATH=="/bus/${bus}/drivers/${driver}", ${grant(`${directory}/bind ${directory}/unbind`)}`,
    );
  }
  return out;
}
