/**
 * Newer rosters in a running daemon: stored whole or not at all, then put in force, and everything told of them made
 * known to the operator. A disk that cannot take one, or hangs, keeps no revocation back: it is in force all the same,
 * with an alarm.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { CoreConfig, HostName } from '../core/basics.ts';
import type { Driver } from '../driver/driver.ts';
import type { RosterPort } from '../driver/ports.ts';
import { describeNews } from '../driver/roster-news.ts';
import type { RosterNews } from '../driver/rosters.ts';
import { type Roster, versionHash } from '../trust/roster.ts';
import type { Fork, Merge } from '../trust/roster-merge.ts';
import type { Alarms } from './alarms.ts';
import type { RosterReport } from './control.ts';
import { replaceFileSoon } from './files.ts';
import type { Log } from './log.ts';

/** P54: how long a newer roster waits for the disk. */
const STORE_LIMIT_MS = 1000;
/** Implementation: proofs of forks that are kept; each is at most 32 KiB. */
const PROOFS_MAX = 32;

export interface RosterDeskOptions {
  /** Where the newest roster is kept. */
  readonly path: string;
  /** The folder of the proofs. */
  readonly stateDir: string;
  readonly log: Log;
  readonly alarms: Alarms;
  /** Lets sockets and Linux side follow; returns what the core is to know, and what does not fit any more. */
  readonly follow: (roster: Roster) => { readonly core: CoreConfig; readonly misfits: readonly string[] };
  /** Stores whole or not at all; tests hand in a disk of their own. */
  readonly replace?: (path: string, bytes: Uint8Array) => Promise<void>;
  readonly storeLimitMs?: number;
}

/** Why an operator's roster is refused; null when it is in force, or was before. `version`: of the one that is in force. */
export function refusalOf(merge: Merge, version: number): string | null {
  if (merge.kind === 'older') return `older than version ${version}, which is in force`;
  if (merge.kind === 'forked')
    return `version ${merge.fork.version} was signed twice, and the other one is in force: sign a version above ${version}`;
  if (merge.kind !== 'refused') return null;
  return merge.version === null ? merge.reason : `version ${merge.version} ${merge.reason}`;
}

/** The roster in force, and who has shown, signed, that it has it. */
export function reportOf(rosters: Driver['rosters']): RosterReport {
  const { roster, settled } = rosters;
  const { version, hash } = roster;
  const { confirmed, unreached } = rosters.confirmations();
  return { version, hash: Buffer.from(hash).toString('hex'), settled, confirmed, unreached };
}

/** Why the roster that was adopted as the n-th is in force and not stored. */
interface Unsaved {
  readonly order: number;
  readonly why: string;
}

export class RosterDesk implements RosterPort {
  readonly #options: RosterDeskOptions;
  /** One roster after the other. */
  #work: Promise<void> = Promise.resolve();
  /** One store after the other too, so that a slow one never replaces a newer one's file. */
  #storing: Promise<void> = Promise.resolve();
  #adopted = 0;
  #unsaved: Unsaved | null = null;
  #misfits: readonly string[] = [];

  constructor(options: RosterDeskOptions) {
    this.#options = options;
  }

  /** Resolves when every roster that was adopted so far is in force. */
  async idle(): Promise<void> {
    await this.#work;
  }

  adopt(roster: Roster, inForce: (config: CoreConfig) => void): void {
    const order = ++this.#adopted;
    const stored = this.#storing.then(() => this.#store(order, roster));
    this.#storing = stored;
    this.#work = this.#work.then(async () => {
      const { storeLimitMs = STORE_LIMIT_MS } = this.#options;
      if (!(await isDoneWithin(stored, storeLimitMs))) this.#cannotStore(order, roster, 'no answer yet');
      const { core, misfits } = this.#options.follow(roster);
      this.#misfits = misfits;
      this.#alarm();
      inForce(core);
    });
  }

  told(from: HostName | null, news: RosterNews): void {
    const { text } = describeNews(from, news);
    const { log } = this.#options;
    if (news.kind === 'taken' || news.kind === 'settled') log.info({ roster: text }, 'roster');
    else log.warn({ roster: text }, 'roster not taken');
    if ('fork' in news && news.fork !== null) void this.#keepProof(news.fork);
  }

  async #store(order: number, roster: Roster): Promise<void> {
    const { path, log, replace = replaceFileSoon } = this.#options;
    try {
      await replace(path, Buffer.concat(roster.versions));
      // Of an older one that comes to its end late nothing follows for the newer.
      if (this.#unsaved !== null && this.#unsaved.order <= order) {
        this.#unsaved = null;
        this.#alarm();
      }
    } catch (error) {
      const { code = 'error' } = error as NodeJS.ErrnoException;
      this.#cannotStore(order, roster, code);
      this.#alarm();
      log.error({ path, code }, 'the roster cannot be stored');
    }
  }

  #cannotStore(order: number, { version }: Roster, reason: string): void {
    if (this.#unsaved !== null && this.#unsaved.order > order) return;
    const why = `${this.#options.path} cannot be written (${reason}): version ${version} is in force, and lost at a restart`;
    this.#unsaved = { order, why };
  }

  #alarm(): void {
    const all = [...(this.#unsaved === null ? [] : [this.#unsaved.why]), ...this.#misfits];
    this.#options.alarms.set('roster-trouble', null, all.length > 0, all.join('; '));
  }

  /** Both versions, ours first: a roster file's form, so that `cluster verify` names the second as the wrong one. */
  async #keepProof({ version, ours, theirs }: Fork): Promise<void> {
    const { stateDir, log } = this.#options;
    const hash = Buffer.from(versionHash(theirs)).toString('hex').slice(0, 16);
    try {
      const kept = (await readdir(stateDir)).filter((name) => /^fork-.*\.cose$/.test(name));
      const name = `fork-${version}-${hash}.cose`;
      if (kept.includes(name) || kept.length >= PROOFS_MAX) return;
      await replaceFileSoon(join(stateDir, name), Buffer.concat([ours, theirs]));
      log.warn({ file: name }, 'proof of two rosters kept');
    } catch (error) {
      log.error({ code: (error as NodeJS.ErrnoException).code }, 'the proof of two rosters cannot be kept');
    }
  }
}

/** Whether it came to its end before that time. It must not reject. */
async function isDoneWithin(work: Promise<void>, limitMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), limitMs);
  });
  const done = await Promise.race([work.then(() => true), late]);
  clearTimeout(timer);
  return done;
}
