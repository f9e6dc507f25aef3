/**
 * `portcullis init`: a configuration for this host from what it shows and what its operator says. Writes one new file, whole
 * or not at all, after our own reader has taken it; then `check`, and what to type next.
 */
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import { parsePrefix } from '../daemon/config/address.ts';
import { ConfigError } from '../daemon/config/problems.ts';
import { parseSettings } from '../daemon/config/settings.ts';
import { alreadyThere, createFile, notThere } from '../daemon/safe-files.ts';
import { findUser } from '../daemon/user.ts';
import { OperatorError } from '../trust/errors.ts';
import { type CheckFinding, findings, tell } from './check.ts';
import { type Draft, draftText } from './config-draft.ts';
import { examples } from './help.ts';
import { type HostFacts, hostFacts, recommendedUplink } from './host-facts.ts';
import { CONFIG_MODE } from './import.ts';
import { type Answers, listenOf, listOf, QUESTIONS, type Question } from './init-questions.ts';
import type { CommandIo } from './io.ts';
import { jsonLine } from './json-line.ts';
import { CONFIG_FILE } from './settings.ts';

interface InitOptions {
  readonly out: string;
  readonly dir: string;
  readonly activation?: string;
  readonly rules?: string;
  readonly user: string;
  readonly yes?: true;
  readonly json?: true;
  /** By commander's names, the answers that came as options. */
  readonly [flag: string]: string | string[] | true | undefined;
}

const WRONG_USAGE = 2;
/** From where the units take the private key. */
const UNIT_KEY = '/etc/portcullis/host.key';
const TRIES_MAX = 5;

/** Adds `init` to the program, with an option for each question. Throws OperatorError, and then has written nothing. */
export function registerInit(program: Command, io: CommandIo): void {
  const init = program
    .command('init')
    .description('write a configuration for this host from what it shows; asks for what is not given')
    .option('--out <file>', 'the file, which must not be there yet', CONFIG_FILE)
    .option('--dir <dir>', 'where keys and roster lie', '/etc/portcullis');
  const lists = new Set(['downlink-address', 'uplink-address', 'next-hop']);
  for (const { flag, text } of QUESTIONS)
    if (lists.has(flag)) init.option(`--${flag} <address...>`, text);
    else init.option(`--${flag} <${flag}>`, text);
  examples(
    init
      .option('--activation <how>', 'how the uplink is raised; else as uplink plan recommends it')
      .option('--rules <file>', 'IPv4 rules while serving, in iptables-save format')
      .option('--user <name>', 'the unprivileged user of the process that reads the network', 'portcullis')
      .option('--yes', 'take what was found, and do not ask')
      .option('--json', 'print JSON')
      .action((options: InitOptions) => initialise(io, options)),
    'init',
    'init --cluster dmz --policy available --downlink-address 10.77.1.1/24 --yes',
    'init --out fw1.toml --cluster dmz --host fw1 --policy quorum --downlink eth0 --listen 10.77.1.11 --downlink-address 10.77.1.1/24 --uplink up0 --uplink-address 10.77.2.1/24 --next-hop 10.77.2.254',
  );
}

async function initialise(io: CommandIo, options: InitOptions): Promise<void> {
  const out = resolve(options.out);
  // Before anything is asked.
  if (existsSync(out)) throw alreadyThere(out);
  if (!existsSync(dirname(out))) throw notThere(out);
  const facts = hostFacts();
  const answers = answersOf(io, options, facts);
  const draft = draftOf(answers, options, facts);
  const text = draftText(draft);
  refuseWrongFlags(() => parseSettings(text, out));
  createFile(out, Buffer.from(text), CONFIG_MODE);
  const found = await findings(out);
  report(io, options, out, found, nextCommands(answers, options, out));
}

/** Which option a key of the file comes from, where they are called differently. */
const SOURCES: { readonly [key: string]: string } = {
  key: 'dir',
  admin: 'dir',
  roster: 'dir',
  'link.device': 'downlink',
  'link.listen': 'listen',
  'service.policy': 'policy',
  'service.downlink.device': 'downlink',
  'service.downlink.addresses': 'downlink-address',
  'service.uplink.device': 'uplink',
  'service.uplink.addresses': 'uplink-address',
  'service.uplink.next_hop': 'next-hop',
  'service.uplink.own_address': 'own-address',
  'service.uplink.activation': 'activation',
  'service.firewall.rules': 'rules',
};

