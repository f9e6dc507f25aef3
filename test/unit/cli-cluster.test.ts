/** Changes of a roster by the command line: every kind, what is refused, and what is known of how far one has come. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import { inDirectory, must, portcullis } from './cli-harness.ts';

type At = (name: string) => string;

/** Keys `admin`, `recovery` and more, and a cluster of fw1, fw2 and the witness w: version 4. */
async function madeCluster(at: At, ...moreKeys: string[]): Promise<void> {
  for (const name of ['admin', 'recovery', 'fw1', 'fw2', 'w', ...moreKeys])
    await must(['key', 'generate', '--out', at(`${name}.key`)]);
  await must([
    'cluster',
    'init',
    'dmz',
    ...signed(at),
    '--recovery-key',
    at('recovery.key.pub'),
    '--out',
    at('r'),
  ]);
  await must([...edit(at, 'add', 'fw1'), '--key', at('fw1.key.pub'), '--address', '10.77.1.11:7946']);
  await must([...edit(at, 'add', 'fw2'), '--key', at('fw2.key.pub'), '--address', '10.77.1.12:7946']);
  const witness = ['--key', at('w.key.pub'), '--address', '10.77.1.13:7946', '--role', 'witness'];
  await must([...edit(at, 'add', 'w'), ...witness]);
}
const signed = (at: At, key = 'admin') => ['--admin-key', at(`${key}.key`)];
const edit = (at: At, verb: string, ...words: string[]) => [
  'cluster',
  verb,
  ...words,
  '--roster',
  at('r'),
  ...signed(at),
];
const shown = async (at: At) => JSON.parse(await must(['cluster', 'show', at('r'), '--json']));
const keyOf = async (path: string): Promise<string> =>
  JSON.parse(await must(['key', 'show', path, '--json'])).fingerprint;
const hosts = (roster: { members: { host: string }[] }) => roster.members.map(({ host }) => host);

test('K11: remove, revoke, rekey, set, recovery, floor: each is one version that says so in the history', async () => {
  await inDirectory(async (at) => {
    await madeCluster(at, 'new', 'recovery-2');
    await must([
      ...edit(at, 'set', 'fw2'),
      '--priority',
      '7',
      '--address',
      '[fd00::12]:7946',
      '--role',
      'witness',
    ]);
    await must([...edit(at, 'rekey', 'fw1'), '--key', at('new.key.pub')]);
    const overlap = await shown(at);
    assert.equal(overlap.members[0].fingerprint, await keyOf(at('new.key.pub')));
    assert.equal(overlap.members[0].formerFingerprint, await keyOf(at('fw1.key.pub')));
    await must([...edit(at, 'rekey', 'fw1'), '--drop-old']);
    await must(edit(at, 'revoke', 'w'));
    await must(edit(at, 'remove', 'fw2'));
    await must([...edit(at, 'recovery'), '--key', at('recovery-2.key.pub')]);
    const roster = await shown(at);
    assert.deepEqual([roster.version, hosts(roster)], [10, ['fw1']]);
    assert.equal(roster.revoked.length, 2, 'the former key of fw1 and that of w');
    assert.equal(roster.recovery, await keyOf(at('recovery-2.key.pub')));
    assert.match(
      (await portcullis([...edit(at, 'add', 'w'), '--key', at('w.key.pub'), '--address', '10.77.1.13:7946']))
        .err,
      /which is revoked/,
    );
    await must([...edit(at, 'add', 'fw2'), '--key', at('fw2.key.pub'), '--address', '10.77.1.12:7946']);
    assert.match(await must(edit(at, 'floor', '2')), /^floor {3}2: who speaks a lower protocol number/m);
    assert.doesNotMatch(await must(edit(at, 'floor', '1')), /^floor/m);

    const { versions } = JSON.parse(await must(['cluster', 'show', at('r'), '--history', '--json']));
    const story: string[] = versions.map((version: { changes: string[] }) => version.changes.join('; '));
    const expected = [
      /^cluster dmz made, admin key SHA256:.*, recovery key SHA256:/,
      /^fw1 added: gateway, priority 100, 10\.77\.1\.11:7946, SHA256:/,
      /^fw2 added/,
      /^w added: witness/,
      /^fw2: role witness; fw2: priority 7; fw2: addresses \[fd00::12\]:7946$/,
      /^fw1: key changed to SHA256:.*; fw1: the former key still counts$/,
      /^fw1: the former key counts no longer; 1 key revoked$/,
      /^w removed; 1 key revoked$/,
      /^fw2 removed$/,
      /^recovery key changed to SHA256:/,
      /^fw2 added/,
      /^protocol floor 2$/,
      /^protocol floor 1$/,
    ];
    assert.equal(story.length, expected.length);
    for (const [i, pattern] of expected.entries()) assert.match(story[i] ?? '', pattern);
    const text = await must(['cluster', 'show', at('r'), '--history']);
    assert.equal(text.split('\n').filter((line) => line.startsWith('version ')).length, 13);
    await must(['cluster', 'verify', at('r'), '--admin', at('admin.key.pub')]);
    const others = await portcullis(['cluster', 'verify', at('r'), '--admin', at('fw1.key.pub')]);
    assert.equal(others.status, 1);
    assert.match(others.err, /hint: it names SHA256:\S+ as its admin key; the given one is SHA256:/);
  });
});

