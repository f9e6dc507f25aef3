/**
 * The Debian package's life on a Debian system in which nothing runs: installed, upgraded, downgraded, removed, purged. What a running
 * host does meanwhile is seen in an emulated machine (test/vm/system.test.ts).
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { isOurs, MODPROBE_FILE, UDEV_FILE } from '../../src/linux/uplink/boot-files.ts';
import { needsRoot } from '../netns/netns.ts';
import { boxesOf, typedOf, wordsOf } from '../pages.ts';
import { PROJECT } from '../programs.ts';
import { sharedPackage, withVersion } from './builder.ts';
import { DebianRoot } from './debian-root.ts';

const lacks = ['dpkg-deb', 'debootstrap'].find((tool) => spawnSync(tool, ['--version']).error !== undefined);
const skip = needsRoot() || (lacks !== undefined && `needs ${lacks} (.ci/setup vm deb installs it)`);
const MARK = '# Written by portcullis uplink provision; changed and removed by it alone.\n';

// Of dpkg-query.
const FORMAT = '$' + '{Version}';
const CONFIG = '/etc/portcullis/portcullis.toml';
const KEPT = {
  [CONFIG]:
    'cluster = "dmz"\nkey = "/etc/portcullis/fw1.key"\nstate = "/var/lib/portcullis"\n[service.firewall]\nrules = "/etc/portcullis/rules.v4"\n',
  '/etc/portcullis/fw1.key': 'private',
  '/etc/portcullis/fw1.key.pub': 'public',
  '/etc/portcullis/host.key': 'private',
  '/etc/portcullis/admin.pub': 'public',
  '/etc/portcullis/admin.key': 'the admin’s own',
  '/etc/portcullis/roster.cose': 'roster',
  '/etc/portcullis/rules.v4': 'rules',
  '/var/lib/portcullis/log/000000000001.log': 'evidence',
  '/var/lib/portcullis/roster.cose': 'newer roster',
  [MODPROBE_FILE]: `${MARK}blacklist e1000e\n`,
  [UDEV_FILE]: '# somebody else’s\n',
};

async function write(root: DebianRoot, files: { readonly [path: string]: string }): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await root.must('mkdir', '-p', path.replace(/\/[^/]*$/, ''));
    await root.must('sh', '-c', 'printf %s "$1" > "$2"', 'sh', text, path);
  }
}

async function assertKept(root: DebianRoot): Promise<void> {
  for (const [path, text] of Object.entries(KEPT)) assert.equal(await root.must('cat', path), text, path);
}

/** Types the boxes of a page for that machine, each line in the directory with the package; nothing is started, for nothing runs there. */
async function follow(root: DebianRoot, page: string, machine: string): Promise<void> {
  const boxes = boxesOf(import.meta.filename, page).filter(({ where }) => where === machine);
  assert.ok(boxes.length > 0, `${page}: ${machine}`);
  for (const line of boxes.flatMap(({ lines }) => lines))
    await root.must('env', '--chdir=/incoming', ...wordsOf(typedOf(line)).filter((word) => word !== '--now'));
}

const exists = async (root: DebianRoot, path: string): Promise<boolean> =>
  (await root.run('test', '-e', path)).code === 0;
const versionOf = (root: DebianRoot): Promise<string> =>
  root.must('dpkg-query', '-W', '-f', FORMAT, 'portcullis');

