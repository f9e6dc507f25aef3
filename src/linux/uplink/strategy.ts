/**
 * How an uplink's device comes and goes, apart from being set up and down: one small interface, and which strategy a
 * configuration names. Whatever the strategy, a device is set down before it is taken away, and what was done is
 * read back, never assumed.
 */
import type { GatewayService } from '../config.ts';
import type { Link } from '../rtnetlink.ts';
import type { LinkEvents } from './linkevents.ts';
import { ModuleStrategy } from './module.ts';
import type { Sysfs } from './sysfs.ts';
import { UnbindStrategy } from './unbind.ts';

export interface Strategy {
  /** Makes the device be there, not up. Throws an Error with the reason when it is not there in time. */
  load(limitMs: number): Promise<void>;
  /** Takes the device away, which must be down. Throws an Error with the reason when it is not gone. */
  unload(limitMs: number): Promise<void>;
  /** What keeps the uplink from being as far down as this strategy takes it; null: nothing. A device that is merely down counts. */
  remains(): string | null;
  /** The network devices that the uplink has now, whatever they are called. */
  devices(): readonly string[];
  /** What being lowered means, for messages. */
  readonly lowered: string;
}

export interface StrategyTools {
  readonly sysfs: Sysfs;
  readonly events: LinkEvents;
  /** The kernel's word on a device, asked anew. */
  readonly link: (device: string) => Link | null;
  /** Devices that must never lose their driver: the cluster's links and the downlinks. */
  readonly kept: () => ReadonlySet<string>;
}

/** `admin`, and what programs do (`command`) as far as the kernel can know of it: the device stays. */
class AdminStrategy implements Strategy {
  readonly lowered = 'down';
  private readonly device: string;
  private readonly tools: StrategyTools;

  constructor(device: string, tools: StrategyTools) {
    this.device = device;
    this.tools = tools;
  }

  async load(): Promise<void> {
    if (this.tools.link(this.device) === null) throw new Error(`${this.device} does not exist`);
  }

  async unload(): Promise<void> {}

  remains(): string | null {
    return this.tools.link(this.device)?.up ? `${this.device} is up` : null;
  }

  devices(): string[] {
    return this.tools.link(this.device) === null ? [] : [this.device];
  }
}

/** Throws an Error when keys are missing that the configuration's check asks for. */
export function strategyOf(uplink: GatewayService['uplink'], tools: StrategyTools): Strategy {
  const { device, activation, card, module, driver } = uplink;
  switch (activation) {
    case 'admin':
    case 'command':
      return new AdminStrategy(device, tools);
    case 'module':
      if (card === undefined || module === undefined)
        throw new Error(`${device}: module or card is not told`);
      return new ModuleStrategy({ device, card, module }, tools);
    case 'unbind':
      if (card === undefined || driver === undefined)
        throw new Error(`${device}: driver or card is not told`);
      return new UnbindStrategy({ device, card, driver, module }, tools);
  }
}
