/** The sources `downlink` and `remote`: the last runs of this host's own tests, as the actuator makes them, as a load. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import type { TestProcedure, Verdict } from '../../src/core/procedures.ts';
import { createActuator, type LinuxActuator } from '../../src/linux/actuator.ts';
import type { ActuatorConfig, GatewayService } from '../../src/linux/config.ts';
import { Gate } from '../../src/linux/gate.ts';
import { inspectLoad } from '../../src/linux/load/inspect.ts';
import { Quality } from '../../src/linux/load/quality.ts';
import type { Sampler } from '../../src/linux/load/sampler.ts';
import type { LoadSettings, LoadSource } from '../../src/linux/load/sources.ts';
import { temporaryDir } from './cluster-files.ts';

function service(name: string, device = 'nowhere0'): GatewayService {
  const side = (net: number) => [{ address: `192.0.${net}.1`, prefixLength: 24, family: 4 as const }];
  return {
    name,
    downlink: { device, addresses: side(2), checks: [{ kind: 'auto' }] },
    uplink: { device: 'nowhere1', activation: 'admin', addresses: side(3), nextHops: [], ownAddress: null },
    firewall: { rules: null, rules6: null, standbyRules: null, standbyRules6: null },
    procedures: {},
    limits: { testMs: 1000, switchMs: 5000 },
  };
}

function settings(sources: readonly LoadSource[], change: Partial<LoadSettings> = {}): LoadSettings {
  return {
    ...{ sources, everyMs: 1000, connections: 0, cpuPercent: 100, linkMbit: 0, program: null },
    ...{ downlinkPercent: 100, remotePercent: 100, ...change },
  };
}

const BOTH = settings(['downlink', 'remote']);
const [A, B, C] = [service('a'), service('b'), service('c', 'nowhere2')];

class Runs {
  nowMs = 1000;
  readonly quality = new Quality(() => this.nowMs);

  constructor(services: readonly GatewayService[], load = BOTH) {
    this.quality.configure(load, services);
  }

  async ran(of: GatewayService, procedure: TestProcedure, verdict: Verdict, times = 1): Promise<void> {
    for (let i = 0; i < times; i++)
      await this.quality.noted(of, procedure, async () => ({ verdict, detail: '' }));
  }
  /** At the marks of 100 %. */
  get loads(): [number, number] {
    return [this.quality.downlink(100), this.quality.remote(100)];
  }
}

test('a run of mixed verdicts: what is not confirmed counts, of the last 20, and from five on', async () => {
  const runs = new Runs([A, B]);
  const bad = ['unknown', 'lost', 'refuted'] as const;
  for (const verdict of bad) await runs.ran(A, 'checkDownlink', verdict);
  await runs.ran(B, 'checkDownlink', 'confirmed');
  assert.deepEqual(runs.loads, [0, 0], 'four are too few');
  await assert.rejects(
    runs.quality.noted(A, 'checkDownlink', () => Promise.reject(new Error('broken'))),
    /broken/,
  );
  assert.deepEqual(runs.loads, [800, 0], 'one device for both; one that throws is not confirmed');
  assert.equal(runs.quality.downlink(80), 1000);
  await runs.ran(B, 'checkDownlink', 'confirmed', 15);
  assert.deepEqual(runs.loads, [200, 0]);
  assert.deepEqual(
    [40, 20, 1].map((percent) => runs.quality.downlink(percent)),
    [500, 1000, 1000],
  );
  await runs.ran(A, 'checkDownlink', 'confirmed', 3);
  assert.deepEqual(runs.loads, [50, 0], 'the first three are forgotten, the one that threw is not');
  for (const procedure of ['checkUplink', 'checkServiceLocal'] as const)
    await runs.ran(A, procedure, 'refuted', 20);
  assert.deepEqual(runs.loads, [50, 0], 'other tests tell nothing of this');
});

