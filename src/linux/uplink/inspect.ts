/** What `check` finds on this host about uplinks: what would keep one from coming, and what would bring one up unasked. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { OperatorError } from '../../trust/errors.ts';
import type { ActuatorConfig, GatewayService } from '../config.ts';
import { findTool, runTool, TOOLS, textOf } from '../tools.ts';
import { bootFiles, MODPROBE_FILE } from './boot-files.ts';
import { bootHost } from './boot-host.ts';
import { type UplinkFacts, uplinkFacts } from './facts.ts';
import { REMAKE_WORDS } from './initramfs.ts';
import { planUplink } from './planning.ts';
import { cardText, moduleName, Sysfs } from './sysfs.ts';

export interface UplinkFinding {
  /** `error`: a takeover would fail; `warning`: worth knowing. */
  readonly level: 'error' | 'warning';
  readonly message: string;
  readonly hint: string;
}

const LIST_LIMIT_MS = 30_000;

export async function inspectUplinks(config: ActuatorConfig, sysfs = new Sysfs()): Promise<UplinkFinding[]> {
  const out: UplinkFinding[] = [];
  for (const service of config.services) {
    out.push(...inspectStrategy(config, service, sysfs));
    if (service.uplink.activation === 'module') out.push(...(await inspectModule(service)));
  }
  out.push(...(await inspectOffloading(config)));
  const hasModule = config.services.some((s) => s.uplink.activation === 'module');
  out.push(...inspectBoot(config, sysfs), ...(hasModule ? await inspectInitramfs(config) : []));
  return [...new Map(out.map((finding) => [finding.message, finding])).values()];
}

/**
 * Throws OperatorError when a configured strategy would take away what this host needs: files that keep such a driver out
 * would do so from the next boot on.
 */
export function refuseUnusable(config: ActuatorConfig, sysfs = new Sysfs()): void {
  for (const { name, uplink } of config.services) {
    const { device, activation } = uplink;
    const facts = uplinkFacts(device, config, sysfs);
    const choices = facts === null ? [] : planUplink(facts).choices;
    const [why] = choices.find((c) => c.activation === activation)?.refused ?? [];
    if (why !== undefined)
      throw new OperatorError(`service ${name}: ${unusable(activation, why)}`, planHint(device));
  }
}

function unusable(activation: string, why: string): string {
  return `activation "${activation}" cannot be used: ${why}`;
}

function planHint(device: string): string {
  return `portcullis uplink plan ${device} says what is possible`;
}

/** Packets of a flowtable pass by the forward hook, and so by the lease gate. */
async function inspectOffloading({ services }: ActuatorConfig): Promise<UplinkFinding[]> {
  if (findTool('nft') === null) return [];
  const { output } = await runTool('nft', ['list', 'flowtables']);
  const lists = [...output.matchAll(/devices = \{([^}]*)\}/g)].map(([, list = '']) => list);
  const devices = new Set(lists.flatMap((list) => list.split(',')).map((d) => d.replaceAll('"', '').trim()));
  return services.flatMap((service) =>
    [service.uplink.device, service.downlink.device]
      .filter((device) => devices.has(device))
      .map((device) =>
        finding(service)(
          'error',
          `a flowtable offloads ${device}: its packets pass by the lease gate`,
          'take the device out of the flowtable',
        ),
      ),
  );
}

/** The configured strategy against what the kernel shows now. An uplink that is rightly absent is told by its card. */
function inspectStrategy(config: ActuatorConfig, service: GatewayService, sysfs: Sysfs): UplinkFinding[] {
  const { device, activation, card } = service.uplink;
  const say = finding(service);
  const facts = uplinkFacts(device, config, sysfs);
  // A program may make its device itself.
  if (facts === null && activation === 'command')
    return [say('warning', `uplink device ${device} does not exist now`, 'right if activateUplink makes it')];
  if (facts === null)
    return [say('error', `uplink device ${device} does not exist`, 'see ip link; correct device')];
  const out = [...differences(service, facts)];
  const hint = planHint(device);
  const choice = planUplink(facts).choices.find((c) => c.activation === activation);
  for (const why of choice?.refused ?? []) out.push(say('error', unusable(activation, why), hint));
  for (const note of activation === 'admin' ? [] : (choice?.notes ?? []))
    out.push(say('warning', note, hint));
  if (card !== undefined && !sysfs.hasCard(card))
    out.push(say('error', `there is no card ${cardText(card)}`, hint));
  return out;
}

function differences(service: GatewayService, facts: UplinkFacts): UplinkFinding[] {
  const { device, activation, card, module, driver } = service.uplink;
  if (!facts.exists || activation === 'admin' || activation === 'command') return [];
  const out: UplinkFinding[] = [];
  const differs = (key: string, says: string | undefined, is: string | null): void => {
    if (says === undefined || is === null || says === is) return;
    const hint = `correct ${key}; portcullis uplink plan ${device} prints the lines`;
    out.push(finding(service)('error', `${key} is "${says}", but ${device} has ${is}`, hint));
  };
  differs('card', card && cardText(card), facts.card && cardText(facts.card));
  differs('driver', driver, facts.driver);
  differs('module', module && moduleName(module), facts.module);
  return out;
}

