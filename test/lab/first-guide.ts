/**
 * The README's two hosts, from nothing, in the lab: keys, members and configurations are those that its lines make; none of the
 * lab's own is left. Each host's /etc/portcullis is a directory, and what `init` writes gets the lab's places and its user.
 */

import assert from 'node:assert/strict';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { atDesk } from './admin-desk.ts';
import { Guide } from './guide.ts';
import { NETWORK_USER } from './units.ts';

export class FirstGuide extends Guide {
  override async begin(): Promise<void> {
    for (const name of ['stick', 'admin', 'fw1/etc', 'fw2/etc'])
      await mkdir(this.at(name), { recursive: true, mode: 0o711 });
  }

  protected override config(host: string): string {
    return this.at(host, 'etc/portcullis.toml');
  }

  protected override place(host: string, word: string, etc: string): string {
    return super.place(host, word.replace(/^\/etc\/portcullis\//, `${this.at(host, 'etc')}/`), etc);
  }

  protected override async run(host: string, words: readonly string[], line: string): Promise<void> {
    if (host === 'admin') await atDesk(line, words);
    else if (words[0] !== 'init') await super.run(host, words, line);
    else {
      const etc = this.at(host, 'etc');
      const more = ['--host', host, '--user', NETWORK_USER, '--dir', etc, '--out', this.config(host)];
      await super.run(host, [...words, ...more], line);
      await this.#furnish(host);
    }
  }

  /** The places of the package, as this host has them. */
  async #furnish(host: string): Promise<void> {
    const text = await readFile(this.config(host), 'utf8');
    const here = text
      .replace('"/var/lib/portcullis"', JSON.stringify(this.at(host, 'state')))
      .replace('"/run/portcullis/control.sock"', JSON.stringify(this.at(host, 'run/control.sock')));
    assert.equal(here.split(this.at(host)).length - text.split(this.at(host)).length, 2);
    await writeFile(this.config(host), here);
  }

  protected override async join(host: string, words: readonly string[], line: string): Promise<void> {
    const paper = (await this.fingerprint(this.at('admin/admin.key.pub'))) ?? '';
    const etc = this.at(host, 'etc');
    const filled = words.map((word) => this.place(host, word, etc).replace('SHA256:PAPER', paper));
    await this.run(host, [...filled, '--dir', etc], line);
  }

  protected override async service(host: string, words: readonly string[]): Promise<void> {
    assert.deepEqual(words, ['enable', '--now', 'portcullis']);
    await copyFile(this.config(host), this.lab.cluster.config(host));
    this.lab.cluster.start(host);
  }
}
