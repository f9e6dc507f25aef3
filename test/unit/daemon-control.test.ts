/** The control socket: right answers to right requests; garbage, size, slowness and number cost a bounded amount. */
import assert from 'node:assert/strict';
import { chmodSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { giveRoster } from '../../src/cli/control-client.ts';
import type { Order } from '../../src/core/events.ts';
import { openControl } from '../../src/daemon/control.ts';
import { OperatorError } from '../../src/trust/errors.ts';
import { ROSTER_FILE_MAX_BYTES } from '../../src/trust/roster.ts';
import { temporaryDir } from './cluster-files.ts';

interface Opened {
  readonly path: string;
  readonly orders: Order[];
}

async function opened(t: TestContext, readOnly = false, refuse: string | null = null): Promise<Opened> {
  const path = join(temporaryDir(t), 'run', 'control.sock');
  const orders: Order[] = [];
  const order = (given: Order): string | null => {
    orders.push(given);
    return refuse;
  };
  const socket = await openControl(path, { status: () => ({ schema: 1 }), order }, readOnly);
  t.after(() => socket.close());
  return { path, orders };
}

function ask(
  socketPath: string,
  method: string,
  path: string,
  body = '',
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, method, path, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
    });
    call.on('error', reject);
    call.end(body);
  });
}

/** Sends raw bytes; resolves with what came back when the server has closed the connection. */
function raw(path: string, bytes: string | Buffer): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(path, () => socket.write(bytes));
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(text));
  });
}

test('status and orders are answered; an order reaches the core as it was given', async (t) => {
  const { path, orders } = await opened(t);
  assert.deepEqual(await ask(path, 'GET', '/v1/status'), { status: 200, body: '{"schema":1}\n' });
  assert.equal((await ask(path, 'POST', '/v1/standby')).status, 202);
  assert.equal((await ask(path, 'POST', '/v1/resume', '{}')).status, 202);
  assert.equal((await ask(path, 'POST', '/v1/handover', '{"to":"fw2","force":true}')).status, 202);
  assert.deepEqual(orders, [
    { kind: 'standby' },
    { kind: 'resume' },
    { kind: 'handover', service: null, to: 'fw2', force: true },
  ]);
});

test('a refusal of the core is told with its reason', async (t) => {
  const { path } = await opened(t, false, 'no master is known');
  assert.deepEqual(await ask(path, 'POST', '/v1/handover'), {
    status: 409,
    body: '{"error":"no master is known"}\n',
  });
});

test('K1: what is longer than a roster can be is refused with the reason, not with a broken pipe', async (t) => {
  const path = join(temporaryDir(t), 'run', 'control.sock');
  const sizes: number[] = [];
  const rosters = {
    report: () => ({ version: 1, hash: '', settled: 1, confirmed: [], unreached: [] }),
    offer: (bytes: Uint8Array) => {
      sizes.push(bytes.length);
      return Promise.resolve(null);
    },
  };
  const handlers = { status: () => ({}), order: () => null, rosters };
  const socket = await openControl(path, handlers, false);
  t.after(() => socket.close());
  await assert.rejects(
    giveRoster(path, new Uint8Array(ROSTER_FILE_MAX_BYTES + 1)),
    /refused: longer than a roster can be/,
  );
  await giveRoster(path, new Uint8Array(ROSTER_FILE_MAX_BYTES));
  assert.deepEqual(sizes, [ROSTER_FILE_MAX_BYTES]);
});

