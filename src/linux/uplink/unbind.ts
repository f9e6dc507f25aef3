/**
 * `unbind`: the uplink is down because its card was taken from its driver, which goes on driving others. Where the bus
 * lets a driver be prescribed, the card is given one that does not exist, so that nothing takes it up again by itself.
 */
import { appear, devicesAt, type Place, strangeHolder, vanish, whyKept, wrongCard } from './appearing.ts';
import { loadModule } from './modprobe.ts';
import type { Strategy, StrategyTools } from './strategy.ts';
import { cardText } from './sysfs.ts';
import { NO_DRIVER, writeSysfs } from './sysfs-write.ts';

export interface UnbindPlace extends Place {
  readonly driver: string;
  /** Loaded when the driver is not there; undefined: it must be there. */
  readonly module: string | undefined;
}

export class UnbindStrategy implements Strategy {
  readonly lowered: string;
  private readonly place: UnbindPlace;
  private readonly tools: StrategyTools;

  constructor(place: UnbindPlace, tools: StrategyTools) {
    this.place = place;
    this.tools = tools;
    this.lowered = `absent, ${cardText(place.card)} without driver`;
  }

  async load(limitMs: number): Promise<void> {
    const { sysfs } = this.tools;
    const { card, driver, module } = this.place;
    const holder = sysfs.driverOf(card);
    if (!sysfs.hasCard(card)) throw new Error(`there is no ${cardText(card)}`);
    if (holder !== null && holder !== driver) throw new Error(`driver ${holder} holds ${cardText(card)}`);
    const before = performance.now();
    await this.prescribe(driver, limitMs);
    if (!sysfs.hasDriver(card.bus, driver)) {
      if (module === undefined) throw new Error(`driver ${driver} is not there: load it, or name its module`);
      await loadModule(module, limitMs);
    }
    // A driver that was just loaded has taken it up by itself.
    if (sysfs.driverOf(card) === null)
      await writeSysfs(sysfs.driverPath(card.bus, driver, 'bind'), card.address, limitMs);
    await appear(this.place, this.tools, Math.max(0, limitMs - (performance.now() - before)));
  }

  async unload(limitMs: number): Promise<void> {
    const { sysfs } = this.tools;
    const { card, device, driver: configured } = this.place;
    const strange = strangeHolder(card, sysfs);
    if (strange !== null && strange !== configured) throw new Error(wrongCard(card, strange));
    // Before anything is prescribed to it.
    const kept = whyKept(card, device, this.tools);
    if (kept !== null) throw new Error(`${cardText(card)} is not unbound: ${kept}`);
    await this.prescribe(NO_DRIVER, limitMs);
    if (this.remains() === null) return;
    // Whatever driver holds it, not the configured one only.
    if (sysfs.driverOf(card) !== null)
      await writeSysfs(sysfs.cardPath(card, 'driver', 'unbind'), card.address, limitMs);
    await vanish(this.place, this.tools, limitMs);
    const driver = sysfs.driverOf(card);
    if (driver !== null) throw new Error(`driver ${driver} still holds ${cardText(card)}`);
  }

  remains(): string | null {
    const { card, device } = this.place;
    const driver = this.tools.sysfs.driverOf(card);
    if (driver !== null) return `driver ${driver} holds ${cardText(card)}`;
    return this.tools.link(device) === null ? null : `${device} is there`;
  }

  devices(): string[] {
    return devicesAt(this.place, this.tools);
  }

  private async prescribe(driver: string, limitMs: number): Promise<void> {
    const { sysfs } = this.tools;
    const { card } = this.place;
    if (sysfs.canOverride(card)) await writeSysfs(sysfs.cardPath(card, 'driver_override'), driver, limitMs);
  }
}
