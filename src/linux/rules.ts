/**
 * The host's iptables rule sets: tested before they are kept, kept in memory so that no edit in between can break
 * a takeover, loaded whole, and watched. Invariants: a set that iptables-restore refuses is never loaded; whatever
 * set of ours is loaded, the cluster's port is first in INPUT and OUTPUT, and put back there when it is pushed out.
 */
import { readFile } from 'node:fs/promises';
import { OperatorError } from '../trust/errors.ts';
import type { ActuatorConfig, GatewayService } from './config.ts';
import { Lanes } from './lane.ts';
import { confirmed, type Outcome, refuted, unknown } from './outcome.ts';
import {
  type Family,
  firstMissing,
  portIsFirst,
  portRules,
  portRulesAlone,
  readSaved,
  tablesIn,
  withOurRules,
} from './ruletext.ts';
import { findTool, runTool, type Tool, textOf } from './tools.ts';

const RULES_BYTES_MAX = 4 << 20;

export type RuleKind = 'serving' | 'standby';

interface Loaded {
  readonly kind: RuleKind;
  readonly path: string;
  readonly text: string;
  readonly tables: readonly string[];
  /** How many rules the loaded text has. */
  readonly count: number;
  /** Read back after loading; null until that was done. */
  baseline: Map<string, string[]> | null;
  /** The generation of the ruleset at which all was last seen to be there. */
  seenAt: number | null;
}

/** The file of one family for one kind, and whether forwarding is to be cut out of it. */
export function ruleFile(
  service: GatewayService,
  kind: RuleKind,
  family: Family,
): { path: string; cut: boolean } | null {
  const { rules, rules6, standbyRules, standbyRules6 } = service.firewall;
  const serving = family === 4 ? rules : rules6;
  const standby = family === 4 ? standbyRules : standbyRules6;
  if (kind === 'standby' && standby !== null) return { path: standby, cut: false };
  return serving === null ? null : { path: serving, cut: kind === 'standby' };
}

function tool(family: Family, what: 'restore' | 'save'): Tool {
  return family === 4 ? `iptables-${what}` : `ip6tables-${what}`;
}

/** The current rules of a family. Throws when they cannot be read. */
export async function savedRules(family: Family): Promise<Map<string, string[]>> {
  const ended = await runTool(tool(family, 'save'), []);
  if (ended.status !== 0) throw new Error(`${tool(family, 'save')}: ${textOf(ended.errors)}`);
  return readSaved(ended.output);
}

/**
 * Why a text would not load, or null. `--test` alone lets jumps to chains that do not exist pass, so that it is
 * also loaded in a network namespace of its own, where this process may make one.
 */
async function refusalOf(whole: string, family: Family): Promise<string | null> {
  const restore = tool(family, 'restore');
  const tested = await runTool(restore, ['-w', '2', '--test'], whole);
  if (tested.status !== 0) return textOf(tested.errors);
  const path = findTool(restore);
  // The sets of the host do not exist in there.
  if (path === null || findTool('unshare') === null || /--match-set|-j SET\b/.test(whole)) return null;
  const loaded = await runTool('unshare', ['--net', path], whole);
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
    throw new OperatorError(
      `${path}: cannot be read: ${textOf(error)}`,
      'write the rules there, as iptables-save prints them',
    );
  }
  if (text.length > RULES_BYTES_MAX)
    throw new OperatorError(`${path}: larger than 4 MiB`, 'use a smaller rule set');
  return text;
}

