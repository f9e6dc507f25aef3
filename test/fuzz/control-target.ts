/** The control socket: a real one, in a directory of its own; each input is all that one client sends. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Order } from '../../src/core/events.ts';
import { openControl } from '../../src/daemon/control.ts';
import type { Target } from './targets.ts';

const REQUESTS = [
  'GET /v1/status HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  'POST /v1/standby HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}',
  'POST /v1/handover HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 26\r\n\r\n{"to":"fw2","force": false}'.replace(
    '26',
    '27',
  ),
  'POST /v1/handover HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\n{}\r\n0\r\n\r\n',
  'GET /v1/roster HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  'POST /v1/roster HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 4\r\n\r\nabcd',
];
const REPORT = { version: 1, hash: 'ab', settled: 1, confirmed: ['fw1'], unreached: [] };
const NAME = /^[a-z0-9-]{1,32}$/;

/** The target, and what ends it. */
export async function controlTarget(): Promise<{ target: Target; close: () => void }> {
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-fuzz-'));
  const path = join(directory, 'control.sock');
  const orders: Order[] = [];
  const offered: number[] = [];
  const handlers = {
    status: () => ({ schema: 1 }),
    order: (order: Order) => {
      orders.push(order);
      return null;
    },
    rosters: {
      report: () => REPORT,
      offer: async (bytes: Uint8Array) => {
        offered.push(bytes.length);
        return 'no roster';
      },
    },
  };
  const socket = await openControl(path, handlers, false);
  let count = 0;
  const target: Target = {
    name: 'control',
    corpus: REQUESTS.map((text) => Uint8Array.from(Buffer.from(text))),
    share: 0.5,
    async run(input) {
      await ask(path, input);
      // Never more than was sent: neither another request's bytes nor a buffer's rest.
      for (const length of offered.splice(0)) assert.ok(length <= input.length, `${length} bytes offered`);
      for (const order of orders.splice(0)) assert.ok(isOrder(order), `no order: ${JSON.stringify(order)}`);
      // Every hundredth time: does it still answer an honest client?
      if (count++ % 100 === 0)
        assert.match(await ask(path, Buffer.from(REQUESTS[0] ?? '')), /^HTTP\/1.1 200[\s\S]*"schema":1/);
    },
  };
  const close = (): void => {
    socket.close();
    rmSync(directory, { recursive: true, force: true });
  };
  return { target, close };
}

/** Sends all, closes its side, and resolves with what came back when the other side has closed. */
function ask(path: string, bytes: Uint8Array): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect({ path, allowHalfOpen: true }, () => socket.end(bytes));
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', () => undefined);
    socket.on('end', () => socket.destroy());
    socket.on('close', () => resolve(text));
  });
}

function isOrder(order: Order): boolean {
  if (order.kind !== 'handover') return order.kind === 'standby' || order.kind === 'resume';
  const { service, to, force } = order;
  return [service, to].every((name) => name === null || NAME.test(name)) && typeof force === 'boolean';
}