test('what is not exactly an order is refused and never reaches the core', async (t) => {
  const { path, orders } = await opened(t);
  const bad = [
    '[]',
    'null',
    '{"to":1}',
    '{"to":"FW 2"}',
    '{"to":"a;b"}',
    '{"force":"yes"}',
    '{"extra":1}',
    '{',
    '"x"',
  ];
  for (const body of bad) assert.equal((await ask(path, 'POST', '/v1/handover', body)).status, 400, body);
  assert.equal((await ask(path, 'POST', '/v1/standby', '{"a":1}')).status, 400);
  assert.equal((await ask(path, 'GET', '/v1/standby')).status, 405);
  assert.equal((await ask(path, 'POST', '/v1/status')).status, 405);
  for (const url of ['/', '/v1', '/v1/stop', '/v1/handover/', '/../etc/passwd', '/v1/status?x']) {
    assert.equal((await ask(path, 'GET', url)).status, 404, url);
  }
  assert.deepEqual(orders, []);
});

test('the read-only socket answers status and takes no orders', async (t) => {
  const { path, orders } = await opened(t, true);
  assert.equal((await ask(path, 'GET', '/v1/status')).status, 200);
  assert.equal((await ask(path, 'POST', '/v1/standby')).status, 403);
  assert.deepEqual(orders, []);
});

test('the state and metrics are there for who may only look, and where nobody has them there is no such path', async (t) => {
  const path = join(temporaryDir(t), 'run', 'control.sock');
  const handlers = {
    status: () => ({}),
    order: () => 'never',
    state: () => ({ schema: 1 }),
    metrics: () => 'portcullis_alarms 0\n',
  };
  const socket = await openControl(path, handlers, true);
  t.after(() => socket.close());
  assert.deepEqual(await ask(path, 'GET', '/v1/state'), { status: 200, body: '{"schema":1}\n' });
  assert.deepEqual(await ask(path, 'GET', '/metrics'), { status: 200, body: 'portcullis_alarms 0\n' });
  for (const url of ['/v1/state', '/metrics']) assert.equal((await ask(path, 'POST', url)).status, 405, url);
  const { path: bare } = await opened(t);
  for (const url of ['/v1/state', '/metrics']) assert.equal((await ask(bare, 'GET', url)).status, 404, url);
});

test('garbage, long headers and long bodies are cut off; the socket still answers others', async (t) => {
  const { path, orders } = await opened(t);
  await raw(path, Buffer.from([0, 255, 10, 13, 0, 7, 10, 10]));
  await raw(path, `GET /v1/status HTTP/1.1\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`);
  const long = await ask(path, 'POST', '/v1/handover', JSON.stringify({ to: 'x'.repeat(100_000) })).catch(
    () => null,
  );
  assert.ok(long === null || long.status === 400);
  assert.deepEqual(orders, []);
  assert.equal((await ask(path, 'GET', '/v1/status')).status, 200);
});

test('slow clients, more than may be connected, are ended and keep nobody out for good', async (t) => {
  const { path } = await opened(t);
  const slow = Array.from({ length: 64 }, () => raw(path, 'POST /v1/handover HTTP/1.1\r\nHost: a\r\n'));
  // All end because the server ends them: the clients send nothing more and never close.
  await Promise.all(slow);
  assert.equal((await ask(path, 'GET', '/v1/status')).status, 200);
});

test('the socket is nobody else’s: its mode, and a live or foreign file in its place', async (t) => {
  const { path } = await opened(t);
  assert.equal(statSync(path).mode & 0o777, 0o660);
  assert.equal(statSync(join(path, '..')).mode & 0o777, 0o750);
  const handlers = { status: () => ({}), order: () => null };
  await assert.rejects(openControl(path, handlers, false), /another process answers/);
  const file = join(path, '..', 'file');
  writeFileSync(file, 'x');
  chmodSync(file, 0o600);
  await assert.rejects(openControl(file, handlers, false), OperatorError);
});

test('a socket that a killed daemon left behind is replaced', async (t) => {
  const dir = temporaryDir(t);
  const path = join(dir, 'control.sock');
  const { spawnSync } = await import('node:child_process');
  const leave = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', leave]);
  assert.ok(statSync(path).isSocket());
  const socket = await openControl(path, { status: () => ({}), order: () => null }, false);
  t.after(() => socket.close());
  assert.equal((await ask(path, 'GET', '/v1/status')).status, 200);
});
