/** A directory that looks like /sys, for tests of what is decided from it. Nothing in it does anything. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export interface FakeCard {
  readonly address: string;
  readonly bus?: string;
  /** Null: no driver holds it. */
  readonly driver: string | null;
  readonly module?: string;
  /** The names of its network devices; a `+` behind one: it is up and has a carrier. */
  readonly net: readonly string[];
  readonly override?: boolean;
}

export class FakeSysfs {
  readonly root = mkdtempSync(join(tmpdir(), 'pc-sysfs-'));
  private index = 1;

  file(path: string, text = ''): void {
    const full = join(this.root, path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, `${text}\n`);
  }

  link(path: string, target: string): void {
    const full = join(this.root, path);
    mkdirSync(dirname(full), { recursive: true });
    symlinkSync(join(this.root, target), full);
  }

  /** A module that can be removed again (`loadable`), or one that is built in. */
  module(name: string, loadable = true): void {
    this.file(`module/${name}/uevent`);
    mkdirSync(join(this.root, `module/${name}/holders`), { recursive: true });
    if (loadable) this.file(`module/${name}/initstate`, 'live');
  }

  card({ address, bus = 'pci', driver, module, net, override = true }: FakeCard): void {
    const at = `devices/${bus}/${address}`;
    mkdirSync(join(this.root, at), { recursive: true });
    mkdirSync(join(this.root, `bus/${bus}`), { recursive: true });
    this.link(`bus/${bus}/devices/${address}`, at);
    this.link(`${at}/subsystem`, `bus/${bus}`);
    if (override) this.file(`${at}/driver_override`, '(null)');
    if (driver !== null) {
      const drivers = `bus/${bus}/drivers/${driver}`;
      mkdirSync(join(this.root, drivers), { recursive: true });
      this.link(`${at}/driver`, drivers);
      this.link(`${drivers}/${address}`, at);
      if (module !== undefined) {
        const entry = `module/${module}/drivers/${bus}:${driver}`;
        try {
          this.link(`${drivers}/module`, `module/${module}`);
          this.link(entry, drivers);
        } catch {
          // A second card of the same driver.
        }
      }
    }
    for (const name of net) this.device(name, at);
  }

  /** A network device; `under`: the card that it lies on. */
  device(shown: string, under: string | null = null, type?: string): void {
    const name = shown.replace('+', '');
    const up = shown.endsWith('+');
    const at = under === null ? `devices/virtual/net/${name}` : `${under}/net/${name}`;
    this.file(`${at}/ifindex`, String(this.index++));
    this.file(`${at}/flags`, up ? '0x1003' : '0x1002');
    this.file(
      `${at}/uevent`,
      type === undefined ? `INTERFACE=${name}` : `DEVTYPE=${type}\nINTERFACE=${name}`,
    );
    if (up) this.file(`${at}/carrier`, '1');
    if (under !== null) this.link(`${at}/device`, under);
    this.link(`class/net/${name}`, at);
  }

  /** `upper` stands on `lower`, as a VLAN on its parent. */
  stack(upper: string, lower: string): void {
    this.file(`class/net/${lower}/upper_${upper}`);
    this.file(`class/net/${upper}/lower_${lower}`);
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
