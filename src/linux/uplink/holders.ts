/**
 * Which services hold which uplink. Several may share one: it is raised for the first and lowered after the last, by
 * whatever means. Knows no device.
 */
import { Lanes } from '../lane.ts';
import { confirmed, type Outcome } from '../outcome.ts';
import { Shared } from '../shared.ts';

export class Holders {
  private readonly byDevice = new Map<string, Set<string>>();
  /** Programs of one device, one after the other. Not the lane of the guard, which waits for no program. */
  private readonly lanes = new Lanes();
  /** At a start all services ask for it at once. */
  private readonly lowering = new Shared<Outcome>();

  /** Whether a device is held up, by any service or by the named one. */
  holds(device: string, service?: string): boolean {
    const holders = this.byDevice.get(device);
    return service === undefined ? (holders?.size ?? 0) > 0 : (holders?.has(service) ?? false);
  }

  intend(device: string, service: string, held: boolean): void {
    const holders = this.byDevice.get(device) ?? new Set();
    this.byDevice.set(device, holders);
    if (held) holders.add(service);
    else holders.delete(service);
  }

  /** What is told when nothing is to be done since others than that service hold the device; null: nobody else does. */
  usedBeside(device: string, service: string | null): Outcome | null {
    const others = [...(this.byDevice.get(device) ?? [])].filter((name) => name !== service);
    return others.length === 0 ? null : confirmed(`${device} is used by ${others.join(', ')}`);
  }

  /**
   * activateUplink or deactivateUplink by a program, after `intend`. Not run while another service holds the device, unless it
   * is to be raised and is not up.
   */
  byProgram(
    device: string,
    service: string,
    toRaise: boolean,
    isUp: () => boolean,
    program: () => Promise<Outcome>,
  ): Promise<Outcome> {
    const inTurn = (): Promise<Outcome> =>
      this.lanes.get(device).run(async () => {
        const used = this.usedBeside(device, toRaise ? service : null);
        return used !== null && (!toRaise || isUp()) ? used : program();
      });
    return toRaise ? inTurn() : this.lowering.run(device, inTurn);
  }
}
