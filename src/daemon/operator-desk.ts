/**
 * An operator's orders on their way to the core. Standby outlives the process: a small file under `state` is there
 * before the order is acknowledged, and gone before `resume` is. A file that cannot be read means standby as well: that
 * this host may serve again has to be known, not supposed.
 */
import { readFileSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Order } from '../core/events.ts';
import type { Alarms } from './alarms.ts';
import { replaceFileSoon } from './files.ts';
import type { Log } from './log.ts';

const STANDBY_FILE = 'standby.json';
/** More than this no daemon of ours has written. */
const FILE_BYTES_MAX = 256;
/** As `toISOString` writes it, and as nothing else does. */
const SINCE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

export interface OperatorDeskOptions {
  readonly stateDir: string;
  readonly alarms: Alarms;
  readonly log: Log;
  /** Why the core refuses an order now; null: it would take it. Asked before anything is stored. */
  readonly refusal: (order: Order) => string | null;
  /** Gives it to the core; returns why it is refused, or null. */
  readonly give: (order: Order) => string | null;
}

export class OperatorDesk {
  readonly #options: OperatorDeskOptions;
  readonly #path: string;
  #since: string | null = null;
  /** One `standby` or `resume` after the other: the last one given is the one that the file tells of. */
  #work: Promise<unknown> = Promise.resolve();

  constructor(options: OperatorDeskOptions) {
    this.#options = options;
    this.#path = join(options.stateDir, STANDBY_FILE);
  }

  /** Since when this host is on standby, as wall clock time (ISO 8601); null: it is not, or nobody knows since when. */
  get standbySince(): string | null {
    return this.#since;
  }

  /** To be called once, when the core runs: a host that was on standby when its last process ended still is. */
  begin(): void {
    const { alarms, log, give } = this.#options;
    try {
      this.#since = sinceOf(readFileSync(this.#path));
      log.warn({ since: this.#since }, 'this host is on standby still; `portcullis resume` ends that');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      const reason = error instanceof Error ? error.message : String(error);
      const detail = `${this.#path}: ${reason}; so this host stays on standby until \`portcullis resume\``;
      alarms.set('standby-record', null, true, detail);
    }
    give({ kind: 'standby' });
  }

  /** Resolves with why an order is refused, or null when it was taken; what has to outlive this process is stored then. */
  async order(order: Order): Promise<string | null> {
    // A disk that hangs holds up nothing but what has to be written.
    if (order.kind !== 'standby' && order.kind !== 'resume') return this.#give(order);
    const taken = this.#work.then(async () => this.#options.refusal(order) ?? (await this.#store(order)));
    this.#work = taken.catch(() => undefined);
    const refused = await taken;
    return refused ?? this.#give(order);
  }

  #give(order: Order): string | null {
    const refused = this.#options.give(order);
    this.#options.log.info({ order, refused }, 'operator’s order');
    return refused;
  }

  async #store({ kind }: Order): Promise<string | null> {
    try {
      if (kind === 'resume') await this.#remove();
      else if (this.#since === null) await this.#write();
      this.#options.alarms.set('standby-record', null, false, '');
      return null;
    } catch (error) {
      const { code = 'error' } = error as NodeJS.ErrnoException;
      return `${this.#path} cannot be ${kind === 'resume' ? 'removed' : 'written'} (${code}), so that a restart would undo it: mend the disk and say it again`;
    }
  }

  async #write(): Promise<void> {
    const since = new Date().toISOString();
    await replaceFileSoon(this.#path, Buffer.from(`${JSON.stringify({ standby: true, since })}\n`));
    this.#since = since;
  }

  async #remove(): Promise<void> {
    await rm(this.#path, { force: true });
    const directory = await open(dirname(this.#path), 'r');
    await directory.sync().finally(() => directory.close());
    this.#since = null;
  }
}

/** Since when, by the file's content. Throws with what is wrong with it. */
function sinceOf(content: Buffer): string {
  let value: unknown = null;
  if (content.length <= FILE_BYTES_MAX)
    try {
      value = JSON.parse(content.toString('utf8'));
    } catch {
      // told below, like everything else that it should not be
    }
  const since = typeof value === 'object' && value !== null && 'since' in value ? value.since : null;
  if (typeof since === 'string' && SINCE.test(since)) return since;
  throw new Error('does not say since when this host is on standby');
}
