/** What an operator asks of a daemon on the command line: its state, a handover, and that it serves nothing; each against a socket that answers as told. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { run } from '../../src/cli/main.ts';
import { lastSeen } from '../../src/cli/operate.ts';
import { renderStatus } from '../../src/cli/status-text.ts';
import type { Status, StatusService } from '../../src/daemon/status.ts';
import { exampleText, RecordedIo, temporaryDir } from './cluster-files.ts';
import { FULL, SERVING } from './status-fixture.ts';

async function cli(...args: string[]): Promise<{ status: number; io: RecordedIo }> {
  const io = new RecordedIo();
  return { status: await run(args, io), io };
}

const SERVICE: StatusService = {
  ...SERVING,
  inStateMs: 10,
  table: [
    { host: 'fw1', master: true, fit: true, standby: false, burdened: false, activity: 'service' },
    { host: 'fw2', master: false, fit: true, standby: false, burdened: false, activity: 'backup' },
  ],
  alarms: [],
};
const STATUS: Status = { ...FULL, services: [SERVICE], alarms: [] };

interface Pretended {
  readonly config: string;
  /** `METHOD path body` of each request but for status. */
  readonly asked: string[];
}

/** Something that answers as a daemon would: the n-th status, the last one for ever; orders by `judge`. */
async function pretend(
  t: TestContext,
  statuses: readonly Status[],
  refusal: string | null = null,
): Promise<Pretended> {
  const dir = temporaryDir(t);
  const config = join(dir, 'p.toml');
  writeFileSync(config, exampleText(dir));
  const asked: string[] = [];
  let next = 0;
  const server = createServer((request, response) => {
    if (request.method === 'GET') {
      const status = statuses[Math.min(next++, statuses.length - 1)];
      response.end(JSON.stringify(status));
      return;
    }
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      asked.push(`${request.method} ${request.url} ${body}`);
      response.statusCode = refusal === null ? 202 : 409;
      response.end(JSON.stringify(refusal === null ? { accepted: true } : { error: refusal }));
    });
  });
  await new Promise<void>((resolve) => server.listen(join(dir, 'control.sock'), resolve));
  t.after(() => server.close());
  return { config, asked };
}

test('status prints the document as it is with --json, and for people otherwise', async (t) => {
  const { config } = await pretend(t, [STATUS]);
  assert.deepEqual(JSON.parse((await cli('status', '--json', '--config', config)).io.stdout), STATUS);
  const { io } = await cli('status', '--config', config);
  assert.equal(io.stdout, renderStatus(STATUS));
  assert.match(
    io.stdout,
    /^firewall +service \(serving\) +10 ms +fw1 +3 of fw1 +250 ms +open +fw1 master, fw2 fit$/m,
  );
  assert.match(io.stdout, /^fw2 +gateway +12 ms ago +0\.8 ms +3 +2 +1: 12 ms$/m);
});

test('handover waits until another host is master, and says who', async (t) => {
  const seeking = { ...STATUS, services: [{ ...SERVICE, substate: 'seeking' }] };
  const gone = {
    ...STATUS,
    services: [{ ...SERVICE, state: 'backup', substate: 'watching', master: null }],
  } as const;
  const done = {
    ...STATUS,
    services: [{ ...SERVICE, state: 'backup', substate: 'watching', master: 'fw2' }],
  } as const;
  const { config, asked } = await pretend(t, [STATUS, seeking, gone, done]);
  const { status, io } = await cli('handover', '--to', 'fw2', '--config', config);
  assert.equal(status, 0, io.stderr);
  assert.equal(io.stdout, 'service firewall: master is fw2\n');
  assert.deepEqual(asked, ['POST /v1/handover {"to":"fw2","service":null,"force":false}']);
});

test('a handover that the daemon refuses, or that nobody can take, ends with 1 and the reason', async (t) => {
  const refused = await pretend(t, [STATUS], 'this host is not master; ask on fw2');
  const first = await cli('handover', '--config', refused.config);
  assert.equal(first.status, 1);
  assert.match(first.io.stderr, /error: refused: this host is not master; ask on fw2/);
  const alarm = { code: 'no-successor', service: 'firewall', detail: 'nobody is fit', since: '' } as const;
  const nobody = await pretend(t, [STATUS, { ...STATUS, services: [{ ...SERVICE, alarms: [alarm] }] }]);
  const second = await cli('handover', '--config', nobody.config);
  assert.equal(second.status, 1);
  assert.match(second.io.stderr, /no-successor: nobody is fit/);
});