test('K10: rotate-admin: by the old key, by the recovery key; who signed before signs no more', async () => {
  await inDirectory(async (at) => {
    await madeCluster(at, 'admin-2', 'admin-3');
    const rotate = ['cluster', 'rotate-admin', '--roster', at('r')];
    const second = ['--new-key', at('admin-2.key')];
    const wrong: [number, RegExp, string[]][] = [
      [2, /give --new-key FILE or --new-signer/, signed(at)],
      [2, /no key to sign with/, second],
      [2, /exclude each other/, [...second, ...signed(at), '--recovery-key', at('recovery.key')]],
      [1, /is not its recovery key/, [...second, '--recovery-key', at('fw1.key')]],
      [
        1,
        /not signed by the admin key that was given\n.*its admin key is/,
        [...second, ...signed(at, 'fw1')],
      ],
      [1, /that is the admin key already/, ['--new-key', at('admin.key'), ...signed(at)]],
      [1, /has the key SHA256:.* twice/, ['--new-key', at('fw1.key'), ...signed(at)]],
    ];
    const before = readFileSync(at('r'));
    for (const [status, message, words] of wrong) {
      const outcome = await portcullis([...rotate, ...words]);
      assert.match(outcome.err, message);
      assert.equal(outcome.status, status, String(message));
    }
    assert.deepEqual(readFileSync(at('r')), before);
    await must([...rotate, ...second, ...signed(at)]);
    assert.match(
      (await portcullis(edit(at, 'remove', 'w'))).err,
      /not signed by the admin key that was given/,
    );
    await must([...rotate, '--new-key', at('admin-3.key'), '--recovery-key', at('recovery.key')]);
    await must(['cluster', 'remove', 'w', '--roster', at('r'), ...signed(at, 'admin-3')]);
    assert.deepEqual((await shown(at)).admins, [await keyOf(at('admin-3.key.pub'))]);
    const verify = (...words: string[]) => portcullis(['cluster', 'verify', at('r'), ...words]);
    for (const name of ['admin', 'admin-2', 'admin-3'])
      assert.equal((await verify('--admin', at(`${name}.key.pub`))).status, 0, name);
    const former = await verify('--admin-fingerprint', await keyOf(at('admin.key.pub')));
    assert.equal(former.status, 1);
    const [next, present] = [await keyOf(at('admin-2.key.pub')), await keyOf(at('admin-3.key.pub'))];
    assert.ok(former.err.includes(`was the admin key of versions 1 to 4; a rotation to ${next} followed`));
    const between = await verify('--admin-fingerprint', next);
    assert.ok(
      between.err.includes(`was the admin key of versions 5 to 5; a rotation to ${present} followed`),
    );
    assert.equal(former.out + between.out, '', 'nothing that reads as verified');
    assert.equal((await verify('--admin-fingerprint', present)).status, 0);
    assert.equal((await verify('--admin-fingerprint', await keyOf(at('recovery.key.pub')))).status, 1);
  });
});