/** Whether modprobe would load it for us, and would not for others. Asked of modprobe itself, which loads nothing here. */
async function inspectModule(service: GatewayService): Promise<UplinkFinding[]> {
  const { module = '' } = service.uplink;
  const say = finding(service);
  if (findTool('modprobe') === null)
    return [say('error', 'modprobe is not installed', `install the package ${TOOLS.modprobe}`)];
  const out: UplinkFinding[] = [];
  const ours = await runTool('modprobe', ['--dry-run', '--ignore-install', module]);
  if (ours.status !== 0)
    out.push(
      say(
        'error',
        `modprobe finds no module ${module}: ${textOf(ours.errors)}`,
        'correct module; see modinfo',
      ),
    );
  const others = await runTool('modprobe', ['--dry-run', '--verbose', '--show-depends', module]);
  if (others.status === 0 && /^builtin /m.test(others.output))
    out.push(say('error', `${module} is built into the kernel`, 'use activation "admin"'));
  else if (!/^install \/(usr\/)?bin\/(false|true)/m.test(others.output))
    out.push(say('warning', `nothing keeps ${module} from being loaded at boot, or by anybody`, PROVISION));
  const commandLine = existsSync('/proc/cmdline') ? readFileSync('/proc/cmdline', 'utf8') : '';
  const banned = /(?:^|\s)module_blacklist=(\S*)/.exec(commandLine)?.[1]?.split(',') ?? [];
  if (banned.some((name) => moduleName(name) === moduleName(module)))
    out.push(
      say(
        'error',
        `the kernel’s command line bans ${module}: nobody can load it`,
        'take it out of module_blacklist=',
      ),
    );
  return out;
}

const PROVISION = 'portcullis uplink provision --config FILE writes what is missing';

/** The files that keep the uplink down from boot on, and the one that cannot be written for the operator. */
function inspectBoot({ services }: ActuatorConfig, sysfs: Sysfs): UplinkFinding[] {
  const out: UplinkFinding[] = [];
  for (const { path, text, purpose } of bootFiles(services, bootHost('/', sysfs, null))) {
    const there = existsSync(path) ? readFileSync(path, 'utf8') : null;
    if (there === text) continue;
    // Beside ours, `--group` adds lines of its own.
    if (there !== null && text.split('\n').every((line) => there.split('\n').includes(line))) continue;
    const what = there === null ? 'is missing' : 'is not what this configuration needs';
    const isUrgent = purpose === 'lets raise';
    out.push({
      level: isUrgent ? 'error' : 'warning',
      message: `${path} ${what}: ${isUrgent ? 'without it the actuator’s unit cannot load the driver' : 'it keeps the uplink down at boot'}`,
      hint: PROVISION,
    });
  }
  for (const path of interfaceFiles())
    for (const { uplink } of services) {
      const raises = new RegExp(
        `^\\s*(auto|allow-hotplug)\\s.*(?<=\\s)${escaped(uplink.device)}(?=\\s|$)`,
        'm',
      );
      if (raises.test(readFileSync(path, 'utf8')))
        out.push({
          level: 'warning',
          message: `${path} raises ${uplink.device} at boot`,
          hint: `take ${uplink.device} out of its auto and allow-hotplug lines`,
        });
    }
  return out;
}

/** Of ifupdown. */
function interfaceFiles(): string[] {
  const directory = '/etc/network/interfaces.d';
  const more = existsSync(directory) ? readdirSync(directory).map((name) => join(directory, name)) : [];
  return ['/etc/network/interfaces', ...more].filter((path) => existsSync(path) && statSync(path).isFile());
}

function escaped(name: string): string {
  return name.replaceAll('.', '\\.');
}

/** Where the module is in the initial file system, the file that keeps it out must be as well. */
async function inspectInitramfs({ services }: ActuatorConfig): Promise<UplinkFinding[]> {
  const image = `/boot/initrd.img-${release()}`;
  if (!existsSync(image) || findTool('lsinitramfs') === null) return [];
  const { status, output } = await runTool('lsinitramfs', [image], '', LIST_LIMIT_MS);
  if (status !== 0 || output.split('\n').includes(MODPROBE_FILE.slice(1))) return [];
  return services.flatMap((service) => {
    const { module, activation } = service.uplink;
    if (activation !== 'module' || module === undefined) return [];
    const file = new RegExp(`/${moduleName(module).replaceAll('_', '[-_]')}\\.ko(\\.[a-z]+)?$`, 'm');
    if (!file.test(output)) return [];
    const message = `${image} has ${module}, and not ${MODPROBE_FILE}: the uplink appears early at boot`;
    return [finding(service)('warning', message, REMAKE_WORDS.join(' '))];
  });
}

function finding({ name }: GatewayService) {
  return (level: UplinkFinding['level'], message: string, hint: string): UplinkFinding => ({
    level,
    message: `service ${name}: ${message}`,
    hint,
  });
}
