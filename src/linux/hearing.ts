/** What is heard on the devices of all services: foreigners, who are evidence, and rivals, who use a roving address. */
import type { Side } from '../core/events.ts';
import type { ActuatorEvents } from '../driver/ports.ts';
import { usedBy } from './addressprobe.ts';
import type { GatewayService } from './config.ts';
import type { Heard } from './frames.ts';
import { formatMac } from './ip.ts';
import type { Kernel } from './kernel.ts';

/** A foreigner is news after so long a silence of all foreigners. */
const FOREIGN_SILENCE_MS = 1000;
const RIVAL_QUIET_MS = 1000;
const SIDES: readonly Side[] = ['downlink', 'uplink'];

export class Hearing {
  private readonly kernel: Kernel;
  private readonly events: Pick<ActuatorEvents, 'foreignerHeard' | 'rivalHeard'>;
  private readonly deafen = new Map<string, () => void>();
  private readonly foreignMs = new Map<string, number>();
  private readonly rivalMs = new Map<string, number>();

  constructor(kernel: Kernel, events: Pick<ActuatorEvents, 'foreignerHeard' | 'rivalHeard'>) {
    this.kernel = kernel;
    this.events = events;
  }

  /** Hears every device of the configuration as it is now, once. */
  listen(): void {
    for (const stop of this.deafen.values()) stop();
    this.deafen.clear();
    for (const service of this.services())
      for (const side of SIDES) {
        const { device } = service[side];
        if (this.deafen.has(device)) continue;
        const stop = this.kernel.links.ear(device).listen((heard) => this.heard(device, heard));
        this.deafen.set(device, stop);
      }
  }

  private services(): GatewayService[] {
    return [...this.kernel.services.values()].map((parts) => parts.service);
  }

  private heard(device: string, heard: Heard): void {
    const now = this.kernel.nowMs();
    const foreign = this.kernel.neighbourhoods.get(device)?.hear(heard, now) ?? false;
    if (foreign) {
      const quietMs = now - (this.foreignMs.get(device) ?? Number.NEGATIVE_INFINITY);
      this.foreignMs.set(device, now);
      if (quietMs >= FOREIGN_SILENCE_MS)
        for (const { name, downlink } of this.services())
          if (downlink.device === device) this.events.foreignerHeard(name);
    }
    if (heard.kind === 'arp' || heard.kind === 'advertisement') this.lookForRival(device, heard, now);
  }

  private lookForRival(device: string, heard: Heard, now: number): void {
    if (this.kernel.links.isOwn(heard.mac)) return;
    const used = usedBy(heard, this.kernel.rovingAddresses);
    if (used === null) return;
    for (const service of this.services())
      for (const side of SIDES) {
        if (service[side].device !== device || !service[side].addresses.some((a) => a.address === used))
          continue;
        if (this.kernel.gate.openUntilMs(service.name) === null) continue;
        const key = `${service.name} ${side}`;
        if (now - (this.rivalMs.get(key) ?? Number.NEGATIVE_INFINITY) < RIVAL_QUIET_MS) continue;
        this.rivalMs.set(key, now);
        this.events.rivalHeard(service.name, side, `${formatMac(heard.mac)} uses ${used}`);
      }
  }
}
