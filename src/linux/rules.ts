/**
 * The host's iptables rule sets: tested before they are kept, kept in memory so that no edit in between can break
 * a takeover, loaded whole, and watched. Invariants: a set that iptables-restore refuses is never loaded; whatever set of ours
 * is loaded, the cluster's port is first in INPUT and OUTPUT, and put back there when it is pushed out; a set counts as there
 * while nobody but us has changed any rule since the kernel took it, or it was read back; nothing is forwarded on standby.
 */
import { readFile } from 'node:fs/promises';
import { OperatorError } from '../trust/errors.ts';
import type { Ended } from './child.ts';
import type { ActuatorConfig, GatewayService } from './config.ts';
import type { Generations } from './generations.ts';
import { Lane } from './lane.ts';
import { confirmed, type Outcome, refuted, unknown } from './outcome.ts';
import { FAMILIES, Restores, restoreTool, savedRules } from './restores.ts';
import {
  type Family,
  firstMissing,
  inOwnLines,
  portIsFirst,
  portRules,
  portRulesAlone,
  tablesIn,
  withOurRules,
} from './ruletext.ts';
import { findTool, runTool, type Tool, textOf } from './tools.ts';

const RULES_BYTES_MAX = 4 << 20;
/** Nobody waits for a test of a file; the first one after a boot may load a dozen of the kernel's modules. */
const TEST_LIMIT_MS = 30_000;

export type RuleKind = 'serving' | 'standby';

interface Loaded {
  readonly path: string;
  readonly text: string;
  readonly tables: readonly string[];
  /** How many rules the loaded text has. */
  readonly count: number;
  /** Read back after loading; null until that was done. */
  baseline: Map<string, string[]> | null;
  /** Whether somebody has tried to read it back since. */
  looked: boolean;
  /** The generation of the ruleset at which all was last known to be there. */
  seenAt: number | null;
  /** What was missing when it was last read back, and at which generation: while that one stands it still is. */
  missed: { readonly at: number; readonly what: string } | null;
}

/** The file of one family for one kind; without one for standby the set stands, and the gate's table forwards nothing. */
export function ruleFile(service: GatewayService, kind: RuleKind, family: Family): string | null {
  const { rules, rules6, standbyRules, standbyRules6 } = service.firewall;
  const serving = family === 4 ? rules : rules6;
  return kind === 'serving' ? serving : ((family === 4 ? standbyRules : standbyRules6) ?? serving);
}

/**
 * Why a text would not load, or null. `--test` alone lets jumps to chains that do not exist pass, so that it is
 * also loaded in a network namespace of its own, where this process may make one. Throws `OperatorError` when that takes too long.
 */
async function refusalOf(
  whole: string,
  family: Family,
  path: string,
  limitMs: number,
): Promise<string | null> {
  const restore = restoreTool(family, 'restore');
  const run = async (tool: Tool, args: readonly string[]): Promise<Ended> => {
    const ended = await runTool(tool, args, whole, limitMs);
    if (!ended.late) return ended;
    throw new OperatorError(
      `${path}: ${restore} has not tested it within ${limitMs / 1000} s`,
      `what holds this host up? see how long it takes: ${restore} --test < ${path}`,
    );
  };
  const tested = await run(restore, ['-w', '2', '--test']);
  if (tested.status !== 0) return textOf(tested.errors);
  const program = findTool(restore);
  // The sets of the host do not exist in there.
  if (program === null || findTool('unshare') === null || /--match-set|-j SET\b/.test(whole)) return null;
  const loaded = await run('unshare', ['--net', program]);
  // Its own failures (no privilege for a namespace) tell nothing of the rules.
  if (loaded.status === 0 || loaded.errors.includes('unshare')) return null;
  return textOf(loaded.errors);
}

/** A rule file as it stands. Throws `OperatorError`. */
async function fileText(path: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const { code = 'error' } = error as NodeJS.ErrnoException;
    throw new OperatorError(
      `${path}: the rules cannot be read (${code})`,
      'write them there, as iptables-save prints them; the path stands under [service.firewall]',
    );
  }
  if (text.length > RULES_BYTES_MAX)
    throw new OperatorError(`${path}: larger than 4 MiB`, 'use a smaller rule set');
  return text;
}

