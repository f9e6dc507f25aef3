/** Secrets: on no command line, in no output, not left in memory; files whole whatever stops the machine; keys admitted everywhere. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { Point } from '@noble/ed25519';
import type { Command } from 'commander';
import { buildProgram } from '../../src/cli/main.ts';
import { decodePrivateKey, formatPublicKey } from '../../src/trust/keys.ts';
import { formatOpensshPublicKey } from '../../src/trust/openssh.ts';
import { publicKeyOf } from '../../src/wire/ed25519.ts';
import { LOADER, moduleFile, programArgs } from '../programs.ts';
import { inDirectory, must, portcullis } from './cli-harness.ts';
import { fromHex, readText, root, toHex } from './vectors.ts';

const PHRASE = 'a phrase that nobody prints';
const CLI = programArgs('src/cli/main.ts');

/** All leaves of the command tree that concern keys and rosters, with their names. */
function commands(): [string[], Command][] {
  const io = { out: () => {}, err: () => {}, askSecret: () => null };
  const groups = buildProgram(io).commands.filter((group) => /^(key|cluster|host)$/.test(group.name()));
  return groups.flatMap((group) =>
    group.commands.map((leaf): [string[], Command] => [[group.name(), leaf.name()], leaf]),
  );
}

/** Every spelling in which a seed could leak. */
function spellings(seed: Uint8Array): string[] {
  const bytes = Buffer.from(seed);
  // The PEM body of PKCS#8 holds the seed after 16 bytes of head: two base64 digits there are mixed.
  const pem = Buffer.concat([Buffer.alloc(16), bytes])
    .toString('base64')
    .slice(24, 62);
  return [toHex(seed), bytes.toString('base64url'), bytes.toString('base64'), pem, bytes.toString('latin1')];
}

function seedOf(path: string, phrase: string | null = null): Uint8Array {
  const key = decodePrivateKey(readFileSync(path), phrase === null ? null : Buffer.from(phrase));
  return key.ok ? key.seed : assert.fail(key.fault);
}

