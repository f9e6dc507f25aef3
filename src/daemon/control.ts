/**
 * The control socket: HTTP over a Unix socket, so that curl can read it. Who may open the file may give orders; a
 * second, read-only socket may exist for those who may only look. Whatever a client sends, in size, number or
 * slowness, costs the daemon a bounded amount, and no order is taken from a request that is not exactly right.
 */
import { chmodSync, chownSync, lstatSync, mkdirSync, readFileSync, unlinkSync } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import type { Order } from '../core/events.ts';
import { OperatorError } from '../trust/errors.ts';
import { ROSTER_FILE_MAX_BYTES } from '../trust/roster.ts';
import { boundedServer, closeServer, METRICS_TYPE, reply, replyJson } from './http.ts';

const BODY_MAX_BYTES = 4096;
const REQUESTS_PER_CONNECTION = 100;
/** Members of this group, where it exists, may give orders without being root. */
const ADMIN_GROUP = 'portcullis-admin';

/** The answer to both requests about rosters. */
export interface RosterReport {
  readonly version: number;
  /** SHA-256 of that version, hex. */
  readonly hash: string;
  /** The highest version that is settled as far as this host knows. */
  readonly settled: number;
  /** Members that have shown, in a signed message, that they have it; this host itself is one. */
  readonly confirmed: readonly string[];
  readonly unreached: readonly string[];
}

export interface RosterHandlers {
  /** The body of GET /v1/roster. */
  report(): RosterReport;
  /** Takes a roster file; resolves with why it is refused, or null when it is in force. */
  offer(bytes: Uint8Array): Promise<string | null>;
}

export interface ControlHandlers {
  /** The body of GET /v1/status. */
  status(): object;
  /** The body of GET /v1/state. Absent: there is no such path; likewise the next one. */
  state?(): object;
  /** The body of GET /metrics, in Prometheus' text format. */
  metrics?(): string;
  /** Gives an order; why it is refused, or null when it was accepted. */
  order(order: Order): string | null | Promise<string | null>;
  /** Absent: there is no such path. */
  readonly rosters?: RosterHandlers;
}

/** An open control socket. */
export interface ControlSocket {
  close(): void;
}

/** Listens at `path`. `readOnly`: orders are refused. Throws OperatorError when the path cannot be used. */
export async function openControl(
  path: string,
  handlers: ControlHandlers,
  readOnly: boolean,
): Promise<ControlSocket> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
  await removeStale(path);
  const server = boundedServer(
    (request, response) => answer(request, response, handlers, readOnly),
    REQUESTS_PER_CONNECTION,
  );
  await listen(server, path);
  grantToGroup(path);
  return { close: () => closeServer(server) };
}

/** The file's mode is made by the umask at the moment of binding; a chmod afterwards would leave a gap. */
async function listen(server: Server, path: string): Promise<void> {
  const before = process.umask(0o117);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
      process.umask(before); // the bind has been done, within listen()
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new OperatorError(
      `${path}: the control socket cannot be opened: ${reason}`,
      'is the directory there and writable?',
    );
  } finally {
    process.umask(before);
  }
}

/** A socket that a killed daemon left is removed; a live one, or another kind of file, is an error. */
async function removeStale(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket())
    throw new OperatorError(
      `${path} is no socket`,
      'name another path for the control socket, or remove the file',
    );
  const alive = await new Promise<boolean>((resolve) => {
    const probe = connect(path, () => resolve(true));
    probe.once('error', () => resolve(false));
    probe.once('connect', () => probe.destroy());
  });
  if (alive)
    throw new OperatorError(
      `${path}: another process answers there`,
      'stop the other daemon, or give each its own socket',
    );
  unlinkSync(path);
}

function grantToGroup(path: string): void {
  const line = readFileSync('/etc/group', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${ADMIN_GROUP}:`));
  const gid = Number(line?.split(':')[2]);
  if (line === undefined || !Number.isInteger(gid)) return;
  try {
    chownSync(path, -1, gid);
    chmodSync(path, 0o660);
  } catch {
    // not root: the socket stays with our own group
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  handlers: ControlHandlers,
  readOnly: boolean,
): Promise<void> {
  const { method, url } = request;
  const { status, state, metrics } = handlers;
  const view = url === '/v1/status' ? status : url === '/v1/state' ? state : undefined;
  if (view !== undefined || (url === '/metrics' && metrics !== undefined)) {
    if (method !== 'GET') return replyJson(response, 405, { error: 'use GET' });
    if (view !== undefined) replyJson(response, 200, view());
    else reply(response, 200, METRICS_TYPE, metrics?.() ?? '');
    return;
  }
  if (url === '/v1/roster' && handlers.rosters !== undefined)
    return answerRoster(request, response, handlers.rosters, readOnly);
  const kind = /^\/v1\/(handover|standby|resume)$/.exec(url ?? '')?.[1];
  if (kind === undefined) return replyJson(response, 404, { error: 'no such path; see spec/control.md' });
  if (method !== 'POST') return replyJson(response, 405, { error: 'use POST' });
  if (readOnly) return replyJson(response, 403, { error: 'this socket takes no orders' });
  const body = await readBody(request, BODY_MAX_BYTES);
  const order = body === null ? null : parseOrder(kind, body.toString('utf8'));
  if (order === null)
    return replyJson(response, 400, { error: 'the body is not what this order takes; see spec/control.md' });
  const refused = await handlers.order(order);
  replyJson(
    response,
    refused === null ? 202 : 409,
    refused === null ? { accepted: true } : { error: refused },
  );
}

async function answerRoster(
  request: IncomingMessage,
  response: ServerResponse,
  rosters: RosterHandlers,
  readOnly: boolean,
): Promise<void> {
  if (request.method === 'GET') return replyJson(response, 200, rosters.report());
  if (request.method !== 'POST') return replyJson(response, 405, { error: 'use GET or POST' });
  if (readOnly) return replyJson(response, 403, { error: 'this socket takes no orders' });
  const body = await readBody(request, ROSTER_FILE_MAX_BYTES);
  if (body === null) return replyJson(response, 400, { error: 'longer than a roster can be' });
  const refused = await rosters.offer(Uint8Array.from(body));
  if (refused === null) replyJson(response, 200, rosters.report());
  else replyJson(response, 409, { error: refused });
}

/**
 * The body; null when it is too long. The rest is then read and dropped, or the client would see a broken pipe instead
 * of the reason. Its time is bounded by the server's request timeout.
 */
async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= maxBytes) chunks.push(chunk);
  }
  return bytes > maxBytes ? null : Buffer.concat(chunks);
}

const NAME = /^[a-z0-9-]{1,32}$/;

/** The order that a body asks for; null when it is not exactly one. */
function parseOrder(kind: string, body: string): Order | null {
  let value: unknown;
  try {
    value = body === '' ? {} : JSON.parse(body);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const fields = new Map(Object.entries(value));
  if (kind === 'standby' || kind === 'resume') return fields.size === 0 ? { kind } : null;
  const known = ['service', 'to', 'force'];
  if ([...fields.keys()].some((key) => !known.includes(key))) return null;
  const service = optionalName(fields.get('service'));
  const to = optionalName(fields.get('to'));
  const force = fields.get('force') ?? false;
  if (service === undefined || to === undefined || typeof force !== 'boolean') return null;
  return { kind: 'handover', service, to, force };
}

/** null when absent, undefined when wrong. */
function optionalName(value: unknown): string | null | undefined {
  if (value === undefined || value === null) return null;
  return typeof value === 'string' && NAME.test(value) ? value : undefined;
}
