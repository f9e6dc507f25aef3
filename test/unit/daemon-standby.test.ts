/** Standby outlives the daemon: its file, what an order waits for, and what a damaged file means. Real files. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import type { Order } from '../../src/core/events.ts';
import { type Alarm, Alarms } from '../../src/daemon/alarms.ts';
import type { Log } from '../../src/daemon/log.ts';
import { OperatorDesk } from '../../src/daemon/operator-desk.ts';
import { temporaryDir } from './cluster-files.ts';

const nothing = (): void => undefined;
const SILENT = { info: nothing, warn: nothing, error: nothing, fatal: nothing } as unknown as Log;

const STANDBY_FILE = 'standby.json';

interface Desk {
  readonly desk: OperatorDesk;
  readonly file: string;
  /** What the core was given. */
  readonly given: string[];
  readonly alarms: () => Alarm[];
}

function deskOf(stateDir: string, refused: string | null = null): Desk {
  const alarms = new Alarms(SILENT);
  const given: string[] = [];
  const file = join(stateDir, STANDBY_FILE);
  const desk = new OperatorDesk({
    ...{ stateDir, alarms, log: SILENT },
    refusal: () => refused,
    give: ({ kind }: Order) => {
      given.push(`${kind}${existsSync(file) ? ', file there' : ''}`);
      return null;
    },
  });
  return { desk, file, given, alarms: () => alarms.list() };
}

function stateDir(t: TestContext): string {
  return temporaryDir(t);
}

test('the file is there before the core is given standby, and gone before resume; the next process goes on', async (t) => {
  const dir = stateDir(t);
  const first = deskOf(dir);
  assert.equal(await first.desk.order({ kind: 'standby' }), null);
  assert.deepEqual(first.given, ['standby, file there']);
  const since = first.desk.standbySince;
  assert.ok(since !== null && Math.abs(Date.parse(since) - Date.now()) < 60_000);

  const second = deskOf(dir);
  second.desk.begin();
  assert.deepEqual(second.given, ['standby, file there']);
  assert.equal(second.desk.standbySince, since);
  // Said again it is no other standby.
  assert.equal(await second.desk.order({ kind: 'standby' }), null);
  assert.equal(second.desk.standbySince, since);
  assert.equal(await second.desk.order({ kind: 'resume' }), null);
  assert.equal(second.given.at(-1), 'resume');
  assert.equal(second.desk.standbySince, null);
  assert.deepEqual(second.alarms(), []);

  const third = deskOf(dir);
  third.desk.begin();
  assert.deepEqual(third.given, []);
  assert.deepEqual(readdirSync(dir), []);
});

test('of several orders at once the last one stays', async (t) => {
  const { desk, file, given } = deskOf(stateDir(t));
  const orders = (['standby', 'resume', 'standby', 'resume', 'standby'] as const).map((kind) =>
    desk.order({ kind }),
  );
  assert.deepEqual(await Promise.all(orders), [null, null, null, null, null]);
  assert.ok(existsSync(file));
  assert.equal(given.length, 5);
  assert.match(given.at(-1) ?? '', /^standby/);
});

test('a file that is no record of ours means standby, with an alarm, until resume', async (t) => {
  for (const content of ['', '{"standby":true}', 'x'.repeat(10_000), '{"since":"yesterday"}', '[1]']) {
    const dir = stateDir(t);
    writeFileSync(join(dir, STANDBY_FILE), content);
    const { desk, given, alarms, file } = deskOf(dir);
    desk.begin();
    assert.deepEqual(given, ['standby, file there'], content);
    assert.equal(desk.standbySince, null);
    assert.deepEqual(
      alarms().map(({ code }) => code),
      ['standby-record'],
    );
    assert.ok(alarms()[0]?.detail.startsWith(`${file}: does not say since when`));
    assert.equal(await desk.order({ kind: 'resume' }), null);
    assert.deepEqual(alarms(), []);
    assert.ok(!existsSync(file));
  }
});

test('a file that cannot be read at all means standby as well', async (t) => {
  const dir = stateDir(t);
  mkdirSync(join(dir, STANDBY_FILE));
  const { desk, given, alarms } = deskOf(dir);
  desk.begin();
  assert.deepEqual(given, ['standby, file there']);
  assert.match(alarms()[0]?.detail ?? '', /EISDIR/);
});

test('what cannot be stored, or removed, is refused and changes nothing; handovers do not ask the disk', async (t) => {
  const dir = join(stateDir(t), 'gone');
  const { desk, given } = deskOf(dir);
  assert.match((await desk.order({ kind: 'standby' })) ?? '', /standby\.json cannot be written \(ENOENT\)/);
  assert.deepEqual(given, []);
  assert.equal(desk.standbySince, null);
  assert.equal(await desk.order({ kind: 'handover', service: null, to: null, force: false }), null);
  assert.deepEqual(given, ['handover']);

  mkdirSync(join(dir, STANDBY_FILE), { recursive: true });
  assert.match((await desk.order({ kind: 'resume' })) ?? '', /standby\.json cannot be removed/);
  assert.deepEqual(given, ['handover']);
  rmSync(dir, { recursive: true });
});

test('an order that the core would refuse leaves no file', async (t) => {
  const dir = stateDir(t);
  const { desk, given } = deskOf(dir, 'this host is stopping');
  assert.equal(await desk.order({ kind: 'standby' }), 'this host is stopping');
  assert.deepEqual([given, readdirSync(dir)], [[], []]);
});

test('the file is the daemon’s own, and says what it is for', async (t) => {
  const dir = stateDir(t);
  chmodSync(dir, 0o700);
  const { desk, file } = deskOf(dir);
  await desk.order({ kind: 'standby' });
  const said = JSON.parse(readFileSync(file, 'utf8')) as { standby: boolean; since: string };
  assert.deepEqual([said.standby, said.since], [true, desk.standbySince]);
});
