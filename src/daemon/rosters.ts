/**
 * Newer rosters in a running daemon: stored whole or not at all, then put in force, and everything told of them made
 * known to the operator. A disk that cannot take one keeps no revocation back: it is in force all the same, with an
 * alarm.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { CoreConfig, HostName } from '../core/basics.ts';
import type { RosterPort } from '../driver/ports.ts';
import { describeNews } from '../driver/roster-news.ts';
import type { RosterNews } from '../driver/rosters.ts';
import { type Roster, versionHash } from '../trust/roster.ts';
import type { Fork } from '../trust/roster-merge.ts';
import type { Alarms } from './alarms.ts';
import { replaceFileSoon } from './files.ts';
import type { Log } from './log.ts';

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
}

export class RosterDesk implements RosterPort {
  readonly #options: RosterDeskOptions;
  /** One roster after the other. */
  #work: Promise<void> = Promise.resolve();
  #unsaved = '';

  constructor(options: RosterDeskOptions) {
    this.#options = options;
  }

  /** Resolves when every roster that was adopted so far is in force. */
  async idle(): Promise<void> {
    await this.#work;
  }

  adopt(roster: Roster, inForce: (config: CoreConfig) => void): void {
    this.#work = this.#work.then(async () => {
      await this.#store(roster);
      const { core, misfits } = this.#options.follow(roster);
      this.#alarm(misfits);
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

  async #store(roster: Roster): Promise<void> {
    const { path, log } = this.#options;
    try {
      await replaceFileSoon(path, Buffer.concat(roster.versions));
      this.#unsaved = '';
    } catch (error) {
      const { code = 'error' } = error as NodeJS.ErrnoException;
      this.#unsaved = `${path} cannot be written (${code}): version ${roster.version} is in force, and lost at a restart`;
      log.error({ path, code }, 'the roster cannot be stored');
    }
  }

  #alarm(misfits: readonly string[]): void {
    const all = [...(this.#unsaved === '' ? [] : [this.#unsaved]), ...misfits];
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