test('installed, upgraded, downgraded, removed, purged: nothing is started, lost or left unsaid', {
  skip,
}, async (t) => {
  assert.ok(isOurs(`${MARK}`));
  const work = mkdtempSync(join(tmpdir(), 'portcullis-life-'));
  t.after(() => rmSync(work, { recursive: true, force: true }));
  const old = await sharedPackage();
  const later = await withVersion(old, '99.0', work);
  const root = await DebianRoot.open();
  try {
    await t.test('a fresh installation makes users and directories, and enables nothing', async () => {
      assert.match(
        await root.install(old),
        /not started: there is no \/etc\/portcullis\/portcullis\.toml yet/,
      );
      assert.match(await root.must('portcullis', '--version'), /^\d+\.\d+\.\d+\n$/);
      for (const user of ['portcullis', 'portcullis-actuator'])
        assert.match(await root.must('getent', 'passwd', user), /nologin$/m);
      assert.equal(
        (await root.must('stat', '-c', '%a %U %G', '/etc/portcullis')).trim(),
        '750 root portcullis',
      );
      assert.equal(
        await root.must('sh', '-c', 'ls /etc/portcullis; find /etc/systemd/system -name "*portcullis*"'),
        '',
      );
      assert.equal(await root.must('dpkg', '--verify', 'portcullis'), '');
    });
    await t.test(
      'the lines of the pages: installed by apt, a witness enabled, tables taken away',
      async () => {
        // The same again: that it is there already changes nothing for apt.
        await follow(root, 'spec/installation.md', 'fw1');
        await follow(root, 'spec/installation.md', 'w');
        assert.equal((await root.must('systemctl', 'is-enabled', 'portcullis-witness')).trim(), 'enabled');
        await root.must('systemctl', 'disable', 'portcullis-witness');
        for (const family of ['inet', 'arp'])
          await root.must('nft', 'add', 'table', family, 'portcullis_dmz');
        await follow(root, 'spec/procedures.md', 'fw1');
        assert.equal(await root.must('nft', 'list', 'tables'), '');
      },
    );
    await t.test(
      'upgrade and downgrade touch no configuration, key, roster or log, and nothing that is enabled',
      async () => {
        await write(root, KEPT);
        await root.must('systemctl', 'enable', 'portcullis.service', 'portcullis-actuator.socket');
        const links = (): Promise<string> =>
          root.must('find', '/etc/systemd/system', '-name', '*portcullis*');
        const enabled = await links();
        assert.match(enabled, /multi-user\.target\.wants\/portcullis\.service/);
        for (const [deb, version] of [
          [later, /^99\.0$/],
          [old, /^0\./],
        ] as const) {
          await root.install(deb);
          assert.match(await versionOf(root), version);
          await assertKept(root);
          assert.equal(await links(), enabled);
        }
      },
    );
    await t.test('a removal takes the program, what it holds in the kernel, and nothing else', async () => {
      for (const table of ['inet portcullis_dmz', 'arp portcullis_dmz', 'inet another'])
        await root.must('nft', 'add', 'table', ...table.split(' '));
      const said = await root.must('dpkg', '--force-unsafe-io', '-r', 'portcullis');
      assert.match(
        said,
        /kept: configuration and keys in \/etc\/portcullis, roster and log in \/var\/lib\/portcullis/,
      );
      assert.match(said, /your standby rules stay in the kernel/);
      assert.match(said, /the uplink's driver stays out/);
      assert.equal((await root.must('nft', 'list', 'tables')).trim(), 'table inet another');
      await assertKept(root);
      for (const path of [
        '/usr/lib/portcullis',
        '/usr/bin/portcullis',
        '/usr/lib/systemd/system/portcullis.service',
      ])
        assert.equal(await exists(root, path), false, path);
      await root.install(old);
      await assertKept(root);
    });
    await t.test('a purge names each key and file that it removes, and each that it leaves', async () => {
      const said = await root.must('dpkg', '--force-unsafe-io', '-P', 'portcullis');
      const lines = said.split('\n').filter((line) => line.startsWith('portcullis: '));
      for (const line of [
        'removed /etc/portcullis/host.key (private key of this host)',
        'removed /etc/portcullis/fw1.key (private key of this host)',
        'removed /var/lib/portcullis (event log, rosters)',
        `removed ${MODPROBE_FILE}`,
        'left: /etc/portcullis/admin.key (a private key that this package did not make)',
        'left: /etc/portcullis/rules.v4',
      ])
        assert.ok(lines.includes(`portcullis: ${line}`), `${line} in ${said}`);
      const gone = lines.flatMap((line) => /^portcullis: removed (\S+)/.exec(line)?.[1] ?? []);
      for (const path of Object.keys(KEPT)) {
        const isGone = gone.some((prefix) => path === prefix || path.startsWith(`${prefix}/`));
        assert.equal(await exists(root, path), !isGone, path);
      }
      const left = await root.must(
        ...['find', '/etc', '/usr', '/var', '/run', '-name', '*portcullis*'],
        ...['-not', '-path', '/etc/portcullis*'],
      );
      assert.deepEqual(left.trim().split('\n'), [UDEV_FILE]);
    });
    await t.test('a key and a log that the configuration has elsewhere are left, and told', async () => {
      await root.install(old);
      const elsewhere = { '/root/keys/fw1.key': 'private', '/srv/portcullis/log/1.log': 'evidence' };
      const config = 'key   = \'/root/keys/fw1.key\'\nstate = "/srv/portcullis"\n';
      await write(root, { ...elsewhere, [CONFIG]: config });
      const said = await root.must('dpkg', '--force-unsafe-io', '-P', 'portcullis');
      assert.match(said, /left: \/root\/keys\/fw1\.key \(private key of this host\)/);
      assert.match(said, /left: \/srv\/portcullis \(event log, rosters\)/);
      for (const path of Object.keys(elsewhere)) assert.ok(await exists(root, path), path);
    });
    await t.test('a key that is named with a slip takes nothing along', async () => {
      await write(root, { '/tmp/postrm': readFileSync(join(PROJECT, 'systemd/debian/postrm'), 'utf8') });
      for (const key of [
        '/etc/portcullis/',
        '/etc/portcullis/../another.key',
        '/etc/portcullis/sub/fw1.key',
      ]) {
        const others = { '/etc/another.key': 'not ours', '/etc/portcullis/sub/fw1.key': 'a copy' };
        await write(root, { ...others, [CONFIG]: `key = "${key}"\n` });
        const said = await root.must('sh', '/tmp/postrm', 'purge');
        assert.ok(said.includes(`left: ${key} (named as the private key of this host)`), said);
        for (const path of Object.keys(others)) assert.ok(await exists(root, path), path);
      }
    });
  } finally {
    await root.close();
  }
});

test('without the package: the user and the directory that it would have made, by the page’s lines', {
  skip,
}, async () => {
  const root = await DebianRoot.open();
  try {
    await follow(root, 'spec/installation.md', 'bare');
    assert.match(await root.must('getent', 'passwd', 'portcullis'), /nologin$/m);
    assert.equal(
      (await root.must('stat', '-c', '%a %U %G', '/etc/portcullis')).trim(),
      '750 root portcullis',
    );
  } finally {
    await root.close();
  }
});
