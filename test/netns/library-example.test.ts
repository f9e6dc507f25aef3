/**
 * The worked example of the library (test/example/http), as it is: two hosts in namespaces, a client that fetches a page
 * from the roving address, a master that is killed, and one that is stopped in good order.
 */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type MadeCluster, madeCluster } from '../library/cluster.ts';
import { temporaryDir } from '../unit/cluster-files.ts';
import { Namespaces, needsRoot, until } from './netns.ts';

const INTERVAL_MS = 700;
const LIMIT_MS = 30_000;
const HOSTS = { a: '10.88.1.11', b: '10.88.1.12' } as const;
type Name = keyof typeof HOSTS;

/** Asks for the page ten times a second; a line an answer. */
const CLIENT = `
  const { get } = require('node:http');
  setInterval(() => get({ host: '10.88.1.1', port: 8080, agent: false, timeout: 300 }, (r) => {
    r.on('data', (d) => process.stdout.write(d));
  }).on('error', () => {}).on('timeout', function () { this.destroy(); }), 100);`;

class Pair {
  readonly net = new Namespaces();
  readonly #places: { readonly [N in Name]: string };
  readonly #dir: string;
  readonly #cluster: MadeCluster;
  answers = '';
  output = '';

  constructor(t: TestContext) {
    const { net } = this;
    t.after(() => net.close());
    this.#dir = temporaryDir(t);
    const addresses = { a: `${HOSTS.a}:7946`, b: `${HOSTS.b}:7946` };
    this.#cluster = madeCluster(this.#dir, addresses);
    const lan = net.addSwitch('lan');
    const plugged = (short: string, address: string): string => {
      const place = net.add(short);
      net.plug(place, 'eth0', lan, `p-${short}`);
      net.ip(place, 'addr', 'add', `${address}/24`, 'dev', 'eth0');
      return place;
    };
    this.#places = { a: plugged('a', HOSTS.a), b: plugged('b', HOSTS.b) };
    const client = net.spawn(plugged('client', '10.88.1.100'), process.execPath, '-e', CLIENT);
    client.stdout?.on('data', (chunk: Buffer) => {
      this.answers += chunk.toString();
    });
  }

  start(host: Name): ChildProcess {
    const { admin, rosterFile: roster, keyOf } = this.#cluster;
    const place = { device: 'eth0', address: '10.88.1.1/24', port: 8080, neighbour: '10.88.1.100' };
    const settings = { host, key: keyOf(host), admin, roster, intervalMs: INTERVAL_MS, ...place };
    const file = join(this.#dir, `${host}.json`);
    writeFileSync(file, JSON.stringify(settings));
    const child = this.net.start(this.#places[host], 'test/example/http/server.ts', file);
    child.stdout?.on('data', (chunk: Buffer) => {
      this.output += chunk.toString();
    });
    return child;
  }

  /** Whether the client is answered by that host from now on, within the time. */
  async isAnsweredBy(host: Name): Promise<void> {
    this.answers = '';
    const came = await until(() => this.answers.includes(`${host}\n`), LIMIT_MS);
    assert.ok(came, `${host} does not answer: ${this.output}`);
  }

  hasAddress(host: Name): boolean {
    return this.net.ip(this.#places[host], 'addr').includes('10.88.1.1/24');
  }
}

test('a page is served by one host; when it is killed, by the other; when that one stops, by the first again', {
  skip: needsRoot(),
}, async (t) => {
  const pair = new Pair(t);
  const first = pair.start('a');
  await pair.isAnsweredBy('a');
  const second = pair.start('b');
  const waits = (text: string): Promise<boolean> => until(() => pair.output.includes(text), LIMIT_MS);
  assert.ok(await waits('decide.listening -> backup.watching: master-heard'), pair.output);
  assert.equal(pair.hasAddress('b'), false, 'a backup does not have the address');

  first.kill('SIGKILL');
  await pair.isAnsweredBy('b');
  assert.ok(
    await until(() => !pair.hasAddress('a'), LIMIT_MS),
    'the kernel takes the dead host’s address away',
  );

  pair.output = '';
  pair.start('a');
  assert.ok(await waits('decide.listening -> backup.watching: master-heard'), pair.output);
  // It is asked to take over once the master has heard that it could: with one of the adverts after its own test.
  assert.ok(await waits('checkDownlink: confirmed'), pair.output);
  await sleep(5 * INTERVAL_MS);
  second.kill('SIGTERM');
  await pair.isAnsweredBy('a');
  assert.ok(await until(() => second.exitCode !== null, LIMIT_MS));
  assert.equal(second.exitCode, 0, pair.output);
  assert.equal(pair.hasAddress('b'), false, 'nothing is left behind');
  assert.ok(await waits('service.seeking -> service.shutting: ready'), 'handed over, make before break');
});
