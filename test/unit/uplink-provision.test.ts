/** `portcullis uplink`: what it writes for the boot, and that modprobe itself understands it so. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { dirname } from 'node:path';
import test from 'node:test';
import { unifiedDiff } from '../../src/cli/diff.ts';
import { inDirectory, must, portcullis } from './cli-harness.ts';
import { readText } from './vectors.ts';

const EXAMPLE = readText('systemd/portcullis.toml');
const CARD = 'card = "pci/0000:03:00.0"';
const MODULE = EXAMPLE.replace('activation = "admin"', `activation = "module"\nmodule = "e1000e"\n${CARD}`);
const UNBIND = EXAMPLE.replace('activation = "admin"', `activation = "unbind"\n${CARD}\ndriver = "e1000e"`);

/** A root with both managers of network devices, and the configuration in it. */
async function inRoot(use: (at: (name: string) => string, words: string[]) => Promise<void>): Promise<void> {
  await inDirectory(async (at) => {
    for (const path of ['usr/lib/systemd', 'etc/NetworkManager'])
      mkdirSync(at(`root/${path}`), { recursive: true });
    writeFileSync(at('root/usr/lib/systemd/systemd-networkd'), '');
    await use(at, ['uplink', 'provision', '--config', at('p.toml'), '--root', at('root')]);
  });
}

