/** What is fuzzed of the files: rosters, bundles, keys and the configuration, as an operator or a broken disk makes them. */
import assert from 'node:assert/strict';
import { parseSettings } from '../../src/daemon/config/settings.ts';
import { decodeBundle, encodeBundle } from '../../src/trust/bundle.ts';
import { OperatorError } from '../../src/trust/errors.ts';
import { decodePrivateKey, encodePrivateKey, formatPublicKey, parsePublicKey } from '../../src/trust/keys.ts';
import {
  formatOpensshPrivateKey,
  formatOpensshPublicKey,
  parseOpensshPrivateKey,
  parseOpensshPublicKey,
} from '../../src/trust/openssh.ts';
import { nextBody, signRosterBody, verifyRosterFile } from '../../src/trust/roster.ts';
import { mergeRoster } from '../../src/trust/roster-merge.ts';
import { formatRosterStatus, parseRosterStatus } from '../../src/trust/roster-status.ts';
import { importVerifyKey } from '../../src/wire/ed25519.ts';
import { exampleText } from '../unit/cluster-files.ts';
import { admin, firstBody, memberBody, seededBytes, testIdentity } from '../unit/wire-fixture.ts';
import { roster } from '../unit/wire-net.ts';
import type { Target } from './targets.ts';

const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text));
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

/** Whole files: what verifies must be the file, or one that ends with an earlier version of it. */
function rosterFiles(): Target {
  const starts = roster.versions.map((_, i) => Buffer.concat(roster.versions.slice(0, i + 1)));
  const stranger = signRosterBody(firstBody(), testIdentity('stranger'));
  return {
    name: 'roster-file',
    corpus: [...starts, stranger],
    share: 0.5,
    run(input) {
      const result = verifyRosterFile(input, admin.publicKey);
      if (result.ok)
        assert.ok(
          starts.some((start) => start.equals(input)),
          'an altered roster was taken',
        );
      else assert.ok(result.reason.length > 0);
    },
  };
}

/** Versions that a host is shown, by an operator or a member: only what the admin signed is ever taken. */
function rosterMerges(): Target {
  const body = nextBody(roster, [memberBody('fw1', 1), memberBody('fw2', 2), memberBody('w', 3, 'witness')]);
  const next = signRosterBody(body, admin);
  const file = Buffer.concat([...roster.versions, next]);
  return {
    name: 'roster-merge',
    corpus: [next, file, Buffer.concat(roster.versions), signRosterBody(body, testIdentity('fw1'))],
    share: 0.5,
    run(input) {
      const before = [roster.version, roster.versions.length, Buffer.from(roster.hash).toString('hex')];
      const merge = mergeRoster(roster, input);
      if (merge.kind === 'taken')
        assert.ok(Buffer.from(merge.roster.versions.at(-1) ?? []).equals(next), "taken: not the admin's");
      if (merge.kind === 'refused') assert.ok(merge.reason.length > 0);
      assert.deepEqual(
        [roster.version, roster.versions.length, Buffer.from(roster.hash).toString('hex')],
        before,
        'the roster in force was changed',
      );
    },
  };
}

function bundles(): Target {
  const file = Uint8Array.from(Buffer.concat(roster.versions));
  return {
    name: 'bundle',
    corpus: ['fw1', 'w'].map((host) => encodeBundle({ host, roster: file })),
    share: 2,
    run(input) {
      const decoded = decodeBundle(input);
      if (decoded.ok)
        assert.deepEqual(encodeBundle(decoded.bundle), Uint8Array.from(input), 'decodes, encodes otherwise');
      else assert.ok(decoded.reason.length > 0);
    },
  };
}

function keyFiles(): Target {
  const seed = seededBytes('fuzz')(32);
  const pem = encodePrivateKey(seed, null);
  const line = formatPublicKey(testIdentity('fw1').publicKey, 'fw1');
  return {
    name: 'key-file',
    corpus: [pem, encodePrivateKey(seed, Buffer.from('x')), line].map(bytesOf),
    share: 1,
    run(input) {
      // Without a pass phrase: with one each input would cost a whole derivation.
      const read = decodePrivateKey(input, null);
      if (read.ok) assert.equal(read.seed.length, 32);
      const parsed = parsePublicKey(textOf(input));
      if (parsed.ok) importVerifyKey(parsed.publicKey);
    },
  };
}

function opensshKeys(): Target {
  const seed = seededBytes('fuzz')(32);
  const { publicKey } = testIdentity('fw1');
  return {
    name: 'openssh-key',
    corpus: [
      formatOpensshPrivateKey(seed, 'a comment', 7),
      formatOpensshPrivateKey(seed, '', 2 ** 32 - 1),
      formatOpensshPublicKey(publicKey, 'root@fw1'),
    ].map(bytesOf),
    share: 2,
    run(input) {
      const read = parseOpensshPrivateKey(textOf(input));
      if (read.ok) assert.equal(read.seed.length, 32);
      const parsed = parseOpensshPublicKey(textOf(input));
      if (parsed !== null) assert.equal(parsed.publicKey.length, 32);
    },
  };
}

/** The configuration and the roster's status file: settings, or an error that names the file and the remedy. */
function texts(): Target {
  const status = formatRosterStatus({
    pushed: { version: 3, hash: 'a1'.repeat(32) },
    settled: { version: 2, hash: 'b2'.repeat(32) },
  });
  return {
    name: 'configuration',
    corpus: [bytesOf(exampleText('/etc/portcullis')), bytesOf(status)],
    share: 2,
    run(input) {
      const text = textOf(input);
      parseRosterStatus(text);
      try {
        parseSettings(text, '/etc/portcullis/portcullis.toml');
      } catch (error) {
        assert.ok(error instanceof OperatorError, `no error for an operator: ${error}`);
        assert.match(error.message, /portcullis\.toml/);
      }
    },
  };
}

export function fileTargets(): Target[] {
  return [rosterFiles(), rosterMerges(), bundles(), keyFiles(), opensshKeys(), texts()];
}