/** What our reader refuses is told of the option, since there is no file yet. Throws OperatorError, status 2. */
function refuseWrongFlags(read: () => void): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const told = error.problems.map(({ key, what }) => {
      const last = key.slice(key.lastIndexOf('.') + 1);
      // What no option says comes with how the uplink is raised.
      const option = SOURCES[key] ?? (key.includes('.') ? `activation: ${last}` : key);
      return `--${option}${/^[a-z-]+$/.test(option) && !what.startsWith(':') ? ':' : ''} ${what.replace(/^: /, '')}`;
    });
    throw new OperatorError([...new Set(told)].join('; '), error.problems[0]?.remedy, WRONG_USAGE);
  }
}

/** Flags first, then what is found (with --yes) or asked. Throws OperatorError, status 2, with all that is missing. */
function answersOf(io: CommandIo, options: InitOptions, facts: HostFacts): Answers {
  let answers: Answers = {};
  const missing: string[] = [];
  for (const question of QUESTIONS) {
    const { flag } = question;
    if (question.applies?.(facts, answers) === false) continue;
    const given = options[camelCase(flag)];
    const proposed = question.propose(facts, answers);
    let answer: string | null;
    if (given !== undefined) answer = Array.isArray(given) ? given.join(' ') : String(given);
    else if (options.yes) answer = proposed;
    else answer = missing.length > 0 ? null : asked(io, question, proposed, facts, answers);
    if (answer === null) {
      missing.push(`--${flag}${proposed === null ? '' : ` (found: ${proposed})`}`);
      // What later proposals hang on.
      if (proposed !== null) answers = { ...answers, [flag]: proposed };
      continue;
    }
    const wrong = question.judge(answer, facts, answers);
    if (wrong !== null)
      throw new OperatorError(`--${flag}: ${judged(answer, wrong)}`, question.text, WRONG_USAGE);
    answers = { ...answers, [flag]: flag === 'listen' ? (listenOf(answer) ?? answer) : answer };
  }
  if (missing.length === 0) return answers;
  throw new OperatorError(
    `not known, and nobody to ask: ${missing.join(', ')}`,
    options.yes ? 'give these options' : 'give these options, or --yes to take what was found',
    WRONG_USAGE,
  );
}

/** Null: there is no terminal. Throws OperatorError after too many wrong answers. */
function asked(
  io: CommandIo,
  { text, judge }: Question,
  proposed: string | null,
  facts: HostFacts,
  answers: Answers,
): string | null {
  for (let i = 0; i < TRIES_MAX; i++) {
    const line = io.askLine?.(`${text}${proposed === null ? '' : ` [${proposed}]`}: `) ?? null;
    if (line === null) return null;
    const answer = line === '' && proposed !== null ? proposed : line;
    const wrong = answer === '' ? '' : judge(answer, facts, answers);
    if (wrong === null) return answer;
    io.err(`portcullis: ${answer === '' ? 'an answer is missing' : judged(answer, wrong)}\n`);
  }
  throw new OperatorError('too many answers that could not be used; nothing was written', text);
}

/** What is wrong with an answer; of several, the judgement names the one itself. */
function judged(answer: string, wrong: string): string {
  return answer.split(/[\s,]+/).some((part) => part !== '' && wrong.startsWith(`${part} `))
    ? wrong
    : `${JSON.stringify(answer)} ${wrong}`;
}