function text(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

test('provision: shows the difference, asks, writes, is content, follows a change, removes', async () => {
  await inRoot(async (at, words) => {
    const modprobe = at('root/etc/modprobe.d/portcullis.conf');
    const udev = at('root/etc/udev/rules.d/10-portcullis.rules');
    writeFileSync(at('p.toml'), MODULE);
    const shown = await must([...words, '--dry-run']);
    assert.match(shown, /^--- \/dev\/null\n\+\+\+ \/etc\/modprobe\.d\/portcullis\.conf$/m);
    assert.match(shown, /^\+install e1000e \/bin\/false$/m);
    assert.match(shown, /^\+Unmanaged=yes$/m);
    assert.match(shown, /^\+match-device=interface-name:=up0$/m);
    assert.equal(text(modprobe), null);
    const mute = await portcullis(words);
    assert.equal(mute.status, 1);
    assert.match(mute.err, /no terminal to ask on; nothing was changed/);
    const no = await portcullis(words, ['no']);
    assert.equal(no.status, 1);
    assert.equal(text(modprobe), null);
    const yes = await portcullis(words, ['yes']);
    assert.equal(yes.status, 0, yes.err);
    assert.match(yes.err, /run update-initramfs -u/);
    assert.match(text(modprobe) ?? '', /^blacklist e1000e\ninstall e1000e \/bin\/false$/m);
    assert.equal((await portcullis([...words, '--yes'])).err, 'nothing to change\n');
    const again = await portcullis([...words, '--yes', '--update-initramfs']);
    assert.match(again.err, /^nothing to change\n.*run update-initramfs -u -k all in that system/s);
    writeFileSync(at('p.toml'), UNBIND);
    const changed = await must([...words, '--yes', '--group', 'portcullis']);
    assert.match(changed, /^-install e1000e \/bin\/false$/m);
    assert.equal(text(modprobe), null);
    assert.match(text(udev) ?? '', /KERNEL=="0000:03:00\.0", ATTR\{driver_override\}="portcullis-none"/);
    assert.match(text(udev) ?? '', /DEVPATH=="\/bus\/pci\/drivers\/e1000e", RUN\+="\/bin\/chgrp portcullis /);
    writeFileSync(at('p.toml'), 'broken');
    await must([...words, '--remove', '--yes']);
    for (const path of [udev, at('root/etc/systemd/network/05-portcullis.network')])
      assert.equal(text(path), null);
    assert.equal(text(at('root/etc/NetworkManager/conf.d/90-portcullis.conf')), null);
  });
});

test('provision: where the actuator has a unit and a group, it may load the module, or bind the card', async () => {
  await inRoot(async (at, words) => {
    const dropIn = at('root/etc/systemd/system/portcullis-actuator.service.d/uplink.conf');
    mkdirSync(at('root/usr/lib/systemd/system'), { recursive: true });
    writeFileSync(at('root/usr/lib/systemd/system/portcullis-actuator.service'), '');
    writeFileSync(at('root/etc/group'), 'root:x:0:\nportcullis-actuator:x:990:\n');
    writeFileSync(at('p.toml'), MODULE);
    await must([...words, '--yes']);
    assert.match(text(dropIn) ?? '', /^\[Service\]\nCapabilityBoundingSet=CAP_SYS_MODULE$/m);
    writeFileSync(at('p.toml'), UNBIND);
    await must([...words, '--yes']);
    assert.equal(text(dropIn), null);
    const rules = text(at('root/etc/udev/rules.d/10-portcullis.rules')) ?? '';
    assert.match(rules, /RUN\+="\/bin\/chgrp portcullis-actuator \/sys\/bus\/pci\/drivers\/e1000e\/bind /);
  });
});

test('provision: nothing of somebody else’s is overwritten or removed, and nothing is half done', async () => {
  await inRoot(async (at, words) => {
    writeFileSync(at('p.toml'), MODULE);
    const network = at('root/etc/systemd/network/05-portcullis.network');
    mkdirSync(dirname(network), { recursive: true });
    writeFileSync(network, '[Match]\nName=up0\n');
    const refused = await portcullis([...words, '--yes']);
    assert.equal(refused.status, 1);
    assert.match(refused.err, /05-portcullis\.network: was not written by this command/);
    assert.equal(text(at('root/etc/modprobe.d/portcullis.conf')), null);
    await must([...words, '--remove', '--yes']);
    assert.equal(text(network), '[Match]\nName=up0\n');
  });
});

test('provision: a link in the place of a file is somebody else’s, found before anything is written', async () => {
  await inRoot(async (at, words) => {
    writeFileSync(at('p.toml'), MODULE);
    const manager = at('root/etc/NetworkManager/conf.d/90-portcullis.conf');
    mkdirSync(dirname(manager), { recursive: true });
    symlinkSync(at('elsewhere'), manager);
    const refused = await portcullis([...words, '--yes']);
    assert.equal(refused.status, 1);
    assert.match(refused.err, /90-portcullis\.conf: is a link/);
    assert.equal(text(at('root/etc/modprobe.d/portcullis.conf')), null);
    assert.equal(text(at('elsewhere')), null);
  });
});

test('provision: on this host, what would take away what it needs is refused before anything is shown', async () => {
  await inDirectory(async (at) => {
    writeFileSync(at('p.toml'), EXAMPLE.replace('"up0"', '"lo"'));
    const refused = await portcullis(['uplink', 'provision', '--config', at('p.toml'), '--dry-run']);
    assert.deepEqual([refused.status, refused.out], [1, '']);
    assert.match(refused.err, /service firewall: activation "admin" cannot be used: lo is the loopback/);
    assert.match(refused.err, /hint: portcullis uplink plan lo says what is possible/);
  });
});

test('uplink: wrong words are told', async () => {
  await inDirectory(async (at) => {
    writeFileSync(at('p.toml'), MODULE.replace('module = "e1000e"\n', ''));
    const bad = await portcullis(['uplink', 'provision', '--config', at('p.toml'), '--root', at('')]);
    assert.equal(bad.status, 1);
    assert.match(bad.err, /service\.uplink\.module is missing: activation "module" needs it/);
    assert.match(bad.err, /hint: portcullis uplink plan up0 prints the lines/);
    writeFileSync(at('p.toml'), UNBIND);
    const words = ['uplink', 'provision', '--config', at('p.toml')];
    for (const root of [at('nosuch'), at('p.toml')])
      assert.equal((await portcullis([...words, '--root', root])).status, 2);
    assert.equal((await portcullis([...words, '--root', at(''), '--group', 'a b'])).status, 2);
    const absent = await portcullis(['uplink', 'plan', 'nosuch0']);
    assert.equal(absent.status, 1);
    assert.match(absent.err, /there is no network device nosuch0/);
    assert.equal((await portcullis(['uplink', 'plan', '../x'])).status, 2);
    const known = JSON.parse(
      (await portcullis(['uplink', 'plan', 'up0', '--json', '--config', at('p.toml')])).out,
    );
    assert.equal(known.facts.exists, false);
    assert.equal(known.choices.length, 4);
  });
});

test('modprobe: what is written keeps a module from others, by its name and as udev asks, and not from us', async () => {
  await inRoot(async (at, words) => {
    writeFileSync(at('p.toml'), MODULE);
    await must([...words, '--yes']);
    // A tree of modules that modprobe takes for real; it is only asked what it would do.
    const modules = at(`root/lib/modules/${release()}`);
    mkdirSync(`${modules}/kernel`, { recursive: true });
    writeFileSync(`${modules}/kernel/e1000e.ko`, '');
    writeFileSync(`${modules}/modules.dep`, 'kernel/e1000e.ko:\n');
    for (const list of ['modules.order', 'modules.builtin', 'modules.builtin.modinfo'])
      writeFileSync(`${modules}/${list}`, '');
    chmodSync(at('root'), 0o755);
    execFileSync('/sbin/depmod', ['-b', at('root'), release()], { stdio: 'ignore' });
    const wouldDo = (...more: string[]): string =>
      execFileSync(
        '/sbin/modprobe',
        [...['--dry-run', '--verbose', '-C', at('root/etc/modprobe.d'), '-d', at('root')], ...more],
        { encoding: 'utf8' },
      );
    const asUdev = (): string => wouldDo('--use-blacklist', '--ignore-install', '--quiet', 'e1000e');
    assert.match(wouldDo('e1000e'), /^install \/bin\/false/m);
    assert.match(wouldDo('--ignore-install', 'e1000e'), /^insmod .*e1000e\.ko/m);
    // As udev does for what a card calls itself: the blacklist counts, before any install command.
    assert.equal(asUdev(), '');
  });
});

test('a difference reads as diff -u writes it', () => {
  assert.equal(unifiedDiff('/a', 'x\n', 'x\n'), '');
  assert.equal(unifiedDiff('/a', null, 'x\ny\n'), '--- /dev/null\n+++ /a\n@@ -0,0 +1,2 @@\n+x\n+y\n');
  assert.equal(unifiedDiff('/a', 'x\n', null), '--- /a\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-x\n');
  assert.equal(
    unifiedDiff('/a', 'one\ntwo\nthree\n', 'one\n2\nthree\nfour\n'),
    '--- /a\n+++ /a\n@@ -1,3 +1,4 @@\n one\n-two\n+2\n three\n+four\n',
  );
});
