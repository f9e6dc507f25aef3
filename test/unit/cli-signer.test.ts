/** `--signer PROGRAM`: rosters signed by a program outside, and every way in which such a program can go wrong. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import { externalSigner } from '../../src/cli/external-signer.ts';
import { OperatorError } from '../../src/trust/errors.ts';
import { inDirectory, must, portcullis } from './cli-harness.ts';

/** A signer as an operator would write one, with openssl in the token's place. */
const OPENSSL_SIGNER = (key: string): string => `#!/bin/sh
set -eu
case $1 in
public)
  printf 'portcullis-ed25519 %s admin\\n' "$(openssl pkey -in '${key}' -pubout -outform DER | tail -c 32 | base64)" ;;
sign)
  tmp=$(mktemp); trap 'rm -f "$tmp"' EXIT
  cat >"$tmp"
  openssl pkeyutl -sign -rawin -inkey '${key}' -in "$tmp" ;;
esac
`;

function program(path: string, text: string, mode = 0o755): string {
  writeFileSync(path, text, { mode });
  return path;
}

function failureOf(path: string, publicKey: Uint8Array | null, limitMs = 20_000): OperatorError {
  try {
    const signature = externalSigner(path, publicKey, limitMs).sign(Uint8Array.from([1, 2, 3]));
    assert.fail(`a signature of ${signature.length} bytes`);
  } catch (error) {
    if (error instanceof OperatorError) return error;
    throw error;
  }
}

test('a cluster by a signer is what it would be by the key itself: init and add verify, the key file is not read', async () => {
  await inDirectory(async (at) => {
    await must(['key', 'generate', '--out', at('admin.key')]);
    await must(['key', 'generate', '--out', at('fw1.key')]);
    const signer = program(at('signer'), OPENSSL_SIGNER(at('admin.key')));
    const roster = at('roster.cose');
    await must(['cluster', 'init', 'dmz', '--signer', signer, '--out', roster]);
    const host = ['--key', at('fw1.key.pub'), '--address', '10.77.1.11:7946'];
    const named = ['--signer', signer, '--admin', at('admin.key.pub')];
    await must(['cluster', 'add', 'fw1', '--roster', roster, ...named, ...host]);
    await must(['cluster', 'verify', roster, '--admin', at('admin.key.pub')]);
  });
});

test('which key: one of --admin-key and --signer, and the one that --admin names', async () => {
  await inDirectory(async (at) => {
    for (const name of ['admin', 'other']) await must(['key', 'generate', '--out', at(`${name}.key`)]);
    const signer = program(at('signer'), OPENSSL_SIGNER(at('admin.key')));
    const init = (...words: string[]) => portcullis(['cluster', 'init', 'dmz', '--out', at('r'), ...words]);
    const wrong: [number, RegExp, string[]][] = [
      [2, /no key to sign with is given\n.*--admin-key FILE or --signer PROGRAM/, []],
      [2, /exclude each other/, ['--admin-key', at('admin.key'), '--signer', signer]],
      [
        1,
        /is the key SHA256:.*, not SHA256:/,
        ['--admin-key', at('admin.key'), '--admin', at('other.key.pub')],
      ],
      [1, /signature does not hold for the key/, ['--signer', signer, '--admin', at('other.key.pub')]],
      [2, /not a path\n.*\.\/signer/, ['--signer', 'signer']],
      [2, /no such program/, ['--signer', at('absent')]],
      [2, /--signer-timeout: "0" is none/, ['--signer', signer, '--signer-timeout', '0']],
    ];
    symlinkSync('loop', at('loop'));
    wrong.push([2, /loop: a symbolic link that leads nowhere/, ['--signer', at('loop')]]);
    wrong.push([2, /cannot be read \(ENOTDIR\)|no such program/, ['--signer', at('admin.key/below')]]);
    for (const [status, message, words] of wrong) {
      const outcome = await init(...words);
      assert.match(outcome.err, message);
      assert.equal(outcome.status, status, String(message));
      assert.ok(!existsSync(at('r')));
    }
  });
});

test('K6: a signer that gives garbage, too little, too much, nothing, another key’s signature, or never ends', async () => {
  await inDirectory(async (at) => {
    await must(['key', 'generate', '--out', at('admin.key')]);
    const good = program(at('good'), OPENSSL_SIGNER(at('admin.key')));
    const { publicKey } = externalSigner(good, null, 20_000);
    const bad: [string, RegExp, string][] = [
      ['garbage', /the signature does not hold/, 'head -c 64 /dev/urandom'],
      ['short', /answered with 63 bytes/, 'head -c 63 /dev/zero'],
      ['silent', /answered with 0 bytes/, 'exit 0'],
      ['long', /answered with more than 64 bytes/, 'head -c 65 /dev/zero'],
      ['endless', /answered with more than 64 bytes/, 'exec cat /dev/zero'],
      ['refuses', /ended with status 3/, 'exit 3'],
      ['dies', /ended with SIGKILL/, 'kill -9 $$'],
      ['valid-but-fails', /ended with status 1/, `"${good}" sign; exit 1`],
      ['text', /answered with 3 bytes/, 'echo no'],
    ];
    for (const [name, message, body] of bad)
      assert.match(failureOf(program(at(name), `#!/bin/sh\n${body}\n`), publicKey).message, message, name);
    const hangs = program(at('hangs'), '#!/bin/sh\nexec sleep 600\n');
    assert.match(failureOf(hangs, publicKey, 300).message, /no answer in 0.3 s, ended/);
    assert.match(failureOf(hangs, null, 300).message, /public: no answer/);
    const noScript = program(at('no-script'), 'this is no program');
    assert.match(failureOf(noScript, publicKey).message, /no program/);
    assert.equal(
      failureOf(program(at('plain'), '#!/bin/sh\n', 0o644), publicKey).message.includes('EACCES'),
      true,
    );
    for (const line of [
      'rubbish',
      'ssh-rsa AAAA x',
      'portcullis-ed25519 AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= x',
    ])
      assert.match(
        failureOf(program(at('says'), `#!/bin/sh\necho '${line}'\n`), null).message,
        /public: (not a public key|the public key is not admitted)/,
      );
  });
});

test('K6: a signer is a program of its own: no shell between, fixed arguments, only what is signed on its input', async () => {
  await inDirectory(async (at) => {
    await must(['key', 'generate', '--out', at('admin.key')]);
    const good = program(at('good'), OPENSSL_SIGNER(at('admin.key')));
    const record = at('record');
    const spy = program(
      at('a b;$(touch pwned)'),
      `#!/bin/sh\nprintf '%s|' "$#" "$@" >>'${record}'\nexec "${good}" "$@"\n`,
    );
    const signer = externalSigner(spy, null, 20_000);
    assert.equal(signer.sign(Buffer.from('hello')).length, 64);
    assert.equal(readFileSync(record, 'utf8'), '1|public|1|sign|');
    assert.ok(!existsSync(at('pwned')) && !existsSync('pwned'));
    program(at('open'), OPENSSL_SIGNER(at('admin.key')));
    chmodSync(at('open'), 0o777);
    assert.match(failureOf(at('open'), null).message, /anybody may change it/);
  });
});
