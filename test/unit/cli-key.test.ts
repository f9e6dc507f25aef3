/** Keys and rosters by the command line: files as documented, nothing overwritten, secrets guarded and never shown. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { Command } from 'commander';
import { registerCluster } from '../../src/cli/cluster.ts';
import { registerKey } from '../../src/cli/key.ts';
import { OperatorError } from '../../src/trust/errors.ts';
import { decodePrivateKey, encodePrivateKey, formatPublicKey, parsePublicKey } from '../../src/trust/keys.ts';
import { publicKeyOf } from '../../src/wire/ed25519.ts';
import { fromHex, readText, toHex } from './vectors.ts';

interface Outcome {
  out: string;
  said: string;
  error: OperatorError | null;
}

/** Runs a command in this process; `typed` is what the operator types at each question. */
function run(words: readonly string[], typed: readonly string[] = []): Outcome {
  const outcome: Outcome = { out: '', said: '', error: null };
  const answers = [...typed];
  const io = {
    out: (text: string) => {
      outcome.out += text;
    },
    say: (text: string) => {
      outcome.said += text;
    },
    askLine: () => null,
    askSecret: () => {
      const answer = answers.shift();
      return answer === undefined ? null : Uint8Array.from(Buffer.from(answer));
    },
  };
  const program = new Command().exitOverride().configureOutput({ writeErr: () => {}, writeOut: () => {} });
  registerKey(program, io);
  registerCluster(program, io);
  try {
    program.parse(words, { from: 'user' });
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    outcome.error = error;
  }
  return outcome;
}

