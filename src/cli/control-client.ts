/** Asks a running daemon over its control socket. Bounded in time and size; a dead daemon is said to be one. */
import { request } from 'node:http';
import type { RosterReport } from '../daemon/control.ts';
import type { StateReport } from '../daemon/state-report.ts';
import type { Status } from '../daemon/status.ts';
import { OperatorError } from '../trust/errors.ts';

const ANSWER_LIMIT_MS = 5000;
/** 64 services of 16 hosts take about 2 MiB of state. */
const ANSWER_MAX_BYTES = 8 * 1024 * 1024;

/** The status document (spec/control.md). Rejects with OperatorError: no daemon, no answer in time, one that is too long. */
export function getStatus(socketPath: string): Promise<Status> {
  return ask(socketPath, 'GET', '/v1/status', null) as Promise<Status>;
}

/** The state machine's own state. */
export function getState(socketPath: string): Promise<StateReport> {
  return ask(socketPath, 'GET', '/v1/state', null) as Promise<StateReport>;
}

/** Resolves when the order was accepted; throws OperatorError with the daemon's reason when it was refused. */
export async function giveOrder(
  socketPath: string,
  kind: 'handover' | 'standby' | 'resume',
  body: object,
): Promise<void> {
  await ask(socketPath, 'POST', `/v1/${kind}`, JSON.stringify(body));
}

/** The roster in force on that host, and who has shown that it has it. */
export function getRoster(socketPath: string): Promise<RosterReport> {
  return ask(socketPath, 'GET', '/v1/roster', null) as Promise<RosterReport>;
}

/** Gives the daemon a roster file. Throws OperatorError with the reason when it is refused. */
export function giveRoster(socketPath: string, file: Uint8Array): Promise<RosterReport> {
  return ask(socketPath, 'POST', '/v1/roster', file) as Promise<RosterReport>;
}

function ask(
  socketPath: string,
  method: string,
  path: string,
  body: string | Uint8Array | null,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, method, path, timeout: ANSWER_LIMIT_MS }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        if (text.length > ANSWER_MAX_BYTES) call.destroy(new Error('the answer is too long'));
      });
      response.on('end', () => {
        try {
          resolve(judge(response.statusCode ?? 0, text));
        } catch (error) {
          reject(error);
        }
      });
    });
    call.on('timeout', () => call.destroy(new Error('no answer in time')));
    call.on('error', (error: NodeJS.ErrnoException) => reject(unreachable(socketPath, error)));
    call.end(body);
  });
}

function judge(statusCode: number, text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new OperatorError('the daemon’s answer is no JSON', 'is it of the same version?');
  }
  if (statusCode >= 200 && statusCode < 300) return value;
  const reason =
    typeof value === 'object' && value !== null && 'error' in value
      ? String(value.error)
      : `status ${statusCode}`;
  throw new OperatorError(
    `refused: ${reason}`,
    'nothing was changed; `portcullis status` shows how things stand',
  );
}

function unreachable(socketPath: string, error: NodeJS.ErrnoException): OperatorError {
  if (error.code === 'EACCES') {
    return new OperatorError(
      `${socketPath}: permission denied`,
      'orders are for root and the group portcullis-admin',
    );
  }
  const dead = error.code === 'ENOENT' || error.code === 'ECONNREFUSED';
  const reason = dead ? 'no daemon answers there' : error.message;
  return new OperatorError(`${socketPath}: ${reason}`, 'is the daemon running with this configuration?');
}
