/** The initial file systems are made anew, and looked into afterwards: the tool ends well also when it did nothing. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { type InitramfsTools, remakeInitramfs } from '../../src/linux/uplink/initramfs.ts';

const FILE = 'etc/modprobe.d/portcullis.conf';

/** A host with these initial file systems, by name, and what each has in it afterwards. */
function host(images: { readonly [name: string]: string }, status = 0): InitramfsTools & { said: string[] } {
  const said: string[] = [];
  return {
    said,
    run: async (tool, args) => {
      said.push([tool, ...args].join(' '));
      if (tool === 'update-initramfs') return { status, output: '', errors: 'no space left' };
      return { status: 0, output: `bin\n${images[args[0]?.slice('/boot/'.length) ?? '']}\n`, errors: '' };
    },
    boot: () => ['vmlinuz-6.1.0-1', 'initrd.img-6.1.0-1.old', 'grub', ...Object.keys(images)],
  };
}

test('every kernel’s is made anew and looked into', async () => {
  const both = host({ 'initrd.img-6.1.0-1': FILE, 'initrd.img-6.12.1': FILE });
  assert.deepEqual(await remakeInitramfs(true, both), [
    '/boot/initrd.img-6.1.0-1',
    '/boot/initrd.img-6.12.1',
  ]);
  assert.equal(both.said[0], 'update-initramfs -u -k all');
  assert.deepEqual(await remakeInitramfs(true, host({})), [], 'a host may have none');
});

test('one that was left behind is an error, whatever the tool said', async () => {
  const behind = host({ 'initrd.img-6.1.0-1': 'lib', 'initrd.img-6.12.1': FILE });
  await assert.rejects(remakeInitramfs(true, behind), {
    message: /^\/boot\/initrd\.img-6\.1\.0-1: still without \/etc\/modprobe\.d\/portcullis\.conf/,
    hint: /update-initramfs -u -k all by hand/,
  });
  await assert.rejects(remakeInitramfs(false, behind), /initrd\.img-6\.12\.1: still with/);
});

test('a tool that is missing, or fails, is told with the remedy', async () => {
  await assert.rejects(remakeInitramfs(true, host({}, 1)), /failed; the files were written: no space left/);
  const none: InitramfsTools = { run: () => null, boot: () => [] };
  await assert.rejects(remakeInitramfs(true, none), {
    message: /is not installed/,
    hint: /install initramfs-tools/,
  });
});
