/** An order always comes to an end: obeyed, refused with the daemon's own words, or without an answer. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { giveOrder } from './order.ts';

/** An order to a daemon that answers so. */
async function ordered(answer: RequestListener, limitMs = 60_000): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-order-'));
  const server = createServer(answer);
  try {
    server.listen(join(directory, 'sock'));
    await once(server, 'listening');
    await giveOrder(join(directory, 'sock'), 'handover', {}, limitMs);
  } finally {
    server.closeAllConnections();
    server.close();
    rmSync(directory, { recursive: true });
  }
}

test('an order is obeyed, or refused with the words of who refuses', async () => {
  await ordered((_, answer) => answer.writeHead(202).end('{}'));
  await assert.rejects(
    ordered((_, answer) => answer.writeHead(409).end('{"error":"this host is not master"}\n')),
    { message: 'handover: {"error":"this host is not master"}' },
  );
});

test('a daemon that says nothing, or stops in the middle of its answer, holds nobody up', async () => {
  const silent: RequestListener = () => undefined;
  await assert.rejects(ordered(silent, 50), { message: 'handover: no answer within 50 ms' });
  const halting: RequestListener = (_, answer) => answer.writeHead(202).write('{');
  await assert.rejects(ordered(halting, 200), /handover: (no answer within 200 ms|the answer broke off)/);
  const breaking: RequestListener = (_, answer) => {
    answer.writeHead(202, { 'content-length': 10 }).write('{');
    setTimeout(() => answer.destroy(), 20);
  };
  await assert.rejects(ordered(breaking), { message: 'handover: the answer broke off' });
  await assert.rejects(giveOrder('/nowhere/sock', 'handover', {}), /ENOENT/);
});
