/** The load of a host as its actuator measures it, with the kernel's own figures of a namespace. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import test from 'node:test';
import type { ActuatorConfig } from '../../src/linux/config.ts';
import type { LoadSettings } from '../../src/linux/load/sources.ts';
import { Fixture, type Said } from './linux-fixture.ts';
import { needsRoot, until } from './netns.ts';

const skip = needsRoot();

function withLoad(f: Fixture, load: Partial<LoadSettings>): ActuatorConfig {
  const usual = {
    everyMs: 200,
    connections: 0,
    cpuPercent: 100,
    downlinkPercent: 100,
    linkMbit: 0,
    remotePercent: 100,
    program: null,
  };
  return f.config({ load: { ...usual, sources: ['conntrack'], ...load } });
}

/**
 * The first measurement, of those from now on, that passes; after half a minute the last one. On a busy machine a program may be
 * killed at its limit before it has said anything.
 */
async function comes(f: Fixture, passes: (said: Said) => boolean): Promise<Said> {
  let said = await measured(f);
  for (const endMs = performance.now() + 30_000; !passes(said) && performance.now() < endMs; )
    said = await measured(f);
  return said;
}

/** The next measurement. */
async function measured(f: Fixture): Promise<Said> {
  f.forget();
  return f.heard((said) => said.type === 'load');
}

test('tracked connections, the use of links and the pressure, against marks of our own', {
  skip,
}, async (t) => {
  const f = new Fixture();
  t.after(() => f.close());
  f.net.exec(
    f.gw,
    '/usr/sbin/iptables',
    '-A',
    'INPUT',
    '-m',
    'conntrack',
    '--ctstate',
    'NEW',
    '-j',
    'ACCEPT',
  );
  await f.start(withLoad(f, { sources: ['conntrack', 'cpu', 'link'], connections: 100, linkMbit: 1 }));
  // Fifty connections, and some hundred kilobytes: of each the kernel keeps count.
  const talk = `const d=require('node:dgram');let n=0;for(let i=0;i<50;i++){const s=d.createSocket('udp4');
    s.bind(()=>s.send(Buffer.alloc(1400),9,'10.77.1.11',()=>{if(++n===50)process.exit()}))}`;
  const [client] = [f.net.spawn(f.client, process.execPath, '-e', talk)];
  await once(client, 'exit');
  const count = (): number =>
    Number(f.net.exec(f.gw, '/bin/cat', '/proc/sys/net/netfilter/nf_conntrack_count'));
  assert.ok(count() >= 50);
  const part = (said: Said, source: string): number =>
    Number(new RegExp(`${source}=(\\d+)`).exec(said.detail ?? '')?.[1] ?? Number.NaN);
  const said = await measured(f);
  assert.ok(Math.abs(part(said, 'conntrack') - count() * 10) <= 50, said.detail);
  assert.equal(
    said.load,
    Math.max(...['conntrack', 'cpu', 'link'].map((s) => part(said, s) || 0)),
    said.detail,
  );
  // Half a megabit a second, for a second.
  const flow = `const s=require('node:dgram').createSocket('udp4');s.bind(()=>setInterval(()=>s.send(Buffer.alloc(600),9,'10.77.1.11'),10))`;
  f.net.spawn(f.client, process.execPath, '-e', flow);
  assert.ok(await until(async () => part(await measured(f), 'link') > 200, 5000), 'the traffic is seen');
  await f.order({ reconfigure: withLoad(f, { sources: ['link'], linkMbit: 1_000_000 }) });
  assert.ok(await until(async () => (await measured(f)).load === 0, 3000), 'of a large link it is nothing');
  // Taken out of the configuration it is 0, and told so.
  f.forget();
  await f.order({ reconfigure: f.config() });
  assert.equal((await f.heard((s) => s.type === 'load' && s.detail === 'not measured')).load, 0);
});

test('a program’s number; one that fails, hangs or says no number is a load of 1000', { skip }, async (t) => {
  const f = new Fixture();
  t.after(() => f.close());
  const program = `${f.directory}/load`;
  const write = (body: string): void => writeFileSync(program, `#!/bin/bash\n${body}\n`, { mode: 0o755 });
  write('[[ $1 = load && $(id -u) = 65533 && $PORTCULLIS_HOST = fw1 ]] && echo 420');
  await f.start(withLoad(f, { sources: ['program'], program }));
  const named = await comes(f, ({ load }) => load === 420);
  assert.equal(named.load, 420, named.detail);
  for (const [body, why] of [
    // By its own words: the measurement before may have been the former program's.
    ['echo 7; exit 1', /says no number .*: 7/],
    ['echo many', /says no number .*: many/],
    ['echo 1001', /says no number .*: 1001/],
    ['sleep 60', /killed after 200 ms/],
  ] as const) {
    write(body);
    const said = await comes(f, ({ detail }) => why.test(detail ?? ''));
    assert.equal(said.load, 1000, `${body}: ${said.detail}`);
    assert.match(said.detail ?? '', why);
  }
  write('echo 5');
  const again = await comes(f, ({ load }) => load === 5);
  assert.equal(again.load, 5, again.detail);
});