function inDirectory(use: (directory: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-test-'));
  try {
    use(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);

test('K2: key generate writes both halves, new; key show tells the same of both; openssl reads the private one', () => {
  inDirectory((directory) => {
    const path = join(directory, 'fw1.key');
    const made = JSON.parse(run(['key', 'generate', '--out', path, '--json']).out);
    assert.equal(mode(path), '600');
    assert.equal(mode(`${path}.pub`), '644');
    assert.equal(readFileSync(`${path}.pub`, 'utf8'), `${made.publicKey}\n`);
    assert.equal(made.name, 'fw1');
    for (const file of [path, `${path}.pub`]) {
      const shown = JSON.parse(run(['key', 'show', file, '--json']).out);
      assert.deepEqual(
        [shown.fingerprint, shown.kid, shown.publicKey],
        [made.fingerprint, made.kid, made.publicKey],
      );
    }
    const before = readFileSync(path);
    assert.match(
      run(['key', 'generate', '--out', path]).error?.message ?? '',
      /there is such a file already$/,
    );
    assert.deepEqual(readFileSync(path), before);
    rmSync(path);
    assert.match(run(['key', 'generate', '--out', path]).error?.message ?? '', /fw1\.key\.pub: there is/);
    assert.ok(!existsSync(path), 'no private key without its public half');
  });
});

test('K1: a private key that others can read is refused, whatever else is right', () => {
  inDirectory((directory) => {
    const path = join(directory, 'a.key');
    run(['key', 'generate', '--out', path]);
    for (const bits of [0o640, 0o604, 0o620, 0o601]) {
      chmodSync(path, bits);
      const { error } = run(['key', 'show', path]);
      assert.match(error?.message ?? '', /others can read this private key/);
      assert.equal(error?.hint, `chmod 600 ${path}`);
    }
    chmodSync(path, 0o400);
    assert.equal(run(['key', 'show', path]).error, null);
  });
});

test('an admin key under a pass phrase: from a file or the terminal, and nothing without it', () => {
  inDirectory((directory) => {
    const passphrase = join(directory, 'pass');
    writeFileSync(passphrase, 'correct horse\nsecond line\n', { mode: 0o600 });
    const path = join(directory, 'admin.key');
    const made = run(['key', 'generate', '--out', path, '--passphrase-file', passphrase]);
    assert.equal(made.error, null);
    assert.match(readFileSync(path, 'utf8'), /^-----BEGIN ENCRYPTED PRIVATE KEY-----/);
    const { error } = run(['key', 'show', path]);
    assert.match(error?.message ?? '', /is under a pass phrase$/);
    assert.equal(error?.hint, 'give it with --passphrase-file FILE');
    assert.match(run(['key', 'show', path], ['wrong']).error?.message ?? '', /does not open/);
    assert.equal(run(['key', 'show', path], ['correct horse']).error, null);
    assert.equal(run(['key', 'show', path, '--passphrase-file', passphrase]).error, null);
    chmodSync(passphrase, 0o644);
    assert.match(
      run(['key', 'show', path, '--passphrase-file', passphrase]).error?.message ?? '',
      /others can read this pass phrase/,
    );
    writeFileSync(passphrase, '\n');
    chmodSync(passphrase, 0o600);
    assert.match(
      run(['key', 'show', path, '--passphrase-file', passphrase]).error?.message ?? '',
      /is empty/,
    );
    const typed = join(directory, 'typed.key');
    assert.match(
      run(['key', 'generate', '--out', typed, '--passphrase'], ['one', 'two']).error?.message ?? '',
      /differ/,
    );
    assert.ok(!existsSync(typed));
    assert.equal(run(['key', 'generate', '--out', typed, '--passphrase'], ['one', 'one']).error, null);
    assert.equal(run(['key', 'show', typed], ['one']).error, null);
  });
});

test('what is no key is named as such, in words and without its contents', () => {
  inDirectory((directory) => {
    const path = join(directory, 'x');
    const shown = (text: string) => {
      writeFileSync(path, text, { mode: 0o600 });
      const { error } = run(['key', 'show', path]);
      assert.ok(error !== null && !error.message.includes('SECRET'));
      return error.message.replace(`${path}: `, '');
    };
    assert.equal(shown('SECRET'), 'is not a private key in PKCS#8 PEM');
    assert.equal(shown('portcullis-ed25519 SECRET'), 'not a public key of portcullis');
    assert.equal(
      shown(formatPublicKey(Uint8Array.from([1, ...new Uint8Array(31)]), 'x')),
      'the public key is not admitted (small-order)',
    );
    assert.match(shown('x'.repeat(20_000)), /longer than/);
    assert.match(
      run(['key', 'show', join(directory, 'absent')]).error?.message ?? '',
      /absent: no such file/,
    );
    assert.match(run(['key', 'show', directory]).error?.message ?? '', /not a regular file/);
    const x25519 =
      '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VuBCIEIHcHbQpzGKV9PBbBclGyZkXfTC+H68CZKrF3+6UduSwq\n-----END PRIVATE KEY-----\n';
    assert.equal(shown(x25519), 'is not an Ed25519 key');
  });
});

test('the published PKCS#8 key of RFC 8410 opens, and is written as openssl reads it', () => {
  const pem = readText('test/vectors/keys/rfc8410-10.3-pkcs8-v1.pem');
  const result = decodePrivateKey(Buffer.from(pem), null);
  assert.ok(result.ok);
  assert.equal(
    toHex(publicKeyOf(result.seed)),
    '19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1',
  );
  assert.equal(encodePrivateKey(result.seed, null), pem);
  const openssl = spawnSync('openssl', ['pkey', '-pubout', '-outform', 'DER'], {
    input: encodePrivateKey(result.seed, null),
  });
  if (openssl.error === undefined)
    assert.equal(toHex(openssl.stdout.subarray(-32)), toHex(publicKeyOf(result.seed)));
});

test('a public key has one line and one spelling', () => {
  const key = publicKeyOf(fromHex('07'.repeat(32)));
  const line = formatPublicKey(key, 'fw1');
  const parsed = parsePublicKey(line);
  assert.ok(parsed.ok);
  assert.deepEqual([toHex(parsed.publicKey), parsed.name], [toHex(key), 'fw1']);
  assert.ok(parsePublicKey(line.trimEnd()).ok);
  for (const wrong of [
    `${line}${line}`,
    ` ${line}`,
    line.replace('portcullis-', 'ssh-'),
    line.replace('=', ''),
    line.replace(' fw1', ' fw1 fw2'),
    '',
  ]) {
    assert.ok(!parsePublicKey(wrong).ok, JSON.stringify(wrong));
  }
});

test('a cluster from the first key to the last host; then what must not be', () => {
  inDirectory((directory) => {
    const at = (name: string) => join(directory, name);
    for (const name of ['admin', 'fw1', 'fw2', 'w']) run(['key', 'generate', '--out', at(`${name}.key`)]);
    const roster = at('roster.cose');
    const admin = ['--admin-key', at('admin.key')];
    assert.equal(run(['cluster', 'init', 'dmz', ...admin, '--out', roster]).error, null);
    assert.match(
      run(['cluster', 'init', 'dmz', ...admin, '--out', roster]).error?.message ?? '',
      /there is such a file/,
    );
    const add = (host: string, address: string, ...more: string[]) =>
      run([
        'cluster',
        'add',
        host,
        '--roster',
        roster,
        ...admin,
        '--key',
        at(`${host}.key.pub`),
        '--address',
        address,
        ...more,
      ]);
    assert.equal(add('fw1', '10.77.1.11:7946,[fd00:77:1::11]:7946', '--priority', '200').error, null);
    assert.equal(add('fw2', '10.77.1.12:7946,[fd00:77:1::12]:7946').error, null);
    const before = readFileSync(roster);
    const wrong: [RegExp, number, Outcome][] = [
      [/has the address 10.77.1.11 port 7946 twice/, 1, add('w', '10.77.1.11:7946,[fd00:77:1::13]:7946')],
      [/has 1 addresses, the others have 2/, 2, add('w', '10.77.1.13:7946')],
      [/--address: "10.77.1.13" is no address with its port/, 2, add('w', '10.77.1.13')],
      [/--role: "master" is no role/, 2, add('w', '10.77.1.13:1,10.77.1.14:1', '--role', 'master')],
      [/--priority: "256" is no priority/, 2, add('w', '10.77.1.13:1,10.77.1.14:1', '--priority', '256')],
      [/fw1 is a member already/, 1, add('fw1', '10.77.1.13:1,10.77.1.14:1')],
      [
        /not a host name: "W"/,
        2,
        run([
          'cluster',
          'add',
          'W',
          '--roster',
          roster,
          ...admin,
          '--key',
          at('w.key.pub'),
          '--address',
          '10.77.1.13:1',
        ]),
      ],
      [
        /not signed by the admin key/,
        1,
        run([
          'cluster',
          'add',
          'w',
          '--roster',
          roster,
          '--admin-key',
          at('fw1.key'),
          '--key',
          at('w.key.pub'),
          '--address',
          '10.77.1.13:1',
        ]),
      ],
    ];
    for (const [message, exitCode, outcome] of wrong) {
      assert.match(outcome.error?.message ?? '', message);
      assert.equal(outcome.error?.exitCode, exitCode, String(message));
    }
    assert.deepEqual(readFileSync(roster), before, 'nothing refused has left a trace');
    assert.equal(add('w', '10.77.1.13:7946,[fd00:77:1::13]:7946', '--role', 'witness').error, null);

    const shown = JSON.parse(run(['cluster', 'show', roster, '--json']).out);
    assert.deepEqual([shown.cluster, shown.version, shown.members.length], ['dmz', 4, 3]);
    assert.deepEqual(shown.members[2].role, 'witness');
    assert.equal(shown.members[0].priority, 200);
    const { fingerprint } = JSON.parse(run(['key', 'show', at('admin.key.pub'), '--json']).out);
    const verify = (...more: string[]) => run(['cluster', 'verify', roster, ...more]);
    assert.equal(verify('--admin-fingerprint', fingerprint).error, null);
    assert.equal(verify('--admin', at('admin.key.pub')).error, null);
    assert.match(verify().said, /no admin key was given/);
    assert.match(verify('--admin', at('fw1.key.pub')).error?.message ?? '', /not signed by the admin key/);
    const other = JSON.parse(run(['key', 'show', at('fw1.key.pub'), '--json']).out).fingerprint;
    assert.match(
      verify('--admin-fingerprint', other).error?.message ?? '',
      /signed by SHA256:.*, not by SHA256:/,
    );
    assert.equal(verify('--admin-fingerprint', 'SHA256:x').error?.exitCode, 2);
    const cut = readFileSync(roster);
    writeFileSync(roster, cut.subarray(0, cut.length - 5));
    assert.match(
      verify('--admin', at('admin.key.pub')).error?.message ?? '',
      /version 4: not a whole signed version/,
    );
    writeFileSync(roster, 'rubbish');
    assert.match(run(['cluster', 'show', roster]).error?.message ?? '', /not a roster/);
    assert.deepEqual(
      readdirSync(directory).filter((name) => name.includes('.new-')),
      [],
      'no half-written files',
    );
  });
});
