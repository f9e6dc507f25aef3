/**
 * One HTTP request over a connection that stands (RFC 9112): GET, no redirect followed, nothing kept. The head is
 * bounded by Node's parser, the body here, the whole by the time limit.
 */
import { readFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { isIP, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import type { SocketCheck } from './kinds.ts';

export type WebCheck = Extract<SocketCheck, { kind: 'http' | 'https' }>;

const HEAD_MAX_BYTES = 8192;
const BODY_MAX_BYTES = 65_536;

/** Takes the descriptor over and closes it. Resolves with what was seen; rejects with what is wrong. */
export async function askWeb(check: WebCheck, fd: number, limitMs: number): Promise<string> {
  const socket = new Socket({ fd, readable: true, writable: true });
  // Whatever else happens to it, the answer is what counts.
  socket.on('error', () => undefined);
  const limit = setTimeout(() => socket.destroy(new Error('no answer in time')), limitMs);
  try {
    const stream = check.kind === 'https' ? await secured(check, socket) : socket;
    return await exchange(check, stream);
  } finally {
    clearTimeout(limit);
    socket.destroy();
  }
}

/** TLS, its certificate verified unless the configuration says otherwise. */
function secured(check: WebCheck, socket: Socket): Promise<Duplex> {
  const name = check.name ?? check.address;
  return new Promise((resolve, reject) => {
    const stream = connectTls(
      {
        socket,
        host: name,
        rejectUnauthorized: check.verify,
        minVersion: 'TLSv1.2',
        ...(isIP(name) === 0 ? { servername: name } : {}),
        ...(check.ca === null ? {} : { ca: readFileSync(check.ca) }),
      },
      () => resolve(stream),
    );
    stream.on('error', reject);
    socket.on('close', () => reject(new Error('the connection ended before TLS was agreed on')));
  });
}

function exchange(check: WebCheck, stream: Duplex): Promise<string> {
  return new Promise((resolve, reject) => {
    const host = check.name ?? (check.address.includes(':') ? `[${check.address}]` : check.address);
    const isUsual = check.port === (check.kind === 'http' ? 80 : 443);
    const asked = request(
      {
        method: 'GET',
        path: check.path,
        headers: {
          host: isUsual ? host : `${host}:${check.port}`,
          'user-agent': 'portcullis',
          connection: 'close',
        },
        maxHeaderSize: HEAD_MAX_BYTES,
        setHost: false,
        // With an agent, even of its own, Node would open another connection.
        createConnection: () => stream as Socket,
      },
      (response) => judge(check, response).then(resolve, reject),
    );
    asked.on('error', reject);
    stream.on('close', () => reject(new Error('the connection ended without an answer in time')));
    asked.end();
  });
}

async function judge(check: WebCheck, response: IncomingMessage): Promise<string> {
  const status = response.statusCode ?? 0;
  const isWanted = check.status === null ? status >= 200 && status <= 299 : status === check.status;
  if (!isWanted) throw new Error(`it answers status ${status}, not ${check.status ?? '2xx'}`);
  if (check.text === null) return `status ${status}`;
  const wanted = Buffer.from(check.text);
  let body = Buffer.alloc(0);
  for await (const chunk of response as AsyncIterable<Buffer>) {
    body = Buffer.concat([body, chunk]).subarray(0, BODY_MAX_BYTES);
    if (body.includes(wanted)) return `status ${status} and the expected text`;
    if (body.length >= BODY_MAX_BYTES) break;
  }
  throw new Error(`status ${status}, but not the expected text`);
}