test('the worst device counts, but all services elsewhere together', async () => {
  const runs = new Runs([A, B, C]);
  await runs.ran(A, 'checkDownlink', 'confirmed', 20);
  await runs.ran(C, 'checkDownlink', 'lost', 10);
  assert.deepEqual(runs.loads, [1000, 0]);
  await runs.ran(C, 'checkDownlink', 'confirmed', 10);
  await runs.ran(A, 'checkServiceRemote', 'unknown', 20);
  assert.deepEqual(runs.loads, [500, 1000]);
  await runs.ran(B, 'checkServiceRemote', 'confirmed', 20);
  await runs.ran(C, 'checkServiceRemote', 'confirmed', 20);
  assert.deepEqual(runs.loads, [500, 333]);
});

test('bounded: 20 runs of what the configuration names, however many there were', async () => {
  const runs = new Runs([A, C]);
  for (let i = 0; i < 300; i++) {
    const stranger = service(`s${i}`, `d${i}`);
    await runs.ran(stranger, 'checkDownlink', 'lost', 5);
    await runs.ran(stranger, 'checkServiceRemote', 'lost', 5);
    await runs.ran(A, 'checkDownlink', 'lost');
    await runs.ran(A, 'checkServiceRemote', 'confirmed');
  }
  const { downlinks, remotes } = runs.quality as unknown as {
    [key: string]: Map<string, { good: unknown[] }>;
  };
  const kept = (windows = new Map<string, { good: unknown[] }>()) =>
    [...windows].map(([key, { good }]) => `${key} ${good.length}`);
  assert.deepEqual(
    [kept(downlinks), kept(remotes)],
    [
      ['nowhere0 20', 'nowhere2 0'],
      ['a 20', 'c 0'],
    ],
  );
});

test('a reload forgets what it takes out, what is on its way included, and nothing else', async () => {
  const runs = new Runs([A, B]);
  for (const procedure of ['checkDownlink', 'checkServiceRemote'] as const) {
    await runs.ran(A, procedure, 'lost', 10);
    await runs.ran(B, procedure, 'confirmed', 10);
  }
  assert.deepEqual(runs.loads, [500, 500]);
  runs.quality.configure(settings(['downlink', 'remote'], { everyMs: 2000 }), [A, B, C]);
  assert.deepEqual(runs.loads, [500, 500], 'both sources are still named');
  runs.quality.configure(BOTH, [B]);
  assert.deepEqual(runs.loads, [500, 0], 'the device is there, the service a is not');
  let end = (): void => undefined;
  const late = runs.quality.noted(B, 'checkDownlink', async () => {
    await new Promise<void>((resolve) => {
      end = resolve;
    });
    return { verdict: 'lost', detail: '' };
  });
  runs.quality.configure(settings(['remote']), [A, B]);
  assert.deepEqual(runs.loads, [0, 0]);
  await runs.ran(A, 'checkDownlink', 'lost', 10);
  runs.quality.configure(BOTH, [A, B]);
  await runs.ran(B, 'checkDownlink', 'confirmed', 4);
  end();
  await late;
  assert.deepEqual(runs.loads, [0, 0], 'nothing of before, nor of while it was not named: four runs');
  runs.quality.configure(undefined, [A, B]);
  await runs.ran(B, 'checkServiceRemote', 'lost', 10);
  assert.deepEqual(runs.loads, [0, 0]);
});

test('tests that are not made any more, and a service that has come here, burden nobody', async () => {
  const runs = new Runs([A, B]);
  await runs.ran(A, 'checkDownlink', 'lost', 10);
  await runs.ran(A, 'checkServiceRemote', 'lost', 10);
  await runs.ran(B, 'checkServiceRemote', 'confirmed', 10);
  runs.quality.served('a');
  assert.deepEqual(runs.loads, [1000, 0]);
  runs.nowMs += 149_000;
  assert.deepEqual(runs.loads, [1000, 0]);
  runs.nowMs += 1000;
  assert.deepEqual(runs.loads, [0, 0]);
});

