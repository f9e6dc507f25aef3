/**
 * Metrics over TCP, for a Prometheus that cannot read a Unix socket: GET /metrics and nothing else. Any process of the
 * host can reach a loopback port, so more than a few requests a second are not even read: what would count them must
 * not be what they keep from running.
 */
import type { Server } from 'node:http';
import { formatSocketAddress, type SocketAddress } from '../trust/address.ts';
import { OperatorError } from '../trust/errors.ts';
import type { ControlSocket } from './control.ts';
import { boundedServer, closeServer, METRICS_TYPE, reply } from './http.ts';

/** So many connections at once, and so many a second from then on. */
const BURST = 20;
const EVERY_MS = 200;

/** Listens at that address. Throws OperatorError when it cannot be used. */
export async function openMetricsPort(address: SocketAddress, metrics: () => string): Promise<ControlSocket> {
  const server = boundedServer(async ({ method, url }, response) => {
    response.setHeader('connection', 'close');
    if (url !== '/metrics') return reply(response, 404, 'text/plain', 'GET /metrics\n');
    if (method !== 'GET') return reply(response, 405, 'text/plain', 'use GET\n');
    reply(response, 200, METRICS_TYPE, metrics());
  }, 1);
  limitRate(server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(unusable(address, error)));
    server.listen({ host: address.ip, port: address.port, exclusive: true }, resolve);
  });
  return { close: () => closeServer(server) };
}

function limitRate(server: Server): void {
  let left = BURST;
  let sinceMs = performance.now();
  server.on('connection', (socket) => {
    const nowMs = performance.now();
    left = Math.min(BURST, left + (nowMs - sinceMs) / EVERY_MS);
    sinceMs = nowMs;
    if (left < 1) socket.destroy();
    else left--;
  });
}

function unusable(address: SocketAddress, error: Error): OperatorError {
  return new OperatorError(
    `metrics.listen: ${formatSocketAddress(address)} cannot be listened at: ${error.message}`,
    'is the address this host’s, the port above 1023, and nobody else’s?',
  );
}
