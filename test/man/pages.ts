/**
 * The manual pages: the commands' own help, the table of configuration keys and the pages of spec/, in one form. Written to
 * spec/man by `npm run -s man`; a test holds what stands there against what is made here.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { EXIT_STATUSES, examplesOf, leaves } from '../../src/cli/help.ts';
import { buildProgram } from '../../src/cli/main.ts';
import { PROJECT } from '../programs.ts';
import { markdownToRoff } from './markdown.ts';
import {
  bold,
  italic,
  type PageHead,
  page,
  paragraph,
  plain,
  section,
  subsection,
  tagged,
  verbatim,
} from './roff.ts';

const FILES: readonly (readonly [string, string])[] = [
  ['/etc/portcullis/portcullis.toml', 'the configuration: portcullis.toml(5)'],
  ['/etc/portcullis/host.key', 'the private key of this host, handed to the daemon by the service manager'],
  ['/var/lib/portcullis', 'event log, newer rosters'],
  ['/run/portcullis/control.sock', 'where the daemon takes orders; for root and the group portcullis-admin'],
  ['/usr/share/doc/portcullis/examples/portcullis.toml', 'a configuration with every section'],
];

/** Each page by its file's name. */
export function manualPages(): ReadonlyMap<string, string> {
  const program = buildProgram({ out: () => {}, err: () => {}, askSecret: () => null });
  const version = program.version() ?? '';
  const head = (name: string, number: PageHead['section'], about: string): PageHead => ({
    name,
    section: number,
    version,
    about,
  });
  return new Map([
    ['portcullis.1', page(head('portcullis', 1, program.description()), programBody(program))],
    [
      'portcullis.toml.5',
      page(head('portcullis.toml', 5, 'configuration of one host of a Portcullis cluster'), [
        ...markdownToRoff(specText('configuration.md')),
        section('Example'),
        verbatim(readFileSync(join(PROJECT, 'systemd/portcullis.toml'), 'utf8')),
        ...seeAlso('portcullis(1)', 'portcullis-protocol(7)'),
      ]),
    ],
    [
      'portcullis-protocol.7',
      page(head('portcullis-protocol', 7, 'what the hosts of a Portcullis cluster say to each other'), [
        ...markdownToRoff(specText('protocol.md')),
        ...seeAlso('portcullis(1)', 'portcullis.toml(5)'),
      ]),
    ],
  ]);
}

function specText(name: string): string {
  return readFileSync(join(PROJECT, 'spec', name), 'utf8');
}

function seeAlso(...names: readonly string[]): string[] {
  const all = names.map((name) =>
    name.replace(/^(.*)(\(\d\))$/, (_, word, number) => `${bold(word)}${number}`),
  );
  return [section('See also'), paragraph(all.join(', '))];
}

function programBody(program: Command): string[] {
  const name = program.name();
  return [
    section('Synopsis'),
    `${bold(name)} ${italic('command')} [${italic('options')}]`,
    section('Description'),
    paragraph(
      plain(
        `${name} keeps a gateway available with a cluster of hosts: one serves, the others watch it and take over when it fails. ` +
          'The words below are all its commands. Data goes to standard output, everything else to standard error.',
      ),
    ),
    section('Commands'),
    ...leaves(program).flatMap(({ words, command }) => commandBody([name, ...words], command)),
    section('Exit status'),
    ...EXIT_STATUSES.map(([status, words]) => tagged(bold(String(status)), plain(words))),
    section('Environment'),
    tagged(bold('NO_COLOR'), plain('set and not empty: no colours, also on a terminal')),
    section('Files'),
    ...FILES.map(([path, words]) => tagged(italic(path), plain(words))),
    ...seeAlso('portcullis.toml(5)', 'portcullis-protocol(7)', 'systemctl(1)', 'nft(8)', 'conntrackd(8)'),
  ];
}

function commandBody(words: readonly string[], command: Command): string[] {
  const help = command.createHelp();
  const places = command.registeredArguments.map((argument) => {
    const shown = `${italic(argument.name())}${argument.variadic ? ' ...' : ''}`;
    return argument.required ? shown : `[${shown}]`;
  });
  const options = help.visibleOptions(command).filter(({ long }) => long !== '--help');
  const usage = [bold(words.join(' ')), ...(options.length > 0 ? [`[${italic('options')}]`] : []), ...places];
  const aliases = command
    .aliases()
    .map((alias) => plain(`Also: ${[...words.slice(0, -1), alias].join(' ')}.`));
  const examples = examplesOf(command).map((line) => `${words[0]} ${line}`);
  return [
    subsection(words.slice(1).join(' ')),
    paragraph(usage.join(' ')),
    paragraph([plain(sentence(command.description())), ...aliases].join('\n')),
    ...help
      .visibleArguments(command)
      .filter(({ description }) => description !== '')
      .map((argument) => tagged(italic(argument.name()), plain(help.argumentDescription(argument)))),
    ...options.map((option) => tagged(flagsOf(option.flags), plain(help.optionDescription(option)))),
    ...(examples.length > 0 ? [verbatim(examples.join('\n'))] : []),
  ];
}

function flagsOf(flags: string): string {
  const [, names = flags, value] = /^(.*?)(?: ([<[].*))?$/.exec(flags) ?? [];
  return value === undefined ? bold(names) : `${bold(names)} ${italic(value.replaceAll(/[<>]/g, ''))}`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
