/** Rule sets loaded by programs that wait for them, and not read back while nobody else has changed a rule. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import test, { type TestContext } from 'node:test';
import type { ActuatorConfig } from '../../src/linux/config.ts';
import { readRules } from '../../src/linux/rules.ts';
import { OperatorError } from '../../src/trust/errors.ts';
import { programArgs } from '../programs.ts';
import { Fixture, RULES } from './linux-fixture.ts';
import { needsRoot, until } from './netns.ts';

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
  child: ChildProcess | null = null;
  #say: (word: string) => Promise<Said> = () => Promise.reject(new Error('not begun'));

  constructor(t: TestContext) {
    t.after(() => this.f.close());
  }

  /** Both families, with a table for translation before the filter; `standby`: rules of its own for IPv4. */
  begin(standby: string | null = null): void {
    const { f } = this;
    writeFileSync(`${f.directory}/rules.v4`, `${NAT}${RULES}`);
    writeFileSync(`${f.directory}/rules.v6`, RULES.replace('icmp', 'ipv6-icmp'));
    if (standby !== null) writeFileSync(`${f.directory}/standby.v4`, standby);
    const firewall = { rules: `${f.directory}/rules.v4`, rules6: `${f.directory}/rules.v6` };
    const config: ActuatorConfig = f.config(
      {},
      {
        firewall: {
          ...firewall,
          standbyRules: standby === null ? null : `${f.directory}/standby.v4`,
          standbyRules6: null,
        },
      },
    );
    this.child = f.net.start(f.gw, 'test/netns/rules-runner.ts', JSON.stringify(config));
    const { stdin, stdout } = this.child;
    if (stdout === null) throw new Error('no output');
    const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
    this.#say = async (word) => {
      stdin?.write(`${word}\n`);
      return JSON.parse((await lines.next()).value ?? '{}') as Said;
    };
  }

  say(word: 'serving' | 'standby' | 'check' | 'look' | 'forward'): Promise<Said> {
    return this.#say(word);
  }

  iptables(...args: string[]): string {
    return this.f.net.exec(this.f.gw, IPTABLES, ...args);
  }

  /** Whether the gate's table lets the host forward. */
  get forwards(): boolean {
    const set = this.f.net.exec(
      this.f.gw,
      '/usr/sbin/nft',
      'list',
      'set',
      'inet',
      'portcullis_test',
      'serving',
    );
    return /elements = \{ ipv4, ipv6 \}/.test(set);
  }

  /** Changes exactly when that table is loaded anew. */
  handle(table: string): string {
    const listed = this.f.net.exec(this.f.gw, '/usr/sbin/nft', '-a', 'list', 'table', 'ip', table);
    return / # handle (\d+)/.exec(listed)?.[1] ?? assert.fail(listed);
  }
}

test('a takeover starts no program for its rules and loads none: they stand, and are known to stand', {
  skip,
}, async (t) => {
  const h = new Held(t);
  h.begin();
  const first = await h.say('standby');
  assert.deepEqual([first.verdict, first.isDue, h.forwards], ['confirmed', true, false]);
  const handles = [h.handle('nat'), h.handle('filter')];
  for (const word of ['serving', 'check', 'standby', 'serving'] as const) {
    const said = await h.say(word);
    assert.deepEqual([said.verdict, said.started, said.generation], ['confirmed', 0, first.generation], word);
    assert.equal(h.forwards, word !== 'standby');
  }
  // Read back when there is time for it.
  const looked = await h.say('look');
  assert.deepEqual([looked.started, looked.isDue, looked.generation], [2, false, first.generation]);
  assert.deepEqual([h.handle('nat'), h.handle('filter')], handles);
});

