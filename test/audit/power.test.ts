/**
 * The power fails, or the process is killed, in every single write that a log makes, and again in every one that its repair
 * makes (P70): what comes out always verifies, and nothing that was durable, and so could have been shown, is gone.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { chainOf } from '../../src/audit/chain.ts';
import { Members } from '../../src/audit/members.ts';
import { segmentFirst, walk } from '../../src/audit/segment.ts';
import { hashAfter, type Summary, summarize } from '../../src/audit/summary.ts';
import { EventLog } from '../../src/daemon/event-log.ts';
import { thumbprint } from '../../src/trust/fingerprint.ts';
import type { Head } from '../../src/wire/head.ts';
import { hex } from '../../src/wire/hex.ts';
import { seededBytes, testIdentity, testRoster } from '../unit/wire-fixture.ts';
import { type Fate, SimDisk } from './sim-disk.ts';

const roster = testRoster(['fw1', 'fw2']);
const members = new Members(roster);
const identity = testIdentity('fw1');

/** Small segments, few kept: every kind of write happens within some forty steps. */
const limits = { segmentBytes: 900, segmentAgeMs: 86_400_000, keepBytes: 4000, keepAgeMs: null };

let clock = 1000;
let runs = 0;

function logOn(disk: SimDisk, durable: Head[]): EventLog {
  return new EventLog({
    disk,
    clusterId: roster.clusterId,
    kid: thumbprint(identity.publicKey),
    sign: identity.sign,
    keys: members.keys,
    run: seededBytes(`run ${runs++}`)(16),
    roster,
    limits,
    now: () => clock,
    wall: () => clock,
    onTrouble: () => undefined,
    onDurable: (head) => void durable.push(head),
  });
}

/** A life of the process: it opens the log and writes this many blocks, or as many as the power lasts for. */
async function live(disk: SimDisk, durable: Head[], blocks: number): Promise<void> {
  const log = logOn(disk, durable);
  const work = async (): Promise<void> => {
    await log.open();
    for (let i = 0; i < blocks; i++) {
      clock += 5;
      log.append({ service: 'firewall', kind: 'note', text: `entry ${i} ${'x'.repeat(60 * (i % 4))}` });
      if (i % 3 === 0) log.append({ service: null, kind: 'note', text: 'with it' });
      await log.flush();
    }
  };
  await Promise.race([work(), disk.died]);
}

function summaries(files: ReadonlyMap<string, Uint8Array>): Summary[] {
  return [...files]
    .filter(([name]) => segmentFirst(name) !== null)
    .map(([name, bytes]) => summarize(name, bytes, roster.clusterId, members.keys));
}

/** What must hold of the files once a process has opened them again. */
function judge(files: ReadonlyMap<string, Uint8Array>, durable: readonly Head[], what: string): void {
  const segments = summaries(files);
  const chain = chainOf({ path: 'log', segments }, members);
  const wrong = chain.findings.filter(({ severity }) => severity !== 'doubt');
  assert.deepEqual(wrong, [], what);
  for (const { n, hash } of durable) {
    if (n < chain.first) continue; // removed, as configured
    const segment = segments.find(({ first, last }) => n >= first && n <= last);
    assert.ok(segment !== undefined, `${what}: entry ${n}, which was durable, is gone`);
    assert.equal(hashAfter(segment, n), hex(hash), `${what}: entry ${n} is another one`);
  }
}

const FATES: readonly Fate[] = [
  { kind: 'lost', cut: 0 },
  { kind: 'kept', cut: 1 }, // also kill -9: the kernel writes what it was given
  ...[0.01, 0.5, 0.99].map((cut) => ({ kind: 'torn', cut }) as const),
  { kind: 'zeros', cut: 0 },
  { kind: 'zeros', cut: 0.6 },
  { kind: 'rubbish', cut: 0.3 },
];
const BLOCKS = 14;

test('P70: after a power loss at any write, with whatever survives of it, the log verifies and nothing durable is lost', async () => {
  const whole = new SimDisk();
  await live(whole, [], BLOCKS);
  const steps = whole.steps;
  assert.ok(steps > 35, `${steps} steps`);
  let [cases, repairs, retired] = [0, 0, 0];
  for (let failAt = 1; failAt <= steps; failAt++) {
    for (const fate of FATES) {
      const durable: Head[] = [];
      const first = new SimDisk(new Map(), failAt);
      await live(first, durable, BLOCKS);
      const second = new SimDisk(first.survivors(fate));
      await live(second, durable, 2);
      const what = `power lost at write ${failAt}, ${fate.kind} ${fate.cut}`;
      judge(second.contents(), durable, what);
      cases++;
      const moments = summaries(second.contents()).flatMap((segment) => segment.moments);
      if (moments.some(({ kind }) => kind === 'repaired')) repairs++;
      if (moments.some(({ kind }) => kind === 'retired')) retired++;
    }
  }
  assert.ok(
    cases > 280 && repairs > 20 && retired > 5,
    `${cases} cases, ${repairs} repairs, ${retired} retired`,
  );
});

