/**
 * Two gateways and a witness at a third site, over IPv6 and a router: the witness has no right, no Linux side and no device
 * of a service, and decides who serves.
 *
 *     client --[ lan fd00:77:1::/64 ]-- fw1 ::11, fw2 ::12 --[ wan 10.77.2.0/24 ]-- server
 *                     |
 *                   router --[ site fd00:77:9::/64 ]-- wit ::40
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { getStatus } from '../../src/cli/control-client.ts';
import type { Status } from '../../src/daemon/status.ts';
import { programArgs } from '../programs.ts';
import { makeCluster, temporaryDir } from '../unit/cluster-files.ts';
import { statusOf } from './actuator-fixture.ts';
import { Namespaces, needsRoot } from './netns.ts';

const NOBODY = 65_534;
const PORTCULLIS = [process.execPath, ...programArgs('src/cli/main.ts')] as const;
const HOSTS = [
  { name: 'fw1', addresses: '[fd00:77:1::11]:7946' },
  { name: 'fw2', addresses: '[fd00:77:1::12]:7946' },
  { name: 'wit', addresses: '[fd00:77:9::40]:7946', role: 'witness' },
] as const;
type Name = (typeof HOSTS)[number]['name'];

class Sites {
  readonly net = new Namespaces();
  readonly at: { readonly [name in Name]: string };
  readonly dir: string;
  readonly lan: string;
  readonly wan: string;

  private constructor(dir: string) {
    this.dir = dir;
    const { net } = this;
    this.lan = net.addSwitch('lan');
    this.wan = net.addSwitch('wan');
    const [client, server, router] = [net.add('client'), net.add('server'), net.add('router')];
    this.at = { fw1: net.add('fw1'), fw2: net.add('fw2'), wit: net.add('wit') };
    net.plug(client, 'eth0', this.lan, 'p-client');
    net.plug(router, 'eth0', this.lan, 'p-router');
    net.plug(server, 'eth0', this.wan, 'p-server');
    net.join(router, 'eth1', this.at.wit, 'eth0');
    const address = (name: string, text: string, device = 'eth0'): string =>
      net.ip(name, 'addr', 'add', text, 'dev', device, ...(text.includes(':') ? ['nodad'] : []));
    address(client, '10.77.1.100/24');
    address(server, '10.77.2.254/24');
    address(router, 'fd00:77:1::fe/64');
    address(router, 'fd00:77:9::fe/64', 'eth1');
    net.exec(router, '/usr/sbin/sysctl', '-q', 'net.ipv6.conf.all.forwarding=1');
    address(this.at.wit, 'fd00:77:9::40/64');
    net.ip(this.at.wit, '-6', 'route', 'add', 'default', 'via', 'fd00:77:9::fe');
    for (const [i, name] of (['fw1', 'fw2'] as const).entries()) {
      net.plug(this.at[name], 'eth0', this.lan, `p-${name}`);
      net.plug(this.at[name], 'up0', this.wan, `p-${name}`);
      net.ip(this.at[name], 'link', 'set', 'up0', 'down');
      address(this.at[name], `10.77.1.1${i + 1}/24`);
      address(this.at[name], `fd00:77:1::1${i + 1}/64`);
      net.ip(this.at[name], '-6', 'route', 'add', 'fd00:77:9::/64', 'via', 'fd00:77:1::fe');
    }
    // A neighbour that is heard now and then, as on any LAN: the downlink is confirmed by it.
    net.spawn(client, '/usr/bin/ping', '-i', '0.2', '10.77.1.77').stdout?.resume();
  }

  static async make(t: TestContext): Promise<Sites> {
    const dir = temporaryDir(t);
    await makeCluster(dir, HOSTS);
    chmodSync(dir, 0o711);
    const sites = new Sites(dir);
    t.after(() => sites.net.close());
    for (const { name, addresses } of HOSTS) {
      for (const home of [name, `${name}/state`, `${name}/run`]) {
        mkdirSync(join(dir, home));
        chownSync(join(dir, home), NOBODY, NOBODY);
      }
      writeFileSync(sites.config(name), configuration(dir, name, addresses));
    }
    // What the service manager does for a unit with a user of its own.
    chownSync(join(dir, 'wit.key'), NOBODY, NOBODY);
    return sites;
  }

  config(name: Name): string {
    return join(this.dir, `${name}.toml`);
  }

  /** A gateway's daemon as root, which starts its actuator; a witness's with nothing from the first moment. */
  start(name: Name): ChildProcess {
    const rights =
      name === 'wit'
        ? [
            ...['/usr/bin/setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'],
            ...['--inh-caps=-all', '--bounding-set=-all', '--no-new-privs'],
          ]
        : [];
    const argv = [...rights, ...PORTCULLIS, 'daemon', '--config', this.config(name)];
    const child = this.net.spawn(this.at[name], argv[0] ?? '', ...argv.slice(1));
    child.stdout?.resume();
    return child;
  }

  /** The first status of that host that passes; fails after half a minute with the last one. */
  async status(name: Name, wanted: (status: Status) => boolean): Promise<Status> {
    let last: Status | null = null;
    for (let i = 0; i < 600; i++) {
      last = await getStatus(join(this.dir, name, 'run', 'control.sock')).catch(() => null);
      if (last !== null && wanted(last)) return last;
      await sleep(50);
    }
    return assert.fail(`${name}: ${JSON.stringify(last)}`);
  }

  /** Both cables out, and everything on the host dead. */
  powerOff(name: 'fw1' | 'fw2'): void {
    for (const side of [this.lan, this.wan]) this.net.ip(side, 'link', 'set', `p-${name}`, 'down');
    const pids = spawnSync('/usr/sbin/ip', ['netns', 'pids', this.at[name]], { encoding: 'utf8' }).stdout;
    for (const pid of pids.split('\n').filter(Boolean)) process.kill(Number(pid), 'SIGKILL');
  }
}

