/** Rule sets loaded by programs that wait for them, and not read back while nobody else has changed a rule. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import test, { type TestContext } from 'node:test';
import type { ActuatorConfig } from '../../src/linux/config.ts';
import { Fixture, RULES } from './linux-fixture.ts';
import { needsRoot } from './netns.ts';

const skip = needsRoot();
const IPTABLES = '/usr/sbin/iptables';

const NAT = ['*nat', ':POSTROUTING ACCEPT [0:0]', '-A POSTROUTING -o up0 -j MASQUERADE', 'COMMIT', ''].join(
  '\n',
);

interface Said {
  readonly verdict: string;
  readonly detail: string;
  readonly started: number;
  readonly tookMs: number;
  readonly generation: number | null;
  readonly isDue: boolean;
}

class Held {
  readonly f = new Fixture();
  #say: (word: string) => Promise<Said> = () => Promise.reject(new Error('not begun'));

  constructor(t: TestContext) {
    t.after(() => this.f.close());
  }

  /** Both families, with a table for translation before the filter. */
  begin(): void {
    const { f } = this;
    writeFileSync(`${f.directory}/rules.v4`, `${NAT}${RULES}`);
    writeFileSync(`${f.directory}/rules.v6`, RULES.replace('icmp', 'ipv6-icmp'));
    const firewall = { rules: `${f.directory}/rules.v4`, rules6: `${f.directory}/rules.v6` };
    const config: ActuatorConfig = f.config(
      {},
      { firewall: { ...firewall, standbyRules: null, standbyRules6: null } },
    );
    const child = f.net.start(f.gw, 'test/netns/rules-runner.ts', JSON.stringify(config));
    if (child.stdout === null) throw new Error('no output');
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    this.#say = async (word) => {
      child.stdin?.write(`${word}\n`);
      return JSON.parse((await lines.next()).value ?? '{}') as Said;
    };
  }

  say(word: 'serving' | 'standby' | 'check' | 'look' | 'refused'): Promise<Said> {
    return this.#say(word);
  }

  iptables(...args: string[]): string {
    return this.f.net.exec(this.f.gw, IPTABLES, ...args);
  }

  /** All rules of both families, without counters and comments. */
  saved(where = this.f.gw): string[] {
    const all = ['/usr/sbin/iptables-save', '/usr/sbin/ip6tables-save'].map((tool) =>
      this.f.net.exec(where, tool),
    );
    return all
      .join('')
      .split('\n')
      .filter((line) => !line.startsWith('#'))
      .map((line) => line.replace(/\[.*/, ''));
  }

  /** Changes exactly when that table is loaded anew. */
  handle(table: string): string {
    const listed = this.f.net.exec(this.f.gw, '/usr/sbin/nft', '-a', 'list', 'table', 'ip', table);
    return / # handle (\d+)/.exec(listed)?.[1] ?? assert.fail(listed);
  }
}

test('a takeover starts no program for its rules, loads nothing that stands, and knows what stands', {
  skip,
}, async (t) => {
  const h = new Held(t);
  h.begin();
  assert.equal((await h.say('standby')).verdict, 'confirmed');
  const cut = h.saved();
  assert.ok(cut.includes('-A FORWARD -j DROP') && cut.some((line) => line.includes('MASQUERADE')));
  const nat = h.handle('nat');
  const served = await h.say('serving');
  assert.deepEqual([served.verdict, served.started, h.handle('nat')], ['confirmed', 0, nat]);
  const checked = await h.say('check');
  assert.deepEqual([checked.verdict, checked.started], ['confirmed', 0]);
  assert.equal(checked.generation, served.generation);
  // Read back when there is time for it.
  assert.equal(checked.isDue, true);
  const looked = await h.say('look');
  assert.deepEqual([looked.started, looked.isDue, looked.generation], [2, false, served.generation]);
  const open = h.saved();
  assert.equal((await h.say('standby')).verdict, 'confirmed');
  assert.deepEqual(h.saved(), cut);
  // The same as a load of the whole, elsewhere.
  const elsewhere = new Held(t);
  elsewhere.begin();
  assert.equal((await elsewhere.say('serving')).verdict, 'confirmed');
  assert.deepEqual(open, elsewhere.saved());
});

test('whatever somebody else has changed, before, meanwhile or after, is read back and judged', {
  skip,
}, async (t) => {
  const h = new Held(t);
  h.begin();
  // Programs that wait took no notice of the rules when they were started.
  h.iptables('-A', 'OUTPUT', '-j', 'ACCEPT');
  h.f.net.exec(h.f.gw, '/usr/sbin/nft', 'add table inet another');
  assert.equal((await h.say('serving')).verdict, 'confirmed');
  await h.say('look');
  h.iptables('-A', 'FORWARD', '-s', '192.0.2.1', '-j', 'DROP');
  const beside = await h.say('check');
  assert.deepEqual(
    [beside.verdict, beside.started],
    ['confirmed', 2],
    'another’s rule beside ours is theirs',
  );
  // One of ours gone, another in its place: as many as before.
  h.iptables('-R', 'FORWARD', '1', '-j', 'RETURN');
  const gone = await h.say('check');
  assert.equal(gone.verdict, 'refuted');
  assert.match(gone.detail, /rules\.v4: no longer loaded: filter: -A FORWARD -j ACCEPT/);
  assert.equal((await h.say('serving')).verdict, 'confirmed', 'loaded again');
  assert.equal((await h.say('check')).verdict, 'confirmed');
  // Before the first look, a flush: fewer than were loaded.
  h.iptables('-F');
  assert.equal((await h.say('check')).verdict, 'refuted');
  assert.equal((await h.say('refused')).verdict, 'unknown', 'what the kernel refuses is not done');
});

test('a set that somebody has touched is loaded whole; one beside which somebody has changed rules is not', {
  skip,
}, async (t) => {
  const h = new Held(t);
  h.begin();
  await h.say('standby');
  await h.say('look');
  const first = h.handle('filter');
  h.f.net.exec(h.f.gw, '/usr/sbin/nft', 'add table inet another');
  await h.say('look');
  await h.say('serving');
  assert.equal(h.handle('filter'), first, 'not loaded anew');
  await h.say('look');
  const open = h.saved();
  h.iptables('-I', 'FORWARD', '-s', '192.0.2.1', '-j', 'DROP');
  await h.say('look');
  assert.equal((await h.say('standby')).verdict, 'confirmed');
  assert.notEqual(h.handle('filter'), first);
  assert.doesNotMatch(h.saved().join(' '), /192\.0\.2\.1/);
  // Not even looked at since: nobody knows what it is.
  h.iptables('-D', 'FORWARD', '1');
  assert.equal((await h.say('serving')).verdict, 'confirmed');
  assert.deepEqual(h.saved(), open);
});

test('somebody who changes rules all the time is no hindrance; then all is read back as before', {
  skip,
}, async (t) => {
  const h = new Held(t);
  h.begin();
  await h.say('standby');
  const script =
    'const { spawnSync } = require("child_process"); for (;;) for (const verb of ["add", "delete"]) spawnSync("/usr/sbin/nft", [verb, "table", "inet", "x"])';
  const other = h.f.net.spawn(h.f.gw, process.execPath, '-e', script);
  await new Promise((resolve) => setTimeout(resolve, 300));
  for (const word of ['serving', 'check', 'standby', 'serving', 'check'] as const)
    assert.equal((await h.say(word)).verdict, 'confirmed', word);
  other.kill('SIGKILL');
});