test('P70: a second power loss in every write of the repair changes nothing of that', async () => {
  const whole = new SimDisk();
  await live(whole, [], BLOCKS);
  let cases = 0;
  for (let failAt = 2; failAt <= whole.steps; failAt += 4) {
    for (const fate of FATES.filter((_, i) => (i + failAt) % 2 === 0)) {
      for (let again = 1; again <= 6; again += 1 + (failAt % 2)) {
        const durable: Head[] = [];
        const first = new SimDisk(new Map(), failAt);
        await live(first, durable, BLOCKS);
        const second = new SimDisk(first.survivors(fate), again);
        await live(second, durable, 2);
        const third = new SimDisk(second.survivors(FATES[(failAt + again) % FATES.length] ?? fate));
        await live(third, durable, 1);
        judge(third.contents(), durable, `write ${failAt}, ${fate.kind} ${fate.cut}, then write ${again}`);
        cases++;
      }
    }
  }
  assert.ok(cases > 150, String(cases));
});

test('the judge of these tests can fail: a lost block, a changed one, and one that is written twice are found', async () => {
  const durable: Head[] = [];
  const disk = new SimDisk();
  await live(disk, durable, 3);
  const files = disk.contents();
  judge(files, durable, 'sound');
  const [[name, bytes] = ['', new Uint8Array()]] = files;
  const spoil = (change: (bytes: Uint8Array) => Uint8Array) => () =>
    judge(new Map(files).set(name, change(Uint8Array.from(bytes))), durable, 'spoilt');
  assert.throws(
    spoil((b) => b.slice(0, b.length - 1)),
    /is gone/,
  );
  assert.throws(
    spoil((b) => {
      b[b.length - 1] = (b[b.length - 1] ?? 0) ^ 1;
      return b;
    }),
  );
  assert.throws(spoil((b) => Uint8Array.from([...b, ...b])));
});

test('P70: damage in the middle is set aside, not thrown away, and the log goes on from what holds', async () => {
  const durable: Head[] = [];
  const disk = new SimDisk();
  await live(disk, durable, 2);
  const files = disk.contents();
  const [[name, bytes] = ['', new Uint8Array()]] = files;
  const spoilt = Uint8Array.from(bytes);
  const middle = Math.floor(spoilt.length / 2);
  spoilt[middle] = (spoilt[middle] ?? 0) ^ 0x40;
  const second = new SimDisk(new Map(files).set(name, spoilt));
  await live(second, [], 1);
  const after = second.contents();
  const aside = [...after.keys()].find((file) => file.includes('.damaged-'));
  assert.ok(aside !== undefined, [...after.keys()].join());
  const sound = Number(aside.split('-').at(-1));
  assert.deepEqual(after.get(aside), spoilt.slice(sound), 'every byte of it is kept');
  judge(after, [], 'after the repair');
  const repaired = summaries(after)
    .flatMap(({ moments }) => moments)
    .find(({ kind }) => kind === 'repaired');
  assert.equal(repaired?.data.kept, aside);
});

test('P70: a last block whose length was spoilt on the disk costs itself; the blocks behind it are set aside, not thrown away', async () => {
  const disk = new SimDisk();
  const log = logOn(disk, []);
  await log.open();
  for (let i = 0; i < 4; i++) {
    log.append({ service: null, kind: 'note', text: `entry ${i}` });
    await log.flush();
  }
  await log.close(5000);
  const [name = ''] = (await disk.list()).map((file) => file.name);
  const bytes = await disk.read(name, 1e6);
  const steps = [...walk(bytes, null)];
  const second = steps[1] ?? assert.fail();
  const spoilt = Uint8Array.from(bytes);
  // The two bytes of the payload's length: behind tag, protected header and the empty map.
  spoilt.set([0x59, 0xff, 0xf0], second.start + 43);
  const after = new SimDisk(new Map([[name, spoilt]]));
  const again = logOn(after, []);
  await again.open();
  await again.close(5000);
  const kept = (await after.list()).find((one) => one.name.includes('damaged'));
  assert.equal(kept?.bytes, bytes.length - second.start);
});
