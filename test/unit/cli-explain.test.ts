/** `portcullis explain` over a control socket: words, JSON, wrong questions, and a daemon of another version. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import type { Explanation } from '../../src/cli/explain.ts';
import { run } from '../../src/cli/main.ts';
import type { StateReport } from '../../src/daemon/state-report.ts';
import { SERVICE, World } from '../sim/world.ts';
import { exampleText, RecordedIo, temporaryDir } from './cluster-files.ts';
import { readText } from './vectors.ts';

/** The state of a backup in a settled simulated cluster, as its daemon would answer. */
function report(): StateReport {
  const w = new World({ hosts: 3, policy: 'available', intervalMs: 200 });
  w.startAll();
  w.pass(6000);
  const backup = w.hosts.find(({ name }) => name === 'fw2');
  const state = backup?.driver?.state;
  assert.ok(backup !== undefined && state !== undefined);
  assert.deepEqual(w.masters(), ['fw1']);
  return { schema: 1, nowMs: backup.clock.at(w.nowMs), names: [SERVICE], groups: [[SERVICE]], state };
}

async function asked(
  t: TestContext,
  answer: object,
): Promise<(...args: string[]) => Promise<{ status: number; io: RecordedIo }>> {
  const dir = temporaryDir(t);
  const config = join(dir, 'p.toml');
  writeFileSync(config, exampleText(dir));
  const server = createServer((request, response) => {
    response.statusCode = request.url === '/v1/state' ? 200 : 404;
    response.end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(join(dir, 'control.sock'), resolve));
  t.after(() => server.close());
  return async (...args) => {
    const io = new RecordedIo();
    return { status: await run(['explain', '--config', config, ...args], io), io };
  };
}

test('why not, and what if: in words with rules and rows, and the same as JSON', async (t) => {
  const explain = await asked(t, report());
  const plain = await explain();
  assert.equal(plain.status, 0, plain.io.stderr);
  assert.match(
    plain.io.stdout,
    /^service firewall: fw1 serves \(term 1 of fw1\); fw2 is in backup\.watching/m,
  );
  assert.match(
    plain.io.stdout,
    /^ {4}R13 {2}fw1 serves in term 1, heard \d+ ms ago: no claim deposes a sound master$/m,
  );
  const { io } = await explain('--if', 'fw1', 'handover');
  assert.match(io.stdout, /^ {2}if fw1 lost its power now:$/m);
  assert.match(
    io.stdout,
    /^ {4}\+\d+ ms +fw2 +T13 +backup\.suspecting -> handover\.claiming +after \d+ ms +may-claim/m,
  );
  assert.match(io.stdout, /^ {2}so fw2 serves in place of fw1, after \d+ ms without service$/m);
  assert.match(io.stdout, /^ {4}bound for power: at most \d+ ms, in the middle \d+ ms/m);
  assert.match(io.stdout, /^ {2}why not fw3, then in backup\.\w+:$/m);
  assert.match(io.stdout, /^ {4}R25 {2}fw2 would go before it; order: fw2, fw3$/m);
  assert.match(io.stdout, /^ {2}if an operator on fw1 said handover now:$/m);
  assert.match(io.stdout, /^ {2}known of fw2: its own state, as it is; fw1: as it said of itself/m);
  const json = await explain('--json', '--if', 'fw1');
  const { schema, services } = JSON.parse(json.io.stdout) as Explanation;
  assert.equal(schema, 1);
  assert.deepEqual(
    services[0]?.forecasts.map(({ before, after, ended }) => [before, after, ended]),
    [['fw1', 'fw2', 'over']],
  );
});

test('every key of the document is in spec/control.md', async (t) => {
  const explain = await asked(t, report());
  const { services } = JSON.parse((await explain('--json', '--if', 'fw1')).io.stdout) as Explanation;
  const page = readText('spec/control.md');
  const [service] = services;
  const [forecast] = service?.forecasts ?? [];
  assert.ok(service !== undefined && forecast !== undefined);
  const [line] = forecast.timeline;
  const [other] = forecast.others;
  const all = [service, service.reasons[0], forecast, line, other, forecast.bound];
  const keys = all.flatMap((one) => Object.keys(one ?? assert.fail()));
  for (const key of new Set(keys)) assert.match(page, new RegExp(`[\`{ ]${key}[\`,}]`), key);
});

test('a wrong question ends with 2 and what can be asked; a daemon of other software with 1', async (t) => {
  const explain = await asked(t, report());
  const wrong = await explain('--if', 'fw9');
  assert.equal(wrong.status, 2);
  assert.match(wrong.io.stderr, /error: nothing of the cluster is called fw9; there are .*fw1, fw2, fw3/);
  const service = await explain('--service', 'mail');
  assert.equal(service.status, 2);
  assert.match(service.io.stderr, /error: no service called mail\n.*hint: there are firewall/);
  const other = report();
  const old = await asked(t, { ...other, state: { ...other.state, somethingNew: 1 } });
  const refused = await old();
  assert.equal(refused.status, 1);
  assert.match(refused.io.stderr, /not of this version\n.*hint: restart the daemon/);
});
