/** The voter and the lease on both sides: every small combination through voter.pml and through voter.ts and lease.ts. */
import type * as lease from '../../src/core/lease.ts';
import type * as voter from '../../src/core/voter.ts';
import { spinProgram } from './spin.ts';

/** What enumerate-voter.pml takes: the times L and P in ticks, three hosts. */
const LEASE = 3;
const PROMISE = 4;
const HOSTS = ['h0', 'h1', 'h2'] as const;
const NOBODY = HOSTS.length;
const ACTS = ['promise', 'freed', 'passedOn', 'ownVotePassedOn', 'bound', 'answered', 'majority', 'abstain'];
const IN = 12;
const OUT = 9;
/** A tick of the model is so many milliseconds of the code. */
const TICK = 10;
const NOW = 1000;

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** Every combination: of a voter with a term asked for, and of leases with voter sets. */
export function voterDomain(): Buffer {
  const rows: number[][] = [];
  const terms = range(3, 8);
  const voters = [0, ...terms].flatMap((t) =>
    range(0, NOBODY).flatMap((holder) => range(0, PROMISE).map((left) => [t, holder, left])),
  );
  const none = [0, 0, 0, 7, 0];
  for (const v of voters) {
    // A promise is for a term.
    if (v[0] === 0 && v[1] !== NOBODY) continue;
    for (const asked of terms) {
      rows.push([0, ...v, asked, 0, 0, ...none], [1, ...v, asked, 0, 0, ...none]);
      for (const heir of [0, 1, 2])
        rows.push([2, ...v, asked, heir, 0, ...none], [3, ...v, asked, heir, 0, ...none]);
    }
    for (const host of [0, 1, 2]) rows.push([4, ...v, 0, host, 0, ...none]);
    rows.push([7, ...v, 0, 0, 0, ...none]);
  }
  const leases = range(0, LEASE).flatMap((a) =>
    range(0, LEASE).flatMap((b) => range(0, LEASE).map((c) => [a, b, c])),
  );
  for (const l of leases) {
    for (const age of range(0, LEASE + 1))
      for (const v of [0, 1, 2]) rows.push([5, 0, NOBODY, 0, 0, v, age, ...l, 7, 0]);
    for (const set1 of range(1, 7))
      for (const set2 of range(0, 7)) rows.push([6, 0, NOBODY, 0, 0, 0, 0, ...l, set1, set2]);
  }
  return Buffer.from(rows.flat());
}

/** The model's answers; `text`: voter.pml, or a faulty one. */
export function modelVotes(records: Buffer, text?: string): Buffer {
  const program = spinProgram('enumerate-voter.pml', {
    ...(text === undefined ? {} : { 'voter.pml': text }),
  });
  try {
    return program.run(records);
  } finally {
    program.close();
  }
}

export interface Votes {
  readonly voter: typeof voter;
  readonly lease: typeof lease;
}

/** The code's answers. */
export function codeVotes(records: Buffer, by: Votes): Buffer {
  const out = Buffer.alloc((records.length / IN) * OUT);
  for (let i = 0; i * IN < records.length; i++)
    answer([...records.subarray(i * IN, (i + 1) * IN)], out, i * OUT, by);
  return out;
}

const name = (host: number): string => HOSTS[host] as string;
const termOf = (t: number) => (t === 0 ? null : { n: Math.floor(t / 3), host: name(t % 3) });
const ticks = (ms: number): number => Math.max(0, (ms - NOW) / TICK);

function answer(r: number[], out: Buffer, at: number, { voter: v, lease: l }: Votes): void {
  const [act, t, holder, left, asked, heir, age, a, b, c, set1, set2] = r as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const before: voter.Voter = {
    term: termOf(t),
    holder: holder === NOBODY ? null : name(holder),
    untilMs: NOW + left * TICK,
  };
  const term = termOf(asked) ?? { n: 0, host: 'h0' };
  let after = before;
  let promised = false;
  // A lease that has ended is not told apart from none.
  const leases = Object.fromEntries(
    [a, b, c].map((rest, i) => [name(i), rest === 0 ? 0 : NOW + rest * TICK]),
  );
  let right: lease.Right = { ...l.NO_RIGHT, leases };
  let rest = 0;
  let runs = false;
  if (ACTS[act] === 'promise') {
    const next = v.promise(before, term, NOW, PROMISE * TICK);
    promised = next !== null;
    after = next ?? before;
  } else if (ACTS[act] === 'freed') after = v.freed(before, term, NOW);
  else if (ACTS[act] === 'passedOn') after = v.passedOn(before, term, name(heir));
  else if (ACTS[act] === 'ownVotePassedOn') {
    const own = { ...before, untilMs: Math.max(before.untilMs, NOW + PROMISE * TICK) };
    after = v.passedOn(own, term, name(heir));
  } else if (ACTS[act] === 'bound') promised = v.bound(before, name(heir), NOW);
  else if (ACTS[act] === 'abstain') after = v.abstaining(NOW, PROMISE * TICK);
  else if (ACTS[act] === 'answered') {
    right = { ...right, requests: [{ id: 9, sentAtMs: NOW - age * TICK }] };
    right = l.answered(right, name(heir), 9, LEASE * TICK);
    right = l.answered(right, name(heir), 8, LEASE * TICK);
  } else {
    const sets = [set1, set2].filter((set, i) => i === 0 || set !== 0);
    const voterSets = sets.map((set) => HOSTS.filter((_, i) => ((set >> i) & 1) === 1));
    const untilMs = l.majorityUntil(right, { self: 'h0', version: 1, members: [], voterSets });
    rest = ticks(untilMs);
    runs = untilMs > NOW;
  }
  const termNumber = after.term === null ? 0 : after.term.n * 3 + HOSTS.indexOf(after.term.host as 'h0');
  const who = after.holder === null ? NOBODY : HOSTS.indexOf(after.holder as 'h0');
  const end = HOSTS.map((host) => ticks(right.leases[host] ?? 0));
  out.set([termNumber, who, ticks(after.untilMs), promised ? 1 : 0, ...end, rest, runs ? 1 : 0], at);
}

/** The first record that both answer differently, in words; null: none. */
export function voterDifference(records: Buffer, model: Buffer, code: Buffer): string | null {
  if (model.length !== code.length)
    return `${model.length / OUT} answers of the model, ${code.length / OUT} of the code`;
  for (let i = 0; i * OUT < code.length; i++) {
    const [theirs, own] = [model, code].map((side) => side.subarray(i * OUT, (i + 1) * OUT)) as [
      Buffer,
      Buffer,
    ];
    if (theirs.equals(own)) continue;
    const [act, ...rest] = records.subarray(i * IN, (i + 1) * IN);
    return `${ACTS[act as number]} ${rest.join(' ')}: model ${[...theirs].join(' ')}, code ${[...own].join(' ')}`;
  }
  return null;
}
