/**
 * keys/README.md, followed to the letter: every line of its blocks is run, in the order of the page, on machines that
 * are directories here. What the page says of the outcome is looked at where it stands.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import { openControl } from '../../src/daemon/control.ts';
import { parsePublicKey } from '../../src/trust/keys.ts';
import { verifyRosterFile } from '../../src/trust/roster.ts';
import { mergeRoster } from '../../src/trust/roster-merge.ts';
import { type Block, boxesOf, wordsOf } from '../pages.ts';
import { inDirectory, modeOf, must, portcullis } from './cli-harness.ts';

class Ceremony {
  #phrase = 'correct horse battery';
  readonly #at: (name: string) => string;
  #fw1: { close(): unknown } | null = null;
  readonly commands = new Set<string>();

  constructor(at: (name: string) => string) {
    this.#at = at;
    mkdirSync(at('stick'));
  }

  machine(name: string): string {
    const directory = this.#at(name);
    if (!existsSync(directory)) mkdirSync(`${directory}/etc`, { recursive: true });
    return directory;
  }

  async run(block: Block): Promise<void> {
    if (block.where.startsWith('file=')) {
      const text = `${block.lines.join('\n')}\n`;
      writeFileSync(`${this.machine('admin')}/${block.where.slice(5)}`, text, { mode: 0o755 });
      return;
    }
    const directory = this.machine(block.where);
    process.chdir(directory);
    for (const line of block.lines) await this.#line(line, directory);
  }

  async #line(line: string, directory: string): Promise<void> {
    const paper = line.includes('SHA256:PAPER') ? await this.#paper() : '';
    const [program = '', ...words] = wordsOf(line).map((word) =>
      word
        .replace('/etc/portcullis', `${directory}/etc/portcullis`)
        .replace('/media/stick', this.#at('stick'))
        .replace('SHA256:PAPER', paper),
    );
    if (program !== 'portcullis') {
      assert.match(program, /^(cp|mv|rm|install|ssh-keygen)$/, line);
      const { status, stderr } = spawnSync(program, words, { encoding: 'utf8' });
      assert.equal(status, 0, `${line}: ${stderr}`);
      return;
    }
    this.commands.add(words.slice(0, 2).join(' '));
    if (words[1] === 'join') words.push('--dir', `${directory}/etc/portcullis`); // the default is this machine's own
    await this.#portcullis(line, words);
  }

  async #portcullis(line: string, words: readonly string[]): Promise<void> {
    const fresh = 'staple battery horse';
    const typed =
      words[1] === 'passphrase' ? [this.#phrase, fresh, fresh] : Array<string>(4).fill(this.#phrase);
    const { status, err } = await portcullis(words, typed);
    assert.equal(status, 0, `${line}: ${err}`);
    if (words[1] === 'passphrase') this.#phrase = fresh;
  }

  /** What stands on the paper by now: the fingerprint of the present admin key. */
  async #paper(): Promise<string> {
    return JSON.parse(await must(['cluster', 'show', this.#at('stick/roster.cose'), '--json'])).admins[0];
  }

  /** The operator fills the configuration in, and fw1's daemon runs: its control socket and its judgement of rosters. */
  async startFw1(): Promise<void> {
    const file = this.#at('fw1/etc/portcullis/portcullis.toml');
    const socket = this.#at('control.sock');
    const filled = readFileSync(file, 'utf8')
      .replaceAll(/^# device = "eth0"/gm, 'device = "eth0"')
      .replace(/^# \[\[service\]\][\s\S]*$/m, (block) => block.replaceAll(/^# /gm, ''))
      .replace('/run/portcullis/control.sock', socket);
    writeFileSync(file, filled);
    const bytes = readFileSync(this.#at('fw1/etc/portcullis/roster.cose'));
    const admin = JSON.parse(await must(['key', 'show', this.#at('fw1/etc/portcullis/admin.pub'), '--json']));
    const key = parsePublicKey(admin.publicKey);
    const first = key.ok ? verifyRosterFile(bytes, key.publicKey) : assert.fail(key.fault);
    let held = first.ok ? first.roster : assert.fail(first.reason);
    const rosters = {
      // The other hosts are told at once, and all of them show that they have it.
      report: () => ({
        version: held.version,
        hash: Buffer.from(held.hash).toString('hex'),
        settled: held.version,
        confirmed: held.members.map(({ name }) => name),
        unreached: [],
      }),
      offer: async (offered: Uint8Array) => {
        const merge = mergeRoster(held, offered);
        if (merge.kind === 'refused') return merge.reason;
        if (merge.kind === 'same') return null;
        if (merge.kind !== 'taken') return merge.kind;
        held = merge.roster;
        return null;
      },
    };
    const handlers = { status: () => ({}), order: () => null, rosters };
    this.#fw1 = await openControl(socket, handlers, false);
  }

  async stop(): Promise<void> {
    await this.#fw1?.close();
  }
}

test('the ceremony of keys/README.md, every line of it', async () => {
  const blocks = boxesOf(import.meta.filename, 'keys/README.md');
  assert.ok(blocks.length > 30);
  const home = process.cwd();
  await inDirectory(async (at) => {
    const ceremony = new Ceremony(at);
    const roster = async () => JSON.parse(await must(['cluster', 'show', at('stick/roster.cose'), '--json']));
    const fingerprint = async (path: string) =>
      JSON.parse(await must(['key', 'show', at(path), '--json'])).fingerprint;
    /** What must hold after the last block under a heading. */
    const after: { readonly [heading: string]: () => Promise<void> } = {
      'First set-up: two firewalls and a witness': async () => {
        assert.equal((await roster()).members.length, 3);
        for (const host of ['fw1', 'fw2', 'w']) {
          assert.equal(modeOf(at(`${host}/etc/portcullis/host.key`)), '600');
          assert.ok(existsSync(at(`${host}/etc/portcullis/portcullis.toml`)));
        }
        await ceremony.startFw1();
        assert.match(readFileSync(at('admin/admin.key'), 'utf8'), /ENCRYPTED/);
      },
      'Removing a host, as planned': async () => {
        assert.equal((await roster()).members.length, 3);
        assert.equal((await roster()).revoked.length, 0);
      },
      'A new key for a host (rekey)': async () => {
        const { members, revoked } = await roster();
        assert.equal(members[1].fingerprint, await fingerprint('fw2/etc/portcullis/host.key.pub'));
        assert.equal(revoked.length, 1);
      },
      'A host’s key is lost or stolen': async () => {
        const { members, revoked } = await roster();
        assert.equal(members.length, 3);
        assert.equal(revoked.length, 2);
      },
      'The admin key is lost, or its pass phrase': async () => {
        assert.deepEqual((await roster()).admins, [await fingerprint('admin/admin-3.key.pub')]);
      },
      'The admin key is stolen': async () => {
        assert.equal((await roster()).recovery, await fingerprint('admin/recovery-2.key.pub'));
        const trusted = await fingerprint('fw1/etc/portcullis/admin.pub');
        assert.equal(trusted, await fingerprint('admin/admin-3.key.pub'));
      },
      'A token, an HSM, an agent': async () => {
        const { admins, members } = await roster();
        assert.deepEqual(admins, [await fingerprint('admin/token.key.pub')]);
        assert.equal(members[0].priority, 210);
      },
      'Keys of OpenSSH': async () => {
        assert.equal(await fingerprint('admin/id-again.pub'), await fingerprint('admin/id.pub'));
      },
    };
    const done = new Set<string>();
    try {
      for (const [i, block] of blocks.entries()) {
        await ceremony.run(block);
        const { heading } = block;
        if (blocks[i + 1]?.heading === heading) continue;
        await after[heading]?.();
        done.add(heading);
      }
    } finally {
      await ceremony.stop();
      process.chdir(home);
    }
    for (const heading of Object.keys(after)) assert.ok(done.has(heading), `no heading ${heading}`);
    const groups = ['key generate', 'key show', 'key import-ssh', 'key export-ssh', 'key passphrase'];
    const verbs = ['init', 'add', 'remove', 'revoke', 'rekey', 'rotate-admin', 'recovery', 'set', 'show'];
    for (const verb of [...verbs, 'verify', 'bundle', 'push']) groups.push(`cluster ${verb}`);
    for (const command of [...groups, 'host join'])
      assert.ok(ceremony.commands.has(command), `${command} is not in the ceremony`);
  });
});