/** One rule file's text with our rules put in, tested within `limitMs`; `held`: what it said, else it is read. Throws `OperatorError`. */
export async function readRules(
  config: ActuatorConfig,
  path: string,
  family: Family,
  held?: string,
  limitMs = TEST_LIMIT_MS,
): Promise<string> {
  const text = held ?? (await fileText(path));
  const ours = portRules(config, family);
  const whole = withOurRules(text, ours);
  const refusal = await refusalOf(whole, family, path, limitMs);
  if (refusal !== null)
    throw new OperatorError(
      `${path}: ${restoreTool(family, 'restore')} refuses it: ${inOwnLines(refusal, text, ours)}`,
      `mend the file; ${restoreTool(family, 'restore')} --test < ${path} names most mistakes`,
    );
  return whole;
}

export class Rules {
  private config: ActuatorConfig;
  private texts = new Map<string, string>();
  /** The files as they were last read, by path. */
  private held = new Map<string, string>();
  private readonly loaded = new Map<Family, Loaded>();
  private readonly serving = new Set<string>();
  /** One load after the other: services come and go at once. */
  private readonly lane = new Lane();
  private readonly generations: Generations;
  private readonly restores: Restores;
  private readonly forward: (isForwarding: boolean) => Promise<boolean>;

  /** `forward`: has the kernel forward, or not, where no standby rules say so; whether it has acknowledged that. */
  constructor(
    config: ActuatorConfig,
    generations: Generations,
    forward: (isForwarding: boolean) => Promise<boolean>,
  ) {
    this.config = config;
    this.forward = forward;
    this.generations = generations;
    this.restores = new Restores(generations);
  }

  /**
   * Tests every configured file, then takes the configuration. Throws and changes nothing when one is bad. `reread` false:
   * what is held of a file counts, not the file, so that an edit under way cannot hold up a change of the members. `limitMs`: for each
   * test of a file; one that takes longer fails.
   */
  async prepare(config: ActuatorConfig, reread = true, limitMs = TEST_LIMIT_MS): Promise<void> {
    const texts = new Map<string, string>();
    const held = new Map<string, string>();
    for (const service of config.services)
      for (const kind of ['serving', 'standby'] as const)
        for (const family of FAMILIES) {
          const file = ruleFile(service, kind, family);
          if (file === null || texts.has(keyOf(file, family))) continue;
          const text = held.get(file) ?? (reread ? undefined : this.held.get(file)) ?? (await fileText(file));
          held.set(file, text);
          texts.set(keyOf(file, family), await readRules(config, file, family, text, limitMs));
        }
    await this.restores.inspect(familiesOf(texts));
    this.texts = texts;
    this.held = held;
    this.config = config;
  }

  /** From now on the programs that a takeover needs wait for it, started anew; to be called after each `prepare`. */
  keepWarm(): void {
    const { services } = this.config;
    const isNeeded = (family: Family): boolean => {
      const loaded = this.loaded.get(family);
      const isStale = loaded !== undefined && loaded.text !== this.texts.get(keyOf(loaded.path, family));
      return (
        isStale || services.some((s) => ruleFile(s, 'standby', family) !== ruleFile(s, 'serving', family))
      );
    };
    this.restores.keep(new Set(FAMILIES.filter(isNeeded)));
  }

  /** No program waits any more. */
  close(): void {
    this.restores.keep(new Set());
  }

  /**
   * Has the rules of both families be what the host needs now: the serving ones while any of its services serves. What is
   * loaded and all there is not loaded again, so that the others notice nothing.
   */
  async load(service: GatewayService, kind: RuleKind): Promise<Outcome> {
    if (kind === 'serving') this.serving.add(service.name);
    else this.serving.delete(service.name);
    return this.lane.run(() => this.loadBoth(service));
  }

  /** Whether the service's serving rules are loaded and all there still. */
  async check(service: GatewayService): Promise<Outcome> {
    const foreign = this.generations.foreign();
    const outcomes = await Promise.all(FAMILIES.map((family) => this.checkOne(service, family, foreign)));
    return outcomes.find((o) => o.verdict !== 'confirmed') ?? confirmed('rules as loaded');
  }

  /** Whether a loaded set is to be read back, for which there was no time when it was loaded. */
  get isDue(): boolean {
    return [...this.loaded.values()].some(({ looked }) => !looked);
  }

  /** Reads back what is due, and puts the cluster's port back first where a set of ours was loaded and something pushed it out. */
  async keepPortOpen(): Promise<void> {
    for (const [family, loaded] of this.loaded) {
      const rules = portRules(this.config, family);
      if (rules.length === 0 && loaded.looked) continue;
      const generation = this.restores.generation(family);
      const saved = await savedRules(family);
      // What somebody has changed was something else, or beside ours.
      if (missingOf(loaded, saved) === null) loaded.seenAt = generation;
      if (rules.length === 0 || portIsFirst(saved, rules)) continue;
      await this.restores.add(family, portRulesAlone(rules));
    }
  }