/** One rule file's text with our rules put in, tested; `held`: what it said, else it is read. Throws `OperatorError`. */
export async function readRules(
  config: ActuatorConfig,
  path: string,
  cut: boolean,
  family: Family,
  held?: string,
): Promise<string> {
  const text = held ?? (await fileText(path));
  const whole = withOurRules(text, portRules(config, family), cut);
  const refusal = await refusalOf(whole, family);
  if (refusal !== null)
    throw new OperatorError(
      `${path}: ${tool(family, 'restore')} refuses it: ${refusal}`,
      `mend the file; ${tool(family, 'restore')} --test < ${path} names most mistakes`,
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
  /** One load of a family after the other: services come and go at once. */
  private readonly lanes = new Lanes();
  /** Changes whenever somebody changes nftables rules, which iptables' rules are but for its legacy variant. */
  private readonly generation: () => number | null;
  private legacy = false;

  constructor(config: ActuatorConfig, generation: () => number | null) {
    this.config = config;
    this.generation = generation;
  }

  /**
   * Tests every configured file, then takes the configuration. Throws and changes nothing when one is bad. `reread` false:
   * what is held of a file counts, not the file, so that an edit under way cannot hold up a change of the members.
   */
  async prepare(config: ActuatorConfig, reread = true): Promise<void> {
    const texts = new Map<string, string>();
    const held = new Map<string, string>();
    if (config.services.some((s) => s.firewall.rules !== null || s.firewall.rules6 !== null))
      this.legacy = !(await runTool('iptables-restore', ['--version'])).output.includes('nf_tables');
    for (const service of config.services)
      for (const kind of ['serving', 'standby'] as const)
        for (const family of [4, 6] as const) {
          const file = ruleFile(service, kind, family);
          const key = `${family} ${file?.path} ${file?.cut}`;
          if (file === null || texts.has(key)) continue;
          const text =
            held.get(file.path) ??
            (reread ? undefined : this.held.get(file.path)) ??
            (await fileText(file.path));
          held.set(file.path, text);
          texts.set(key, await readRules(config, file.path, file.cut, family, text));
        }
    this.texts = texts;
    this.held = held;
    this.config = config;
  }

  /**
   * Has the rules of both families be what the host needs now: the serving ones while any of its services serves. What is
   * loaded and all there is not loaded again, so that the others notice nothing.
   */
  async load(service: GatewayService, kind: RuleKind): Promise<Outcome> {
    if (kind === 'serving') this.serving.add(service.name);
    else this.serving.delete(service.name);
    const outcomes = await Promise.all(
      ([4, 6] as const).map((family) => this.lanes.get(`${family}`).run(() => this.loadOne(service, family))),
    );
    return outcomes.find((o) => o.verdict !== 'confirmed') ?? confirmed('rules loaded');
  }

  /** Whether the service's serving rules are loaded and all there still. */
  async check(service: GatewayService): Promise<Outcome> {
    const outcomes = await Promise.all([this.checkOne(service, 4), this.checkOne(service, 6)]);
    return outcomes.find((o) => o.verdict !== 'confirmed') ?? confirmed('rules as loaded');
  }

  /** Puts the cluster's port back first where a set of ours was loaded and something pushed it out. */
  async keepPortOpen(): Promise<void> {
    for (const family of this.loaded.keys()) {
      const rules = portRules(this.config, family);
      if (rules.length === 0 || portIsFirst(await savedRules(family), rules)) continue;
      await runTool(tool(family, 'restore'), ['-w', '2', '--noflush'], portRulesAlone(rules));
    }
  }

  private async checkOne(service: GatewayService, family: Family): Promise<Outcome> {
    const file = ruleFile(service, 'serving', family);
    if (file === null) return confirmed('no rules configured');
    return this.present('serving', file.path, family);
  }

  /** Whether that set is the loaded one and all of it there still. */
  private async present(kind: RuleKind, path: string, family: Family): Promise<Outcome> {
    const loaded = this.loaded.get(family);
    if (loaded?.kind !== kind || loaded.path !== path) return refuted(`${path} is not loaded`);
    const generation = this.legacy ? null : this.generation();
    if (generation !== null && generation === loaded.seenAt) return confirmed('nothing was changed');
    const missing = missingOf(loaded, await savedRules(family));
    if (missing !== null) return refuted(`${path}: no longer loaded: ${missing.slice(0, 200)}`);
    loaded.seenAt = generation;
    return confirmed('all rules are there');
  }

  /** In the family's lane: which kind is needed is what it is when its turn has come. */
  private async loadOne(service: GatewayService, family: Family): Promise<Outcome> {
    const kind = this.serving.size > 0 ? 'serving' : 'standby';
    const file = ruleFile(service, kind, family);
    if (file === null) return confirmed('no rules configured');
    const text = this.texts.get(`${family} ${file.path} ${file.cut}`);
    if (text === undefined) return unknown(`${file.path} was never tested`);
    const isSame = this.loaded.get(family)?.text === text;
    if (isSame && (await this.present(kind, file.path, family)).verdict === 'confirmed')
      return confirmed('the rules are loaded already');
    const ended = await runTool(tool(family, 'restore'), ['-w', '2'], text);
    if (ended.status !== 0) return unknown(`${file.path}: ${textOf(ended.errors)}`);
    const count = text.split('\n').filter(isRule).length;
    const tables = tablesIn(text);
    this.loaded.set(family, { kind, path: file.path, text, tables, count, baseline: null, seenAt: null });
    return confirmed('rules loaded');
  }
}

function isRule(line: string): boolean {
  return /^\s*-[AI] /.test(line);
}

/** The first of the loaded rules that is gone, or null. The first look after loading takes the baseline. */
function missingOf(loaded: Loaded, now: Map<string, string[]>): string | null {
  if (loaded.baseline === null) {
    const ours = new Map([...now].filter(([table]) => loaded.tables.includes(table)));
    const count = [...ours.values()].flat().filter(isRule).length;
    // Fewer than were loaded: they were flushed before the first look.
    if (count < loaded.count) return `${loaded.count - count} rules`;
    loaded.baseline = ours;
  }
  return firstMissing(loaded.baseline, now);
}