test('a handover that does not come about for no reason that the daemon has: what was seen last', async (t) => {
  const with_ = (
    change: Partial<StatusService>,
    activity: StatusService['table'][number]['activity'] = 'backup',
  ): Status => {
    const [own, other] = SERVICE.table;
    assert.ok(own !== undefined && other !== undefined);
    return { ...STATUS, services: [{ ...SERVICE, table: [own, { ...other, activity }], ...change }] };
  };
  const seeking = { substate: 'seeking', inStateMs: 12_000, successor: 'fw2' } as const;
  const watching = { state: 'backup', substate: 'watching', inStateMs: 3000, master: null } as const;
  const alarms = [{ code: 'uplink-failed', service: 'firewall', detail: 'no carrier', since: '' }] as const;
  for (const [status, words] of [
    [with_(seeking), 'still fw1’s; fw2 was asked and was not ready in 12 s'],
    [
      with_({ ...seeking, successor: null }),
      'still fw1’s; a successor was sought for 12 s, nobody was heard preparing',
    ],
    [with_(seeking, 'handover'), 'still fw1’s; a successor was sought for 12 s, fw2 still preparing'],
    [with_({}), 'still fw1’s; fw1 was in service (serving) for 10 ms, nobody was heard preparing'],
    [
      with_(watching, 'handover'),
      'nobody was heard serving it; fw1 was in backup (watching) for 3 s, fw2 still preparing',
    ],
    [
      with_({ state: 'handover', substate: 'claiming', inStateMs: 70_000, master: 'fw2' }),
      'fw2’s; fw1 was in handover (claiming) for 1 min 10 s, nobody was heard preparing',
    ],
    [with_({ ...seeking, alarms }), 'uplink-failed: no carrier'],
    [{ ...STATUS, services: [] }, 'this host has it no more'],
  ] as const)
    assert.equal(lastSeen(status, 'firewall'), words);

  const limits = (text: string): string =>
    text
      .replace('[timing]', '[timing]\nhandover_limit = "500ms"')
      .replace(/^activation = .*$/m, '$&\nlimit = "100ms"');
  const { config } = await pretend(t, [STATUS, with_(seeking)], null);
  writeFileSync(config, limits(readFileSync(config, 'utf8')));
  const { status, io } = await cli('handover', '--to', 'fw2', '--config', config);
  assert.equal(status, 1);
  assert.match(
    io.stderr,
    /^portcullis: error: it did not come about: service firewall: still fw1’s; fw2 was asked and was not ready in 12 s\n/,
  );
});

test('standby waits until all that this host served is served elsewhere; drain is the same; resume is given as it is', async (t) => {
  const services = [{ ...SERVICE, state: 'backup', substate: 'watching', master: 'fw2' }] as const;
  const left = { ...STATUS, standby: true, services: [{ ...services[0], master: null }] } as const;
  const out = { ...STATUS, standby: true, services } as const;
  for (const word of ['standby', 'drain']) {
    const { config, asked } = await pretend(t, [STATUS, { ...STATUS, standby: true }, left, out]);
    const { status, io } = await cli(word, '--config', config);
    assert.equal(status, 0, io.stderr);
    assert.equal(io.stdout, 'service firewall: master is fw2\n');
    assert.equal((await cli('resume', '--config', config)).status, 0);
    assert.deepEqual(asked, ['POST /v1/standby {}', 'POST /v1/resume {}']);
  }
});

test('drain ends with 1, the services that stay, and who was asked for them', async (t) => {
  const detail = 'nobody took over (standby); asked: fw2';
  const alarms = [{ code: 'no-successor', service: 'firewall', detail, since: '' }] as const;
  const stays = { ...STATUS, standby: true, services: [{ ...SERVICE, alarms }] } as const;
  const { config } = await pretend(t, [STATUS, stays, stays]);
  const { status, io } = await cli('drain', '--config', config);
  assert.equal(status, 1);
  assert.match(io.stderr, /service firewall stays here: nobody took over \(standby\); asked: fw2/);
  assert.match(io.stderr, /hint: it stays on standby and goes on asking/);
});

test('of several services each is waited for, whatever has long been wrong with another', async (t) => {
  const alarms = [{ code: 'no-successor', service: 'mail', detail: 'nobody is fit', since: '' }] as const;
  const stuck = { ...SERVICE, name: 'mail', alarms };
  const seeking = { ...SERVICE, substate: 'seeking' };
  const gone = { ...SERVICE, state: 'backup', substate: 'watching', master: 'fw2' } as const;
  const with_ = (...services: (typeof STATUS.services)[number][]): Status => ({
    ...STATUS,
    standby: true,
    services,
  });
  const states = [with_(SERVICE, stuck), with_(seeking, stuck), with_(seeking, stuck), with_(gone, stuck)];
  const one = await cli('handover', '--service', 'firewall', '--config', (await pretend(t, states)).config);
  assert.deepEqual([one.status, one.io.stdout], [0, 'service firewall: master is fw2\n'], one.io.stderr);
  const all = await cli('drain', '--config', (await pretend(t, states)).config);
  assert.equal(all.status, 1);
  assert.match(
    all.io.stderr,
    /error: service mail stays here: nobody is fit\n/,
    'the other one had its time',
  );
});
