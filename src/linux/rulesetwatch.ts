/**
 * Watches for changes of the ruleset by anybody else. Invariant: within one look, half a second apart (two seconds
 * while the host takes over or lets go), the gate's tables are back as they were installed, the cluster's port is first
 * again and its filter there, whatever an operator loaded.
 */
import { tableName } from './gatetable.ts';
import type { Kernel } from './kernel.ts';
import { Lane } from './lane.ts';
import type { PortGuard } from './portguard.ts';
import { everyQuarters } from './pulse.ts';
import { runTool } from './tools.ts';

/** So many looks in a row may be put off. */
const PUT_OFF_MAX = 3;

export class RulesetWatch {
  private readonly kernel: Kernel;
  private readonly guard: PortGuard;
  private readonly lane = new Lane();
  private stopLooking: (() => void) | null = null;
  private seen: number | null = null;
  private isBusy = false;
  private putOff = 0;
  /** The gate's tables as nft lists them after our last change of them; null: not yet read back. */
  private baseline: { readonly edition: number; readonly text: string } | null = null;

  constructor(kernel: Kernel, guard: PortGuard) {
    this.kernel = kernel;
    this.guard = guard;
  }

  start(): void {
    this.look();
    this.stopLooking = everyQuarters(2, () => this.lookUnlessBusy());
  }

  /** A takeover is under way, which changes the ruleset itself: a look now would only keep it from the processor. */
  defer(): void {
    this.isBusy = true;
  }

  stop(): void {
    this.stopLooking?.();
    this.stopLooking = null;
  }

  /** Looks at once, without waiting for it. */
  repair(): void {
    this.repairNow().catch(() => {
      // nft failed: the next look tries again.
      this.seen = null;
    });
  }

  /** Has the tables and the port's rules as they must be when it resolves; throws when nft refuses. */
  repairNow(): Promise<void> {
    return this.lane.run(() => this.mend());
  }

  /** Has the port's filter as it must be for the present members and addresses when it resolves. */
  guardNow(): Promise<void> {
    return this.lane.run(() => this.guard.keep());
  }

  private lookUnlessBusy(): void {
    const isBusy = this.isBusy || this.kernel.generations.isChanging;
    const puts = isBusy && this.putOff < PUT_OFF_MAX;
    this.isBusy = false;
    this.putOff = puts ? this.putOff + 1 : 0;
    if (!puts) this.look();
  }

  private look(): void {
    const { gate, generations } = this.kernel;
    const generation = generations.foreign();
    // Our own changes of the gate's tables are to be read back as well.
    const isKnown = this.baseline?.edition === gate.edition && !this.guard.isDue;
    if (generation !== null && generation === this.seen && isKnown) {
      if (this.lane.length === 0) this.lane.run(() => this.lookBeside()).catch(() => undefined);
      return;
    }
    if (this.lane.length === 0) this.repair();
  }

  /** What there is to do while nobody has changed anything. */
  private async lookBeside(): Promise<void> {
    const { rules } = this.kernel;
    if (rules.isDue) await rules.keepPortOpen();
    await this.guard.look();
  }

  private async mend(): Promise<void> {
    const { gate, generations, config, rules } = this.kernel;
    // Read before looking: a change in between is then seen by the next look.
    this.seen = generations.foreign();
    const table = tableName(config);
    const { edition } = gate;
    const now = await listed(table);
    const known = this.baseline?.edition === edition ? this.baseline.text : null;
    // What we were changing ourselves while it was read is nobody else's doing: the next look sees it whole.
    if (gate.edition !== edition) this.seen = null;
    else if (now === null || (known !== null && known !== now)) {
      await gate.reinstall();
      const { edition: made } = gate;
      const text = await listed(table);
      this.baseline = text === null ? null : { edition: made, text };
    } else this.baseline = { edition, text: now };
    gate.keepForwarding();
    await rules.keepPortOpen();
    await this.guard.keep();
  }
}

/** Both tables without what changes by itself; null when one is missing. */
async function listed(table: string): Promise<string | null> {
  const texts: string[] = [];
  for (const family of ['inet', 'arp']) {
    const ended = await runTool('nft', ['-s', 'list', 'table', family, table]);
    if (ended.status !== 0) return null;
    texts.push(ended.output.replace(/\n\s*elements = \{[^}]*\}/g, ''));
  }
  return texts.join('');
}
