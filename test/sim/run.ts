/** One seed from its plan to its verdicts. */
import { createHash } from 'node:crypto';
import { describeEffect, describeEvent } from '../../src/core/index.ts';
import { Attacker } from './attacker.ts';
import { heal, type Stage, strike } from './faults.ts';
import type { Violation } from './judges/judge.ts';
import { LivenessJudge } from './judges/liveness.ts';
import { OverlapJudge } from './judges/overlap.ts';
import { UplinkJudge } from './judges/uplink.ts';
import { WordsJudge } from './judges/words.ts';
import { Operator } from './operator.ts';
import type { Plan } from './plan.ts';
import { Chance } from './random.ts';
import { type Host, World } from './world.ts';

export interface Outcome {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly simulatedMs: number;
  readonly steps: number;
  /** The longest outage that began within each kind of fault's reach, by the last fault before it. */
  readonly outages: { readonly [fault: string]: number };
  readonly lines: readonly string[];
}

export interface RunOptions {
  /** Keep the transcript. */
  readonly transcript?: boolean;
  /** Leave these strikes out, by their place in the plan. */
  readonly without?: ReadonlySet<number>;
  /** Makes the cluster a broken one, for the judges' own test. */
  readonly sabotage?: (w: World) => void;
  /** Ends the run when it says so; it is asked once a simulated second. */
  readonly enough?: (violations: readonly Violation[]) => boolean;
}

export function run(plan: Plan, options: RunOptions = {}): Outcome {
  const w = new World(plan.world);
  const lines: string[] = [];
  w.delayMs = plan.delayMs;
  if (options.transcript === true) record(w, lines);
  const overlaps = new OverlapJudge(w);
  w.judges.push(overlaps, new UplinkJudge(), new WordsJudge());
  const outages: { [fault: string]: number } = {};
  let last = 'start';
  w.figures.onOutage = (_fromMs, ms) => {
    outages[last] = Math.max(outages[last] ?? 0, ms);
  };
  options.sabotage?.(w);
  const attacker = new Attacker(w);
  let healed = false;
  const stage: Stage = {
    w,
    attacker,
    operator: new Operator(w),
    later: (ms, then) =>
      w.at(ms, () => {
        if (!healed) then();
      }),
    forced: () => overlaps.force(),
  };
  if (plan.strikes.some((s) => s.fault === 'attack')) attacker.listen();
  plan.strikes.forEach((s, i) => {
    if (options.without?.has(i) === true) return;
    const host = w.hosts[s.host % w.hosts.length] as Host;
    w.at(s.atMs, () => {
      w.say(`FAULT ${i} ${s.fault} ${host.name}`);
      last = s.fault;
      strike(s.fault, stage, host, new Chance(s.seed));
    });
  });
  w.startAll();
  pass(w, plan.healMs, options);
  healed = true;
  w.say('HEALED');
  last = 'healed';
  heal(
    stage,
    plan.lost.map((i) => w.hosts[i] as Host),
  );
  w.judges.push(new LivenessJudge(w, plan.boundMs, plan.world.preemptDelayMs === undefined ? 0 : 200));
  pass(w, plan.endMs - plan.healMs, options);
  return { seed: plan.seed, violations: w.violations, simulatedMs: w.nowMs, steps: w.steps, outages, lines };
}

function pass(w: World, ms: number, { enough }: RunOptions): void {
  const lookMs = enough === undefined ? ms : 1000;
  for (let left = ms; left > 0 && enough?.(w.violations) !== true; left -= lookMs)
    w.pass(Math.min(left, lookMs));
}

/** Writes down every step of every core, with what came of it. */
function record(w: World, lines: string[]): void {
  w.transcript = (line) => lines.push(line);
  w.observe = (host, _nowMs, event, _state, effects) => {
    const told = effects.map(describeEffect).join('; ');
    w.say(`${host} ${describeEvent(event)}${told === '' ? '' : ` -> ${told}`}`);
  };
}

/** A line or two about a plan, for people. */
export function describePlan(plan: Plan): string {
  const { hosts, witnesses = 0, policy, intervalMs, clocks = [], realCrypto, preemptDelayMs } = plan.world;
  const rates = clocks.map((c) => c.rate.toFixed(3)).join(' ');
  return [
    `seed ${plan.seed}: ${hosts} gateways, ${witnesses} witnesses, ${policy}, interval ${intervalMs} ms, clocks ${rates}`,
    `  delay ${plan.delayMs.toFixed(2)} ms, ${plan.strikes.length} faults until ${plan.healMs.toFixed(0)} ms, bound ${plan.boundMs.toFixed(0)} ms` +
      `${realCrypto === true ? ', real signatures' : ''}${preemptDelayMs === undefined ? '' : ', preemption'}` +
      `${plan.lost.length === 0 ? '' : `, lost for good: ${plan.lost.join(' ')}`}`,
  ].join('\n');
}

/** What identifies a run. */
export function transcriptHash(outcome: Outcome): string {
  return createHash('sha256').update(outcome.lines.join('\n')).digest('hex').slice(0, 16);
}