function configuration(dir: string, name: Name, listen: string): string {
  const common = `cluster = "dmz"
host    = "${name}"
key     = "${dir}/${name}.key"
admin   = "${dir}/admin.key.pub"
state   = "${dir}/${name}/state"
roster  = "${dir}/roster.cose"
control = "${dir}/${name}/run/control.sock"
actuator = "${dir}/no-actuator.sock"
user    = "nobody"

[[link]]
name   = "link1"
device = "eth0"
listen = "${listen}"

[[service]]
name   = "firewall"
policy = "quorum"
`;
  if (name === 'wit')
    return `${common}[service.downlink]
addresses = ["10.77.1.1/24"]
[service.uplink]
addresses = ["10.77.2.1/24"]
`;
  return `${common}[service.downlink]
device    = "eth0"
addresses = ["10.77.1.1/24"]
[service.uplink]
device     = "up0"
activation = "admin"
addresses  = ["10.77.2.1/24"]
next_hop   = "10.77.2.254"
`;
}

const serves = ({ services }: Status): boolean => services[0]?.substate === 'serving';

test('a witness behind a router, without any right, decides: power loss is a takeover; without the witness the last gateway is suspended', {
  skip: needsRoot(),
}, async (t) => {
  const sites = await Sites.make(t);
  const checked = spawnSync('/usr/sbin/ip', [
    ...['netns', 'exec', sites.at.wit, ...PORTCULLIS, 'check', '--config', sites.config('wit')],
  ]);
  assert.equal(checked.status, 0, String(checked.stderr));
  const witness = sites.start('wit');
  sites.start('fw1');
  sites.start('fw2');
  const voter = await sites.status('wit', ({ services, peers }) => {
    return services[0]?.master !== null && peers.every(({ session }) => session);
  });
  assert.deepEqual([voter.role, voter.services[0]?.substate], ['witness', 'watching']);
  assert.equal(voter.pid, witness.pid);
  const { CapEff, CapBnd, Uid } = statusOf(voter.pid);
  assert.deepEqual([CapEff, CapBnd, Uid?.split('\t')[0]], ['0000000000000000', '0000000000000000', '65534']);
  const children = readFileSync(`/proc/${voter.pid}/task/${voter.pid}/children`, 'latin1');
  assert.equal(children.trim(), '', 'no actuator');
  assert.equal(sites.net.exec(sites.at.wit, '/usr/sbin/nft', 'list', 'ruleset'), '');

  const master = voter.services[0]?.master === 'fw1' ? 'fw1' : 'fw2';
  const other = master === 'fw1' ? 'fw2' : 'fw1';
  await sites.status(master, serves);
  // The backup is fit, or nobody would be there to take over.
  await sites.status(
    other,
    ({ services }) => services[0]?.table.every(({ host, fit }) => fit || host === 'wit') === true,
  );
  sites.powerOff(master);
  const next = await sites.status(other, serves);
  assert.equal(next.services[0]?.forced, false);

  witness.kill('SIGKILL');
  // A majority of three is two. The gate's lease runs out in the kernel, just before the service hears of its own deadline.
  await sites.status(
    other,
    ({ services }) => services[0]?.gateOpen === false && services[0].substate === 'suspended',
  );
  sites.start('wit');
  await sites.status(other, serves);
});
