/** Completion for zsh: a function for each command, with what the help says of it. Pure. */
import type { Command } from 'commander';
import { type CommandNode, commandNodes, type OptionNode, type Values } from './completion-tree.ts';

/** The file `_portcullis` for a directory of fpath. */
export function zshCompletion(program: Command): string {
  const name = program.name();
  const nodes = commandNodes(program);
  return `#compdef ${name}
# zsh completion for ${name}; made by: ${name} completion zsh
${nodes.map((node) => commandFunction(name, node)).join('')}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _${name} "$@"
else
  compdef _${name} ${name}
fi
`;
}

function functionOf(program: string, path: readonly string[]): string {
  return ['', program, ...path].join('_').replaceAll('-', '_');
}

function commandFunction(program: string, node: CommandNode): string {
  const specs = node.options.map(optionSpec);
  const lines =
    node.children.length > 0
      ? groupLines(program, node, specs)
      : [`  _arguments -s -S ${[...specs, ...node.arguments.map(placeSpec)].join(' ')}`];
  return `${functionOf(program, node.path)}() {\n${lines.join('\n')}\n}\n`;
}

function groupLines(program: string, { path, children }: CommandNode, specs: readonly string[]): string[] {
  const entries = children.map(({ name, about }) => quoted(`${name}:${about.replaceAll(':', '\\:')}`));
  return [
    '  local curcontext=$curcontext state line',
    `  _arguments -C ${[...specs, "'1: :->command'", "'*:: :->rest'"].join(' ')}`,
    '  case $state in',
    '    command)',
    `      local -a commands=(${entries.join(' ')})`,
    '      _describe command commands ;;',
    '    rest)',
    '      case $line[1] in',
    ...children.map(({ name }) => `        ${name}) ${functionOf(program, [...path, name])} ;;`),
    '      esac ;;',
    '  esac',
  ];
}

function optionSpec({ flags, about, values, valueName }: OptionNode): string {
  const text = `[${about.replaceAll(/[[\]\\]/g, '\\$&')}]`;
  const value = values === null ? '' : `:${valueName.replaceAll(':', '\\:')}:${actionOf(values)}`;
  if (flags.length === 1) return quoted(`${flags[0]}${text}${value}`);
  return `${quoted(`(${flags.join(' ')})`)}{${flags.join(',')}}${quoted(`${text}${value}`)}`;
}

function placeSpec({ name, values, variadic }: CommandNode['arguments'][number]): string {
  return quoted(`${variadic ? '*' : ''}:${name.replaceAll(':', '\\:')}:${actionOf(values)}`);
}

function actionOf(values: Values): string {
  if (typeof values !== 'string') return `(${values.join(' ')})`;
  return { file: '_files', device: '_net_interfaces', any: ' ' }[values];
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
