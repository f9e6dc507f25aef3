/**
 * A page of operations, followed on a cluster of the lab: each line is run on the host that the page names, with the page's
 * places standing for the lab's. `systemctl` is the lab's own service manager; installing a package is left to the test of packages.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { copyFile, cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Block, typedOf, wordsOf } from '../pages.ts';
import { PORTCULLIS, PROJECT } from './gateway.ts';
import type { Lab } from './lab.ts';
import { run } from './process.ts';

/** Commands that read a host's configuration when nothing else is said. */
const CONFIGURED =
  /^(status|explain|check|drain|standby|resume|handover|fence|uplink provision|cluster push)$/;
const PACKAGE = /^install (\.|\/media\/stick)\/portcullis_(VERSION_ARCH|[0-9.]+_amd64)\.deb$/;
const LIMIT_MS = 60_000;

export class Guide {
  protected readonly lab: Lab;
  /** What was typed of this project's commands, as `cluster push`. */
  readonly commands = new Set<string>();

  constructor(lab: Lab) {
    this.lab = lab;
  }

  /** A place below the lab's directory. */
  at(...names: string[]): string {
    return join(this.lab.cluster.directory, ...names);
  }

  /** The stick as the page finds it: with the roster of the cluster. */
  async begin(): Promise<void> {
    await mkdir(this.at('stick'));
    await mkdir(this.at('admin'));
    await copyFile(this.at('roster.cose'), this.at('stick/roster.cose'));
    for (const name of ['admin.key', 'admin.key.pub']) await copyFile(this.at(name), this.at('admin', name));
  }

  async follow(block: Block): Promise<void> {
    if (block.where.startsWith('file='))
      await writeFile(this.at('admin', block.where.slice(5)), `${block.lines.join('\n')}\n`);
    else for (const line of block.lines) await this.#line(block.where, line);
  }

  /** A remark after a line may say that it ends with 1. */
  async #line(host: string, line: string): Promise<void> {
    const [program = '', ...words] = wordsOf(typedOf(line));
    if (program === 'systemctl') await this.service(host, words);
    else if (program === 'apt') assert.match(words.join(' '), PACKAGE, 'what the package’s test installs');
    else if (program === 'curl') await this.#curl(host, words, line);
    else if (program === 'portcullis') await this.portcullis(host, words, line);
    else {
      assert.match(program, /^(cp|mv|rm)$/, line);
      this.passed(line, await run([program, ...words.map((word) => this.place(host, word, this.at()))]));
    }
  }

  /** The whole answer is one that the socket gives to what it knows. */
  async #curl(host: string, words: readonly string[], line: string): Promise<void> {
    const here = words.map((word) => this.place(host, word, this.at()));
    const answer = await run(this.lab.topology.inside(host, ['curl', '-sS', ...here]), '', LIMIT_MS);
    this.passed(line, answer);
    assert.match(answer.stdout, /^(\{"schema":1,|# HELP portcullis_)/, line);
  }

  protected async portcullis(host: string, words: readonly string[], line: string): Promise<void> {
    const isGroup = /^(key|cluster|host|uplink|audit)$/.test(words[0] ?? '');
    const command = words.slice(0, isGroup ? 2 : 1).join(' ');
    this.commands.add(command);
    if (command === 'host join') await this.join(host, words, line);
    else {
      const more = CONFIGURED.test(command) ? ['--config', this.config(host)] : [];
      if (command === 'uplink provision') more.push('--root', await this.otherRoot(host));
      await this.run(host, [...words.map((word) => this.place(host, word, this.at())), ...more], line);
    }
  }

  /** That host's configuration, as the commands read it. */
  protected config(host: string): string {
    return this.lab.cluster.config(host);
  }

  /** On the lab's hosts what a bundle brings lies beside the configuration that the lab wrote. */
  protected async join(host: string, words: readonly string[], line: string): Promise<void> {
    const directory = this.at(`${host}-etc`);
    await mkdir(directory, { recursive: true });
    for (const name of [`${host}.key`, `${host}.key.pub`]) await cp(this.at(name), join(directory, name));
    const paper = (await this.fingerprint()) ?? '';
    const filled = words.map((word) => this.place(host, word, directory).replace('SHA256:PAPER', paper));
    await this.run(host, [...filled, '--dir', directory], line);
    await copyFile(join(directory, 'roster.cose'), this.at(host, 'roster.cose'));
  }

  /** What stands on the paper. */
  async fingerprint(key = this.at('admin.key.pub')): Promise<string | undefined> {
    const shown = await run([process.execPath, PORTCULLIS, 'key', 'show', key, '--json']);
    return (JSON.parse(shown.stdout) as { fingerprint?: string }).fingerprint;
  }

  protected async run(host: string, words: readonly string[], line: string): Promise<void> {
    const argv = [process.execPath, PORTCULLIS, ...words];
    const where = host === 'admin' ? argv : this.lab.topology.inside(host, argv);
    this.passed(line, await run(where, '', LIMIT_MS));
  }

  protected passed(
    line: string,
    { code, stdout, stderr }: { code: number | null; stdout: string; stderr: string },
  ): void {
    const expected = / # ends with 1\b/.test(line) ? 1 : 0;
    assert.equal(code, expected, `${line}: ${stderr}${stdout}`);
  }

  protected async service(host: string, [verb = '', ...units]: readonly string[]): Promise<void> {
    for (const unit of units) assert.ok(existsSync(join(PROJECT, 'systemd', `${unit}.service`)), unit);
    const { cluster, topology } = this.lab;
    if (verb === 'reload') {
      const { pid } = (await cluster.status(host)) ?? {};
      assert.ok(pid !== undefined && (await topology.pids(host)).includes(pid), `${host} runs`);
      process.kill(pid, 'SIGHUP');
      return;
    }
    assert.match(verb, /^(start|stop|restart)$/);
    if (verb !== 'start') await cluster.stop(host);
    if (verb !== 'stop') cluster.start(host);
  }

  /** `etc`: what stands for /etc/portcullis. */
  protected place(host: string, word: string, etc: string): string {
    if (host === 'admin' && /^[a-z0-9-]+\.(key|key\.pub|html|v4)$/.test(word)) return this.at('admin', word);
    return word
      .replace(/^\/etc\/portcullis\/host(?=[.-])/, `${etc}/${host}`)
      .replace(/^\/etc\/portcullis\/roster\.cose$/, this.at(host, 'roster.cose'))
      .replace(/^\/etc\/portcullis\//, `${etc}/`)
      .replace(/^\/run\/portcullis\//, `${this.at(host, 'run')}/`)
      .replace(/^\/var\/lib\/portcullis\//, `${this.at(host, 'state')}/`)
      .replace(/^\/media\/stick\//, `${this.at('stick')}/`);
  }

  /** What is written for the next boot is written below a root of its own. */
  protected async otherRoot(host: string): Promise<string> {
    const root = this.at(`${host}-root`);
    await mkdir(root, { recursive: true });
    return root;
  }

  /** That machine is dead, with its disk. */
  async lose(host: string): Promise<void> {
    await this.lab.cluster.kill(host, this.lab.faults);
    for (const name of ['log', 'roster.cose', 'standby.json'])
      await rm(this.at(host, 'state', name), { recursive: true, force: true });
    for (const name of [`${host}.key`, `${host}.key.pub`]) await rm(this.at(name));
  }
}