test('what cannot be meant changes nothing and says why', async () => {
  await inDirectory(async (at) => {
    await madeCluster(at);
    const before = readFileSync(at('r'));
    const wrong: [number, RegExp, string[]][] = [
      [1, /no host fw9 in the roster\n.*it has fw1, fw2, w/, edit(at, 'remove', 'fw9')],
      [1, /no host fw9/, [...edit(at, 'set', 'fw9'), '--priority', '1']],
      [2, /not a host name/, edit(at, 'revoke', 'FW1')],
      [2, /one step at a time/, edit(at, 'rekey', 'fw1')],
      [2, /one step at a time/, [...edit(at, 'rekey', 'fw1'), '--drop-old', '--key', at('w.key.pub')]],
      [1, /no key of fw1 is being exchanged/, [...edit(at, 'rekey', 'fw1'), '--drop-old']],
      [1, /fw1 has that key already/, [...edit(at, 'rekey', 'fw1'), '--key', at('fw1.key.pub')]],
      [1, /has the key .* twice/, [...edit(at, 'rekey', 'fw1'), '--key', at('fw2.key.pub')]],
      [2, /nothing to change/, edit(at, 'set', 'fw1')],
      [
        2,
        /fw1 has 2 addresses, the others have 1/,
        [...edit(at, 'set', 'fw1'), '--address', '10.0.0.1:1,10.0.0.2:1'],
      ],
      [2, /no recovery key is named/, edit(at, 'recovery')],
      [2, /no protocol number of this software: "3"\n.*1 to 2/, edit(at, 'floor', '3')],
      [2, /no protocol number/, edit(at, 'floor', '0x2')],
      [2, /--priority: "-1" is no priority/, [...edit(at, 'set', 'fw1'), '--priority=-1']],
    ];
    for (const [status, message, words] of wrong) {
      const outcome = await portcullis(words);
      assert.match(outcome.err, message);
      assert.equal(outcome.status, status, String(message));
      assert.equal(outcome.out, '');
    }
    assert.deepEqual(readFileSync(at('r')), before);
  });
});

test('K9: R21 at the admin’s desk: on top of a change of voters that is given out and not settled, only with --force', async () => {
  await inDirectory(async (at) => {
    await madeCluster(at, 'fw3', 'fw4');
    const add = (host: string, n: number, ...more: string[]) =>
      portcullis([
        ...edit(at, 'add', host),
        '--key',
        at(`${host}.key.pub`),
        '--address',
        `10.77.1.${n}:7946`,
        ...more,
      ]);
    const status = at('r.status.json');
    const settledIs = async () => (await shown(at)).settled;
    assert.deepEqual(JSON.parse(readFileSync(status, 'utf8')), { pushed: null, settled: null });
    assert.equal(await settledIs(), 4, 'a draft is settled at once');
    await must(['cluster', 'bundle', 'fw1', '--roster', at('r'), '--out', at('b')]);
    const noted = JSON.parse(readFileSync(status, 'utf8'));
    assert.deepEqual(noted, { pushed: { version: 4, hash: (await shown(at)).hash }, settled: null });
    assert.match(
      await must(['cluster', 'show', at('r')]),
      /version 4 was given out, none is known to be settled/,
    );
    assert.equal(
      (await add('fw3', 14)).status,
      0,
      'the first change after that is one that hosts can settle',
    );
    const before = readFileSync(at('r'));
    for (const words of [edit(at, 'remove', 'w'), edit(at, 'revoke', 'w')]) {
      const { err, status: exit } = await portcullis(words);
      assert.match(err, /version 5 changes who votes, and is not known to be settled\n.*--force/);
      assert.equal(exit, 1);
    }
    assert.deepEqual(readFileSync(at('r')), before);
    await must([...edit(at, 'set', 'fw1'), '--priority', '9']);
    const mark = (version: number, hash: string) => ({ version, hash });
    const write = (one: object | null) =>
      writeFileSync(status, `${JSON.stringify({ pushed: one, settled: one })}\n`);
    const { hash } = await shown(at);
    for (const [wrong, message] of [
      [mark(6, 'a'.repeat(64)), /version 6 changes who votes, and is not known/],
      [null, /version 6 changes who votes, and is not known/],
      [mark(7, hash), /knows of version 7, and the roster ends with 6\n.*take the newest roster/],
      [6, /not the status of a roster\n.*remove it/],
    ] as const) {
      write(wrong as object | null);
      assert.match((await add('fw4', 15)).err, message);
    }
    write(mark(6, hash));
    const followed = await add('fw4', 15);
    assert.equal(followed.status, 0, 'a confirmed one may be followed');
    assert.match(followed.err, /asserts that version 6 is settled, on the word of .*r\.status\.json/);
    assert.equal((await add('fw4', 15)).status, 1);
    const forced = await portcullis([...edit(at, 'remove', 'w'), '--force']);
    assert.equal(forced.status, 0);
    assert.match(forced.err, /asserts that version 8 is settled, on your word \(--force\)/);
    assert.equal(await settledIs(), 8, 'forced: settled at once');
    writeFileSync(status, 'rubbish');
    assert.match(
      (await portcullis(edit(at, 'remove', 'fw4'))).err,
      /not the status of a roster\n.*remove it/,
    );
  });
});

