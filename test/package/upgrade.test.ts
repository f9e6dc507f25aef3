/**
 * The package on a running pair: fw1 is a Debian system with systemd of its own in a namespace of the lab, fw2 a host of the lab.
 * Upgrades, a downgrade and a removal while fw1 serves and fw2 is fit: each hands over first, and a client loses nothing by it. No
 * test asserts how long something took.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { eventLines } from '../audit/read.ts';
import { Cluster, type Status } from '../lab/gateway.ts';
import { Household, run, until } from '../lab/process.ts';
import { LAN, planHosts, Topology } from '../lab/topology.ts';
import { Traffic } from '../lab/traffic.ts';
import { needsRoot } from '../netns/netns.ts';
import { sharedPackage, withVersion } from './builder.ts';
import { DebianRoot } from './debian-root.ts';
import { atPackagePlaces } from './places.ts';

const lacks = ['dpkg-deb', 'debootstrap'].find((tool) => spawnSync(tool, ['--version']).error !== undefined);
const skip = needsRoot() || (lacks !== undefined && `needs ${lacks} (.ci/setup vm deb installs it)`);
const PATIENCE_MS = 60_000;
const CONFIG = '/etc/portcullis/portcullis.toml';
const UNITS = ['portcullis-actuator.service', 'portcullis.service'];
/** Busy machines stall. */
const TIMING = ['stall = "500ms"'];
/** A container may not say who is to be spared when memory is short, nor hand credentials over everywhere. */
const DROP_IN = '[Service]\nOOMScoreAdjust=0\nLoadCredential=\nWatchdogSec=30\n';
/** By which a host comes to serve: asked by the master, or since it is silent. */
const TELLING = ['asked', 'silence', 'may-claim', 'gate-open'];

for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

