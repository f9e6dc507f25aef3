/**
 * What `portcullis check` finds on this host: everything that would make a takeover fail, before it is needed.
 * Reads and tests only; changes nothing.
 */
import { networkInterfaces } from 'node:os';
import { TEST_PROCEDURES } from '../core/procedures.ts';
import { OperatorError } from '../trust/errors.ts';
import type { ActuatorConfig, GatewayService } from './config.ts';
import { programProblem } from './external.ts';
import { inspectCutOff } from './inspect/cut-off.ts';
import { inspectDuplicates } from './inspect/duplicates.ts';
import { error, type Finding, warning } from './inspect/finding.ts';
import { inspectManagers } from './inspect/managers.ts';
import {
  inspectClock,
  inspectForwarding,
  inspectGate,
  inspectModules,
  inspectMtu,
  inspectVariants,
} from './inspect/support.ts';
import { formatIp, inPrefix, parseIp } from './ip.ts';
import { refuseUnsupported } from './kernel.ts';
import { requireLibc } from './libc.ts';
import { inspectLoad } from './load/inspect.ts';
import { inspectRemote } from './remote/inspect.ts';
import { isSocketCheck } from './remote/kinds.ts';
import { RouteSocket } from './rtnetlink.ts';
import { readRules, ruleFile } from './rules.ts';
import { readSysctl } from './sysctl.ts';
import { findTool, NFT_MISSING, runTool, TOOLS, type Tool, textOf } from './tools.ts';
import { inspectUplinks } from './uplink/inspect.ts';

export type { Finding } from './inspect/finding.ts';

/** All findings, errors first. */
export async function inspect(config: ActuatorConfig): Promise<Finding[]> {
  const out: Finding[] = [];
  const steps: readonly ((config: ActuatorConfig) => Promise<Finding[]> | Finding[])[] = [
    inspectUnsupported,
    inspectTools,
    inspectVariants,
    inspectGate,
    inspectLinks,
    inspectMtu,
    inspectBuffer,
    inspectDevices,
    inspectForwarding,
    inspectUplinks,
    inspectModules,
    inspectManagers,
    inspectRules,
    inspectCutOff,
    inspectPrograms,
    inspectRemote,
    inspectLoad,
    inspectDuplicates,
    inspectClock,
  ];
  for (const step of steps) out.push(...(await guarded(() => step(config))));
  return out.sort((a, b) => a.level.localeCompare(b.level));
}

async function guarded(step: () => Promise<Finding[]> | Finding[]): Promise<Finding[]> {
  try {
    return await step();
  } catch (error) {
    const hint = error instanceof OperatorError ? (error.hint ?? '') : 'run it as root';
    return [{ level: 'error', message: textOf(error), hint }];
  }
}

function inspectUnsupported(config: ActuatorConfig): Finding[] {
  requireLibc();
  refuseUnsupported(config);
  return [];
}

/** The cluster's sockets bind to addresses that must be there. */
function inspectLinks(config: ActuatorConfig): Finding[] {
  const present = networkInterfaces();
  return config.clusterLinks.flatMap(({ device, address }) => {
    if (present[device]?.some((entry) => entry.address === address)) return [];
    const hint = `add ${address} to ${device}, or correct 'device' and 'listen' of that [[link]]`;
    return [error(`${device} does not have the address ${address} that the cluster listens on`, hint)];
  });
}

/** The default holds some 160 datagrams: a stall of a hundredth of a second under a flood loses honest words. */
const BUFFER_BYTES_MIN = 1 << 20;

function inspectBuffer(): Finding[] {
  const bytes = Number(readSysctl('core/rmem_max') ?? Number.NaN);
  // Not told in a network namespace of an older kernel: the host's own value holds there.
  if (!(bytes < BUFFER_BYTES_MIN)) return [];
  const what = `net.core.rmem_max is ${bytes}: the receive buffer of the cluster's sockets is small under a flood`;
  return [warning(what, 'set net.core.rmem_max = 4194304 in /etc/sysctl.d')];
}

async function inspectTools(config: ActuatorConfig): Promise<Finding[]> {
  const out: Finding[] = [];
  const { services } = config;
  // A witness has no services, and needs nothing of the host.
  const needed = new Set<Tool>(services.length > 0 ? ['nft'] : []);
  const tests = services.flatMap((s) => [
    ...TEST_PROCEDURES.map((p) => s.procedures[p]),
    ...s.downlink.checks.map((c) => (c.kind === 'command' ? c.path : undefined)),
  ]);
  const talks = services.some((s) => s.remote?.checks.some(isSocketCheck));
  if (talks || tests.some((path) => path !== undefined)) needed.add('setpriv');
  if (services.some((s) => ruleFile(s, 'serving', 4) ?? ruleFile(s, 'standby', 4)))
    needed.add('iptables-restore').add('iptables-save');
  if (services.some((s) => ruleFile(s, 'serving', 6) ?? ruleFile(s, 'standby', 6)))
    needed.add('ip6tables-restore').add('ip6tables-save');
  if (services.length > 0 && (config.conntrackd ?? null) !== null) needed.add('conntrackd');
  for (const tool of needed)
    if (findTool(tool) === null)
      out.push(
        error(
          tool === 'nft' ? NFT_MISSING : `${tool} is not installed`,
          `install the package ${TOOLS[tool]}`,
        ),
      );
  if (needed.has('iptables-restore') && findTool('iptables-restore') !== null) {
    const { output } = await runTool('iptables-restore', ['--version']);
    if (!output.includes('nf_tables'))
      out.push(
        warning(
          'iptables is the legacy variant',
          'each service check will read all rules; better choose iptables-nft',
        ),
      );
  }
  if (needed.has('nft') && findTool('nft') !== null) {
    const { status, errors } = await runTool('nft', ['list', 'tables']);
    if (status !== 0) out.push(error(`nft cannot read the ruleset: ${textOf(errors)}`, 'run it as root'));
  }
  return out;
}

