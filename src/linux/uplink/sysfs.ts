/**
 * What the kernel shows of network devices, their cards, drivers and modules (sysfs(5)). Reads only, each time anew:
 * nothing here is remembered, since what is asked is what holds now.
 */
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { basename, join } from 'node:path';

/** A device of a bus, as in /sys/bus/BUS/devices/ADDRESS: it is there whether or not a driver holds it. */
export interface Card {
  /** `pci`, `virtio`, `usb`, ... */
  readonly bus: string;
  /** `0000:03:00.0` on `pci`. */
  readonly address: string;
}

/** As in configuration and messages: `pci/0000:03:00.0`. */
export function cardText({ bus, address }: Card): string {
  return `${bus}/${address}`;
}

/** The kernel writes `-` in a module's name as `_`. */
export function moduleName(name: string): string {
  return name.replaceAll('-', '_');
}

function list(path: string): string[] {
  try {
    return readdirSync(path).sort();
  } catch {
    return [];
  }
}

function text(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return null;
  }
}

/** The last part of what a link leads to, or null. */
function target(path: string): string | null {
  try {
    return basename(realpathSync(path));
  } catch {
    return null;
  }
}

export class Sysfs {
  readonly root: string;

  /** `root`: another than /sys for tests of what is decided from it. */
  constructor(root = '/sys') {
    this.root = root;
  }

  /** Network devices of this network namespace, by name. */
  netDevices(): string[] {
    return list(join(this.root, 'class/net')).filter((name) => this.has('class/net', name, 'ifindex'));
  }

  isNetDevice(device: string): boolean {
    return this.has('class/net', device, 'ifindex');
  }

  /** An attribute of a network device, such as `type` or `bonding/mode`; null when it has none such. */
  netAttribute(device: string, name: string): string | null {
    return text(join(this.root, 'class/net', device, name));
  }

  hasNetEntry(device: string, name: string): boolean {
    return this.has('class/net', device, name);
  }

  /** Devices above or below it: `upper_NAME` and `lower_NAME` in its directory. */
  stacked(device: string, which: 'upper' | 'lower'): string[] {
    const names = list(join(this.root, 'class/net', device));
    return names.filter((n) => n.startsWith(`${which}_`)).map((n) => n.slice(which.length + 1));
  }

  /** The bond or bridge that a device is a member of. */
  masterOf(device: string): string | null {
    return target(join(this.root, 'class/net', device, 'master'));
  }

  /** The card behind a network device; null for a virtual one. */
  cardOf(device: string): Card | null {
    const link = join(this.root, 'class/net', device, 'device');
    const address = target(link);
    const bus = target(join(link, 'subsystem'));
    return address === null || bus === null ? null : { bus, address };
  }

  hasCard(card: Card): boolean {
    return existsSync(this.cardPath(card));
  }

  /** The driver that holds a card; null when none does, or the card is gone. */
  driverOf(card: Card): string | null {
    return target(this.cardPath(card, 'driver'));
  }

  /** The module of the driver that holds a card; null when none does, or it shows none. */
  moduleOf(card: Card): string | null {
    return target(this.cardPath(card, 'driver/module'));
  }

  /** The network devices that a card has now. */
  netDevicesOf(card: Card): string[] {
    return list(this.cardPath(card, 'net'));
  }

  /** Whether the card's bus lets its driver be prescribed (`driver_override`: pci, platform, and some others). */
  canOverride(card: Card): boolean {
    return existsSync(this.cardPath(card, 'driver_override'));
  }

  /** The driver that a card is prescribed, whether there is one of that name or not; null: none is. */
  overrideOf(card: Card): string | null {
    const name = text(this.cardPath(card, 'driver_override'));
    return name === null || name === '' || name === '(null)' ? null : name;
  }

  hasDriver(bus: string, driver: string): boolean {
    return this.has('bus', bus, 'drivers', driver);
  }

  /** Whether a module is in the kernel, loaded or built in. */
  isLoaded(module: string): boolean {
    return this.has('module', moduleName(module));
  }

  /** Whether it could be removed again: built-in ones have a directory, but no state. */
  isLoadable(module: string): boolean {
    return this.has('module', moduleName(module), 'initstate');
  }

  /** Modules that use this one and must go before it. */
  holdersOf(module: string): string[] {
    return list(join(this.root, 'module', moduleName(module), 'holders'));
  }

  /** All cards that the drivers of a module hold, also those whose network device is in another namespace. */
  cardsOf(module: string): Card[] {
    const drivers = join(this.root, 'module', moduleName(module), 'drivers');
    const out: Card[] = [];
    for (const entry of list(drivers)) {
      // As in `pci:e1000e`.
      const bus = entry.slice(0, entry.indexOf(':'));
      for (const address of list(join(drivers, entry)))
        if (this.hasCard({ bus, address }) && this.moduleOf({ bus, address }) === moduleName(module))
          out.push({ bus, address });
    }
    return out;
  }

  cardPath({ bus, address }: Card, ...more: string[]): string {
    return join(this.root, 'bus', bus, 'devices', address, ...more);
  }

  driverPath(bus: string, driver: string, ...more: string[]): string {
    return join(this.root, 'bus', bus, 'drivers', driver, ...more);
  }

  private has(...parts: string[]): boolean {
    return existsSync(join(this.root, ...parts));
  }
}
