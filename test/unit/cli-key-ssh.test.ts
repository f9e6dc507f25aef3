/** key import-ssh, export-ssh, passphrase and public lines of OpenSSH by the command line; files whole, secrets kept. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { inDirectory, modeOf, must, portcullis } from './cli-harness.ts';
import { readText, root } from './vectors.ts';

/** A published private key, with the mode that a private key must have. */
function vector(name: string, to: string): string {
  copyFileSync(join(root, 'test/vectors/openssh', name), to);
  chmodSync(to, 0o600);
  return to;
}

function secretFile(path: string, text: string): string {
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

const json = (text: string) => JSON.parse(text);
const failure = async (...words: string[]): Promise<string> => {
  const { status, err, out } = await portcullis(words);
  assert.equal(status, 1, words.join(' '));
  assert.equal(out, '');
  return err;
};

test('a key of OpenSSH comes in, keeps its fingerprint, and goes out again; ssh-keygen agrees', async () => {
  await inDirectory(async (at) => {
    const ssh = vector('ed25519_1', at('id'));
    const wanted = readText('test/vectors/keys/ed25519_1.fp').trim();
    const made = json(await must(['key', 'import-ssh', ssh, '--out', at('a.key'), '--json']));
    assert.equal(made.fingerprint, wanted);
    assert.equal(made.name, 'ED25519-test-key-#1');
    assert.deepEqual([modeOf(at('a.key')), modeOf(at('a.key.pub'))], ['600', '644']);
    assert.match(
      await failure('key', 'import-ssh', ssh, '--out', at('a.key')),
      /there is such a file already/,
    );

    const { err } = await portcullis(['key', 'export-ssh', at('a.key'), '--out', at('out')]);
    assert.match(err, /hint: .*out has no pass phrase/);
    assert.deepEqual([modeOf(at('out')), modeOf(at('out.pub'))], ['600', '644']);
    for (const file of ['out.pub', 'a.key', 'a.key.pub'])
      assert.equal(json(await must(['key', 'show', at(file), '--json'])).fingerprint, wanted, file);
    const listed = spawnSync('ssh-keygen', ['-l', '-f', at('out')], { encoding: 'utf8' });
    if (listed.error === undefined) assert.equal(listed.stdout.split(' ')[1], wanted);
    assert.match(await failure('key', 'show', at('out')), /OpenSSH format\n.*key import-ssh/);
    assert.match(await failure('key', 'export-ssh', at('a.key'), '--out', at('out')), /there is such a file/);
  });
});

test('an OpenSSH key under a pass phrase: the error names the command that takes it off, and the way works', async () => {
  await inDirectory(async (at) => {
    const ssh = vector('ed25519_1_pw', at('id'));
    const said = await failure('key', 'import-ssh', ssh, '--out', at('a.key'));
    assert.match(
      said,
      /pass phrase, which OpenSSH keeps in a form of its own\n.*ssh-keygen -p -N '' -f COPY/,
    );
    assert.ok(!existsSync(at('a.key')));
    const phrase = readText('test/vectors/openssh/pw').trim();
    const stripped = spawnSync('ssh-keygen', ['-p', '-P', phrase, '-N', '', '-f', ssh]);
    if (stripped.error !== undefined) return;
    const made = json(await must(['key', 'import-ssh', ssh, '--out', at('a.key'), '--json']));
    assert.equal(made.fingerprint, readText('test/vectors/keys/ed25519_1.fp').trim());
  });
});

test('a key under a pass phrase goes out to OpenSSH only when asked for', async () => {
  await inDirectory(async (at) => {
    const pass = secretFile(at('pass'), 'one two three\n');
    await must(['key', 'generate', '--out', at('a.key'), '--passphrase-file', pass]);
    const words = ['key', 'export-ssh', at('a.key'), '--out', at('out'), '--passphrase-file', pass];
    assert.match(await failure(...words), /the OpenSSH file would not be\n.*--unprotected/);
    assert.ok(!existsSync(at('out')) && !existsSync(at('out.pub')));
    await must([...words, '--unprotected']);
  });
});

test('K2: key passphrase: set, changed, removed, atomically; the key stays; without the old one nothing happens', async () => {
  await inDirectory(async (at) => {
    const [one, two] = [secretFile(at('one'), 'phrase one\n'), secretFile(at('two'), 'phrase two\n')];
    const file = at('a.key');
    await must(['key', 'generate', '--out', file]);
    const { fingerprint } = json(await must(['key', 'show', file, '--json']));
    const change = (...words: string[]) => portcullis(['key', 'passphrase', file, ...words]);
    const opens = async (pass: string) =>
      json(await must(['key', 'show', file, '--passphrase-file', pass, '--json'])).fingerprint ===
      fingerprint;

    assert.match((await change()).err, /no terminal to ask .*\n.*give it with --new-passphrase-file FILE/);
    assert.equal((await change('--new-passphrase-file', one)).status, 0);
    assert.match(readFileSync(file, 'utf8'), /^-----BEGIN ENCRYPTED PRIVATE KEY-----/);
    assert.equal(modeOf(file), '600');
    assert.ok(await opens(one));
    const before = readFileSync(file);
    assert.match((await change('--new-passphrase-file', two)).err, /is under a pass phrase\n/);
    assert.match((await change('--passphrase-file', two, '--remove')).err, /does not open with that/);
    assert.equal((await change('--remove', '--new-passphrase-file', two)).status, 2);
    assert.deepEqual(readFileSync(file), before);
    assert.equal((await change('--passphrase-file', one, '--new-passphrase-file', two)).status, 0);
    assert.ok(await opens(two));
    const typed = await portcullis(['key', 'passphrase', file], ['phrase two', 'typed', 'typed']);
    assert.equal(typed.status, 0, typed.err);
    assert.deepEqual(typed.questions.slice(1), ['new pass phrase: ', 'the same again: ']);
    assert.equal((await portcullis(['key', 'passphrase', file, '--remove'], ['typed'])).status, 0);
    assert.equal(json(await must(['key', 'show', file, '--json'])).encrypted, false);
    assert.deepEqual(
      readdirSync(dirname(file)).filter((name) => name.includes('.new-')),
      [],
      'nothing left behind',
    );
  });
});

test('a pass phrase change goes through a symbolic link to the file itself', async () => {
  await inDirectory(async (at) => {
    mkdirSync(at('stick'));
    await must(['key', 'generate', '--out', at('stick/a.key')]);
    symlinkSync(at('stick/a.key'), at('link'));
    const pass = secretFile(at('pass'), 'phrase\n');
    await must(['key', 'passphrase', at('link'), '--new-passphrase-file', pass]);
    assert.match(readFileSync(at('stick/a.key'), 'utf8'), /ENCRYPTED/);
  });
});

test('K1, K2: pipes, links that lead nowhere and directories open to all: refused, never waited for or written through', async () => {
  await inDirectory(async (at) => {
    await must(['key', 'generate', '--out', at('a.key')]);
    const pipe = at('pipe');
    assert.equal(spawnSync('mkfifo', ['-m', '600', pipe]).status, 0);
    assert.match(await failure('key', 'show', pipe), /pipe: not a regular file/);
    assert.match(await failure('key', 'import-ssh', pipe, '--out', at('b.key')), /not a regular file/);

    symlinkSync(at('elsewhere'), at('dangling'));
    assert.match(await failure('key', 'generate', '--out', at('dangling')), /there is such a file already/);
    assert.ok(!existsSync(at('elsewhere')), 'nothing is written through a link');
    assert.match(await failure('key', 'show', at('dangling')), /no such file/);
    symlinkSync(at('loop'), at('loop'));
    assert.match(await failure('key', 'show', at('loop')), /leads nowhere/);

    mkdirSync(at('open'));
    await must(['key', 'generate', '--out', at('open/c.key')]);
    symlinkSync(at('open/c.key'), at('to-open'));
    chmodSync(at('open'), 0o777);
    for (const path of ['open/c.key', 'to-open'])
      assert.match(await failure('key', 'show', at(path)), /world-writable\)\n.*hint: chmod o-w/, path);
    assert.match(await failure('key', 'generate', '--out', at('open/d.key')), /world-writable/);
    assert.match(await failure('key', 'passphrase', at('open/c.key'), '--remove'), /world-writable/);
    chmodSync(at('open'), 0o1777);
    await must(['key', 'show', at('open/c.key')]);
    assert.match(await failure('key', 'generate', '--out', at('absent/x.key')), /no such file or directory/);
  });
});

test('what openssl does not read is named with the way out; public lines of other types are no keys of ours', async () => {
  await inDirectory(async (at) => {
    const v2 = secretFile(at('v2'), readText('test/vectors/keys/rfc8410-10.3-pkcs8-v2.pem'));
    assert.match(await failure('key', 'show', v2), /PKCS#8 of version 2/);
    writeFileSync(at('rsa.pub'), 'ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAA someone\n');
    assert.match(
      await failure('key', 'show', at('rsa.pub')),
      /not a public key of portcullis\n.*ssh-ed25519/,
    );
    const notSsh = secretFile(at('x'), 'SECRET');
    const said = await failure('key', 'import-ssh', notSsh, '--out', at('y'));
    assert.match(said, /not a private key in the OpenSSH format/);
    assert.ok(!said.includes('SECRET'));
  });
});
