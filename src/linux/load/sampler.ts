/**
 * Measures how burdened this host is, now and then, beside all that a takeover needs. The load is the highest of what
 * the configured sources tell. A program that fails tells 1000: who cannot say how it is counts as burdened.
 */
import type { ActuatorConfig } from '../config.ts';
import type { ConnectionSync } from '../conntrackd.ts';
import { programProblem } from '../external.ts';
import { runPowerless, textOf } from '../tools.ts';
import { Quality } from './quality.ts';
import { conntrackLoad, cpuLoad, LinkUse, type LoadSettings, programLoad } from './sources.ts';

/** The longest that a program may take. */
const PROGRAM_LIMIT_MS = 1000;
const WORST = 1000;
/** Who was burdened when measuring ended is so until 0 was said for `feedback.after`. */
const UNMEASURED_EVERY_MS = 5000;

/** The load, 0 to 1000, and `SOURCE=NUMBER` of each source, `SOURCE=?` where it does not tell, and what is wrong. */
export type OnLoad = (load: number, detail: string) => void;

export class Sampler {
  /** What the tests tell it of the downlink. */
  readonly quality: Quality;
  private readonly nowMs: () => number;
  private readonly onLoad: OnLoad;
  private readonly sync: Pick<ConnectionSync, 'answers'>;
  private config: ActuatorConfig;
  private timer: NodeJS.Timeout | null = null;
  private links: LinkUse;
  private isRunning = false;
  private text = '';

  constructor(
    config: ActuatorConfig,
    nowMs: () => number,
    onLoad: OnLoad,
    sync: Pick<ConnectionSync, 'answers'>,
  ) {
    this.config = config;
    this.nowMs = nowMs;
    this.onLoad = onLoad;
    this.sync = sync;
    this.links = new LinkUse(nowMs());
    this.quality = new Quality(nowMs);
  }

  /** Begins, or goes on under another configuration. Where the sources were taken out it goes on saying 0. */
  start(config = this.config): void {
    const text = JSON.stringify(config.load);
    this.config = config;
    this.quality.configure(config.load, config.services);
    if (this.timer !== null && text === this.text) return;
    const wasOn = this.timer !== null;
    this.stop();
    this.text = text;
    const { load } = config;
    if (load === undefined) {
      const unmeasured = (): void => this.onLoad(0, 'not measured');
      if (!wasOn) return;
      unmeasured();
      this.timer = setInterval(unmeasured, UNMEASURED_EVERY_MS);
      return;
    }
    this.links = new LinkUse(this.nowMs());
    this.timer = setInterval(() => void this.sample(load), load.everyMs);
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }

  private async sample(load: LoadSettings): Promise<void> {
    if (this.isRunning) return;
    this.isRunning = true;
    try {
      const { most, detail } = await this.measure(load);
      if (this.timer !== null && this.config.load === load) this.onLoad(most, detail);
    } finally {
      this.isRunning = false;
    }
  }

  private async measure(load: LoadSettings): Promise<{ most: number; detail: string }> {
    const { services } = this.config;
    const devices = [...new Set(services.flatMap((s) => [s.downlink.device, s.uplink.device]))];
    const parts: { [source: string]: number | null } = {};
    let why = '';
    for (const source of load.sources) {
      if (source === 'conntrack') parts[source] = conntrackLoad(load.connections);
      else if (source === 'conntrackd') parts[source] = this.sync.answers ? 0 : WORST;
      else if (source === 'cpu') parts[source] = cpuLoad(load.cpuPercent);
      else if (source === 'downlink') parts[source] = this.quality.downlink(load.downlinkPercent);
      else if (source === 'remote') parts[source] = this.quality.remote(load.remotePercent);
      else if (source === 'link') parts[source] = this.links.look(devices, load.linkMbit, this.nowMs());
      else if (load.program !== null) {
        const said = await this.run(load.program, Math.min(PROGRAM_LIMIT_MS, load.everyMs));
        if (typeof said === 'string') why = ` (${said})`;
        parts[source] = typeof said === 'string' ? WORST : said;
      }
    }
    const told = Object.values(parts).filter((value) => value !== null);
    const words = Object.entries(parts).map(([source, value]) => `${source}=${value ?? '?'}`);
    return { most: Math.max(0, ...told), detail: `${words.join(' ')}${why}` };
  }

  /** What the program says, or what is wrong with it. */
  private async run(path: string, limitMs: number): Promise<number | string> {
    const problem = await programProblem(path);
    if (problem !== null) return problem;
    const { cluster, host } = this.config;
    const env = { PORTCULLIS_CLUSTER: cluster, PORTCULLIS_HOST: host };
    try {
      const { status, output, errors } = await runPowerless(path, ['load'], env, limitMs);
      const number = status === 0 ? programLoad(output) : null;
      return number ?? `${path}: says no number from 0 to 1000: ${textOf(`${output} ${errors}`)}`;
    } catch (error) {
      return textOf(error);
    }
  }
}
