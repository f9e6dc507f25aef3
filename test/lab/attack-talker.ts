/** How the lab talks to the attacker's programs: a line there, a line back. */
import type { ChildProcess } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';

/** A program that answers each line with one line of JSON. */
export class Talker {
  readonly #child: ChildProcess;
  readonly #lines: Interface;

  constructor(child: ChildProcess) {
    if (child.stdout === null) throw new Error('no output');
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout });
  }

  ask(line: string): Promise<{ readonly [name: string]: number | string }> {
    return new Promise((resolve, reject) => {
      const ended = () => reject(new Error(`the program ended before it answered ${line}`));
      const timer = setTimeout(() => reject(new Error(`no answer to ${line}`)), 20_000);
      this.#child.once('exit', ended);
      this.#lines.once('line', (answer) => {
        clearTimeout(timer);
        this.#child.removeListener('exit', ended);
        const said = JSON.parse(answer) as { readonly [name: string]: number | string };
        if ('error' in said) reject(new Error(String(said.error)));
        else resolve(said);
      });
      if (this.#child.exitCode !== null) ended();
      this.#child.stdin?.write(`${line}\n`);
    });
  }
}
