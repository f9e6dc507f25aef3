/**
 * The actuator as a process: the only one with capabilities. It reads root's configuration itself, carries out orders of
 * a network process that it trusts with nothing (spec/actuator.md), and loads neither codec nor cryptography (M14).
 */
import { createServer, Socket } from 'node:net';
import { rawNowMs, requireLibc } from '../linux/libc.ts';
import { notifyManager, watchdogMs } from '../linux/notify.ts';
import { Permit, type PermitOptions } from '../linux/orders/permit.ts';
import { boundedLog, type Log, recordLine } from '../linux/orders/record.ts';
import { type Desk, type End, Session } from '../linux/orders/session.ts';
import { OperatorError } from '../trust/errors.ts';
import { listenForNetwork } from './actuator-socket.ts';
import { actuatorConfig, settingsHash } from './config/actuator-config.ts';
import { readSettings } from './config/read-settings.ts';
import type { Settings } from './config/settings.ts';
import { refuseUnguarded } from './guarded.ts';
import { LineSink } from './line-sink.ts';
import { prioritised } from './log-priority.ts';

/** The other side broke the grammar (sysexits: EX_PROTOCOL). */
const EXIT_PROTOCOL = 76;
const STDOUT = 1;

export interface ActuatorOptions {
  readonly file: string;
  /** An inherited descriptor to talk over; null: listen on the configured socket. */
  readonly fd: number | null;
}

/** Runs until told to end; resolves with the exit status. Throws OperatorError when it cannot start. */
export async function runActuator(options: ActuatorOptions): Promise<number> {
  const lines = new LineSink(STDOUT);
  try {
    return await run(options, lines);
  } finally {
    await lines.flush();
  }
}

async function run({ file, fd }: ActuatorOptions, lines: LineSink): Promise<number> {
  requireLibc();
  const desk = new FileDesk(file, lines);
  const options = { desk, permit: desk.permit, nowMs: rawNowMs, log: boundedLog(desk.log, rawNowMs) };
  if (fd !== null) {
    // Whoever started us ends us by closing; a signal to the whole group must not fence a host that still hands over.
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
    return statusOf(await new Session({ ...options, stream: new Socket({ fd }) }).ended);
  }
  return serve(desk, (stream) => new Session({ ...options, stream }));
}

/** One conversation at a time, one after the other, until a signal or garbage ends it. */
async function serve(desk: FileDesk, begin: (stream: Socket) => Session): Promise<number> {
  let session: Session | null = null;
  let isStopping = false;
  /** The next one, until the last has ended. */
  let next: Socket | null = null;
  const server = createServer({ allowHalfOpen: false });
  server.maxConnections = 4;
  const stopWatchdog = feedWatchdog();
  const status = await new Promise<number>((resolve, reject) => {
    const stop = (): void => {
      isStopping = true;
      if (session === null) resolve(0);
      else session.close().then(() => resolve(0), reject);
    };
    process.on('SIGTERM', stop).on('SIGINT', stop);
    process.on('SIGHUP', () => undefined); // what changed is read when the network process asks for it
    const converse = (stream: Socket): void => {
      session = begin(stream);
      desk.log('info', 'network process connected', {});
      session.ended.then((end) => {
        const waiting = next;
        session = next = null;
        if (end === 'garbage') resolve(EXIT_PROTOCOL);
        else if (waiting !== null && !isStopping) converse(waiting);
      }, reject);
    };
    // The end of the one before it may not be known yet, and the host is made harmless in between.
    const wait = (stream: Socket): void => {
      next = stream;
      stream.once('close', () => {
        if (next === stream) next = null;
      });
    };
    server.on('connection', (stream) => {
      stream.on('error', () => undefined);
      if (session === null && !isStopping) converse(stream);
      else if (next === null) wait(stream);
      else stream.destroy();
    });
    listenForNetwork(server, desk.settings).then(() => {
      desk.log('info', 'actuator started', { pid: process.pid });
      notifyManager('READY=1');
    }, reject);
  });
  notifyManager('STOPPING=1');
  stopWatchdog();
  server.close();
  return status;
}

function statusOf(end: End): number {
  return end === 'garbage' ? EXIT_PROTOCOL : 0;
}

/** The loop turns: whoever cannot answer is not fed. */
function feedWatchdog(): () => void {
  const everyMs = watchdogMs();
  if (everyMs === null) return () => undefined;
  const timer = setInterval(() => notifyManager('WATCHDOG=1'), everyMs / 2);
  return () => clearInterval(timer);
}

/** The configuration file, as this process read it. */
class FileDesk implements Desk {
  readonly permit: Permit;
  settings: Settings;
  private readonly file: string;
  private readonly lines: { write(line: string): void };

  constructor(file: string, lines: LineSink) {
    this.file = file;
    this.lines = prioritised(lines, STDOUT);
    refuseUnguarded(file);
    this.settings = readSettings(file);
    this.permit = new Permit(permitOptions(this.settings));
  }

  get hash(): string {
    return settingsHash(this.settings);
  }

  config(isGateway: boolean, memberAddresses: readonly string[]): ReturnType<Desk['config']> {
    const config = actuatorConfig(this.settings, memberAddresses);
    return isGateway ? config : { ...config, services: [] };
  }

  reread(hash: string): () => void {
    refuseUnguarded(this.file);
    const settings = readSettings(this.file);
    if (settingsHash(settings) !== hash)
      throw new OperatorError(`${this.file}: the two processes read different files`, 'reload once more');
    const before = this.settings;
    this.take(settings);
    return () => this.take(before);
  }

  private take(settings: Settings): void {
    this.settings = settings;
    this.permit.configure(permitOptions(settings));
  }

  /** On standard output: root's own record of what was ordered. */
  readonly log: Log = (level, what, data) => {
    this.lines.write(recordLine(level, new Date(), this.settings.host, what, data));
  };
}

function permitOptions({ timing, raise }: Settings): PermitOptions {
  return {
    windowMs: timing.handoverLimitMs,
    idleMs: timing.handoverLimitMs + 4 * timing.promiseMs,
    intervalMs: timing.intervalMs,
    burst: raise.burst,
    everyMs: raise.everyMs,
  };
}