test('every command has --help with examples that name it, and takes names of files, never a secret itself (K3)', async () => {
  const found = commands();
  assert.ok(found.length >= 17, `${found.length} commands`);
  for (const [names, command] of found) {
    const name = names.join(' ');
    const { status, out } = await portcullis([...names, '--help']);
    assert.equal(status, 0, name);
    assert.ok(out.includes(`Examples:\n  portcullis ${name}`), name);
    for (const { long, flags } of command.options) {
      if (!/pass|secret|pin\b/i.test(long ?? '')) continue;
      assert.ok(/<FILE>$/.test(flags) || !/[<[]/.test(flags), `${name} ${flags}`);
    }
    assert.equal((await portcullis([...names, '--no-such-option'])).status, 2, name);
  }
});

test('K3: no secret in any output or error, done or refused, as text or JSON', async () => {
  await inDirectory(async (at) => {
    const pass = at('pass');
    writeFileSync(pass, `${PHRASE}\n`, { mode: 0o600 });
    const unlock = ['--passphrase-file', pass];
    let seen = '';
    const run = async (...words: string[]) => {
      for (const json of [[], ['--json']]) {
        const { out, err } = await portcullis([...words, ...json]);
        seen += out + err;
      }
    };
    for (const name of ['admin', 'recovery', 'new'])
      await run('key', 'generate', '--out', at(name), ...unlock);
    for (const name of ['fw1', 'fw2']) await run('key', 'generate', '--out', at(name));
    await run('key', 'show', at('admin'), ...unlock);
    await run('key', 'show', at('admin'));
    await run('key', 'show', pass);
    await run('key', 'show', at('fw1'));
    await run('key', 'export-ssh', at('fw1'), '--out', at('ssh'));
    await run('key', 'export-ssh', at('admin'), '--out', at('ssh2'), ...unlock);
    await run('key', 'import-ssh', at('ssh'), '--out', at('imported'), ...unlock);
    await run('key', 'import-ssh', at('fw1'), '--out', at('x'));
    await run('key', 'passphrase', at('fw2'), '--new-passphrase-file', pass);
    await run('key', 'passphrase', at('fw2'), ...unlock, '--remove');
    await run('key', 'passphrase', at('admin'), '--passphrase-file', at('fw1'));
    const signed = ['--roster', at('r'), '--admin-key', at('admin'), ...unlock];
    const recovery = ['--recovery-key', at('recovery.pub')];
    await run('cluster', 'init', 'dmz', '--admin-key', at('admin'), ...unlock, ...recovery, '--out', at('r'));
    const address = ['--address', '10.77.1.11:7946'];
    await run('cluster', 'add', 'fw1', ...signed, '--key', at('fw1.pub'), ...address);
    await run('cluster', 'add', 'fw2', ...signed, '--key', at('fw2'), ...address);
    await run('cluster', 'set', 'fw1', ...signed, '--priority', '3');
    await run(
      'cluster',
      'rotate-admin',
      '--roster',
      at('r'),
      '--new-key',
      at('new'),
      '--new-passphrase-file',
      pass,
    );
    await run('cluster', 'rotate-admin', ...signed, '--new-key', at('new'), '--new-passphrase-file', pass);
    await run('cluster', 'show', at('fw1'));
    await run('cluster', 'verify', at('r'), '--admin', at('fw1'));
    await run('cluster', 'bundle', 'fw1', '--roster', at('r'), '--out', at('b'));
    await run('host', 'join', at('fw1'), '--dir', dirname(at('x')));
    await run('check', '--config', at('fw1'));
    assert.match(seen, /SHA256:/);
    assert.ok(!seen.includes(PHRASE));
    for (const name of ['admin', 'recovery', 'new', 'fw1', 'fw2']) {
      const locked = /ENCRYPTED/.test(readFileSync(at(name), 'latin1'));
      for (const spelling of spellings(seedOf(at(name), locked ? PHRASE : null)))
        assert.ok(!seen.includes(spelling), name);
    }
    assert.ok(!seen.includes('-----END'));
  });
});

test('K12: the memory of a process that read a key, and made its identity, holds neither file nor seed as a text', async () => {
  await inDirectory(async (at) => {
    await must(['key', 'generate', '--out', at('fw1.key')]);
    const program = `
      import { readIdentityFile } from '${moduleFile('src/daemon/key-files.ts')}';
      const identity = readIdentityFile(process.argv[1]);
      if (identity.sign(new Uint8Array(1)).length !== 64) process.exit(3);
      process.stdout.write('a text in ' + ['memory', process.pid].join(' '));
      process.stdin.on('data', () => process.exit());
    `;
    const args = [...LOADER, '--input-type=module', '-e', program, at('fw1.key')];
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] });
    try {
      const [said] = await once(child.stdout, 'data');
      const wanted = spellings(seedOf(at('fw1.key'))).slice(0, -1);
      const found = textsInMemory(child.pid ?? 0, [String(said), ...wanted]);
      assert.deepEqual(found, [String(said)], 'what the process says is found, and nothing else');
    } finally {
      child.stdin.end('end');
      await once(child, 'exit');
    }
  });
});

/** Which of these texts stand in the writable memory of a process that this user owns. */
function textsInMemory(pid: number, texts: readonly string[]): string[] {
  const found = new Set<string>();
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'latin1').split('\n')) {
      const [, from = '', to = '', rights] = /^([0-9a-f]+)-([0-9a-f]+) (\S+)/.exec(line) ?? [];
      if (rights?.startsWith('rw') !== true) continue;
      const [start, end] = [BigInt(`0x${from}`), BigInt(`0x${to}`)];
      const block = Buffer.alloc(2 ** 20 + 128); // overlapping, for what lies across
      for (let at = start; at < end; at += 2n ** 20n) {
        const length = Number(end - at < BigInt(block.length) ? end - at : BigInt(block.length));
        let bytes = block.subarray(0, 0);
        try {
          bytes = block.subarray(0, readSync(memory, block, 0, length, at));
        } catch {
          continue; // a page that the kernel keeps to itself
        }
        for (const text of texts) if (bytes.includes(text, 0, 'latin1')) found.add(text);
      }
    }
  } finally {
    closeSync(memory);
  }
  return texts.filter((text) => found.has(text));
}

