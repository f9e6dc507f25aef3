/**
 * Weakened builds: this project's compiled files with exactly one defence taken out, by text. Each place must be there
 * once and only once: a defence that moved makes the control fail loudly instead of testing nothing.
 */
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PROJECT } from './gateway.ts';
import { workDirectory } from './lab.ts';

interface Cut {
  /** Below `dist/src`. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** What is taken out, by name. */
export const WEAKNESSES = {
  'no replay memory': [
    { file: 'wire/window.js', from: '    isFresh(seq) {', to: '    isFresh(seq) {\n        return true;' },
    { file: 'wire/endpoint.js', from: '> this.#timing.maxAgeMs)', to: '> Infinity)' },
  ],
  'sessions without a nonce, no replay memory': [
    { file: 'wire/window.js', from: '    isFresh(seq) {', to: '    isFresh(seq) {\n        return true;' },
    { file: 'wire/endpoint.js', from: '> this.#timing.maxAgeMs)', to: '> Infinity)' },
    {
      file: 'wire/endpoint.js',
      from: 'if (sid !== session.sid || key !== peer.key) {',
      to: 'if (sid !== session.sid) session.accept(nowMs, sid, nowMs, header.sentMs);\n        if (sid !== session.sid) {',
    },
  ],
  'no signature, no age bound': [
    {
      file: 'wire/inbound.js',
      from: 'return key.verifyKey.verify(',
      to: 'return true || key.verifyKey.verify(',
    },
    { file: 'wire/endpoint.js', from: '> this.#timing.maxAgeMs)', to: '> Infinity)' },
  ],
  'no gate, no signature, no age bound': [
    { file: 'wire/inbound.js', from: 'if (!gateHolds(', to: 'if (false && !gateHolds(' },
    {
      file: 'wire/inbound.js',
      from: 'return key.verifyKey.verify(',
      to: 'return true || key.verifyKey.verify(',
    },
    { file: 'wire/endpoint.js', from: '> this.#timing.maxAgeMs)', to: '> Infinity)' },
  ],
  'no gate, no signature, no replay memory': [
    { file: 'wire/inbound.js', from: 'if (!gateHolds(', to: 'if (false && !gateHolds(' },
    {
      file: 'wire/inbound.js',
      from: 'return key.verifyKey.verify(',
      to: 'return true || key.verifyKey.verify(',
    },
    { file: 'wire/window.js', from: '    isFresh(seq) {', to: '    isFresh(seq) {\n        return true;' },
    { file: 'wire/endpoint.js', from: '> this.#timing.maxAgeMs)', to: '> Infinity)' },
  ],
  'no age bound': [{ file: 'wire/endpoint.js', from: '> this.#timing.maxAgeMs)', to: '> Infinity)' }],
  'absurd terms are taken': [
    { file: 'core/voting.js', from: 'const highest = highestKnown(c);', to: 'const highest = 2 ** 53;' },
  ],
  'rosters of any signer': [
    {
      file: 'trust/roster.js',
      from: 'const signers = [',
      to: 'const signers = [...(current?.members ?? []).map((member) => member.publicKey), ',
    },
    {
      file: 'trust/roster-rules.js',
      from: 'if (current.admins.some((key) => sameBytes(key, signer)))',
      to: 'if (true || current.admins.some((key) => sameBytes(key, signer)))',
    },
  ],
  'one vote is a majority': [
    { file: 'core/lease.js', from: 'ends[Math.floor(voters.length / 2)]', to: 'ends[0]' },
  ],
  'unsigned answers count for ever': [
    { file: 'core/conflict.js', from: "c.become('waited');", to: 'waitOn(c);' },
  ],
  'roles not judged': [
    { file: 'wire/codec.js', from: 'return specOf(type).roles.includes(role);', to: 'return true;' },
    { file: 'wire/codec.js', from: "return role !== 'witness' || ", to: 'return true || ' },
  ],
  'removed hosts are kept': [
    {
      file: 'wire/peers.js',
      from: 'this.#byName = peers;',
      to: 'for (const [name, peer] of this.#byName) if (!peers.has(name)) peers.set(name, peer);\n        this.#byName = peers;',
    },
    { file: 'linux/portfilter.js', from: 'counter name stranger drop', to: 'counter name stranger' },
    { file: 'core/step.js', from: 'c.member(event.from) !== undefined', to: 'true' },
  ],
  'own words pass for the peer’s': [
    {
      file: 'wire/inbound.js',
      from: 'const named = around.peersByKid.get(kid);',
      to: 'const named = around.peersByKid.get(kid) ?? [...around.peersByKid.values()][0];',
    },
    { file: 'wire/inbound.js', from: 'if (!gateHolds(', to: 'if (false && !gateHolds(' },
    {
      file: 'wire/inbound.js',
      from: 'return key.verifyKey.verify(',
      to: 'return true || key.verifyKey.verify(',
    },
    {
      file: 'wire/endpoint.js',
      from: 'if (header.toSid !== null && !sameBytes(',
      to: 'if (false && !sameBytes(',
    },
    {
      file: 'wire/endpoint.js',
      from: 'if (sid !== session.sid || key !== peer.key) {',
      to: 'if (sid !== session.sid && sid !== hex(this.#speaker.sid)) {',
    },
    { file: 'wire/endpoint.js', from: '> this.#timing.maxAgeMs)', to: '> Infinity)' },
    { file: 'wire/codec.js', from: 'if (term !== null && term?.host !== from)', to: 'if (false)' },
  ],
  'link not bound, no age bound, older words count': [
    { file: 'wire/gate.js', from: 'Uint8Array.of(link)', to: 'Uint8Array.of(0)' },
    { file: 'wire/endpoint.js', from: '> this.#timing.maxAgeMs)', to: '> Infinity)' },
    {
      file: 'wire/session.js',
      from: 'if (last !== undefined && seq < last)',
      to: 'if (false)',
    },
  ],
  'cluster not bound': [
    {
      file: 'wire/gate.js',
      from: 'const info = join(',
      to: 'clusterId = new Uint8Array(32);\n    const info = join(',
    },
    {
      file: 'wire/cose.js',
      from: "['portcullis msg 1', clusterId, receiverKid]",
      to: "['portcullis msg 1', new Uint8Array(32), receiverKid]",
    },
  ],
  'no gate, no budget, no age bound': [
    { file: 'wire/inbound.js', from: 'if (!gateHolds(', to: 'if (false && !gateHolds(' },
    { file: 'wire/budget.js', from: 'if (this.#tokens < 1 || ', to: 'if (false && ' },
    { file: 'wire/endpoint.js', from: '> this.#timing.maxAgeMs)', to: '> Infinity)' },
  ],
  'no member filter, no gate, no budget, no age bound': [
    { file: 'linux/portfilter.js', from: 'counter name stranger drop', to: 'counter name stranger' },
    { file: 'wire/inbound.js', from: 'if (!gateHolds(', to: 'if (false && !gateHolds(' },
    { file: 'wire/budget.js', from: 'if (this.#tokens < 1 || ', to: 'if (false && ' },
    { file: 'wire/endpoint.js', from: '> this.#timing.maxAgeMs)', to: '> Infinity)' },
  ],
  'no budget, no age bound': [
    { file: 'wire/budget.js', from: 'if (this.#tokens < 1 || ', to: 'if (false && ' },
    { file: 'wire/endpoint.js', from: '> this.#timing.maxAgeMs)', to: '> Infinity)' },
  ],
  'a lone complaint counts': [
    {
      file: 'core/succession.js',
      from: 'const agreed = kept.length >= Math.min(2, others.length);',
      to: 'const agreed = true;',
    },
  ],
} as const satisfies { readonly [name: string]: readonly Cut[] };
export type Weakness = keyof typeof WEAKNESSES;

const made = new Map<Weakness, Promise<string>>();

/** The main file of a build with that weakness. */
export async function weakened(weakness: Weakness): Promise<string> {
  return join(await weakenedHome(weakness), 'dist/src/cli/portcullis.js');
}

/** The directory of a build with that weakness; made once. Throws when a place is not there exactly once. */
export function weakenedHome(weakness: Weakness): Promise<string> {
  const known = made.get(weakness);
  if (known !== undefined) return known;
  const building = build(weakness);
  made.set(weakness, building);
  return building;
}

/** The files that differ in such a build, below `dist/src`. Throws as above. */
export async function weakenedFiles(weakness: Weakness): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  for (const cut of WEAKNESSES[weakness]) {
    const text = files.get(cut.file) ?? (await readFile(join(PROJECT, 'dist/src', cut.file), 'utf8'));
    files.set(cut.file, taken(text, cut, weakness));
  }
  return files;
}

async function build(weakness: Weakness): Promise<string> {
  const files = await weakenedFiles(weakness);
  const home = join(workDirectory(), `weak${Object.keys(WEAKNESSES).indexOf(weakness)}`);
  await mkdir(home, { recursive: true });
  for (const part of ['dist/src', 'dist/test/lab', 'dist/test/programs.js'])
    await cp(join(PROJECT, part), join(home, part), { recursive: true });
  await cp(join(PROJECT, 'package.json'), join(home, 'package.json'));
  await symlink(join(PROJECT, 'node_modules'), join(home, 'node_modules'));
  for (const [file, text] of files) await writeFile(join(home, 'dist/src', file), text);
  return home;
}

/** The text with one place changed. Throws when it is not there exactly once. */
export function taken(text: string, cut: Cut, weakness: string): string {
  const times = text.split(cut.from).length - 1;
  if (times !== 1) throw new Error(`${weakness}: ${cut.file} has ${times} times: ${cut.from}`);
  return text.replace(cut.from, () => cut.to);
}
