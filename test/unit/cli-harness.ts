/** Runs key, cluster and host commands in this process, in directories of their own. */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../src/cli/main.ts';

export interface Outcome {
  readonly status: number;
  /** Standard output. */
  readonly out: string;
  /** Standard error. */
  readonly err: string;
  /** What was asked on the terminal. */
  readonly questions: readonly string[];
}

/** Runs a command line; `typed` is what the operator types at each question, and without it there is no terminal. */
export async function portcullis(words: readonly string[], typed: readonly string[] = []): Promise<Outcome> {
  let out = '';
  let err = '';
  const answers = [...typed];
  const questions: string[] = [];
  const answer = (question: string): string | null => {
    questions.push(question);
    return answers.shift() ?? null;
  };
  const status = await run(words, {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    askSecret: (question) => {
      const line = answer(question);
      return line === null ? null : Uint8Array.from(Buffer.from(line));
    },
    askLine: answer,
  });
  return { status, out, err, questions };
}

/** As `portcullis`, for what must succeed; the standard output. */
export async function must(words: readonly string[], typed: readonly string[] = []): Promise<string> {
  const { status, out, err } = await portcullis(words, typed);
  if (status !== 0) throw new Error(`${words.join(' ')}: status ${status}: ${err}`);
  return out;
}

export async function inDirectory(use: (at: (name: string) => string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-test-'));
  try {
    await use((name) => join(directory, name));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Octal. */
export function modeOf(path: string): string {
  return (statSync(path).mode & 0o7777).toString(8);
}
