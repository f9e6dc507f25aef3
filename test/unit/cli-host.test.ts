/** The bundle and `host join`: a host becomes a member in two commands; tampering, strangers and haste are refused. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import fc from 'fast-check';
import { loadConfig } from '../../src/daemon/config/read.ts';
import { BUNDLE_MAX_BYTES, decodeBundle, encodeBundle } from '../../src/trust/bundle.ts';
import { inDirectory, modeOf, must, portcullis } from './cli-harness.ts';
import { toHex } from './vectors.ts';

type At = (name: string) => string;

/** An admin's directory and one of each host with its key; fw1 and w are in the roster, fw1.bundle is made. */
async function prepared(at: At): Promise<{ admin: string; join: (...words: string[]) => string[] }> {
  for (const host of ['fw1', 'w']) {
    mkdirSync(at(host));
    await must(['key', 'generate', '--out', at(`${host}/${host}.key`)]);
  }
  const made = await must(['key', 'generate', '--out', at('admin.key'), '--json']);
  await must(['cluster', 'init', 'dmz', '--admin-key', at('admin.key'), '--out', at('r')]);
  await add(at, 'fw1', '10.77.1.11:7946,[fd00:77:1::11]:7946');
  await add(at, 'w', '10.77.1.13:7946,[fd00:77:1::13]:7946', '--role', 'witness');
  await bundle(at, 'fw1', 'b');
  const join = (...words: string[]) => ['host', 'join', at('b'), '--dir', at('fw1'), ...words];
  return { admin: JSON.parse(made).fingerprint, join };
}
const add = (at: At, host: string, address: string, ...more: string[]) => {
  const signed = ['--roster', at('r'), '--admin-key', at('admin.key')];
  const key = ['--key', at(`${host}/${host}.key.pub`)];
  return must(['cluster', 'add', host, ...signed, ...key, '--address', address, ...more]);
};
const bundle = (at: At, host: string, name: string) =>
  must(['cluster', 'bundle', host, '--roster', at('r'), '--out', at(name), '--json']);

