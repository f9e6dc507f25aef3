/** The actuator's record of what it was ordered: bounded, and honest about what it leaves out. */
import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import test from 'node:test';
import { pino } from 'pino';
import { createLog } from '../../src/daemon/log.ts';
import type { ActuatorConfig } from '../../src/linux/config.ts';
import { Permit } from '../../src/linux/orders/permit.ts';
import { boundedLog, LEVELS, type Level, recordLine } from '../../src/linux/orders/record.ts';
import { Session } from '../../src/linux/orders/session.ts';
import { temporaryDir } from './cluster-files.ts';

const CONFIG = { leaseMs: 300, services: [{ name: 'firewall' }] } as unknown as ActuatorConfig;

test('a flood of orders is a bounded number of lines, the rest is counted, and the end is always told', () => {
  let nowMs = 0;
  const lines: { what: string; data: { readonly [key: string]: string | number } }[] = [];
  const log = boundedLog(
    (_level, what, data) => lines.push({ what, data }),
    () => nowMs,
  );
  for (let i = 0; i < 10_000; i++) {
    nowMs += 0.1;
    log('info', i % 2 === 0 ? 'order' : 'order refused', { verb: 'gate' });
  }
  assert.ok(lines.length >= 100 && lines.length <= 112, `${lines.length} lines in a second`);
  const told = lines.reduce((sum, { data }) => sum + 1 + Number(data.untold ?? 0), 0);
  log('error', 'garbage', { why: 'no order' });
  assert.deepEqual(lines.at(-1), { what: 'garbage', data: { why: 'no order', untold: 10_000 - told } });
  log('warn', 'conversation ended', { end: 'garbage' });
  assert.deepEqual(lines.at(-1)?.data, { end: 'garbage' });
  nowMs += 60_000;
  for (let i = 0; i < 100; i++) log('info', 'order', {});
  assert.equal(
    lines.slice(-100).every(({ what, data }) => what === 'order' && data.untold === undefined),
    true,
  );
});

test('a line has the levels and the keys, in their order, of the network process’s lines', async (t) => {
  for (const level of Object.keys(LEVELS) as Level[])
    assert.equal(LEVELS[level], pino.levels.values[level], level);
  const path = join(temporaryDir(t), 'log');
  const fd = openSync(path, 'w');
  t.after(() => closeSync(fd));
  const { log, flush } = createLog('fw1', 'info', fd);
  log.warn({ process: 'network', verb: 'gate' }, 'order refused');
  await flush();
  const theirs = readFileSync(path, 'utf8');
  const { time } = JSON.parse(theirs) as { time: string };
  const ours = recordLine('warn', new Date(time), 'fw1', 'order refused', { verb: 'gate' });
  assert.equal(ours, theirs.replace('"network"', '"actuator"'));
});

test('what went wrong is a warning or an error: an order refused, what is no order, a conversation that ended with it', async () => {
  const told: string[] = [];
  const talk = async (...orders: readonly string[]): Promise<string[]> => {
    told.splice(0);
    const stream = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
    const session = new Session({
      stream,
      desk: { hash: '00', config: () => CONFIG, reread: () => () => undefined },
      permit: new Permit({ windowMs: 10_000, idleMs: 11_000, intervalMs: 200, burst: 2, everyMs: 60_000 }),
      nowMs: () => 1000,
      log: (level, what) => told.push(`${level}: ${what}`),
    });
    for (const order of orders) stream.push(`${order}\n`);
    stream.push(null);
    await session.ended;
    return [...told];
  };
  assert.deepEqual(await talk('1 fence 0 0'), ['info: fence ordered', 'info: conversation ended']);
  assert.deepEqual(await talk('1 activateUplink 0 2000'), [
    'warn: order refused',
    'info: conversation ended',
  ]);
  assert.deepEqual(await talk('one word'), ['error: garbage', 'warn: conversation ended']);
});
