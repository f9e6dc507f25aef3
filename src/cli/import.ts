/** `portcullis import`: a configuration of ours out of another program's. Nothing that is there is replaced, nothing is run. */
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { printable } from '../audit/words.ts';
import { ConfigError, describeProblem } from '../daemon/config/problems.ts';
import { parseSettings } from '../daemon/config/settings.ts';
import { createFile } from '../daemon/safe-files.ts';
import { OperatorError } from '../trust/errors.ts';
import { parseName } from './cluster-options.ts';
import { draftText } from './config-draft.ts';
import { examples } from './help.ts';
import { hostFacts, nameFrom, recommendedUplink } from './host-facts.ts';
import type { CommandIo } from './io.ts';
import { jsonLine } from './json-line.ts';
import { type Conversion, convert, keyFile } from './keepalived/conversion.ts';
import { type Remark, Remarks } from './keepalived/remarks.ts';
import { readSource, type Source } from './keepalived/source.ts';
import { treeOf } from './keepalived/tree.ts';
import { readVrrp } from './keepalived/vrrp.ts';

interface ImportOptions {
  readonly out?: string;
  readonly cluster: string;
  readonly host?: string;
  readonly uplink?: string;
  readonly downlink?: string;
  readonly configId?: string;
  readonly dir: string;
  readonly elsewhere?: true;
  readonly json?: true;
}

export const CONFIG_MODE = 0o644;
const PORT = 7946;

/** Adds the command group to the program. Throws OperatorError with file and line, and then has written nothing. */
export function registerImport(program: Command, io: CommandIo): void {
  const parent = examples(
    program.command('import'),
    'import keepalived /etc/keepalived/keepalived.conf',
  ).description('make a configuration of another program’s');
  examples(
    parent
      .command('keepalived')
      .description(
        'turn the VRRP part of a keepalived.conf into a configuration; say what has no counterpart',
      )
      .argument('<file>', 'the configuration of keepalived')
      .option('--out <file>', 'write it there, a new file; else it is printed')
      .option('--cluster <name>', 'the cluster’s name', 'dmz')
      .option('--host <name>', 'this host’s name in the roster; else its hostname')
      .option('--uplink <device>', 'the device of the foreign domain, where the file does not tell')
      .option('--downlink <device>', 'the device of the own domain, likewise')
      .option(
        '--config-id <name>',
        'what lines with @ are compared with, as keepalived -i; else the hostname',
      )
      .option('--dir <dir>', 'where keys, roster and rules lie', '/etc/portcullis')
      .option('--elsewhere', 'the file is another host’s: do not look at the devices of this one')
      .option('--json', 'print JSON')
      .action((file: string, options: ImportOptions) => importKeepalived(io, file, options)),
    'import keepalived /etc/keepalived/keepalived.conf',
    'import keepalived /etc/keepalived/keepalived.conf --out /etc/portcullis/portcullis.toml',
    'import keepalived fw2.conf --elsewhere --host fw2 --config-id fw2 --uplink eth1',
  );
}

function importKeepalived(io: CommandIo, file: string, options: ImportOptions): void {
  const ownName = hostname();
  const host = parseName('host', options.host ?? nameFrom(ownName) ?? 'host');
  const cluster = parseName('cluster', options.cluster);
  const source = readSource(file, options.configId ?? ownName.split('.')[0] ?? ownName);
  const remarks = new Remarks();
  toldOfSource(source, options, remarks);
  const vrrp = readVrrp(treeOf(source.lines), remarks);
  if (vrrp.instances.length === 0)
    throw new OperatorError(
      `${file}: has no vrrp_instance`,
      'there is nothing to be made of it: name the file that has one, or see portcullis init',
    );
  const facts = options.elsewhere ? null : hostFacts();
  const made = convert(
    vrrp,
    {
      ...{ cluster, host, directory: resolve(options.dir), port: PORT },
      uplink: options.uplink ?? null,
      downlink: options.downlink ?? null,
    },
    { file, facts, recommended: (device) => (options.elsewhere ? null : recommendedUplink(device)) },
    remarks,
  );
  const text = draftText(made.draft);
  const open = openProblems(text, options.out ?? 'FILE');
  if (options.out !== undefined) createFile(options.out, Buffer.from(text), CONFIG_MODE);
  report(io, options, text, made, remarks.all(), open);
}

function toldOfSource(source: Source, options: ImportOptions, remarks: Remarks): void {
  const [condition] = source.conditions;
  if (condition !== undefined && options.configId === undefined)
    remarks.add(
      condition,
      '@',
      `lines with @ were judged for ${hostname().split('.')[0]}, this host`,
      'name another with --config-id, as keepalived -i does',
    );
  for (const { pattern, ...place } of source.missing)
    remarks.add(place, 'include', `finds no file: ${pattern}`, 'correct it, if something is missing');
}

/** What our own reader misses in it: the places to be filled in. A wrong value would be a fault of ours or of the file. */
function openProblems(text: string, file: string): string[] {
  try {
    parseSettings(text, file);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(describeProblem);
    throw error;
  }
}

function report(
  io: CommandIo,
  options: ImportOptions,
  text: string,
  { commands, services }: Conversion,
  remarks: readonly Remark[],
  open: readonly string[],
): void {
  const { out } = options;
  if (options.json) {
    const written = out === undefined ? { configuration: text } : { written: out };
    io.out(jsonLine({ ...written, services, remarks, open, commands }));
    return;
  }
  if (out === undefined) io.out(text);
  for (const { file, line, keywords, what, instead, times } of remarks) {
    const more = times > 1 ? ` (${times} times)` : '';
    io.err(`portcullis: note: ${printable(`${file}:${line}: ${keywords.join(', ')} ${what}${more}`)}\n`);
    if (instead !== '') io.err(`portcullis: hint: ${instead}\n`);
  }
  for (const problem of open) io.err(`portcullis: to fill in: ${printable(problem)}\n`);
  if (out === undefined) return;
  io.out(`written ${out}\n`);
  const key = keyFile(resolve(options.dir));
  io.out('First, here, on each host a key of its own, whose public half goes to the admin’s machine:\n');
  io.out(`  portcullis key generate --out ${key}\n`);
  io.out(
    'The roster keeps priorities and addresses. On the admin’s machine, once for all hosts but for the bundle:\n',
  );
  for (const command of commands) io.out(`  ${command}\n`);
  io.out('Then, here, with the bundle that was made there:\n');
  for (const command of [
    `host join BUNDLE --dir ${resolve(options.dir)} --key ${key}`,
    `uplink provision --config ${out} --update-initramfs`,
    `check --config ${out}`,
  ])
    io.out(`  portcullis ${command}\n`);
}
