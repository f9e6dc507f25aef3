/** What the kernel tells of a device that is or shall be an uplink: all that the choice of a strategy hangs on. Reads only. */
import type { ActuatorConfig } from '../config.ts';
import { isSame, strangeHolder } from './appearing.ts';
import { type Card, cardText, moduleName, type Sysfs } from './sysfs.ts';

/** `card`: a device with hardware, or a virtual machine's idea of it, behind it. */
export type DeviceKind = 'card' | 'vlan' | 'bond' | 'bridge' | 'virtual';
export type DeviceRole = 'downlink' | 'link' | 'uplink';

export interface DeviceUse {
  readonly device: string;
  readonly up: boolean;
  /** By the configuration; null: none, or no configuration was given. */
  readonly role: DeviceRole | null;
}

export interface UplinkFacts {
  readonly device: string;
  /** False: it is absent, and what is told is of the card that the configuration names. */
  readonly exists: boolean;
  readonly kind: DeviceKind;
  readonly role: DeviceRole | null;
  /** The bond or bridge that it is a member of. */
  readonly master: string | null;
  /** Devices on top of it (VLANs, for one), which come and go with it. */
  readonly upper: readonly DeviceUse[];
  /** Devices beneath it: a VLAN's parent, a bond's members. */
  readonly lower: readonly DeviceUse[];
  readonly card: Card | null;
  readonly driver: string | null;
  /** Null: not told, which is so of some drivers that are built in. */
  readonly module: string | null;
  /** The module can be removed again; false: it is built in. */
  readonly isLoadable: boolean;
  readonly moduleHolders: readonly string[];
  /** Other devices of the same card. */
  readonly onCard: readonly DeviceUse[];
  /** Other cards that the same module drives. */
  readonly ofModule: readonly { readonly card: string; readonly devices: readonly DeviceUse[] }[];
  /** A driver holds the card, and no network device of it can be seen. */
  readonly strangeDriver: string | null;
  readonly canOverride: boolean;
  /** No other device with a card has a carrier. */
  readonly isLastLink: boolean;
}

const IFF_UP = 1;

function isUp(sysfs: Sysfs, device: string): boolean {
  return (Number(sysfs.netAttribute(device, 'flags') ?? 0) & IFF_UP) !== 0;
}

function kindOf(sysfs: Sysfs, device: string): DeviceKind {
  const type = /^DEVTYPE=(.*)$/m.exec(sysfs.netAttribute(device, 'uevent') ?? '')?.[1];
  if (type === 'vlan') return 'vlan';
  if (type === 'bond' || sysfs.hasNetEntry(device, 'bonding')) return 'bond';
  if (type === 'bridge' || sysfs.hasNetEntry(device, 'bridge')) return 'bridge';
  return sysfs.cardOf(device) === null ? 'virtual' : 'card';
}

/** What a configuration says that a device is for. */
export function roleOf(device: string, config: ActuatorConfig | null): DeviceRole | null {
  if (config === null) return null;
  if (config.services.some((s) => s.downlink.device === device)) return 'downlink';
  if (config.clusterLinks.some((l) => l.device === device)) return 'link';
  return config.services.some((s) => s.uplink.device === device) ? 'uplink' : null;
}

/**
 * The facts of a device; `config` null: none is there yet. Null when there is no such device, and the configuration names no
 * card for it.
 */
export function uplinkFacts(device: string, config: ActuatorConfig | null, sysfs: Sysfs): UplinkFacts | null {
  const exists = sysfs.isNetDevice(device);
  const configured = config?.services.find((s) => s.uplink.device === device)?.uplink;
  const card = exists ? sysfs.cardOf(device) : (configured?.card ?? null);
  if (!exists && card === null) return null;
  const use = (name: string): DeviceUse => ({
    device: name,
    up: isUp(sysfs, name),
    role: roleOf(name, config),
  });
  const driver = (card === null ? null : sysfs.driverOf(card)) ?? configured?.driver ?? null;
  const module = (card === null ? null : sysfs.moduleOf(card)) ?? configured?.module ?? null;
  const others =
    module === null ? [] : sysfs.cardsOf(module).filter((c) => card === null || !isSame(c, card));
  const hasCarrier = (name: string): boolean => sysfs.netAttribute(name, 'carrier') === '1';
  const rest = sysfs.netDevices().filter((name) => name !== device && sysfs.cardOf(name) !== null);
  return {
    device,
    exists,
    kind: exists ? kindOf(sysfs, device) : 'card',
    role: roleOf(device, config),
    master: sysfs.masterOf(device),
    upper: sysfs.stacked(device, 'upper').map(use),
    lower: sysfs.stacked(device, 'lower').map(use),
    card,
    driver,
    module: module === null ? null : moduleName(module),
    // One that is not in the kernel now must come from a file.
    isLoadable: module !== null && (sysfs.isLoadable(module) || !sysfs.isLoaded(module)),
    moduleHolders: module === null ? [] : sysfs.holdersOf(module),
    onCard:
      card === null
        ? []
        : sysfs
            .netDevicesOf(card)
            .filter((name) => name !== device)
            .map(use),
    ofModule: others.map((c) => ({ card: cardText(c), devices: sysfs.netDevicesOf(c).map(use) })),
    strangeDriver: card === null ? null : strangeHolder(card, sysfs),
    canOverride: card !== null && sysfs.canOverride(card),
    isLastLink: exists && hasCarrier(device) && !rest.some(hasCarrier),
  };
}