test('fw1 joins: roster, admin key and a configuration that lacks only what its operator alone knows', async () => {
  await inDirectory(async (at) => {
    const { admin, join } = await prepared(at);
    const said = JSON.parse(await must(join('--admin-fingerprint', admin, '--json')));
    assert.deepEqual(
      said.files.map((file: { action: string }) => file.action),
      ['written', 'written', 'written'],
    );
    assert.equal(said.version, 3);
    assert.deepEqual(readFileSync(at('fw1/roster.cose')), readFileSync(at('r')));
    const names = ['admin.pub', 'fw1.key', 'fw1.key.pub', 'portcullis.toml', 'roster.cose'];
    assert.deepEqual(readdirSync(at('fw1')).sort(), names);
    assert.equal(modeOf(at('fw1/fw1.key')), '600');

    const config = at('fw1/portcullis.toml');
    const checked = await portcullis(['check', '--config', config]);
    assert.equal(checked.status, 1);
    assert.match(checked.err, /device/);
    assert.match(checked.err, /service/);
    // What the operator fills in: the comments taken away where the file says so.
    const filled = readFileSync(config, 'utf8')
      .replaceAll(/^# device = "eth0"/gm, 'device = "eth0"')
      .replace(/^# \[\[service\]\][\s\S]*$/m, (block) => block.replaceAll(/^# /gm, ''))
      .replace('"/etc/portcullis/rules.v4"', JSON.stringify(at('rules')));
    writeFileSync(config, filled);
    writeFileSync(at('rules'), '*filter\nCOMMIT\n');
    const { config: loaded, notes } = loadConfig(config);
    assert.deepEqual(notes, []);
    assert.equal(loaded.roster.version, 3);
  });
});

test('K8: a second run with the same bundle changes nothing; a longer roster of the same cluster is taken', async () => {
  await inDirectory(async (at) => {
    const { admin, join } = await prepared(at);
    await must(join('--admin-fingerprint', admin));
    writeFileSync(at('fw1/portcullis.toml'), '# mine\n');
    const actions = async () =>
      JSON.parse(await must(join('--admin-fingerprint', admin, '--json'))).files.map(
        (file: { action: string }) => file.action,
      );
    assert.deepEqual(await actions(), ['left', 'left', 'left']);
    assert.equal(readFileSync(at('fw1/portcullis.toml'), 'utf8'), '# mine\n');
    const short = readFileSync(at('b'));
    const signed = ['--roster', at('r'), '--admin-key', at('admin.key')];
    await must(['cluster', 'set', 'fw1', ...signed, '--priority', '1']);
    rmSync(at('b'));
    await bundle(at, 'fw1', 'b');
    assert.deepEqual(await actions(), ['updated', 'left', 'left']);
    assert.deepEqual(readFileSync(at('fw1/roster.cose')), readFileSync(at('r')));
    writeFileSync(at('b'), short);
    assert.deepEqual(await actions(), ['left', 'left', 'left'], 'an older bundle takes nothing back');
    assert.deepEqual(readFileSync(at('fw1/roster.cose')), readFileSync(at('r')));
  });
});

test('K8: the admin key must be confirmed: by its fingerprint, or by typing yes; else nothing is written', async () => {
  await inDirectory(async (at) => {
    const { admin, join } = await prepared(at);
    const other = JSON.parse(await must(['key', 'show', at('fw1/fw1.key.pub'), '--json'])).fingerprint;
    const wrong: [number, RegExp, string[], string[]][] = [
      [
        1,
        /the admin key of this bundle is SHA256:.*, not SHA256:.*\n.*do not join/,
        ['--admin-fingerprint', other],
        [],
      ],
      [2, /not a fingerprint/, ['--admin-fingerprint', 'SHA256:x'], []],
      [1, /no terminal to confirm/, [], []],
      [1, /not confirmed; nothing was written/, [], ['y']],
      [1, /not confirmed; nothing was written/, [], ['']],
    ];
    for (const [status, message, words, typed] of wrong) {
      const outcome = await portcullis(join(...words), typed);
      assert.match(outcome.err, message);
      assert.equal(outcome.status, status, String(message));
      assert.ok(!existsSync(at('fw1/roster.cose')) && !existsSync(at('fw1/admin.pub')));
    }
    const outcome = await portcullis(join(), ['yes']);
    assert.equal(outcome.status, 0, outcome.err);
    assert.ok(outcome.err.includes(admin), 'the fingerprint is shown before it is asked for');
  });
});

test('K7, K8: the private key must be here before, and be the roster’s; it is in no file that travels', async () => {
  await inDirectory(async (at) => {
    const { admin, join } = await prepared(at);
    const confirmed = ['--admin-fingerprint', admin];
    const failure = async (...words: string[]) => {
      const { status, err } = await portcullis(words);
      assert.equal(status, 1);
      return err;
    };
    assert.match(
      await failure(...join(...confirmed, '--dir', at('w'))),
      /fw1\.key must be here|must be here first/,
    );
    assert.match(
      await failure(...join(...confirmed, '--key', at('w/w.key'))),
      /is the key SHA256:.*, not SHA256:/,
    );
    chmodSync(at('fw1/fw1.key'), 0o644);
    assert.match(await failure(...join(...confirmed)), /others can read this private key/);
    chmodSync(at('fw1/fw1.key'), 0o600);
    assert.ok(!existsSync(at('fw1/roster.cose')));
    const pem = readFileSync(at('fw1/fw1.key'), 'latin1').split('\n')[1] ?? '';
    const seed = toHex(Buffer.from(pem, 'base64').subarray(-32));
    for (const travels of ['b', 'r', 'fw1/fw1.key.pub']) {
      const bytes = readFileSync(at(travels));
      assert.ok(!bytes.toString('hex').includes(seed) && !bytes.includes(pem), travels);
    }
  });
});

test('K7: a bundle says host and roster, nothing that root would run; the skeleton is this program’s own', async () => {
  await inDirectory(async (at) => {
    await prepared(at);
    const result = decodeBundle(readFileSync(at('b')));
    assert.ok(result.ok);
    assert.deepEqual(Object.keys(result.bundle).sort(), ['host', 'roster']);
    assert.deepEqual(Buffer.from(result.bundle.roster), readFileSync(at('r')));
  });
});

test('K8: files of another cluster are not replaced', async () => {
  await inDirectory(async (at) => {
    const { admin, join } = await prepared(at);
    await must(['key', 'generate', '--out', at('other.key')]);
    await must(['cluster', 'init', 'dmz', '--admin-key', at('other.key'), '--out', at('other')]);
    writeFileSync(at('fw1/roster.cose'), readFileSync(at('other')));
    const run = () => portcullis(join('--admin-fingerprint', admin));
    assert.match((await run()).err, /roster\.cose: holds another roster\n.*nothing is overwritten/);
    rmSync(at('fw1/roster.cose'));
    writeFileSync(at('fw1/admin.pub'), readFileSync(at('other.key.pub')));
    assert.match((await run()).err, /admin\.pub: holds another admin key/);
    assert.ok(!existsSync(at('fw1/roster.cose')), 'all is judged before the first file is written');
    rmSync(at('fw1/admin.pub'));
    assert.equal((await run()).status, 0);
  });
});

test('after a change of the admin key a new host confirms the new one; a host from before keeps what leads to it', async () => {
  await inDirectory(async (at) => {
    const { admin, join } = await prepared(at);
    await must(join('--admin-fingerprint', admin));
    const second = JSON.parse(
      await must(['key', 'generate', '--out', at('admin-2.key'), '--json']),
    ).fingerprint;
    const keys = ['--admin-key', at('admin.key'), '--new-key', at('admin-2.key')];
    await must(['cluster', 'rotate-admin', '--roster', at('r'), ...keys]);
    rmSync(at('b'));
    await bundle(at, 'fw1', 'b');
    assert.match((await portcullis(join('--admin-fingerprint', admin))).err, /the paper is old/);
    const again = await portcullis(join('--admin-fingerprint', second));
    assert.equal(again.status, 0);
    assert.match(again.err, /holds a former admin key/);
    rmSync(at('fw1/admin.pub'));
    await must(join('--admin-fingerprint', second));
    await must(['cluster', 'verify', at('fw1/roster.cose'), '--admin', at('fw1/admin.pub')]);
  });
});

test('K8: every changed, cut or added byte of a bundle is refused, and no host joins by it', async () => {
  await inDirectory(async (at) => {
    const { admin, join } = await prepared(at);
    const sound = readFileSync(at('b'));
    for (let at = 0; at < sound.length; at++) {
      const changed = Uint8Array.from(sound);
      changed[at] = (changed[at] ?? 0) ^ 0x20;
      assert.ok(!decodeBundle(changed).ok, `byte ${at}`);
      assert.ok(!decodeBundle(sound.subarray(0, at)).ok, `cut at ${at}`);
    }
    const tampered: [RegExp, Uint8Array][] = [
      [/damaged|not a bundle/, sound.subarray(0, sound.length - 1)],
      [/damaged|not a bundle/, Buffer.concat([sound, Buffer.from([0])])],
      [/not a bundle/, readFileSync(at('r'))],
      [/not a bundle/, new Uint8Array()],
      [/longer than/, new Uint8Array(BUNDLE_MAX_BYTES + 1)],
      [/holds no roster/, encodeBundle({ host: 'fw1', roster: new Uint8Array() })],
      [/has no host fw9/, encodeBundle({ host: 'fw9', roster: readFileSync(at('r')) })],
      [/must be here first/, encodeBundle({ host: 'w', roster: readFileSync(at('r')) })],
      [
        /version 3: not a whole signed version/,
        encodeBundle({ host: 'fw1', roster: readFileSync(at('r')).subarray(0, -3) }),
      ],
      [
        /version \d: the signature does not hold/,
        encodeBundle({
          host: 'fw1',
          roster: Uint8Array.from(readFileSync(at('r')), (byte, i) => (i === 500 ? byte ^ 1 : byte)),
        }),
      ],
    ];
    for (const [message, bytes] of tampered) {
      writeFileSync(at('b'), bytes);
      const { status, err } = await portcullis(join('--admin-fingerprint', admin));
      assert.match(err, message);
      assert.equal(status, 1);
      assert.ok(!existsSync(at('fw1/roster.cose')), String(message));
    }
  });
});

test('property: any bytes give a bundle or a reason', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
      decodeBundle(noise);
      const bytes = encodeBundle({ host: 'fw1', roster: noise });
      const back = decodeBundle(bytes);
      assert.ok(back.ok);
      assert.deepEqual(back.bundle.roster, noise);
    }),
    { numRuns: 300 },
  );
});
