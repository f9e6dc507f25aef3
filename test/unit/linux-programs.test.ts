/** Programs in place of procedures: of an uplink that services share, and of services that a reload changes or removes. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import type { ActuatorConfig, GatewayService } from '../../src/linux/config.ts';
import { Kernel } from '../../src/linux/kernel.ts';
import { confirmed, type Outcome } from '../../src/linux/outcome.ts';
import { ServiceSwitch } from '../../src/linux/service.ts';
import { Holders } from '../../src/linux/uplink/holders.ts';
import { temporaryDir } from './cluster-files.ts';

test('a program raises a shared uplink for the first service, and lowers it after the last', async () => {
  const holders = new Holders();
  const ran: string[] = [];
  let isUp = false;
  const order = async (service: string, toRaise: boolean): Promise<Outcome> => {
    holders.intend('up0', service, toRaise);
    return holders.byProgram(
      'up0',
      service,
      toRaise,
      () => isUp,
      async () => {
        ran.push(`${service} ${toRaise ? 'raises' : 'lowers'}`);
        await new Promise(setImmediate);
        isUp = toRaise;
        return confirmed('by the program');
      },
    );
  };
  const both = await Promise.all([order('a', true), order('b', true)]);
  assert.deepEqual(ran, ['a raises'], 'the second waited for the first, and found it up');
  assert.match(both[1].detail, /up0 is used by a/);
  assert.match(
    (await order('b', false)).detail,
    /up0 is used by a/,
    'its rollback leaves the other’s uplink',
  );
  assert.deepEqual([isUp, ran.length], [true, 1]);
  await order('b', true);
  isUp = false;
  await order('b', true);
  assert.deepEqual(ran.splice(0), ['a raises', 'b raises'], 'not up, whoever took it down: raised again');
  // The last leaves while another comes: what it is meant to be now is what counts.
  await order('b', false);
  const [off, on] = await Promise.all([order('a', false), order('b', true)]);
  assert.match(off.detail, /used by b/);
  assert.deepEqual([on.verdict, isUp, holders.holds('up0', 'a')], ['confirmed', true, false]);
  ran.length = 0;
  await order('b', false);
  assert.deepEqual([ran, isUp, holders.holds('up0')], [['b lowers'], false, false]);
});

test('64 services that let go of one uplink at once wait for two runs of its program at most', async () => {
  const holders = new Holders();
  let runs = 0;
  const program = async (): Promise<Outcome> => {
    runs++;
    await new Promise(setImmediate);
    return confirmed(`run ${runs}`);
  };
  const names = Array.from({ length: 64 }, (_, i) => `s${i}`);
  const ends = await Promise.all(
    names.map((name) => holders.byProgram('up0', name, false, () => true, program)),
  );
  assert.deepEqual([runs, new Set(ends.map(({ detail }) => detail)).size], [2, 2]);
});

const LIMITS = { testMs: 1000, switchMs: 5000 };

/** A service all of whose switches are that program; its devices are nowhere. */
function service(name: string, program: string, testMs = LIMITS.testMs): GatewayService {
  const side = (host: number) => [{ address: `192.0.2.${host}`, prefixLength: 24, family: 4 as const }];
  return {
    name,
    downlink: { device: 'nowhere0', addresses: side(name.length), checks: [{ kind: 'auto' }] },
    uplink: {
      ...{ device: 'nowhere1', activation: 'command', addresses: side(100 + name.length), nextHops: [] },
      ownAddress: null,
    },
    firewall: { rules: null, rules6: null, standbyRules: null, standbyRules6: null },
    procedures: {
      ...{ activateUplink: program, deactivateUplink: program },
      ...{ activateService: program, deactivateService: program },
    },
    limits: { ...LIMITS, testMs },
  };
}

function configured(t: TestContext, services: readonly GatewayService[]): ActuatorConfig {
  return {
    ...{ cluster: 'unit', host: 'fw1', clusterLinks: [], memberAddresses: [], services },
    ...{ leaseMs: 300, probes: 3, probeTimeoutMs: 17, stateDir: temporaryDir(t), conntrackd: null },
  };
}

test('a reload runs the programs of a service that it removes, and leaves a changed one’s work alone', async (t) => {
  const dir = temporaryDir(t);
  const [program, log] = [join(dir, 'program'), join(dir, 'log')];
  writeFileSync(log, '');
  writeFileSync(program, `#!/bin/sh\necho "$1 $2" >> ${log}\n`, { mode: 0o755 });
  const ran = (): string[] => readFileSync(log, 'utf8').split('\n').filter(Boolean);
  const builtIn = t.mock.method(ServiceSwitch.prototype, 'deactivate', async () =>
    confirmed('not done here'),
  );
  const config = configured(t, [service('one', program), service('three', program)]);
  const kernel = new Kernel(
    config,
    () => performance.now(),
    () => undefined,
  );
  t.after(() => kernel.close());
  const inTurn = (_name: string, task: () => Promise<void>): Promise<void> => task();
  for (const held of config.services) kernel.uplinks.intend(held, true);

  await kernel.rearrange(
    { ...config, services: [service('one', program, 2000), service('three', program)] },
    inTurn,
  );
  assert.deepEqual([ran(), builtIn.mock.callCount()], [[], 0], 'a limit has changed, nothing else');

  await kernel.rearrange({ ...config, services: [service('one', program, 2000)] }, inTurn);
  assert.deepEqual(ran(), ['deactivateService three'], 'the uplink is still used by the other one');
  assert.deepEqual(
    [kernel.uplinks.holds('nowhere1', 'three'), kernel.uplinks.holds('nowhere1', 'one')],
    [false, true],
  );

  await kernel.rearrange({ ...config, services: [] }, inTurn);
  assert.deepEqual(ran().slice(1), ['deactivateService one', 'deactivateUplink one']);
  assert.equal(builtIn.mock.callCount(), 0);
});
