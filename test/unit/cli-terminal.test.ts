/** Questions on a real terminal: what is secret is not shown, and every way to end leaves the terminal as it was. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import { decodePrivateKey } from '../../src/trust/keys.ts';
import { inDirectory, must } from './cli-harness.ts';
import { programWords, TerminalSession } from './terminal-session.ts';

const PHRASE = 'nobody-prints-this';
const STACK = /\n\s+at |node:internal|EAGAIN|Error:/;

async function ended(session: TerminalSession, status: number): Promise<string> {
  const end = await session.end();
  assert.doesNotMatch(session.seen, STACK);
  assert.equal(end.status, status, session.seen);
  assert.ok(end.echoes, `the terminal was not put back: ${session.seen}`);
  assert.ok(!session.seen.includes(PHRASE), `a pass phrase was shown: ${session.seen}`);
  return session.seen;
}

const opens = (path: string, phrase: string): boolean =>
  decodePrivateKey(readFileSync(path), Buffer.from(phrase)).ok;

/** key generate --passphrase with these keys typed at both questions. */
async function generated(path: string, keys: string, status = 0): Promise<string> {
  const session = new TerminalSession(['key', 'generate', '--out', path, '--passphrase']);
  await session.answer('new pass phrase: ', keys);
  if (status === 0) await session.answer('the same again: ', keys);
  return ended(session, status);
}

test('K3: a new pass phrase is asked for twice on the terminal, without echo', async () => {
  await inDirectory(async (at) => {
    await generated(at('k'), `${PHRASE}\r`);
    assert.ok(opens(at('k'), PHRASE));
    const differing = new TerminalSession(['key', 'generate', '--out', at('d'), '--passphrase']);
    await differing.answer('new pass phrase: ', `${PHRASE}\r`);
    await differing.answer('the same again: ', `${PHRASE}!\r`);
    assert.match(await ended(differing, 1), /error: the two pass phrases differ/);
    assert.ok(!existsSync(at('d')));
  });
});

test('a pass phrase in UTF-8, with what was typed wrong taken back by character or as a whole', async () => {
  await inDirectory(async (at) => {
    await generated(at('k'), `lost\x15${PHRASE}-schlüß\x7fß…\x7f\x08ssel\n`);
    assert.ok(opens(at('k'), `${PHRASE}-schlüssel`));
    // Nothing is left to take back.
    await generated(at('l'), `a\x7f\x7f\x7f${PHRASE}\r`);
    assert.ok(opens(at('l'), PHRASE));
  });
});

test('Ctrl-C, Ctrl-D and too much at a question: a clear end, the terminal as it was, no key', async () => {
  await inDirectory(async (at) => {
    assert.match(await generated(at('k'), `${PHRASE}\x03`, 130), /error: interrupted/);
    assert.match(await generated(at('k'), '\x04', 1), /error: the pass phrase is empty/);
    const long = PHRASE.repeat(100);
    assert.match(await generated(at('k'), `${long}\r`, 1), /error: the answer is longer than 1024 bytes/);
    assert.ok(!existsSync(at('k')));
  });
});

test('a command that signs asks for the pass phrase of the admin key, once', async () => {
  await inDirectory(async (at) => {
    writeFileSync(at('pass'), `${PHRASE}\n`, { mode: 0o600 });
    await must(['key', 'generate', '--out', at('admin'), '--passphrase-file', at('pass')]);
    await must(['key', 'generate', '--out', at('fw1')]);
    const signed = ['--admin-key', at('admin')];
    await must(['cluster', 'init', 'dmz', ...signed, '--passphrase-file', at('pass'), '--out', at('r')]);
    const add = ['cluster', 'add', 'fw1', '--roster', at('r'), ...signed, '--key', `${at('fw1')}.pub`];
    const session = new TerminalSession([...add, '--address', '10.77.1.11:7946']);
    await session.answer('pass phrase of ', `${PHRASE}\r`);
    assert.match(await ended(session, 0), /cluster dmz, version 2, 1 host\r/);
  });
});

test('K8: host join shows the fingerprint and goes on at yes alone', async () => {
  await inDirectory(async (at) => {
    mkdirSync(at('fw1'));
    await must(['key', 'generate', '--out', at('admin')]);
    await must(['key', 'generate', '--out', at('fw1/fw1.key')]);
    const signed = ['--roster', at('r'), '--admin-key', at('admin')];
    await must(['cluster', 'init', 'dmz', '--admin-key', at('admin'), '--out', at('r')]);
    const key = ['--key', at('fw1/fw1.key.pub'), '--address', '10.77.1.11:7946'];
    await must(['cluster', 'add', 'fw1', ...signed, ...key]);
    await must(['cluster', 'bundle', 'fw1', '--roster', at('r'), '--out', at('b')]);
    const join = async (keys: string, status: number): Promise<string> => {
      const session = new TerminalSession(['host', 'join', at('b'), '--dir', at('fw1')]);
      await session.answer('type yes: ', keys);
      return ended(session, status);
    };
    assert.match(await join('no\n', 1), /not confirmed; nothing was written/);
    assert.match(await join('\x04', 1), /not confirmed; nothing was written/);
    await join('\x03', 130);
    assert.match(await join(`${'y'.repeat(2000)}\n`, 1), /longer than 1024 bytes/);
    assert.ok(!existsSync(at('fw1/roster.cose')));
    assert.match(await join('yes\n', 0), /fw1 is a host of cluster dmz/);
    assert.deepEqual(readFileSync(at('fw1/roster.cose')), readFileSync(at('r')));
  });
});

/** What a shell says of a command line in which `portcullis` is the program; its own status is the last line. */
function inShell(line: string): string {
  const command = programWords()
    .map((word) => `'${word}'`)
    .join(' ');
  const script = `portcullis() { ${command} "$@"; echo "status $?" >&2; }; ${line}`;
  const { stdout, stderr } = spawnSync('sh', ['-c', script], { encoding: 'utf8', timeout: 60_000 });
  return stdout + stderr;
}

test('a reader that is gone ends nothing with a stack trace; a full disk is a failure', async () => {
  await inDirectory(async (at) => {
    await must(['key', 'generate', '--out', at('k')]);
    // The reader is gone before the first byte is written.
    assert.equal(inShell(`{ sleep 1; portcullis key show ${at('k')}; } | true`), 'status 0\n');
    const full = inShell(`portcullis key show ${at('k')} > /dev/full`);
    assert.match(full, /error: standard output cannot be written \(ENOSPC\)\n.*hint: .*\nstatus 1/);
    assert.doesNotMatch(full, STACK);
  });
});
