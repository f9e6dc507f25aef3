/**
 * The lines of spec/first-run.md and spec/uplink.md, typed on a gateway as it may be today: in a namespace, on a terminal, with a keepalived.conf
 * beside it. Each line finds /etc/portcullis empty, as a directory of its own.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { parseSettings, type Settings } from '../../src/daemon/config/settings.ts';
import { boxesOf, typedOf, wordsOf } from '../pages.ts';
import { TerminalSession } from '../unit/terminal-session.ts';
import { Fixture } from './linux-fixture.ts';
import { needsRoot } from './netns.ts';

const KEEPALIVED = `vrrp_instance gate {
 interface eth0
 virtual_ipaddress {
  10.77.1.1/24 dev eth0
  10.77.2.1/24 dev up0
 }
}
`;
/** What an operator answers to `init`, in its order; to all else the proposal is taken. */
const ANSWERS: readonly (readonly [question: string, answer: string])[] = [
  ['name of the cluster', 'dmz'],
  ['name of this host', 'fw1'],
  ['who may take over', 'available'],
  ['device of the own domain', ''],
  ['own address on it', ''],
  ['roving addresses of the own domain', '10.77.1.1/24'],
  ['device of the foreign domain', ''],
  ['roving addresses of the foreign domain', ''],
  ['the router beyond the uplink', ''],
];

interface Typed {
  readonly seen: string;
  /** What it wrote, as our reader has it; null: nothing. */
  readonly settings: Settings | null;
}

class FirstRun {
  readonly #gateway: Fixture;
  #line = 0;

  constructor(gateway: Fixture) {
    this.#gateway = gateway;
    const { net, gw, directory } = gateway;
    net.ip(gw, 'link', 'set', 'up0', 'up');
    net.ip(gw, 'addr', 'add', '10.77.2.1/24', 'dev', 'up0');
    net.ip(gw, 'route', 'add', 'default', 'via', '10.77.2.254');
    writeFileSync(join(directory, 'keepalived.conf'), KEEPALIVED);
  }

  /** Types the line; throws where it does not end with 0. */
  async type(line: string): Promise<Typed> {
    const { net, gw, directory } = this.#gateway;
    this.#line += 1;
    const etc = join(directory, `etc-${this.#line}`);
    mkdirSync(etc);
    const [program, ...words] = wordsOf(typedOf(line)).map((word) =>
      word.replace('/etc/keepalived/', `${directory}/`).replace('/etc/portcullis/', `${etc}/`),
    );
    assert.equal(program, 'portcullis', line);
    const config = join(etc, 'portcullis.toml');
    // A virtual link with a carrier would count as the host's last one: cards alone count beside it.
    if (words[0] === 'uplink') net.ip(gw, 'link', 'set', 'up0', 'down');
    // Where the file goes when nothing is said.
    const more = words[0] === 'init' ? ['--out', config, '--dir', etc] : [];
    const session = new TerminalSession([...words, ...more], ['ip', 'netns', 'exec', gw]);
    if (line === 'portcullis init')
      for (const [question, answer] of ANSWERS) await session.answer(question, `${answer}\n`);
    const { status } = await session.end();
    assert.equal(status, 0, `${line}: ${session.seen}`);
    const isWritten = words[0] !== 'uplink';
    return {
      seen: session.seen,
      settings: isWritten ? parseSettings(readFileSync(config, 'utf8'), config) : null,
    };
  }
}

test('every line of the first run, on a gateway as it may be today', { skip: needsRoot() }, async (t) => {
  const gateway = new Fixture();
  t.after(() => gateway.close());
  const run = new FirstRun(gateway);
  const lines = ['spec/first-run.md', 'spec/uplink.md'].flatMap((page) =>
    boxesOf(import.meta.filename, page).flatMap((box) => box.lines),
  );
  const done = new Set<string>();
  for (const line of lines) {
    const { seen, settings } = await run.type(line);
    const command = wordsOf(typedOf(line)).slice(1, 3).join(' ');
    done.add(command);
    if (settings === null) {
      assert.match(seen, /^admin +yes, recommended[\s\S]*activation *= "admin"/m, line);
      continue;
    }
    const [service] = settings.services;
    assert.equal(service?.policy, 'available', line);
    assert.deepEqual(service?.gateway.uplink.nextHops, ['10.77.2.254'], line);
    assert.deepEqual(
      [service?.gateway.downlink.device, service?.gateway.uplink.device],
      ['eth0', 'up0'],
      line,
    );
    assert.match(seen, /^ *portcullis check /m, 'the next commands are told');
  }
  assert.deepEqual([...done], ['init', 'init --cluster', 'import keepalived', 'uplink plan']);
});