function camelCase(flag: string): string {
  return flag.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function draftOf(answers: Answers, options: InitOptions, facts: HostFacts): Draft {
  const { cluster = '', host = '', policy = '', downlink = '', listen = '', uplink = '' } = answers;
  const dir = resolve(options.dir);
  const hops = listOf(answers, 'next-hop');
  const own = answers['own-address'];
  const seen = facts.devices.map(({ name, addresses }) => {
    const list = addresses.map(({ address, prefixLength }) => `${address}/${prefixLength}`);
    return `${name} ${list.length > 0 ? list.join(' ') : '(no address)'}`;
  });
  return {
    head: [
      `The configuration of ${host}, made by portcullis init; portcullis check --config FILE judges it.`,
      'Keys that stand as comments have those values; spec/configuration.md says more of all of them.',
      `Devices when it was made: ${seen.join(', ')}.`,
    ],
    keys: {
      ...{ cluster, host },
      // Where the units take it from, as a credential.
      key: `${dir}/host.key`,
      admin: `${dir}/admin.pub`,
      state: '/var/lib/portcullis',
      roster: `${dir}/roster.cose`,
      control: '/run/portcullis/control.sock',
      user: options.user,
    },
    intervalMs: null,
    conntrackd: null,
    links: [{ name: 'downlink', device: downlink, listen }],
    services: [
      {
        notes: [],
        keys: { name: 'firewall', policy },
        downlink: { device: downlink, addresses: canonical(listOf(answers, 'downlink-address')) },
        uplink: {
          device: uplink,
          ...uplinkKeys(uplink, options),
          addresses: canonical(listOf(answers, 'uplink-address')),
          next_hop: hops.length === 1 ? (hops[0] ?? '') : hops,
          ...(own === undefined ? {} : { own_address: own }),
        },
        firewall: options.rules === undefined ? {} : { rules: resolve(options.rules) },
        procedures: {},
      },
    ],
  };
}

function canonical(prefixes: readonly string[]): string[] {
  return prefixes.flatMap((text) => {
    const prefix = parsePrefix(text);
    return prefix === null ? [] : [`${prefix.address}/${prefix.prefixLength}`];
  });
}

function uplinkKeys(device: string, { activation }: InitOptions): { [key: string]: string } {
  const recommended = (recommendedUplink(device) ?? { activation: 'admin' }) as { [key: string]: string };
  if (activation === undefined || activation === recommended.activation) return recommended;
  return { activation };
}

/** What is still to be done, in this order; what is there already is left out. */
function nextCommands(answers: Answers, options: InitOptions, out: string): string[] {
  const { cluster = '', host = '', listen = '' } = answers;
  const dir = resolve(options.dir);
  const key = `${dir}/host.key`;
  const next: string[] = [];
  if (findUser(options.user) === null)
    next.push(`useradd --system --shell /usr/sbin/nologin ${options.user}`);
  if (!existsSync(key)) next.push(`portcullis key generate --out ${key}`);
  if (!existsSync(`${dir}/roster.cose`) || !existsSync(`${dir}/admin.pub`))
    next.push(
      `# on the admin’s machine, with ${key}.pub copied there as ${host}.key.pub (the first two once for all hosts):`,
      'portcullis key generate --out admin.key --passphrase',
      `portcullis cluster init ${cluster} --admin-key admin.key --out roster.cose`,
      `portcullis cluster add ${host} --roster roster.cose --admin-key admin.key --key ${host}.key.pub --address ${listen} --priority 100`,
      `portcullis cluster bundle ${host} --roster roster.cose --out ${host}.bundle`,
      '# here again:',
      `portcullis host join ${host}.bundle --dir ${dir} --key ${key}`,
    );
  next.push(
    `portcullis uplink provision --config ${out} --update-initramfs`,
    `portcullis check --config ${out}`,
  );
  if (out !== CONFIG_FILE || key !== UNIT_KEY)
    next.push(`# the units read ${CONFIG_FILE} and ${UNIT_KEY} alone: put this file and the key there`);
  next.push('systemctl enable --now portcullis');
  return next;
}

function report(
  io: CommandIo,
  options: InitOptions,
  out: string,
  found: readonly CheckFinding[],
  next: readonly string[],
): void {
  if (options.json) {
    io.out(jsonLine({ written: out, findings: found, next }));
    return;
  }
  io.out(`written ${out}\n`);
  if (found.length > 0) io.err('portcullis: what check says of it now, before what comes next:\n');
  for (const finding of found) tell(io, finding);
  io.out('Next:\n');
  for (const command of next) io.out(`  ${command}\n`);
}
