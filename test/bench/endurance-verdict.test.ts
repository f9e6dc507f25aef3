/** What an hour says: made-up samples and blows, of which it is known whether anything grew or moved by itself. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Use } from '../lab/footprint.ts';
import { NotStruck } from '../lab/living.ts';
import { oneBlow } from './endurance-blow.ts';
import { Mix } from './endurance-mix.ts';
import { type EnduranceRecord, verdictOf } from './endurance-verdict.ts';

type Blow = Extract<EnduranceRecord, { record: 'blow' }>;
const blow = (atS: number, more: Partial<Blow> = {}): EnduranceRecord => ({
  ...{
    record: 'blow',
    atS,
    fault: 'power',
    struck: 'fw1',
    outageMs: 100,
    lost: 50,
    changes: 1,
    uncaused: 0,
    problems: [],
  },
  ...more,
});
const NOBODY: Use = { pid: 0, cpuMs: 0, pssKiB: 0, ownKiB: 0, descriptors: 0, processes: 0 };
interface Seen {
  readonly host: string;
  readonly pid: number;
  readonly ownMiB: number;
  readonly descriptors: number;
}
const elder = (ownMiB: number, descriptors = 20): Seen => ({ host: 'fw2', pid: 7, ownMiB, descriptors });
/** An hour of samples, one each 10 s. */
const hour = (seen: (atS: number) => readonly Seen[]): EnduranceRecord[] =>
  Array.from({ length: 361 }, (_, i) => i * 10).flatMap((atS) =>
    seen(atS).map(({ host, pid, ownMiB, descriptors }): EnduranceRecord => {
      const network = { ...NOBODY, pid, ownKiB: ownMiB * 1_024, descriptors, processes: 1 };
      return { record: 'sample', atS, footprint: { atMs: atS * 1_000, host, network, actuator: NOBODY } };
    }),
  );

test('flat memory, as many descriptors and one move a blow: all is well', () => {
  const samples = hour((atS) => [
    // It fills its caches for some minutes, then goes up and down.
    elder(60 + 20 * Math.min(1, atS / 500) + 3 * Math.sin(atS / 50), atS % 100 === 0 ? 45 : 20),
    // Killed and started anew each minute: of such a one nothing can be said.
    { host: 'fw1', pid: 100 + Math.floor(atS / 60), ownMiB: 60 + atS, descriptors: 20 },
  ]);
  const verdict = verdictOf([
    ...samples,
    ...[30, 60, 90].map((atS, i) => blow(atS, { outageMs: 100 + i })),
    blow(120, { fault: 'handover', outageMs: 4 }),
    { record: 'end', atS: 3_600, uncaused: 0 },
  ]);
  assert.deepEqual(verdict.problems, []);
  assert.deepEqual(verdict.outages, {
    all: { count: 4, p50Ms: 100, p90Ms: 102, p99Ms: 102, maxMs: 102 },
    handover: { count: 1, p50Ms: 4, p90Ms: 4, p99Ms: 4, maxMs: 4 },
    power: { count: 3, p50Ms: 101, p90Ms: 102, p99Ms: 102, maxMs: 102 },
  });
  const [growth] = verdict.growths;
  assert.deepEqual([verdict.growths.length, growth?.pid, growth?.isFlat], [1, 7, true]);
  assert.ok(Math.abs(growth?.ownKiBPerHour ?? 9_999) < 1_000, String(growth?.ownKiBPerHour));
});

test('memory that creeps, and a descriptor that is held more each quarter of an hour, are found', () => {
  const creeping = verdictOf(hour((atS) => [elder(70 + (atS / 3_600) * 6)]));
  assert.match(
    creeping.problems.join(),
    /^network process 7 of fw2 grew: 6144 KiB and 0 descriptors an hour/,
  );
  const leaking = verdictOf(hour((atS) => [elder(70, 20 + Math.floor(atS / 900))]));
  assert.match(leaking.problems.join(), /grew: 0 KiB and \d descriptors an hour/);
});

test('a move between blows, a second one in a blow, and one after the last are false takeovers', () => {
  const flat = hour(() => [elder(70)]);
  const of = (...more: EnduranceRecord[]) => verdictOf([...flat, ...more]).falseTakeovers;
  assert.equal(of(blow(30), blow(60, { changes: 0 })), 0);
  assert.equal(of(blow(30, { uncaused: 1 }), blow(60)), 1);
  assert.equal(of(blow(30, { changes: 3 })), 2);
  assert.equal(of({ record: 'end', atS: 3_600, uncaused: 1 }), 1);
  assert.deepEqual(
    verdictOf([...flat, blow(30, { changes: 2, problems: ['the service moved 2 times'] })]).problems,
    ['30 s, power of fw1: the service moved 2 times', '1 takeovers that no blow caused'],
  );
});

