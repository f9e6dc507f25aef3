/** Completion for bash: one function over a table of the commands. Needs nothing of bash-completion. Pure. */
import type { Command } from 'commander';
import { type CommandNode, commandNodes, type Values } from './completion-tree.ts';

/** The script, to be sourced, or found by bash-completion under the program's name. */
export function bashCompletion(program: Command): string {
  const name = program.name();
  const nodes = commandNodes(program);
  return `# bash completion for ${name}; made by: ${name} completion bash
_${name}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} node='' value='' skip='' word i
  local words options place values n=0
  COMPREPLY=()
  _${name}_node ''
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    # bash takes option=value and address:port apart.
    if [[ $word == = && -n $value ]]; then continue; fi
    if [[ $word == : || $word == = ]]; then skip=1; continue; fi
    if [[ -n $skip ]]; then skip=''; continue; fi
    if [[ -n $value ]]; then value=''; continue; fi
    if [[ $word == -* ]]; then
      _${name}_value "$node" "$word" && value=$word
    elif [[ " $words " == *" $word "* ]]; then
      node=\${node:+$node }$word
      _${name}_node "$node"
    else
      ((n += 1))
    fi
  done
  [[ -n $skip || ( $cur == : && -z $value ) ]] && return
  [[ $cur == = ]] && cur=''
  if [[ -n $value ]]; then
    _${name}_value "$node" "$value"
  elif [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$cur"))
    return
  elif [[ -n $words ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
    return
  else
    _${name}_place "$node" "$n"
  fi
  case $values in
    @file) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
    @device) COMPREPLY=($(cd /sys/class/net 2>/dev/null && compgen -W "$(printf '%s ' *)" -- "$cur")) ;;
    ?*) COMPREPLY=($(compgen -W "$values" -- "$cur")) ;;
  esac
}
# The words below a command, and its options.
_${name}_node() {
  case $1 in
${nodes.map(nodeCase).join('')}  esac
}
# Whether an option of a command takes a value; which stands in values.
_${name}_value() {
  values=''
  case "$1|$2" in
${nodes.flatMap(valueCases).join('')}    *) return 1 ;;
  esac
}
# What stands in the n-th place behind a command.
_${name}_place() {
  values=''
  case "$1|$2" in
${nodes.flatMap(placeCases).join('')}  esac
}
complete -F _${name} ${name}
`;
}

function nodeCase({ path, children, options }: CommandNode): string {
  const words = children.map(({ name }) => name).join(' ');
  const flags = options.flatMap((option) => option.flags).join(' ');
  return `    '${path.join(' ')}') words='${words}' options='${flags}' ;;\n`;
}

function valueCases({ path, options }: CommandNode): string[] {
  return options
    .filter(({ values }) => values !== null)
    .map(({ flags, values }) => {
      const patterns = flags.map((flag) => `'${path.join(' ')}|${flag}'`).join(' | ');
      return `    ${patterns}) values='${wordsOf(values ?? 'any')}' ;;\n`;
    });
}

function placeCases({ path, arguments: places }: CommandNode): string[] {
  return places.map(
    ({ values, variadic }, n) =>
      `    '${path.join(' ')}|'${variadic ? '*' : n}) values='${wordsOf(values)}' ;;\n`,
  );
}

function wordsOf(values: Values): string {
  if (typeof values !== 'string') return values.join(' ');
  return values === 'any' ? '' : `@${values}`;
}
