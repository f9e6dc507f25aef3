/** `portcullis uplink`: how a device can be kept physically down, and the files that keep it so from boot on. */
import type { Command } from 'commander';
import { actuatorConfig } from '../daemon/config/actuator-config.ts';
import { type UplinkFacts, uplinkFacts } from '../linux/uplink/facts.ts';
import { planUplink, type UplinkPlan } from '../linux/uplink/planning.ts';
import { cardText, Sysfs } from '../linux/uplink/sysfs.ts';
import { OperatorError } from '../trust/errors.ts';
import { examples } from './help.ts';
import type { CommandIo } from './io.ts';
import { jsonLine } from './json-line.ts';
import { CONFIG_OPTION, settingsOf } from './settings.ts';
import { type ProvisionOptions, provision } from './uplink-provision.ts';

interface PlanOptions {
  readonly config?: string;
  readonly json?: true;
}

/** Adds the command group to the program. Commands throw OperatorError. */
export function registerUplink(program: Command, io: CommandIo): void {
  const uplink = examples(
    program.command('uplink'),
    'uplink plan enp3s0',
    'uplink provision --update-initramfs',
  ).description('keep the uplink physically down');
  examples(
    uplink
      .command('plan')
      .description('say which strategies a device can have, why, and the lines for the configuration')
      .argument('<device>', 'the network device, as ip link shows it')
      .option('--config <file>', 'a configuration, which tells downlinks and cluster links')
      .option('--json', 'print JSON')
      .action((device: string, options: PlanOptions) => plan(io, device, options)),
    'uplink plan enp3s0',
    'uplink plan enp3s0 --config /etc/portcullis/portcullis.toml --json',
  );
  examples(
    uplink
      .command('provision')
      .description('write what keeps the uplinks down from boot on; shows the difference first')
      .option(...CONFIG_OPTION)
      .option('--dry-run', 'show the difference and change nothing')
      .option('--yes', 'do not ask')
      .option('--remove', 'remove what an earlier run has written')
      .option(
        '--group <name>',
        'activation "unbind": a group that may bind and unbind; else portcullis-actuator where it exists',
      )
      .option('--update-initramfs', 'make the initial file systems anew afterwards, where that is needed')
      .option('--root <dir>', 'the mounted root of another system', '/')
      .option('--json', 'print JSON in place of the difference')
      .action((options: ProvisionOptions) => provision(io, options)),
    'uplink provision --dry-run',
    'uplink provision --yes --update-initramfs',
    'uplink provision --remove',
  );
}

function plan(io: CommandIo, device: string, options: PlanOptions): void {
  if (!/^(?![-.])[A-Za-z0-9_.-]{1,15}$/.test(device))
    throw new OperatorError(`${JSON.stringify(device)} is no device name`, 'see ip link', 2);
  const config =
    options.config === undefined ? null : actuatorConfig(settingsOf({ config: options.config }), []);
  const sysfs = new Sysfs();
  const facts = uplinkFacts(device, config, sysfs);
  if (facts === null) {
    const devices = sysfs.netDevices().filter((name) => name !== 'lo');
    throw new OperatorError(
      `there is no network device ${device}`,
      `there are: ${devices.join(', ')}; one whose driver is away must be brought back once, or be told by --config`,
    );
  }
  const found = planUplink(facts);
  if (options.json) io.out(jsonLine({ ...found, facts }));
  else io.out(planText(facts, found, config !== null));
  if (found.recommended === null)
    throw new OperatorError(`${device} can be no uplink`, 'the reasons stand above; name another device');
}

function planText(
  facts: UplinkFacts,
  { choices, recommended, toml }: UplinkPlan,
  isConfigured: boolean,
): string {
  const { device, exists, kind, card, driver, module, isLoadable } = facts;
  const lines: string[] = [];
  const away = exists ? '' : ', absent now';
  lines.push(
    card === null ? `${device}: ${kind}, no card of its own` : `${device}: card ${cardText(card)}${away}`,
  );
  if (driver !== null)
    lines.push(`  driver ${driver}, ${module === null || !isLoadable ? 'built in' : `module ${module}`}`);
  const sharers = facts.ofModule.flatMap((m) =>
    m.devices.length > 0 ? m.devices.map((d) => d.device) : [m.card],
  );
  if (sharers.length > 0) lines.push(`  the same module: ${sharers.join(', ')}`);
  for (const { activation, refused, notes } of choices) {
    const verdict = refused.length > 0 ? 'no' : activation === recommended ? 'yes, recommended' : 'yes';
    lines.push(`${activation.padEnd(8)}${verdict}`);
    for (const text of refused.length > 0 ? refused : notes) lines.push(`          ${text}`);
  }
  if (!isConfigured)
    lines.push('Without --config it is not known which devices are downlinks and cluster links.');
  if (toml !== null) lines.push('', '[service.uplink]', toml.trimEnd());
  return `${lines.join('\n')}\n`;
}