test('a lease that lapsed in place between blows is told and not well; a suspicion is told', () => {
  const flat = hour(() => [elder(70)]);
  const calm = (atS: number, places: { [place: string]: number }): EnduranceRecord => ({
    ...{ record: 'calm', atS, places },
  });
  const suspicious = verdictOf([...flat, calm(25, { 'backup.suspecting': 1 }), blow(30), calm(55, {})]);
  assert.deepEqual([suspicious.unrest, suspicious.problems], [{ 'backup.suspecting': 1 }, []]);
  const lapse = { 'service.suspended': 1, 'service.serving': 1 };
  const lapsed = verdictOf([...flat, calm(25, lapse), blow(30), calm(55, lapse)]);
  assert.deepEqual(lapsed.unrest, { 'service.suspended': 2, 'service.serving': 2 });
  assert.deepEqual(
    [lapsed.falseTakeovers, lapsed.problems],
    [0, ['2 leases that lapsed in place, and no blow caused it']],
  );
});

test('without a process that lived through it nothing is said to be flat', () => {
  const restarted = hour((atS) => [{ ...elder(70), pid: Math.floor(atS / 600) }]);
  assert.match(verdictOf(restarted).problems.join(), /no process was looked at for long enough/);
  assert.match(verdictOf([blow(1)]).problems.join(), /no process was looked at/);
  // A last blow that took long takes nothing from how long the processes were looked at.
  assert.deepEqual(verdictOf([...hour(() => [elder(70)]), blow(4_200)]).problems, []);
});

test('each fault is done as often as the others to both, and none that kills to the host that is never killed', () => {
  const mix = new Mix();
  const done = Array.from(
    { length: 12 },
    (_, i) => `${i % 2 === 0 ? 'elder' : 'other'} ${mix.next(i % 2 === 0)}`,
  );
  const count = (what: string): number => done.filter((one) => one === what).length;
  assert.deepEqual([count('elder handover'), count('elder power'), count('elder kill9')], [3, 3, 0]);
  assert.deepEqual([count('other handover'), count('other power'), count('other kill9')], [2, 2, 2]);
});

/** A cluster of which it is known what becomes of a blow. */
const lived = (survive: () => Promise<never>, moves = 0) => ({
  master: () => Promise.resolve('fw1'),
  survive,
  uncaused: () => Promise.resolve(moves),
});

test('a handover that is refused is a problem of that blow, none of its outages, and the life goes on', async () => {
  const refused = new NotStruck(new Error('handover: this host is not master; ask on fw2'), 1);
  const record = await oneBlow(
    lived(() => Promise.reject(refused), 7),
    new Mix(),
    'fw2',
    () => 60,
  );
  assert.deepEqual(record, {
    ...{ record: 'failed', atS: 60, fault: 'handover' },
    ...{ what: 'handover: this host is not master; ask on fw2', uncaused: 1 },
  });
  const { problems, outages, falseTakeovers } = verdictOf([...hour(() => [elder(70)]), blow(30), record]);
  assert.deepEqual(problems, [
    '60 s, handover: handover: this host is not master; ask on fw2',
    '1 takeovers that no blow caused',
  ]);
  assert.deepEqual([outages.all?.count, falseTakeovers], [1, 1]);
});

test('of a cluster that does not come to rest one move is the blow’s; where nobody serves nothing was done', async () => {
  const restless = (): Promise<never> =>
    Promise.reject(new Error('the cluster did not settle: fw1 -\n--- fw1'));
  for (const [moves, uncaused] of [
    [0, 0],
    [1, 0],
    [3, 2],
  ] as const)
    assert.equal((await oneBlow(lived(restless, moves), new Mix(), 'fw2', () => 1)).uncaused, uncaused);
  const nobody = { ...lived(restless, 3), master: restless };
  const record = await oneBlow(nobody, new Mix(), 'fw2', () => 1);
  assert.deepEqual([record.record, record.fault, record.uncaused], ['failed', 'no blow', 3]);
  // What the daemons' logs had last is said when it happens, not again in the end.
  assert.equal(verdictOf([record]).problems[0], '1 s, no blow: the cluster did not settle: fw1 -');
});
