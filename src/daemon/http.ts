/** HTTP servers whose clients can cost a bounded amount only, in size, number and slowness (K1). */
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';

const HEADERS_MAX_BYTES = 4096;
const CONNECTIONS_MAX = 32;
const REQUEST_LIMIT_MS = 5000;
const HEADERS_LIMIT_MS = 2000;

/** Prometheus' text format. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Not listening yet. An answer that fails ends its connection, and nothing else. */
export function boundedServer(
  answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
  requestsPerConnection: number,
): Server {
  const listener: RequestListener = (request, response) => {
    answer(request, response).catch(() => response.destroy());
  };
  const server = createServer(
    { maxHeaderSize: HEADERS_MAX_BYTES, connectionsCheckingInterval: 500, keepAliveTimeout: 1000 },
    listener,
  );
  server.headersTimeout = HEADERS_LIMIT_MS;
  server.requestTimeout = REQUEST_LIMIT_MS;
  server.maxConnections = CONNECTIONS_MAX;
  server.maxRequestsPerSocket = requestsPerConnection;
  server.on('clientError', (_error, socket) => socket.destroy());
  return server;
}

export function replyJson(response: ServerResponse, status: number, body: object): void {
  reply(response, status, 'application/json', `${JSON.stringify(body)}\n`);
}

export function reply(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type });
  response.end(body);
}

export function closeServer(server: Server): void {
  server.close();
  server.closeAllConnections();
}