test('standby rules of its own are loaded by programs that wait, and not read back', { skip }, async (t) => {
  const h = new Held(t);
  h.begin(RULES.replace('-A FORWARD -j ACCEPT', '-A FORWARD -j REJECT'));
  const pids = (): string[] => h.f.net.ip(h.f.gw, 'netns', 'pids', h.f.gw).split('\n').filter(Boolean);
  // The runner, the program that waits, and the one that asks here; a used program is followed by the next after a second.
  const warm = async (): Promise<void> =>
    assert.ok(await until(() => pids().length === 3, 10_000), pids().join());
  // None of its own for IPv6: that set is loaded once, by a program that is started for it.
  for (const [word, target, started] of [
    ['standby', 'REJECT', 1],
    ['serving', 'ACCEPT', 0],
    ['standby', 'REJECT', 0],
  ] as const) {
    await warm();
    const said = await h.say(word);
    assert.deepEqual([said.verdict, said.started], ['confirmed', started], word);
    assert.match(h.iptables('-S', 'FORWARD'), new RegExp(`-A FORWARD -j ${target}`));
    const checked = await h.say('check');
    assert.deepEqual([checked.verdict, checked.started], [word === 'serving' ? 'confirmed' : 'refuted', 0]);
  }
  // Whatever becomes of us, what waits ends and has done nothing.
  await warm();
  const before = h.iptables('-S');
  h.child?.kill('SIGKILL');
  assert.equal(await until(() => pids().length === 1, 5000), true);
  assert.equal(h.iptables('-S'), before);
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
  const still = await h.say('check');
  assert.deepEqual(
    [still.verdict, still.started, still.detail],
    ['refuted', 0, gone.detail],
    'known already',
  );
  h.iptables('-R', 'FORWARD', '1', '-j', 'ACCEPT');
  assert.equal((await h.say('check')).verdict, 'confirmed', 'mended by hand');
  h.iptables('-R', 'FORWARD', '1', '-j', 'RETURN');
  assert.equal((await h.say('serving')).verdict, 'confirmed', 'loaded again');
  assert.equal((await h.say('check')).verdict, 'confirmed');
  // Before the first look, a flush: fewer than were loaded.
  h.iptables('-F');
  assert.equal((await h.say('check')).verdict, 'refuted');
});

test('a set that somebody has hurt is loaded again; what somebody has changed beside it is let be, and costs nothing', {
  skip,
}, async (t) => {
  const h = new Held(t);
  h.begin();
  await h.say('standby');
  await h.say('look');
  const first = h.handle('filter');
  h.iptables('-A', 'INPUT', '-s', '192.0.2.1', '-j', 'DROP');
  await h.say('look');
  assert.equal((await h.say('serving')).started, 0, 'it was looked at since');
  h.f.net.exec(h.f.gw, '/usr/sbin/nft', 'add table inet another');
  assert.equal((await h.say('standby')).started, 2, 'nobody has looked since');
  assert.equal(h.handle('filter'), first, 'nothing of ours was missing');
  h.iptables('-D', 'FORWARD', '-j', 'ACCEPT');
  assert.equal((await h.say('serving')).verdict, 'confirmed');
  assert.notEqual(h.handle('filter'), first);
  assert.match(h.iptables('-S', 'FORWARD'), /-A FORWARD -j ACCEPT/);
});

test('who lets a standby forward by hand is undone, and who stops a master likewise', { skip }, async (t) => {
  const h = new Held(t);
  h.begin();
  await h.say('standby');
  const nft = (text: string): string => h.f.net.exec(h.f.gw, '/usr/sbin/nft', text);
  nft('add element inet portcullis_test serving { ipv4, ipv6 }');
  assert.equal(h.forwards, true);
  await h.say('forward');
  assert.equal(h.forwards, false);
  await h.say('serving');
  nft('flush set inet portcullis_test serving');
  await h.say('forward');
  assert.equal(h.forwards, true);
});

test('no transaction of our own passes for another’s, also one that finds nothing to do', {
  skip,
}, async (t) => {
  const f = new Fixture();
  t.after(() => f.close());
  const { gw } = f;
  const said = f.net.exec(gw, process.execPath, ...programArgs('test/netns/generations-runner.ts'));
  assert.deepEqual(JSON.parse(said), [0, 0, 0, 0, 0, 0, 1]);
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

test('a file whose test takes too long, on a host that is held up, is not called a bad one', {
  skip,
}, async (t) => {
  const f = new Fixture();
  t.after(() => f.close());
  const path = `${f.directory}/rules.v4`;
  await assert.rejects(readRules(f.config(), path, 4, undefined, 1), (error: unknown) => {
    assert.ok(error instanceof OperatorError);
    assert.match(error.message, /rules\.v4: iptables-restore has not tested it within 0\.001 s$/);
    assert.doesNotMatch(error.hint ?? '', /mend/);
    return true;
  });
});