class Pair {
  readonly #household = new Household();
  readonly #topology = new Topology(planHosts(2, false));
  readonly directory = mkdtempSync(join(tmpdir(), 'portcullis-upgrade-'));
  readonly cluster = new Cluster(this.#topology, this.#household, this.directory);
  #root: DebianRoot | null = null;

  get root(): DebianRoot {
    if (this.#root === null) throw new Error('there is no system');
    return this.#root;
  }

  async open(): Promise<void> {
    // The backup's network process, which is nobody's, goes through it.
    chmodSync(this.directory, 0o711);
    await this.#topology.open(true);
    await this.cluster.prepare({ policy: 'available', intervalMs: 1_000, timing: TIMING });
    this.#root = await DebianRoot.open({ network: this.#topology.ns('fw1'), init: true });
  }

  async close(): Promise<void> {
    this.cluster.close();
    await this.#root?.close();
    await this.#household.endAll();
    await this.#topology.close();
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** What fw1's operator brings along. */
  async configure(): Promise<void> {
    const { root, directory } = this;
    const files = {
      'fw1.key': '/etc/portcullis/host.key',
      'admin.key.pub': '/etc/portcullis/admin.pub',
      'roster.cose': '/etc/portcullis/roster.cose',
      'fw1/rules.v4': '/etc/portcullis/rules.v4',
      'fw1/rules.v6': '/etc/portcullis/rules.v6',
    };
    for (const [from, to] of Object.entries(files)) copyFileSync(join(directory, from), root.path(to));
    this.write(atPackagePlaces(readFileSync(this.cluster.config('fw1'), 'utf8')));
    await root.must('chown', '-R', 'root:portcullis', '/etc/portcullis');
    await root.must('chown', 'portcullis', '/etc/portcullis/host.key');
    await root.must('chmod', '600', '/etc/portcullis/host.key');
    for (const unit of UNITS) {
      await root.must('mkdir', '-p', `/etc/systemd/system/${unit}.d`);
      writeFileSync(root.path(`/etc/systemd/system/${unit}.d/test.conf`), DROP_IN);
    }
    await root.must('systemctl', 'daemon-reload');
  }

  write(configuration: string): void {
    writeFileSync(this.root.path(CONFIG), configuration);
  }

  status(): Promise<Status | null> {
    return new Promise((resolve) => {
      const socketPath = this.root.path('/run/portcullis/control.sock');
      const ask = request({ socketPath, path: '/v1/status', timeout: 2_000 }, (answer) => {
        let text = '';
        answer.on('data', (chunk) => {
          text += chunk;
        });
        answer.on('end', () => resolve(JSON.parse(text) as Status));
      });
      ask.on('timeout', () => ask.destroy());
      ask.on('error', () => resolve(null));
      ask.end();
    });
  }

  async waitFor(what: string, isSo: () => Promise<boolean>): Promise<void> {
    if (await until(isSo, PATIENCE_MS, 100)) return;
    const { stdout } = await this.root.run('journalctl', '-b', '-n', '60', '--no-pager', '-o', 'cat');
    const beside = await run(['tail', '-n', '20', join(this.directory, 'fw2', 'daemon.log')]);
    const seen = JSON.stringify(await this.status());
    throw new Error(`${what} did not come about: ${seen}; ${stdout}; fw2: ${beside.stdout}`);
  }

  async isServing(): Promise<boolean> {
    return (await this.status())?.services[0]?.state === 'service';
  }

  /** fw1 serves, and would hand over to fw2. */
  async settle(): Promise<void> {
    await this.waitFor('a master with a fit backup', async () => {
      const service = (await this.status())?.services[0];
      const isFit = service?.table?.some(({ host, fit }) => host === 'fw2' && fit) === true;
      return service?.state === 'service' && isFit;
    });
  }

  /** fw2 serves, and gives the service back as soon as fw1 is fit. */
  async takeBack(): Promise<void> {
    await this.waitFor('a fit fw1', async () => {
      const table = (await this.cluster.status('fw2'))?.services[0]?.table;
      return table?.some(({ host, fit }) => host === 'fw1' && fit) === true;
    });
    await this.cluster.handOver('fw2');
    await this.settle();
  }

  /** Why fw2 went from place to place, as far as it tells how it came to serve. */
  causes(): string[] {
    return eventLines(join(this.directory, 'fw2', 'state')).flatMap((line) => {
      const { kind, data } = JSON.parse(line) as { kind: string; data: { cause?: string } };
      return kind === 'transition' && TELLING.includes(data.cause ?? '') ? [data.cause ?? ''] : [];
    });
  }

  /** fw2 came to serve once since then, asked by the master; its log is written a moment after what it tells of. */
  async wasAsked(before: number): Promise<void> {
    const since = (): string[] => this.causes().slice(before);
    await until(async () => since().includes('gate-open'), PATIENCE_MS, 100);
    assert.deepEqual(since(), ['asked', 'gate-open']);
  }

  startTraffic(): Promise<Traffic> {
    return Traffic.start(this.#topology, this.#household);
  }

  /** When both units were started last. */
  async starts(): Promise<number[]> {
    const words = ['systemctl', 'show', '-P', 'ActiveEnterTimestampMonotonic', ...UNITS];
    const [actuator = 0, network = 0] = (await this.root.must(...words))
      .split('\n')
      .filter(Boolean)
      .map(Number);
    return [actuator, network];
  }

  async addresses(): Promise<string> {
    return (await run(['ip', '-n', this.#topology.ns('fw1'), '-o', 'addr'])).stdout;
  }
}

test('a master with a fit backup: upgrade, refused downgrade, removal', { skip }, async (t) => {
  const pair = new Pair();
  const work = mkdtempSync(join(tmpdir(), 'portcullis-life-'));
  t.after(() => rmSync(work, { recursive: true, force: true }));
  try {
    const old = await sharedPackage();
    const later = await withVersion(old, '99.0', work);
    await pair.open();
    const { root } = pair;
    await root.install(old);
    await pair.configure();
    pair.cluster.start('fw2');
    await root.run('systemctl', 'start', ...UNITS);
    await pair.waitFor('a cluster', async () => {
      const [mine, other] = [await pair.status(), await pair.cluster.status('fw2')];
      return [mine, other].some((status) => status?.services[0]?.state === 'service');
    });
    if (!(await pair.isServing())) await pair.takeBack();
    await pair.settle();
    const traffic = await pair.startTraffic();
    await traffic.begin();

    await t.test(
      'an upgrade hands over first, restarts both processes, the actuator first, and stays a backup',
      async () => {
        const [, networkBefore = 0] = await pair.starts();
        const causes = pair.causes().length;
        const said = await root.install(later);
        assert.doesNotMatch(said, /the former program goes on/);
        assert.match(await root.must('dpkg-query', '-W', '-f', '$' + '{Version}', 'portcullis'), /^99/);
        await pair.waitFor(
          'a fit backup',
          async () => (await pair.status())?.services[0]?.state === 'backup',
        );
        assert.equal((await pair.cluster.status('fw2', 5_000))?.services[0]?.state, 'service');
        await pair.wasAsked(causes);
        const [actuator = 0, network = 0] = await pair.starts();
        assert.ok(
          actuator > networkBefore && network > actuator,
          JSON.stringify({ networkBefore, actuator, network }),
        );
        await pair.takeBack();
      },
    );

    await t.test(
      'a version that refuses the configuration leaves the former program serving, and says what to type',
      async () => {
        const right = readFileSync(root.path(CONFIG), 'utf8');
        pair.write(right.replace('[timing]', '[timing]\nnext_years_key = 1'));
        const before = await pair.starts();
        const said = await root.install(old);
        assert.match(said, /portcullis\.toml:\d+: timing\.next_years_key is no key that is known here/);
        assert.match(said, /the former program goes on: the new one was not started/);
        assert.ok(await pair.isServing());
        assert.deepEqual(await pair.starts(), before);
        const line = /then: (systemctl restart .*)$/m.exec(said)?.[1] ?? '';
        pair.write(right);
        const causes = pair.causes().length;
        await root.must(...line.split(' '));
        await pair.wasAsked(causes);
        await pair.takeBack();
      },
    );

    await t.test(
      'a restart of the actuator alone is one of both: the network process hands over first',
      async () => {
        const [, before = 0] = await pair.starts();
        const causes = pair.causes().length;
        await root.must('systemctl', 'restart', 'portcullis-actuator');
        assert.deepEqual(pair.causes().slice(causes), ['asked', 'gate-open']);
        await pair.takeBack();
        const [actuator = 0, network = 0] = await pair.starts();
        assert.ok(actuator > before && network > actuator, JSON.stringify({ before, actuator, network }));
      },
    );

    await t.test('a removal hands over first, and leaves no address, table or socket', async () => {
      const causes = pair.causes().length;
      await root.must('dpkg', '--force-unsafe-io', '-r', 'portcullis');
      assert.equal((await pair.cluster.status('fw2', 5_000))?.services[0]?.state, 'service');
      await pair.wasAsked(causes);
      assert.ok(!(await pair.addresses()).includes(` ${LAN.roving}/`));
      assert.doesNotMatch(await root.must('nft', 'list', 'tables'), /portcullis/);
      assert.equal(await root.must('find', '/run/portcullis', '-type', 's'), '');
    });

    const { sent, lost, outageMs, tcpSurvived } = await traffic.end();
    t.diagnostic(
      `${lost} of ${sent} datagrams lost in six planned handovers, at most ${outageMs} ms in one piece`,
    );
    assert.ok(tcpSurvived, 'the long transfer went through whole');
  } finally {
    await pair.close();
  }
});
