/**
 * A child process for tests: what is held of addresses, routes and forwarding after each of somebody else's changes, asked for at once.
 * As a list of steps: whether the kernel has told of a change, and what is seen.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { formatIp, parseIp } from '../../src/linux/ip.ts';
import { RouteSocket } from '../../src/linux/rtnetlink.ts';

const ip = (text: string) => (): void => void execFileSync('/sbin/ip', text.split(' '));
const write = (path: string, value: string) => (): void => writeFileSync(`/proc/sys/net/${path}`, value);
const bytes = (text: string): Buffer => parseIp(text)?.bytes ?? Buffer.alloc(0);

ip('link add d0 type veth peer name d1')();
ip('link set d1 up')();
ip('link set d0 up')();
ip('address add 10.9.9.1/24 dev d0')();

const route = new RouteSocket();
const index = route.link('d0')?.index ?? 0;

function seen(): string {
  const addresses = route
    .addresses()
    .flatMap((a) => (a.index === index && a.bytes.length === 4 ? formatIp(a.bytes) : []));
  const hops = ['10.9.9.254', 'fd00::254'].filter((hop) => route.hasDefaultRoute(index, bytes(hop)));
  const settings = ['ipv4/conf/d0/forwarding', 'ipv6/conf/all/forwarding'].map((path) =>
    route.forwarding(path),
  );
  return [...addresses, ...hops, ...settings].join(' ');
}

const steps: readonly (() => void)[] = [
  ip('address add 10.9.9.2/24 dev d0'),
  ip('address del 10.9.9.2/24 dev d0'),
  ip('route add default via 10.9.9.254 dev d0'),
  ip('route del default via 10.9.9.254 dev d0'),
  ip('-6 route add default via fd00::254 dev d0 onlink'),
  ip('-6 route del default via fd00::254 dev d0 onlink'),
  write('ipv4/conf/d0/forwarding', '1'),
  write('ipv4/conf/d0/forwarding', '0'),
  write('ipv6/conf/all/forwarding', '1'),
  write('ipv6/conf/all/forwarding', '0'),
  ip('route add default via 10.9.9.254 dev d0'),
  // The kernel takes the route with the link, and names only the link.
  ip('link set d0 down'),
];
const told = steps.map((step): [boolean, string] => {
  seen();
  const before = route.held('mark', () => ({}));
  step();
  const text = seen();
  return [route.held('mark', () => ({})) !== before, text];
});
process.stdout.write(JSON.stringify(told));
process.exit(0);
