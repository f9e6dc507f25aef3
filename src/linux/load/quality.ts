/**
 * The quality of the downlink as this host's own tests found it, for the load: which part of their last runs was not
 * confirmed. Invariant: a window for each downlink device and service of the configuration, and only while its source is
 * named; what began before a window was made does not count in it.
 */
import type { ServiceName } from '../../core/basics.ts';
import type { Procedure } from '../../core/procedures.ts';
import type { GatewayService } from '../config.ts';
import type { Outcome } from '../outcome.ts';
import { type LoadSettings, permille } from './sources.ts';

/** So many runs count. */
export const QUALITY_RUNS = 20;
/** From so few no share is reckoned. */
const FEWEST = 5;
/** Longer than from run to run at the longest `check_interval` and `limits.test`: these tests are not made any more. */
const STALE_MS = 150_000;

/** The last runs of a test. */
class RunWindow {
  private readonly good: boolean[] = [];
  private lastMs = Number.NEGATIVE_INFINITY;

  note(isGood: boolean, nowMs: number): void {
    this.good.push(isGood);
    if (this.good.length > QUALITY_RUNS) this.good.shift();
    this.lastMs = nowMs;
  }

  runs(nowMs: number): readonly boolean[] {
    return nowMs - this.lastMs < STALE_MS ? this.good : [];
  }
}

/** What the runs are as a load, when `percent` of them not confirmed are 1000. */
function burdenOf(runs: readonly boolean[], percent: number): number {
  if (runs.length < FEWEST) return 0;
  const bad = runs.filter((isGood) => !isGood).length;
  return permille((bad / runs.length) * 100, percent);
}

export class Quality {
  private readonly nowMs: () => number;
  private downlinks = new Map<string, RunWindow>();
  private remotes = new Map<ServiceName, RunWindow>();

  constructor(nowMs: () => number) {
    this.nowMs = nowMs;
  }

  /** Under another configuration: what it does not name is forgotten. */
  configure(load: LoadSettings | undefined, services: readonly GatewayService[]): void {
    const kept = <K>(old: ReadonlyMap<K, RunWindow>, keys: readonly K[]) =>
      new Map(keys.map((key) => [key, old.get(key) ?? new RunWindow()]));
    const named = (source: 'downlink' | 'remote') =>
      load?.sources.includes(source) === true ? services : [];
    const devices = named('downlink').map(({ downlink }) => downlink.device);
    this.downlinks = kept(this.downlinks, devices);
    const names = named('remote').map(({ name }) => name);
    this.remotes = kept(this.remotes, names);
  }

  /** Runs a procedure; when it is one that tells of the link, its end is remembered. One that throws is not confirmed. */
  async noted(
    { name, downlink }: GatewayService,
    procedure: Procedure,
    run: () => Promise<Outcome>,
  ): Promise<Outcome> {
    let window: RunWindow | undefined;
    if (procedure === 'checkDownlink') window = this.downlinks.get(downlink.device);
    if (procedure === 'checkServiceRemote') window = this.remotes.get(name);
    let isGood = false;
    try {
      const outcome = await run();
      isGood = outcome.verdict === 'confirmed';
      return outcome;
    } finally {
      window?.note(isGood, this.nowMs());
    }
  }

  /** The service is here from now on: how it looked from here is of the past. */
  served(name: ServiceName): void {
    if (this.remotes.has(name)) this.remotes.set(name, new RunWindow());
  }

  /** Of the worst downlink device, 0 to 1000. */
  downlink(fullPercent: number): number {
    const now = this.nowMs();
    return Math.max(0, ...[...this.downlinks.values()].map((w) => burdenOf(w.runs(now), fullPercent)));
  }

  /** Of the services that are elsewhere, taken together, so that one that nobody could mend is but its part of them. */
  remote(fullPercent: number): number {
    const now = this.nowMs();
    return burdenOf(
      [...this.remotes.values()].flatMap((w) => w.runs(now)),
      fullPercent,
    );
  }
}
