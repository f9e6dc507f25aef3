/** Steps of simulated clusters under random faults, as vectors with the answer that the code gave. */
import type { Event, HostState, Policy } from '../../src/core/index.ts';
import { World } from '../sim/world.ts';
import { abstractStep, type Numbers } from './abstract.ts';
import { observed } from './observed.ts';
import { line } from './relation.ts';
import {
  ALL_FIELDS,
  ANSWER_BYTES,
  type Answer,
  model,
  pack,
  packAnswer,
  unpack,
  unpackAnswer,
} from './vector.ts';

const SERVICE = 'firewall';

export interface Trace {
  /** One vector and one answer for each different step. */
  readonly vectors: Buffer;
  readonly answers: Buffer;
  readonly size: number;
  readonly steps: number;
  /** Steps that the model has no single event for, by the reason. */
  readonly left: ReadonlyMap<string, number>;
}

/** Runs so many clusters. */
export function traces(seeds: readonly number[]): Trace {
  const left = new Map<string, number>();
  const seen = new Set<string>();
  const vectors: Buffer[] = [];
  const answers: Buffer[] = [];
  let steps = 0;
  const take = (
    before: HostState,
    after: HostState,
    event: Event,
    effects: Answered,
    nowMs: number,
  ): void => {
    steps++;
    const number = numbers(before);
    const answer = answerOf(before, after, event, effects, nowMs, number);
    const v = observed({ before, after, event, nowMs, service: SERVICE }, answer, number);
    if (typeof v === 'string') {
      left.set(v, (left.get(v) ?? 0) + 1);
      return;
    }
    const row = Buffer.alloc(ALL_FIELDS.length + ANSWER_BYTES);
    pack(v, row, 0);
    packAnswer(answer, row, ALL_FIELDS.length);
    // What the code leaves out because it is so already: a check that runs, an alarm that is on.
    const mask = already(before, event, nowMs);
    const key = `${row.toString('latin1')}${mask}`;
    if (seen.has(key)) return;
    seen.add(key);
    vectors.push(row.subarray(0, ALL_FIELDS.length));
    const tail = Buffer.alloc(4);
    tail.writeUInt32LE(mask);
    answers.push(Buffer.concat([row.subarray(ALL_FIELDS.length), tail]));
  };
  for (const seed of seeds) run(seed, take);
  return {
    vectors: Buffer.concat(vectors),
    answers: Buffer.concat(answers),
    size: vectors.length,
    steps,
    left,
  };
}

type Answered = Parameters<typeof abstractStep>[3];

/** The model has four hosts, in the order of their names. */
function numbers(state: HostState): Numbers {
  const names = state.config.membership.members.map((m) => m.name).sort();
  return (host) => names.indexOf(host);
}

function answerOf(
  before: HostState,
  after: HostState,
  event: Event,
  effects: Answered,
  nowMs: number,
  number: Numbers,
): Answer {
  const from = event.type === 'message' ? event.from : null;
  return abstractStep(before, after, SERVICE, effects, nowMs, number, from);
}

/** Orders of the model that the code has no need to give in that state. */
function already(state: HostState, event: Event, nowMs: number): number {
  const s = state.services[SERVICE];
  if (s === undefined) return 0;
  const ends = event.type === 'procedure-ended' ? event.procedure : null;
  let mask = 0;
  // R13: once an interval at most.
  const checkedMs = nowMs - s.checks.checkServiceLocal.startedAtMs;
  const isAsked = event.type === 'message' && event.message.type === 'CHECK';
  if (isAsked && checkedMs < state.config.timing.intervalMs) mask |= model('D_CHECK_LOCAL');
  for (const [procedure, order] of [
    ['checkDownlink', 'D_CHECK_DOWN'],
    ['checkUplink', 'D_CHECK_UP'],
    ['checkServiceLocal', 'D_CHECK_LOCAL'],
    ['checkServiceRemote', 'D_CHECK_REMOTE'],
  ] as const) {
    const { runningId, again } = s.checks[procedure];
    if (runningId !== 0 && (ends !== procedure || again)) mask |= model(order);
  }
  for (const [alarm, order] of [
    ['forced', 'A_FORCED'],
    ['suspended', 'A_SUSPENDED'],
    ['address-conflict', 'A_CONFLICT'],
    ['handover-failed', 'A_FAILED'],
    ['no-successor', 'A_NO_SUCCESSOR'],
    ['not-harmless', 'A_NOT_HARMLESS'],
    ['two-masters', 'A_TWO_MASTERS'],
  ] as const) {
    if (s.alarms.includes(alarm)) mask |= model(order);
  }
  return mask;
}

