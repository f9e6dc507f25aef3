/** An interactive shell on a real pseudo-terminal, in which `portcullis` prints the words that it was given. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

const LIMIT_MS = 60_000;

/** Starts the shell, lets it run `setUp`, types each of `lines` with Enter behind it; the words of each line as they arrived. */
export async function typedWords(
  shell: readonly string[],
  setUp: readonly string[],
  lines: readonly string[],
): Promise<string[][]> {
  const words = shell.map((word) => `'${word}'`).join(' ');
  const script = spawn('script', ['-q', '-e', '-c', words, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, TERM: 'dumb', PS1: '', HISTFILE: '' },
  });
  const closed = once(script, 'close');
  const limit = setTimeout(() => script.kill('SIGKILL'), LIMIT_MS);
  let seen = '';
  script.stdout.setEncoding('utf8').on('data', (text: string) => {
    seen += text;
  });
  const until = async (word: string): Promise<void> => {
    while (!seen.includes(word)) {
      if (script.exitCode !== null || script.signalCode !== null)
        throw new Error(`never seen: ${word}; ${seen}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  try {
    const say = `portcullis() { printf '<%s>' "$@"; echo; echo "done"":$((++n))"; }; n=0`;
    script.stdin.write(`${[...setUp, say, 'portcullis ready'].join('\n')}\n`);
    await until('done:1');
    for (const [i, line] of lines.entries()) {
      script.stdin.write(`${line}\n`);
      await until(`done:${i + 2}`);
    }
    script.stdin.write('exit\n');
    await closed;
  } finally {
    clearTimeout(limit);
    script.kill('SIGKILL');
  }
  // What it printed, not what was typed: the only lines that begin so.
  const printed = [...seen.matchAll(/^(?:.*?)((?:<[^<>]*>)+)\r?$/gm)].map(([, text = '']) => text);
  return printed
    .slice(-lines.length)
    .map((text) => [...text.matchAll(/<([^<>]*)>/g)].map(([, word = '']) => word));
}
