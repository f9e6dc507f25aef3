/** The tree of commands as completion needs it: words, options, and of what kind each value is. Pure. */
import type { Argument, Command, Option } from 'commander';

/** What may stand in a place: files and directories, a network device, one of these words, or anything. */
export type Values = 'file' | 'device' | 'any' | readonly string[];

export interface OptionNode {
  /** As typed: `--json`, `-h`. */
  readonly flags: readonly string[];
  readonly about: string;
  /** Null: it takes none. */
  readonly values: Values | null;
  /** The value's name in the help. */
  readonly valueName: string;
}

export interface ArgumentNode {
  readonly name: string;
  readonly values: Values;
  readonly variadic: boolean;
}

export interface CommandNode {
  /** From the program's name on; empty for the program itself. */
  readonly path: readonly string[];
  readonly about: string;
  readonly options: readonly OptionNode[];
  readonly arguments: readonly ArgumentNode[];
  readonly children: readonly { readonly name: string; readonly about: string }[];
}

/** The program and all its commands, each before those below it; a command's other names as commands of their own. */
export function commandNodes(command: Command, path: readonly string[] = []): CommandNode[] {
  const node: CommandNode = {
    path,
    about: command.description(),
    options: [...command.createHelp().visibleOptions(command).map(optionNode)],
    arguments: command.registeredArguments.map(argumentNode),
    children: command.commands.flatMap((child) =>
      [child.name(), ...child.aliases()].map((name) => ({ name, about: child.description() })),
    ),
  };
  const below = command.commands.flatMap((child) =>
    [child.name(), ...child.aliases()].flatMap((name) => commandNodes(child, [...path, name])),
  );
  return [node, ...below];
}

function optionNode(option: Option): OptionNode {
  const takes = option.required || option.optional;
  const valueName = /[<[]([^>\]]*)[>\]]/.exec(option.flags)?.[1]?.replace('...', '') ?? '';
  return {
    flags: [option.short, option.long].filter((flag) => flag !== undefined),
    about: option.description,
    values: takes ? valuesOf(valueName, option.argChoices) : null,
    valueName,
  };
}

function argumentNode(argument: Argument): ArgumentNode {
  const name = argument.name();
  return { name, values: valuesOf(name, argument.argChoices), variadic: argument.variadic };
}

/** By the value's name in the help, as the commands write it. */
function valuesOf(name: string, choices: readonly string[] | undefined): Values {
  if (choices !== undefined) return choices;
  if (/^(file|log|roster|dir|directory|program|path)$/i.test(name)) return 'file';
  if (/^role$/i.test(name)) return ['gateway', 'witness'];
  return /^device$/i.test(name) ? 'device' : 'any';
}
