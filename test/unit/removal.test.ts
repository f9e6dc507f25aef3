/** What the Debian package's removal does to the rules: the script itself, with programs in the kernel's place that say what they were told. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { PROJECT } from '../programs.ts';

/** As `nft list table` shows the gate; `families`: those of which nothing is forwarded on standby. */
function gate(families: readonly string[]): string {
  const cut = families.map((family) => `\t\tmeta nfproto ${family} meta nfproto != @serving drop\n`).join('');
  return `table inet portcullis_dmz {\n\tset serving {\n\t\ttype nf_proto\n\t}\n\tchain forward {\n\t\ttype filter hook forward priority -310; policy accept;\n${cut}\t\tiifname vmap { "up0" : jump uplink_757030 }\n\t}\n}\n`;
}

/** Runs it; returns what was told to which program, in order, and what it printed. */
function removed(
  t: TestContext,
  inet: string,
  refusing: readonly string[] = [],
): { did: string[]; said: string } {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-removal-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const log = join(dir, 'log');
  writeFileSync(log, '');
  writeFileSync(join(dir, 'inet'), inet);
  const program = (name: string, body: string): void => {
    writeFileSync(join(dir, name), `#!/bin/sh\n${body}\n`);
    chmodSync(join(dir, name), 0o755);
  };
  program(
    'nft',
    `case "$1 $2" in
'list tables') echo 'table inet portcullis_dmz'; echo 'table arp portcullis_dmz'; echo 'table inet another' ;;
'list table') if [ "$3" = inet ]; then cat "${dir}/inet"; else echo 'table arp portcullis_dmz {}'; fi ;;
*) echo "nft $*" >>"${log}" ;;
esac`,
  );
  for (const name of ['iptables', 'ip6tables', 'deb-systemd-invoke'])
    program(name, `echo "${name} $*" >>"${log}"\nexit ${refusing.includes(name) ? 1 : 0}`);
  const done = spawnSync('sh', [join(PROJECT, 'systemd/debian/prerm'), 'remove'], {
    encoding: 'utf8',
    env: { PATH: `${dir}:/usr/bin:/bin` },
  });
  assert.equal(done.status, 0, done.stderr);
  const did = readFileSync(log, 'utf8').split('\n').filter(Boolean);
  return { did: did.filter((line) => !line.startsWith('deb-systemd-invoke')), said: done.stdout };
}

const TABLES = ['nft delete table inet portcullis_dmz', 'nft delete table arp portcullis_dmz'];

test('the gate goes, and where it alone forwarded nothing the rules do so before', (t) => {
  const four = 'iptables -w 5 -I FORWARD -j DROP';
  const six = 'ip6tables -w 5 -I FORWARD -j DROP';
  assert.deepEqual(removed(t, gate(['ipv4'])).did, [four, ...TABLES]);
  assert.deepEqual(removed(t, gate(['ipv4', 'ipv6'])).did, [four, six, ...TABLES]);
});

test('with standby rules, which say it themselves, no rule is changed', (t) => {
  assert.deepEqual(removed(t, gate([])).did, TABLES);
});

test('rules that do not take it: the gate stays, and that is said', (t) => {
  const { did, said } = removed(t, gate(['ipv6']), ['ip6tables']);
  assert.deepEqual(
    did.filter((line) => line.startsWith('nft')),
    [TABLES[1]],
  );
  assert.match(said, /^portcullis: left: table inet portcullis_dmz, /m);
});
