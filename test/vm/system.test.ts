/**
 * The Debian package and its units under a real systemd, in an emulated machine with a disk of its own: boot, install, start, a hang
 * that only the watchdog can end, an upgrade and a removal while it serves, a boot with the uplink's driver kept out, and a purge. No test
 * asserts how long something took.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { BOOT_FILES } from '../../src/linux/uplink/boot-files.ts';
import { until } from '../lab/process.ts';
import { boxesOf } from '../pages.ts';
import { needsMachines } from './needs.ts';
import { hasRoving, LATER_VERSION, SystemGuest } from './system.ts';

const PATIENCE_MS = 120_000;
// The network's end takes all that runs in it along.
for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

test('systemd: install, start, watchdog, upgrade, removal, boot with the uplink kept down, purge', {
  skip: needsMachines(),
}, async (t) => {
  const system = await SystemGuest.open();
  try {
    await system.boot();
    await t.test('an unprovisioned boot loads the uplink’s driver', async () => {
      assert.equal(await system.hasUplink(), true);
    });
    await t.test('the units start, and the host serves', async () => {
      await system.install();
      await system.provision();
      await system.start();
      assert.equal(await system.hasUplink(), true);
      assert.equal(hasRoving(await system.addresses()), true);
    });
    await t.test(
      'a network process that hangs loses its uplink at once, and is ended by the watchdog',
      async () => {
        await system.freeze();
        assert.ok(
          await until(async () => !(await system.hasUplink()), PATIENCE_MS, 200),
          'the uplink is absent',
        );
        const restarted = async (): Promise<boolean> =>
          (await system.property('portcullis.service', 'NRestarts')) !== '0';
        assert.ok(await until(restarted, PATIENCE_MS, 500), await system.journal());
        await system.waitForService();
        // Now, since it would only hold up the start.
        for (const { lines } of boxesOf(import.meta.filename, 'spec/control.md'))
          for (const line of lines)
            assert.match(await system.type(line), /portcullis\.service: Watchdog timeout/, line);
      },
    );
    await t.test('an upgrade restarts both processes, in that order, and the host serves again', async () => {
      const before = await system.starts();
      const said = await system.upgrade();
      assert.doesNotMatch(said, /the former program goes on/);
      await system.waitForService();
      const after = await system.starts();
      assert.ok(
        after.actuator > before.actuator && after.network > after.actuator,
        JSON.stringify({ before, after }),
      );
      assert.equal(after.socket, before.socket, 'the socket between them stays');
      assert.equal(await system.version(), LATER_VERSION);
      assert.equal(await system.property('portcullis.service', 'Result'), 'success');
    });
    await t.test(
      'a removal stops the units, which leaves nothing: no address, uplink, rule or socket',
      async () => {
        const said = await system.remove();
        assert.match(said, /the uplink's driver stays out/);
        assert.equal(hasRoving(await system.addresses()), false);
        assert.equal(await system.hasUplink(), false);
        assert.equal(await system.leftovers(['/usr/lib/portcullis', '/usr/bin/portcullis']), '');
      },
    );
    await t.test('the next boot leaves the uplink’s driver out, and nobody sends there', async () => {
      await system.powerOff();
      await system.boot();
      assert.equal(await system.hasUplink(), false);
      assert.notEqual(
        (await system.channel.run(['modprobe', 'e1000e'])).code,
        0,
        'modprobe by hand is refused',
      );
      assert.equal(await system.hasUplink(), false);
      assert.equal(await system.uplinkFrames(), 0);
    });
    await t.test('a purge leaves no key and no file of ours, and says so', async () => {
      const said = await system.purge();
      assert.match(said, /removed \/etc\/portcullis\/host\.key \(private key of this host\)/);
      assert.match(said, /removed \/var\/lib\/portcullis/);
      assert.match(said, /left: \/etc\/portcullis\/rules\.v4/);
      const gone = ['/usr/lib/portcullis', '/var/lib/portcullis', '/run/portcullis', ...BOOT_FILES];
      assert.equal(await system.leftovers(gone), '');
    });
  } finally {
    await system.close();
  }
});
