/**
 * Who gives the service away forgets the connections that it forwarded, however many, and keeps the host's own: against
 * the kernel's table, read by the same file's messages and cross-checked by the kernel's own counter.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import test from 'node:test';
import { LOADER, moduleFile } from '../programs.ts';
import { Fixture, RULES } from './linux-fixture.ts';
import { needsRoot, until } from './netns.ts';

const skip = needsRoot();
const CONNTRACK = moduleFile('src/linux/conntrack.ts');

/** The addresses of all tracked connections there: source and destination of both directions. */
function tracked(f: Fixture): string[][] {
  const script = `const { forgetConnections } = await import(${JSON.stringify(CONNTRACK)});
    const all = [];
    await forgetConnections((ends) => { all.push(ends.map((end) => [...end].join('.'))); return false; });
    process.stdout.write(JSON.stringify(all));`;
  const argv = [...LOADER, '--input-type=module', '-e', script];
  return JSON.parse(f.net.exec(f.gw, process.execPath, ...argv)) as string[][];
}

/** How many connections the kernel counts there. */
function count(f: Fixture): number {
  return Number(f.net.exec(f.gw, '/bin/cat', '/proc/sys/net/netfilter/nf_conntrack_count'));
}

const forwarded = (all: string[][]): string[][] => all.filter((ends) => ends.includes('10.77.2.254'));
const own = (all: string[][]): string[][] => all.filter((ends) => ends.includes('10.77.1.11'));

test('after deactivateService only the host’s own connections are tracked', { skip }, async (t) => {
  const f = new Fixture();
  t.after(() => f.close());
  const accept = '-A FORWARD -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT';
  writeFileSync(`${f.directory}/rules.v4`, RULES.replace('-A FORWARD -j ACCEPT', accept));
  await f.start();
  await f.serve({ gateMs: 1400, everyMs: 200 });
  assert.ok(f.pings(f.client, '10.77.1.11'), 'the host answers');
  assert.ok(f.pings(f.client, '10.77.2.254'), 'the gateway forwards');
  // More than one read of the kernel's list, and more than one turn: a datagram each to many ports.
  const send = `const s = require('node:dgram').createSocket('udp4'); let n = 0;
    const next = () => n < 5000 ? s.send('x', 2000 + n++, '10.77.2.254', next) : s.close(); next();`;
  f.net.exec(f.client, process.execPath, '-e', send);
  const before = tracked(f);
  assert.ok(forwarded(before).length > 4_000, `${before.length} tracked`);
  assert.ok(own(before).length >= 1);
  await f.order({ gateMs: null });
  assert.equal((await f.run('deactivateService')).verdict, 'confirmed');
  assert.ok(await until(() => count(f) < 100, 10_000), `${count(f)} are left`);
  const after = tracked(f);
  assert.deepEqual(forwarded(after), []);
  assert.ok(own(after).length >= 1, 'the host’s own connections are kept');
  assert.equal((await f.run('activateService')).verdict, 'confirmed');
});
