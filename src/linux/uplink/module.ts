/**
 * `module`: the uplink is down because the kernel has no driver for its card. The device is gone, so that nothing on
 * this host can send by it. Invariant: a module that carries anything else that matters is never unloaded.
 */
import {
  appear,
  devicesAt,
  isSame,
  type Place,
  strangeHolder,
  vanish,
  whyKept,
  wrongCard,
} from './appearing.ts';
import { loadModule, unloadModule } from './modprobe.ts';
import type { Strategy, StrategyTools } from './strategy.ts';
import { cardText, moduleName } from './sysfs.ts';
import { NO_DRIVER, writeSysfs } from './sysfs-write.ts';

export interface ModulePlace extends Place {
  readonly module: string;
}

export class ModuleStrategy implements Strategy {
  readonly lowered: string;
  private readonly place: ModulePlace;
  private readonly tools: StrategyTools;

  constructor(place: ModulePlace, tools: StrategyTools) {
    this.place = place;
    this.tools = tools;
    this.lowered = `absent, ${place.module} not loaded`;
  }

  async load(limitMs: number): Promise<void> {
    const { sysfs } = this.tools;
    const { module, card } = this.place;
    if (sysfs.driverOf(card) === null) {
      const before = performance.now();
      // From the time when this card was kept down by `unbind`.
      if (sysfs.overrideOf(card) === NO_DRIVER)
        await writeSysfs(sysfs.cardPath(card, 'driver_override'), '', limitMs);
      await loadModule(module, limitMs);
      // Loaded already, and taken from its card by somebody: the module alone would not come back to it.
      if (sysfs.hasCard(card) && sysfs.driverOf(card) === null)
        await writeSysfs(`${sysfs.root}/bus/${card.bus}/drivers_probe`, card.address, limitMs);
      limitMs = Math.max(0, limitMs - (performance.now() - before));
    }
    await appear(this.place, this.tools, limitMs);
  }

  async unload(limitMs: number): Promise<void> {
    const { module } = this.place;
    if (this.remains() === null) return;
    const kept = this.whyKept();
    if (kept !== null) throw new Error(`${module} is not unloaded: ${kept}`);
    if (!this.tools.sysfs.isLoadable(module))
      throw new Error(`${module} is built into the kernel, or drives nothing here`);
    await unloadModule(module, limitMs);
    await vanish(this.place, this.tools, limitMs);
    if (this.tools.sysfs.driverOf(this.place.card) !== null)
      throw new Error(`${cardText(this.place.card)} still has a driver`);
  }

  remains(): string | null {
    const { card, device } = this.place;
    const { sysfs, link } = this.tools;
    const driver = sysfs.driverOf(card);
    if (driver !== null) return `driver ${driver} holds ${cardText(card)}`;
    return link(device) === null ? null : `${device} is there`;
  }

  devices(): string[] {
    return devicesAt(this.place, this.tools);
  }

  private whyKept(): string | null {
    const { sysfs } = this.tools;
    const { card, device, module } = this.place;
    const holder = sysfs.driverOf(card);
    const actual = sysfs.moduleOf(card);
    if (holder !== null && actual !== null && actual !== moduleName(module))
      return `${cardText(card)} has driver ${holder} of module ${actual}`;
    const strange = strangeHolder(card, sysfs);
    if (strange !== null && actual === null) return wrongCard(card, strange);
    const holders = sysfs.holdersOf(module);
    if (holders.length > 0) return `${holders.join(', ')} needs it`;
    const own = whyKept(card, device, this.tools);
    if (own !== null) return own;
    for (const other of sysfs.cardsOf(module)) {
      if (isSame(other, card)) continue;
      const why = whyKept(other, null, this.tools);
      if (why !== null) return why;
      // Its device is in another network namespace, or of another kind: what it is for cannot be seen from here.
      if (sysfs.netDevicesOf(other).length === 0) return `${cardText(other)} has it too`;
    }
    return null;
  }
}
