/**
 * The remote checks with real servers: a backup's actuator asks a gateway, and a host behind it through the gateway. Each
 * kind says yes to what is sound and to nothing else; what did not come through the gateway proves nothing of it.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import test from 'node:test';
import { remoteCheck } from '../../src/daemon/config/remote-check.ts';
import type { ActuatorConfig } from '../../src/linux/config.ts';
import { programArgs } from '../programs.ts';
import { Fixture, type Said } from './linux-fixture.ts';
import { needsRoot, until } from './netns.ts';

const skip = needsRoot();
const SYSCTL = '/usr/sbin/sysctl';
const LOAD = {
  sources: ['program'],
  everyMs: 1000,
  connections: 0,
  cpuPercent: 100,
  downlinkPercent: 100,
  linkMbit: 0,
  remotePercent: 100,
};
/** Behind the gateway. */
const HOST = '10.77.3.80';
const HOST6 = 'fd00:77:3::80';

/**
 *     backup (the fixture's gw) .11 --[ lan ]-- master .1, .12   master eth1 .1 --[ 10.77.3.0/24 ]-- behind .80
 */
class Scene {
  readonly f = new Fixture();
  readonly master = this.f.net.add('master');
  readonly behind = this.f.net.add('behind');

  async open(): Promise<void> {
    const { f, master, behind } = this;
    const { net } = f;
    net.plug(master, 'eth0', f.lan, 'p-master');
    net.join(master, 'eth1', behind, 'eth0');
    for (const [where, device, four, six] of [
      [master, 'eth0', '10.77.1.1/24', 'fd00:77:1::1/64'],
      [master, 'eth1', '10.77.3.1/24', 'fd00:77:3::1/64'],
      [behind, 'eth0', `${HOST}/24`, `${HOST6}/64`],
    ] as const) {
      net.ip(where, 'addr', 'add', four, 'dev', device);
      net.ip(where, 'addr', 'add', six, 'dev', device, 'nodad');
    }
    net.ip(f.gw, 'addr', 'add', 'fd00:77:1::11/64', 'dev', 'eth0', 'nodad');
    net.exec(master, SYSCTL, '-q', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1');
    net.ip(behind, 'route', 'add', 'default', 'via', '10.77.3.1');
    net.ip(behind, '-6', 'route', 'add', 'default', 'via', 'fd00:77:3::1');
    const pair = ['-keyout', `${f.directory}/key.pem`, '-out', `${f.directory}/cert.pem`];
    const subject = ['-subj', '/CN=behind', '-addext', `subjectAltName=IP:${HOST},DNS:web.example`];
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
    execFileSync('openssl', ['req', '-x509', ...kind, ...subject, ...pair], { stdio: 'ignore' });
    chmodSync(`${f.directory}/cert.pem`, 0o644);
    const servers = net.start(
      behind,
      'test/netns/remote-servers.ts',
      `${f.directory}/cert.pem`,
      `${f.directory}/key.pem`,
      HOST,
    );
    assert.ok(servers.stdout);
    await once(servers.stdout, 'data');
    await f.start(this.config([]));
  }

  config(texts: readonly string[], need: 'all' | 'any' = 'all', testMs = 400): ActuatorConfig {
    const checks = texts.map((text) => {
      const check = remoteCheck(text.replace('CERT', `${this.f.directory}/cert.pem`));
      assert.ok(check, text);
      return check;
    });
    const none = { rules: null, rules6: null, standbyRules: null, standbyRules6: null };
    const limits = { testMs, switchMs: 5000 };
    return this.f.config({}, { remote: { need, checks }, firewall: none, limits });
  }

  /** Puts these checks in force and runs them. */
  async ask(texts: readonly string[], need: 'all' | 'any' = 'all', testMs = 400): Promise<Said> {
    const taken = await this.f.order({ reconfigure: this.config(texts, need, testMs) });
    assert.equal(taken.error, null, texts.join(', '));
    return this.f.run('checkServiceRemote');
  }

  /** All of them are good. */
  async every(texts: readonly string[]): Promise<void> {
    // What is good is so long before: the time is for a busy machine.
    const said = await this.ask(texts, 'all', 3000);
    assert.equal(said.verdict, 'confirmed', said.detail);
  }

  /** Not one of them is good, where one would do, and each says for itself what is wrong. */
  async none(texts: readonly string[], why: readonly RegExp[], testMs = 400): Promise<void> {
    const { verdict, detail = '' } = await this.ask(texts, 'any', testMs);
    assert.equal(verdict, 'unknown', detail);
    const said = detail.split('; ');
    assert.equal(said.length, texts.length, detail);
    for (const [i, text] of texts.entries()) assert.match(said[i] ?? '', why[i] ?? /^never$/, text);
  }

  async expect(text: string, verdict: string, detail: RegExp): Promise<void> {
    const said = await this.ask([text], 'all', verdict === 'confirmed' ? 3000 : 400);
    assert.equal(said.verdict, verdict, `${text}: ${said.detail}`);
    assert.match(said.detail ?? '', detail, text);
  }
}

const SOUND = [
  'gateway',
  'icmp:10.77.1.1',
  'icmp:fd00:77:1::1',
  'arp:10.77.1.1',
  'nd:fd00:77:1::1',
  `through:icmp:${HOST}`,
  `through:icmp:${HOST6}`,
  `through:tcp:${HOST}:80`,
  `through:http://${HOST}/`,
  `through:http://${HOST}/ status=200 name=web.example text=ready for web.example`,
  `through:http://${HOST}/elsewhere status=302`,
  `through:https://${HOST}/ ca=CERT`,
  `through:https://${HOST}/ name=web.example ca=CERT`,
  `through:https://${HOST}/ insecure text=all is ready`,
  `through:dns:${HOST}/www.example`,
  `through:dns:${HOST}/www.example/A answer=192.0.2.7`,
];

const BAD: readonly (readonly [text: string, why: RegExp])[] = [
  ['icmp:10.77.1.77', /no answer to address resolution/],
  ['arp:10.77.1.77', /no answer/],
  ['nd:fd00:77:1::77', /no answer/],
  ['through:icmp:10.77.3.81', /no answer through the gateway/],
  ['through:tcp:10.77.3.81:80', /no route to host|no answer/],
  [`through:tcp:${HOST}:81`, /connection refused/],
  [`through:http://${HOST}/broken`, /status 500, not 2xx/],
  [`through:http://${HOST}/elsewhere`, /status 302, not 2xx/],
  [`through:http://${HOST}/ text=not this`, /but not the expected text/],
  [`through:http://${HOST}/endless text=not this`, /but not the expected text/],
  [`through:http://${HOST}/hung`, /without an answer in time|no answer/],
  [`through:http://${HOST}/slow text=ready`, /aborted|no answer/],
  [`through:https://${HOST}/`, /self.signed/],
  [`through:https://${HOST}/ name=other.example ca=CERT`, /altnames|does not match/],
  [`through:https://${HOST}:80/ insecure`, /wrong version|SSL|TLS/i],
  [`through:dns:${HOST}/nobody.example`, /NXDOMAIN/],
  [`through:dns:${HOST}/empty.example`, /has no A record/],
  [`through:dns:${HOST}/silent.example`, /no answer/],
  [`through:dns:${HOST}/forged.example`, /no answer/],
  [`through:dns:${HOST}/www.example answer=192.0.2.8`, /is 192\.0\.2\.7, not 192\.0\.2\.8/],
  [`through:dns:${HOST}/www.example/AAAA`, /has no AAAA record/],
];

test('every kind: yes to what is sound, no to all else, within the limit', { skip }, async (t) => {
  const scene = new Scene();
  t.after(() => scene.f.close());
  await scene.open();
  // Link-local addresses are tentative for a second or two, and forward nothing before.
  const isUp = async (): Promise<boolean> =>
    (await scene.ask([`through:icmp:${HOST6}`])).verdict === 'confirmed';
  assert.ok(await until(isUp, 20_000), 'IPv6 behind the gateway');
  await scene.every(SOUND);
  await scene.none(
    BAD.map(([text]) => text),
    BAD.map(([, why]) => why),
    // Some of them must be quick enough to be refused for what they are, all at once.
    2000,
  );
  const [bad = ['']] = BAD;
  assert.equal((await scene.ask([SOUND[0] ?? '', bad[0]])).verdict, 'unknown', 'all are needed');
  assert.equal((await scene.ask([SOUND[0] ?? '', bad[0]], 'any', 2000)).verdict, 'confirmed', 'any suffices');
  assert.equal((await scene.ask([bad[0], 'arp:10.77.1.78'], 'any')).verdict, 'unknown');
  // The limit holds for whoever keeps a client waiting; the process that asks runs already.
  await scene.every([`through:tcp:${HOST}:80`]);
  const hung = await scene.ask([`through:http://${HOST}/hung`]);
  assert.ok((hung.tookMs ?? 1e9) < 2500, `${hung.tookMs} ms`);
});

test('through the gateway, and by no other way: the gateway’s rules, a gateway that is gone, answers from beside it', {
  skip,
}, async (t) => {
  const scene = new Scene();
  t.after(() => scene.f.close());
  await scene.open();
  const { f, master, behind } = scene;
  const kinds = [`through:icmp:${HOST}`, `through:tcp:${HOST}:80`, `through:dns:${HOST}/www.example`];
  await scene.every(kinds);
  // Only clients see this: the gateway itself answers as before.
  f.net.exec(master, '/usr/sbin/iptables', '-I', 'FORWARD', '-j', 'DROP');
  await scene.none(
    kinds,
    kinds.map(() => /no answer/),
  );
  await scene.expect('gateway', 'confirmed', /./);
  f.net.exec(master, '/usr/sbin/iptables', '-D', 'FORWARD', '-j', 'DROP');
  await scene.every(kinds);
  // The host behind has found a way of its own to this LAN: its answers prove nothing of the gateway.
  f.net.plug(behind, 'eth1', f.lan, 'p-behind');
  f.net.ip(behind, 'route', 'add', '10.77.1.11/32', 'dev', 'eth1');
  f.net.ip(behind, 'neigh', 'flush', 'all');
  await scene.none(
    kinds,
    kinds.map(() => /no answer through the gateway|not through the gateway/),
  );
  f.net.ip(behind, 'link', 'set', 'eth1', 'down');
  await scene.every(kinds);
  // The backup has a way of its own behind the gateway: it is not taken.
  f.net.join(f.gw, 'side', behind, 'side');
  f.net.ip(f.gw, 'addr', 'add', '10.77.3.11/24', 'dev', 'side');
  f.net.ip(f.lan, 'link', 'set', 'p-master', 'down');
  await scene.none(
    kinds,
    kinds.map(() => /the gateway does not answer/),
  );
});

test('the checker has no rights; killed or stopped it is no evidence, and a new one is started', {
  skip,
}, async (t) => {
  const scene = new Scene();
  t.after(() => scene.f.close());
  await scene.open();
  const { f } = scene;
  const text = `through:tcp:${HOST}:80`;
  await scene.expect(text, 'confirmed', /./);
  const checkers = (): number[] =>
    f.net
      .exec(f.gw, '/bin/ps', '-eo', 'pid=,ppid=,args=')
      .split('\n')
      .filter((line) => /remote\/checker-main/.test(line) && line.trim().split(/\s+/)[1] === String(f.pid))
      .map((line) => Number(line.trim().split(/\s+/)[0]));
  const [pid] = checkers();
  assert.ok(pid !== undefined, 'one runs');
  const status = f.net.exec(f.gw, '/bin/cat', `/proc/${pid}/status`);
  assert.match(status, /^CapEff:\t0+$/m);
  assert.match(status, /^CapPrm:\t0+$/m);
  assert.match(status, /^NoNewPrivs:\t1$/m);
  assert.match(status, /^Uid:\t65533\t65533\t65533\t65533$/m);
  // What `check` says of it: nothing, and of a kernel that drops the answers something.
  const inspected = (): string =>
    f.net.exec(
      f.gw,
      process.execPath,
      ...programArgs('test/netns/linux-runner.ts'),
      'inspect',
      JSON.stringify({ ...scene.config([text]), load: { ...LOAD, program: '/nowhere' } }),
    );
  assert.doesNotMatch(inspected(), /checker|rp_filter/);
  assert.match(inspected(), /"error","message":"load: \/nowhere: /);
  f.net.exec(f.gw, SYSCTL, '-q', 'net.ipv4.conf.eth0.rp_filter=1');
  assert.match(inspected(), /rp_filter is strict: answers of hosts behind the gateway/);
  await scene.expect(text, 'unknown', /no answer/);
  f.net.exec(f.gw, SYSCTL, '-q', 'net.ipv4.conf.eth0.rp_filter=0');
  process.kill(pid, 'SIGSTOP');
  await scene.expect(text, 'unknown', /no answer after 400 ms/);
  process.kill(pid, 'SIGKILL');
  assert.ok(
    await until(async () => (await f.run('checkServiceRemote')).verdict === 'confirmed', 20_000),
    'it works again',
  );
  assert.notEqual(checkers()[0], pid);
  const [last] = checkers();
  f.signal('SIGKILL');
  assert.ok(
    await until(() => !f.net.succeeds(f.gw, '/bin/ps', '-p', String(last)), 10_000),
    'it ends with the actuator',
  );
});