test('K2: a machine that stops in the midst of writing leaves no half of a file, and no half of a pair', async () => {
  await inDirectory(async (at) => {
    // Every write beyond 40 bytes fails or kills, as a full disk or a power cut would at its worst moment.
    const stopped = (...words: string[]) =>
      spawnSync('prlimit', ['--fsize=40', '--core=0', process.execPath, ...CLI, ...words], {
        env: { ...process.env, TSX_DISABLE_CACHE: '1' },
        encoding: 'utf8',
      });
    const first = stopped('key', 'generate', '--out', at('a.key'));
    assert.notEqual(first.status, 0, first.stderr);
    assert.ok(!existsSync(at('a.key')) && !existsSync(at('a.key.pub')));
    await must(['key', 'generate', '--out', at('b.key')]);
    writeFileSync(at('pass'), 'x\n', { mode: 0o600 });
    const before = readFileSync(at('b.key'));
    const second = stopped('key', 'passphrase', at('b.key'), '--new-passphrase-file', at('pass'));
    assert.notEqual(second.status, 0, second.stderr);
    assert.deepEqual(readFileSync(at('b.key')), before);
    symlinkSync(at('nowhere'), at('c.key.pub'));
    assert.match(
      (await portcullis(['key', 'generate', '--out', at('c.key')])).err,
      /c\.key\.pub: there is such/,
    );
    assert.ok(!existsSync(at('c.key')) && !existsSync(at('nowhere')));
    const left = readdirSync(dirname(at('a.key'))).filter((name) => name.startsWith('c.key.new'));
    assert.deepEqual(left, []);
  });
});

test('K4: a key of small or mixed order, off the curve or not canonical is refused at every door', async () => {
  const torsion = Point.fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05');
  const mixed = Point.fromBytes(publicKeyOf(fromHex('07'.repeat(32)))).add(torsion);
  const bad: [string, Uint8Array][] = [
    ['small-order', torsion.toBytes()],
    ['mixed-order', mixed.toBytes()],
    ['not-a-point', fromHex('02'.padEnd(64, '0'))],
    ['not-a-point', fromHex(`ee${'ff'.repeat(30)}7f`)],
  ];
  await inDirectory(async (at) => {
    await must(['key', 'generate', '--out', at('admin.key')]);
    const signed = ['--admin-key', at('admin.key')];
    await must(['cluster', 'init', 'dmz', ...signed, '--out', at('r')]);
    await must(['key', 'generate', '--out', at('fw1.key')]);
    const edit = ['--roster', at('r'), ...signed];
    const address = ['--address', '10.77.1.11:7946'];
    await must(['cluster', 'add', 'fw1', ...edit, '--key', at('fw1.key.pub'), ...address]);
    const before = readFileSync(at('r'));
    for (const [fault, key] of bad) {
      for (const line of [formatPublicKey(key, 'x'), formatOpensshPublicKey(key, 'x')]) {
        writeFileSync(at('bad.pub'), line);
        writeFileSync(at('signer'), `#!/bin/sh\nprintf '%s' '${line}'\n`, { mode: 0o755 });
        const doors = [
          ['key', 'show', at('bad.pub')],
          ['cluster', 'init', 'x', ...signed, '--recovery-key', at('bad.pub'), '--out', at('y')],
          ['cluster', 'init', 'x', '--signer', at('signer'), '--out', at('y')],
          ['cluster', 'init', 'x', '--signer', at('signer'), '--admin', at('bad.pub'), '--out', at('y')],
          ['cluster', 'add', 'fw2', ...edit, '--key', at('bad.pub'), '--address', '10.77.1.12:7946'],
          ['cluster', 'rekey', 'fw1', ...edit, '--key', at('bad.pub')],
          ['cluster', 'recovery', ...edit, '--key', at('bad.pub')],
          ['cluster', 'verify', at('r'), '--admin', at('bad.pub')],
        ];
        for (const words of doors) {
          const { status, err } = await portcullis(words);
          assert.equal(status, 1, words.join(' '));
          assert.ok(err.includes(`the public key is not admitted (${fault})`), `${words.join(' ')}: ${err}`);
        }
      }
    }
    assert.deepEqual(readFileSync(at('r')), before);
    assert.ok(!existsSync(at('y')));
  });
});

test('each K of keys/README.md is held by a test that names it, and no test names another', () => {
  const stated = [...readText('keys/README.md').matchAll(/^- \*\*(K[0-9]+)\*\*/gm)].map(([, id]) => id ?? '');
  assert.ok(stated.length >= 12);
  assert.equal(new Set(stated).size, stated.length);
  const named = new Set<string>();
  for (const file of readdirSync(join(root, 'test/unit')).filter((name) => name.endsWith('.test.ts'))) {
    const titles = readText(`test/unit/${file}`).matchAll(/test\(\s*'((?:K[0-9]+(?:, )?)+):/g);
    for (const [, ids] of titles) for (const id of (ids ?? '').split(', ')) named.add(id);
  }
  assert.deepEqual([...named].sort(), [...stated].sort());
});