  private async checkOne(service: GatewayService, family: Family, foreign: number | null): Promise<Outcome> {
    const file = ruleFile(service, 'serving', family);
    return file === null
      ? confirmed('no rules configured')
      : this.present(file, family, this.restores.generation(family, foreign));
  }

  /** Whether that set is the loaded one and all of it there still. */
  private async present(path: string, family: Family, generation: number | null): Promise<Outcome> {
    const loaded = this.loaded.get(family);
    if (loaded?.path !== path) return refuted(`${path} is not loaded`);
    if (generation !== null && generation === loaded.seenAt) return confirmed('nothing was changed');
    const isMissed = generation !== null && generation === loaded.missed?.at;
    const missing = isMissed ? loaded.missed?.what : missingOf(loaded, await savedRules(family));
    if (missing == null) {
      loaded.seenAt = generation;
      return confirmed('all rules are there');
    }
    loaded.missed = generation === null ? null : { at: generation, what: missing };
    return refuted(`${path}: no longer loaded: ${missing.slice(0, 200)}`);
  }

  /** Both families side by side; which kind is needed is what it is when its turn has come. */
  private async loadBoth(service: GatewayService): Promise<Outcome> {
    const isServing = this.serving.size > 0;
    const hasCut = isServing || (await this.forward(false));
    const before = this.generations.foreign();
    const fresh = new Map<Family, Loaded>();
    const kind = isServing ? 'serving' : 'standby';
    // Read for both before either changes anything.
    const generations = FAMILIES.map((family) => this.restores.generation(family));
    const outcomes = await Promise.all(
      FAMILIES.map((family, i) => this.loadOne(service, kind, family, generations[i] ?? null, fresh)),
    );
    // Nobody else has changed anything meanwhile: what stands is what the kernel has acknowledged.
    const isUndisturbed = before !== null && this.generations.foreign() === before;
    for (const [family, loaded] of fresh)
      if (isUndisturbed && this.restores.generation(family) !== null) loaded.seenAt = before;
    const wrong = outcomes.find((o) => o.verdict !== 'confirmed');
    if (wrong !== undefined) return wrong;
    const isSet = isServing ? await this.forward(true) : hasCut;
    return isSet ? confirmed('rules loaded') : unknown('the kernel did not take whether to forward');
  }

  /** `generation`: before anything is changed. What it had to load it puts into `fresh`. */
  private async loadOne(
    service: GatewayService,
    kind: RuleKind,
    family: Family,
    generation: number | null,
    fresh: Map<Family, Loaded>,
  ): Promise<Outcome> {
    const path = ruleFile(service, kind, family);
    if (path === null) return confirmed('no rules configured');
    const text = this.texts.get(keyOf(path, family));
    if (text === undefined) return unknown(`${path} was never tested`);
    const isSame = this.loaded.get(family)?.text === text;
    if (isSame && (await this.present(path, family, generation)).verdict === 'confirmed')
      return confirmed('the rules are loaded already');
    const ended = await this.restores.load(family, text);
    if (ended.status !== 0) return unknown(`${path}: ${textOf(ended.errors)}`);
    const count = text.split('\n').filter(isRule).length;
    const loaded: Loaded = {
      ...{ path, text, tables: tablesIn(text), count },
      ...{ baseline: null, looked: false, seenAt: null, missed: null },
    };
    this.loaded.set(family, loaded);
    fresh.set(family, loaded);
    return confirmed('rules loaded');
  }
}

function keyOf(path: string, family: Family): string {
  return `${family} ${path}`;
}

/** The families that any of the prepared texts is for. */
function familiesOf(texts: ReadonlyMap<string, string>): Set<Family> {
  return new Set(FAMILIES.filter((family) => [...texts.keys()].some((key) => key.startsWith(`${family} `))));
}

function isRule(line: string): boolean {
  return /^\s*-[AI] /.test(line);
}

/** The first of the loaded rules that is gone, or null. The first look after loading takes the baseline. */
function missingOf(loaded: Loaded, now: Map<string, string[]>): string | null {
  loaded.looked = true;
  if (loaded.baseline === null) {
    const ours = new Map([...now].filter(([table]) => loaded.tables.includes(table)));
    const count = [...ours.values()].flat().filter(isRule).length;
    // Fewer than were loaded: they were flushed before the first look.
    if (count < loaded.count) return `${loaded.count - count} rules`;
    loaded.baseline = ours;
  }
  return firstMissing(loaded.baseline, now);
}