/** One cluster: faults at random for a while. */
function run(
  seed: number,
  take: (b: HostState, a: HostState, e: Event, f: Answered, nowMs: number) => void,
): void {
  const policy: Policy = seed % 2 === 0 ? 'available' : 'quorum';
  const hosts = 2 + (seed % 3);
  const witnesses = policy === 'quorum' && hosts === 2 ? 1 : 0;
  const w = new World({ hosts, policy, seed, witnesses, preparesEarly: seed % 5 !== 0 });
  const last = new Map<string, HostState>();
  w.observe = (host, nowMs, event, state, effects) => {
    const before = last.get(host);
    last.set(host, state);
    if (before !== undefined && event.type !== 'started') take(before, state, event, effects, nowMs);
  };
  w.startAll();
  w.pass(1500 + w.random() * 1500);
  const faults = [...FAULTS];
  for (let i = 0; i < 6; i++) {
    const host = w.hosts[Math.floor(w.random() * w.hosts.length)];
    const fault = faults[Math.floor(w.random() * faults.length)];
    if (host !== undefined && fault !== undefined) fault(w, host);
    w.pass(w.random() * w.random() * 2500);
  }
}

type Fault = (w: World, h: World['hosts'][number]) => void;
const order = (kind: 'standby' | 'resume' | 'stop'): Fault => {
  return (_w, h) => {
    if (h.up && !h.frozen) h.driver?.order({ kind });
  };
};
const handover = (force: boolean): Fault => {
  return (_w, h) => {
    if (h.up && !h.frozen) h.driver?.order({ kind: 'handover', service: null, to: null, force });
  };
};
const FAULTS: readonly Fault[] = [
  (w, h) => w.powerOff(h),
  (w, h) => w.kill(h),
  (w, h) => {
    if (h.up || h.frozen) return;
    h.lan = h.wan = true;
    w.start(h);
  },
  (w, h) => {
    w.freeze(h);
    w.pass(100 + w.random() * 900);
    w.thaw(h);
  },
  (w, h) => {
    h.lan = false;
    w.linkChanged(h, 'downlink');
  },
  (w, h) => {
    h.wan = false;
    w.linkChanged(h, 'uplink');
  },
  (w, h) => {
    h.lan = h.wan = true;
    h.lanMute = h.wanMute = false;
    w.linkChanged(h, 'downlink');
    w.linkChanged(h, 'uplink');
  },
  (_w, h) => {
    h.lanMute = true;
  },
  (_w, h) => {
    h.wanMute = true;
  },
  (w) => {
    w.loss = w.random() * 0.3;
  },
  (w) => {
    w.cutLan = !w.cutLan;
  },
  (w) => {
    w.cutWan = !w.cutWan;
  },
  (w) => {
    w.attacker = !w.attacker;
  },
  (_w, h) => {
    h.rulesFlushed = true;
  },
  handover(false),
  handover(true),
  order('standby'),
  order('resume'),
  order('stop'),
];

/** The steps that the model answers in another way, and what of the relation the others have shown. */
export function accepted(
  trace: Trace,
  answers: Buffer,
): { refused: string[]; rows: ReadonlySet<number>; pairs: ReadonlySet<string> } {
  const refused: string[] = [];
  const rows = new Set<number>();
  const pairs = new Set<string>();
  for (let i = 0; i < trace.size; i++) {
    const v = unpack(trace.vectors, i * ALL_FIELDS.length);
    const at = i * (ANSWER_BYTES + 4);
    const needless = ~trace.answers.readUInt32LE(at + ANSWER_BYTES);
    const code = unpackAnswer(trace.answers, at);
    const allowed = unpackAnswer(answers, i * ANSWER_BYTES);
    const [own, theirs] = [code, allowed].map((a) => line(v, { ...a, done: a.done & needless }));
    if (own !== theirs) refused.push(`${line(v)}\n  model ${theirs}\n  code  ${own}`);
    for (const row of code.rows) rows.add(row);
    pairs.add(`${v.place} ${v.ev}`);
  }
  return { refused, rows, pairs };
}