/** An actuator whose sampler has begun, but which has touched nothing of the host. */
function begun(t: TestContext, services: readonly GatewayService[]) {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const config: ActuatorConfig = {
    ...{ cluster: 'unit', host: 'fw1', clusterLinks: [], memberAddresses: [], services, load: BOTH },
    ...{ leaseMs: 300, probes: 3, probeTimeoutMs: 17, stateDir: temporaryDir(t), conntrackd: null },
  };
  const ends = new Map<number, () => void>();
  let measured: (text: string) => void = () => undefined;
  let lastId = 0;
  const nothing = (): void => undefined;
  const actuator: LinuxActuator = createActuator(config, {
    ...{ gateSet: nothing, addressesProbed: nothing, linkChanged: nothing },
    ...{ foreignerHeard: nothing, rivalHeard: nothing },
    procedureEnded: (_name, _procedure, id) => ends.get(id)?.(),
    loadMeasured: (load, detail) => measured(`${load} ${detail}`),
  });
  t.after(() => actuator.close());
  const { sampler } = actuator as unknown as { sampler: Sampler };
  sampler.start();
  const said = (): Promise<string> =>
    new Promise((resolve) => {
      measured = resolve;
      t.mock.timers.tick(BOTH.everyMs);
    });
  const run = (name: string, procedure: TestProcedure): Promise<void> =>
    new Promise((resolve) => {
      ends.set(++lastId, resolve);
      actuator.run(name, procedure, lastId);
    });
  return { actuator, run, said };
}

test('the actuator tells of its tests, built in or programs; a test that services share is one run', async (t) => {
  const program = join(temporaryDir(t), 'check');
  writeFileSync(program, '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  const many = Array.from({ length: 30 }, (_, i) => service(`s${i}`));
  const procedures = { checkServiceRemote: program, checkDownlink: program };
  const { actuator, run, said } = begun(t, [...many, { ...C, procedures }, { ...A, procedures }]);
  // The first asks at once, all others share the next one.
  for (let i = 0; i < 2; i++) await Promise.all(many.map(({ name }) => run(name, 'checkDownlink')));
  assert.equal(await said(), '0 downlink=0 remote=0', 'four runs, of a device that is nowhere');
  await run('a', 'checkDownlink');
  assert.equal(await said(), '1000 downlink=1000 remote=0', 'the program was the fifth');
  for (let i = 0; i < 2; i++) await run('s7', 'checkServiceRemote');
  for (let i = 0; i < 3; i++) await run('c', 'checkServiceRemote');
  assert.equal(await said(), '1000 downlink=1000 remote=1000');
  t.mock.method(Gate.prototype, 'set', (_: string, openUntilMs: number | null) => ({
    ...{ openUntilMs, missing: false },
  }));
  actuator.gate('s7', performance.now() + 300, 0);
  assert.equal(await said(), '1000 downlink=1000 remote=0', 's7 is here now; three of c are too few');
});

test('check: a downlink that its carrier confirms tells no quality', async () => {
  const config = (checks: GatewayService['downlink']['checks'], sources: LoadSource[]) =>
    ({
      services: [{ ...A, downlink: { ...A.downlink, checks } }],
      load: settings(sources),
    }) as unknown as ActuatorConfig;
  const both = [{ kind: 'auto' }, { kind: 'carrier' }] as const;
  const [finding] = await inspectLoad(config(both, ['downlink']));
  assert.deepEqual(
    [finding?.level, finding?.message],
    [
      'warning',
      'load: downlink.check of service a lists carrier, which confirms whatever is lost on the link',
    ],
  );
  assert.deepEqual(await inspectLoad(config([{ kind: 'auto' }], ['downlink'])), []);
  assert.deepEqual(await inspectLoad(config(both, ['remote'])), []);
});