function inspectDevices(config: ActuatorConfig): Finding[] {
  const out: Finding[] = [];
  const route = new RouteSocket();
  try {
    const links = route.links();
    const present = new Map(route.addresses().map((a) => [formatIp(a.bytes), a.index]));
    for (const service of config.services) {
      for (const side of ['downlink', 'uplink'] as const) {
        const { device, addresses } = service[side];
        const link = links.get(device);
        // An uplink may rightly be absent: inspectUplinks says.
        if (link === undefined && side === 'downlink')
          out.push(error(`service ${service.name}: ${side} device ${device} does not exist`, 'see ip link'));
        else if (side === 'downlink' && link?.carrier === false)
          out.push(
            warning(
              `service ${service.name}: ${device} has no carrier`,
              'look at the cable and the switch port',
            ),
          );
        else if (side === 'uplink' && link?.up === true)
          out.push(
            warning(
              `service ${service.name}: the uplink ${device} is up`,
              'right while it serves; else it is down once the daemon runs, and from boot on by portcullis uplink provision',
            ),
          );
        for (const { address } of addresses)
          if (present.has(address))
            out.push(
              warning(
                `service ${service.name}: the roving address ${address} is on this host`,
                'right while it serves; else take it out of the host’s network configuration',
              ),
            );
      }
      out.push(...inspectSettings(service));
      out.push(...inspectNextHops(service));
    }
  } finally {
    route.close();
  }
  return out;
}

function inspectSettings({ name, downlink, uplink }: GatewayService): Finding[] {
  const out: Finding[] = [];
  for (const device of [downlink.device, uplink.device]) {
    const strict = [
      readSysctl('ipv4/conf/all/rp_filter'),
      readSysctl(`ipv4/conf/${device}/rp_filter`),
    ].includes('1');
    if (strict)
      out.push(
        warning(
          `service ${name}: net.ipv4.conf.${device}.rp_filter is strict`,
          'right unless packets come in on another device than answers leave by; then set it to 2',
        ),
      );
  }
  const six = [...downlink.addresses, ...uplink.addresses].some((a) => a.family === 6);
  // A device that is absent will get the settings of `default`.
  const off =
    readSysctl(`ipv6/conf/${uplink.device}/disable_ipv6`) ?? readSysctl('ipv6/conf/default/disable_ipv6');
  if (six && off === '1')
    out.push(
      error(
        `service ${name}: IPv6 is off on ${uplink.device}`,
        `set net.ipv6.conf.${uplink.device}.disable_ipv6 to 0`,
      ),
    );
  if (six && readSysctl('ipv6/conf/all/forwarding') === null)
    out.push(
      error(`service ${name}: IPv6 addresses, but this kernel has no IPv6`, 'take them out, or enable IPv6'),
    );
  if (!six && uplink.ownAddress === null && off !== '0')
    out.push(
      error(
        `service ${name}: IPv6 is off on ${uplink.device} and there is no own_address`,
        'set own_address under [service.uplink]: hosts talk over the raised uplink before they take over',
      ),
    );
  return out;
}

function inspectNextHops({ name, uplink }: GatewayService): Finding[] {
  const out: Finding[] = [];
  const networks = uplink.ownAddress === null ? uplink.addresses : [...uplink.addresses, uplink.ownAddress];
  for (const hop of uplink.nextHops) {
    const ip = parseIp(hop);
    if (ip === null || hop.startsWith('fe80:')) continue;
    const near = networks.some((a) => {
      const own = parseIp(a.address);
      return own !== null && inPrefix(ip, own, a.prefixLength);
    });
    if (!near)
      out.push(
        warning(
          `service ${name}: next_hop ${hop} is in no network of the uplink`,
          'compare next_hop and addresses',
        ),
      );
  }
  return out;
}

async function inspectRules(config: ActuatorConfig): Promise<Finding[]> {
  const out: Finding[] = [];
  for (const service of config.services) {
    for (const kind of ['serving', 'standby'] as const)
      for (const family of [4, 6] as const) {
        const file = ruleFile(service, kind, family);
        if (file === null) continue;
        out.push(
          ...(await guarded(async () => {
            const text = await readRules(config, file, family);
            const forwards = /^:FORWARD ACCEPT/m.exec(text);
            if (kind === 'standby' && file !== ruleFile(service, 'serving', family) && forwards !== null)
              return [
                warning(
                  `${file}: FORWARD’s policy is ACCEPT: a host on standby forwards beside the service`,
                  'write :FORWARD DROP there, or leave standby_rules out',
                ),
              ];
            if (/^\*filter\s*$/m.test(text)) return [];
            return [warning(`${file}: no filter table`, 'nothing then keeps the cluster’s port open')];
          })),
        );
      }
  }
  // The same file serves for both kinds, and would be named twice.
  return [...new Map(out.map((f) => [f.message, f])).values()];
}

async function inspectPrograms(config: ActuatorConfig): Promise<Finding[]> {
  const out: Finding[] = [];
  for (const { name, procedures, downlink } of config.services) {
    const programs = Object.entries(procedures);
    for (const check of downlink.checks) if (check.kind === 'command') programs.push(['check', check.path]);
    for (const [procedure, path] of programs) {
      const problem = await programProblem(path);
      if (problem !== null)
        out.push(error(`service ${name}: ${procedure}: ${problem}`, 'install it, owned by root, mode 0755'));
    }
  }
  return out;
}