test('a directory that cannot be written leaves no roster without a status and no bundle that is not noted', async () => {
  await inDirectory(async (at) => {
    await madeCluster(at);
    mkdirSync(at('other.status.json'));
    const init = await portcullis(['cluster', 'init', 'other', ...signed(at), '--out', at('other')]);
    assert.match(init.err, /error: .*other\.status\.json: cannot be written \(EISDIR\)\n.*hint/);
    assert.equal(init.status, 1);
    assert.ok(!existsSync(at('other')));
    const before = readFileSync(at('r.status.json'));
    renameSync(at('r'), at('s'));
    mkdirSync(at('s.status.json'));
    const bundle = ['cluster', 'bundle', 'fw1', '--roster', at('s'), '--out', at('b')];
    assert.match((await portcullis(bundle)).err, /error: .*s\.status\.json: not a regular file/);
    assert.ok(!existsSync(at('b')));
    assert.deepEqual(readFileSync(at('r.status.json')), before);
    renameSync(at('s'), at('r'));
    const drafted = await portcullis([...edit(at, 'set', 'fw1'), '--priority', '5', '--json']);
    assert.match(drafted.err, /asserts that version 5 is settled, since by .*r\.status\.json no host has/);
  });
});

test('K2: an existing status, roster or bundle is not overwritten by a new cluster', async () => {
  await inDirectory(async (at) => {
    await madeCluster(at);
    const init = await portcullis(['cluster', 'init', 'other', ...signed(at), '--out', at('r')]);
    assert.match(init.err, /there is such a file already/);
    writeFileSync(at('taken'), 'x');
    const bundle = await portcullis(['cluster', 'bundle', 'fw1', '--roster', at('r'), '--out', at('taken')]);
    assert.match(bundle.err, /there is such a file already/);
    assert.equal(readFileSync(at('taken'), 'utf8'), 'x');
    assert.deepEqual(JSON.parse(readFileSync(at('r.status.json'), 'utf8')), { pushed: null, settled: null });
    assert.match(
      (await portcullis(['cluster', 'bundle', 'fw9', '--roster', at('r'), '--out', at('b')])).err,
      /no host fw9 in it/,
    );
    assert.ok(!existsSync(at('b')));
  });
});

test('slips are told as what they are: a public file for a private one, a torn roster, a version that nobody has', async () => {
  await inDirectory(async (at) => {
    await madeCluster(at, 'new');
    const told = async (words: string[]): Promise<string> => {
      const { status, err } = await portcullis(words);
      assert.ok(status === 1 || status === 2, words.join(' '));
      return err;
    };
    writeFileSync(at('empty'), '');
    for (const name of ['r', 'fw1.key.pub', 'empty'])
      assert.match(await told(['key', 'passphrase', at(name)]), /is not a private key/);
    assert.match(await told(['key', 'show', at('r')]), /is not a private key/);
    const added = [...edit(at, 'add', 'fw9'), '--key', at('new.key.pub'), '--address'];
    assert.match(await told([...added, '127.0.0.2:7946']), /no other host reaches it/);
    assert.match(await told([...added, '[fe80::1]:7946']), /good on one link alone/);
    assert.match(await told([...added, '[::1]:7946']), /no other host reaches it/);
    assert.match(await told([...added, '10.77.1.11:7946']), /twice\n.*hint: nothing was written/);
    await must(['cluster', 'bundle', 'fw1', '--roster', at('r'), '--out', at('bundle')]);
    await must([...added, '10.77.1.19:7946']);
    assert.match(await told(edit(at, 'remove', 'fw9')), /was it a slip, .* take version 4 back/);
    writeFileSync(at('torn'), readFileSync(at('r')).subarray(0, 700));
    assert.match(await told(['cluster', 'show', at('torn')]), /not a whole .*\n.*take a copy/);
  });
});
