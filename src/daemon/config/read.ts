/**
 * Reads what a configuration names: the file itself, the admin's and the host's keys, the rosters. Everything that
 * is wrong ends in an error for the operator; what is merely odd comes back as a note.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { OperatorError } from '../../trust/errors.ts';
import { firstAdmin, type Roster, verifyRosterFile } from '../../trust/roster.ts';
import { mergeRoster } from '../../trust/roster-merge.ts';
import { sameBytes } from '../../wire/bytes.ts';
import type { Identity } from '../../wire/ed25519.ts';
import { readIdentityFile, readPublicKeyFile, readRosterBytes, readRosterFile } from '../key-files.ts';
import { buildConfig, type Config } from './config.ts';
import { lineOf } from './lines.ts';
import { ConfigError, type Problem } from './problems.ts';
import { readSettings } from './read-settings.ts';
import type { Settings } from './settings.ts';

/** The credential's name in the unit. */
const KEY_CREDENTIAL = 'portcullis.key';

/** Where a newer roster is kept. */
export function storedRosterPath(settings: Settings): string {
  return join(settings.state, 'roster.cose');
}

/** A service manager may hand the key over as a credential (systemd.exec(5)): then that is it. */
function keyPath(settings: Settings): string {
  const credentials = process.env.CREDENTIALS_DIRECTORY;
  const credential = credentials === undefined ? null : join(credentials, KEY_CREDENTIAL);
  return credential !== null && existsSync(credential) ? credential : settings.key;
}

export interface Loaded {
  readonly config: Config;
  readonly identity: Identity;
  /** Odd, but no reason to refuse: for the log and for `check`. */
  readonly notes: readonly string[];
}

/**
 * The file with all that it names. `known`: the host's key as it was read at the start; a process that has dropped its
 * rights cannot read it again. Throws ConfigError with every mistake found.
 */
export function loadConfig(file: string, known?: Identity): Loaded {
  return loadNamed(readSettings(file), known);
}

/** As `loadConfig`, for settings that were read already. */
export function loadNamed(settings: Settings, known?: Identity): Loaded {
  const problems: Problem[] = [];
  const notes: string[] = [];
  const attempt = <T>(key: string, read: () => T): T | null => {
    try {
      return read();
    } catch (error) {
      if (error instanceof ConfigError) problems.push(...error.problems);
      else if (error instanceof OperatorError) problems.push(problemAt(settings, key, error));
      else throw error;
      return null;
    }
  };
  const identity = known ?? attempt('key', () => readIdentityFile(keyPath(settings)));
  const admin = attempt('admin', () => readPublicKeyFile(settings.admin).publicKey);
  const roster = admin === null ? null : attempt('roster', () => newestRoster(settings, admin, notes));
  const config = roster === null ? null : attempt('roster', () => buildConfig(settings, roster));
  if (config !== null && identity !== null) {
    const member = config.roster.members.find(({ name }) => name === settings.host);
    const listed = [member?.publicKey, member?.oldKey].some(
      (key) => key != null && Buffer.compare(key, identity.publicKey) === 0,
    );
    if (!listed) {
      const remedy = 'name the private key whose public half is in the roster';
      const wrong = `${settings.key}: not the key that the roster has for ${settings.host}`;
      problems.push(problemAt(settings, 'key', new OperatorError(wrong, remedy)));
    }
  }
  if (problems.length > 0 || config === null || identity === null) throw new ConfigError(problems);
  return { config, identity, notes };
}

/**
 * Which of the configured roster and the one kept under `state` is in force: as between any two branches (P47), the
 * kept one being ours. Each is verified from the admin key on, but a kept one that the configured one outranks need
 * not be: it may be a thief's, from before the recovery. One of another cluster is passed over with a note: the
 * configured one is the operator's word. A broken one is not: the configured one may be older, and have a member that
 * was revoked since.
 */
export function newestRoster(settings: Settings, admin: Uint8Array, notes: string[]): Roster {
  const stored = storedRosterPath(settings);
  const given = readRosterFile(settings.roster, admin);
  if (!existsSync(stored)) return given;
  const bytes = readRosterBytes(stored);
  const kept = verifyRosterFile(bytes, firstAdmin(bytes) ?? admin);
  if (kept.ok) {
    if (!sameBytes(kept.roster.clusterId, given.clusterId)) {
      notes.push(`${stored}: of another cluster than ${settings.roster}; passed over`);
      return given;
    }
    const merge = mergeRoster(kept.roster, Buffer.concat(given.versions));
    if (merge.kind === 'taken') {
      if (merge.fork !== null)
        notes.push(
          `${stored}: version ${merge.fork.version} was signed twice; the branch of ${settings.roster} is in force`,
        );
      return merge.roster;
    }
    if (merge.kind === 'refused')
      throw new OperatorError(
        `${settings.roster}: ${merge.reason}, which is in ${stored}`,
        `if ${settings.roster} is the newest, move ${stored} away`,
      );
    if (merge.kind === 'forked')
      notes.push(
        `${settings.roster}: version ${merge.fork.version} was signed twice; the branch of ${stored} stays in force`,
      );
  }
  const result = verifyRosterFile(bytes, admin);
  if (result.ok) return result.roster;
  const where = result.version === null ? stored : `${stored}: version ${result.version}`;
  throw new OperatorError(
    `${where}: ${result.reason}`,
    `copy a running host’s ${stored} over it; or, if ${settings.roster} is the newest, remove it, start, and portcullis cluster push`,
  );
}

function problemAt(settings: Settings, key: string, error: OperatorError): Problem {
  const { file, lines } = settings;
  return {
    file,
    line: lineOf(lines, [key]),
    key,
    what: `: ${error.message}`,
    remedy: error.hint ?? 'correct the key or the file',
  };
}
