/** The manual pages in spec/man are what the sources make of them, and groff has nothing to say of any. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { leaves } from '../../src/cli/help.ts';
import { buildProgram } from '../../src/cli/main.ts';
import { DURATION_KEYS, NUMBER_KEYS, TEXT_KEYS } from '../../src/daemon/config/keys.ts';
import { PROJECT } from '../programs.ts';
import { inline, markdownToRoff } from './markdown.ts';
import { manualPages } from './pages.ts';
import { plain } from './roff.ts';

const DIRECTORY = join(PROJECT, 'spec/man');
const pages = manualPages();
const needsGroff = spawnSync('groff', ['--version']).error !== undefined ? 'needs groff' : false;

/** As a reader sees it, a line as wide as it needs; and what groff complained of. */
function rendered(roff: string): { text: string; complaints: string } {
  const words = ['-ww', '-man', '-Tutf8', '-P-c', '-P-b', '-P-u', '-rLL=300n'];
  const { stdout, stderr, error } = spawnSync('groff', words, { input: roff, encoding: 'utf8' });
  assert.equal(error, undefined);
  return { text: stdout, complaints: stderr };
}

test('what stands in spec/man is what is made now (npm run -s man writes it)', () => {
  assert.deepEqual(readdirSync(DIRECTORY).sort(), [...pages.keys()].sort());
  for (const [name, text] of pages) assert.equal(readFileSync(join(DIRECTORY, name), 'utf8'), text, name);
});

test('groff renders each without a complaint, and with nothing left of Markdown', {
  skip: needsGroff,
}, () => {
  for (const [name, roff] of pages) {
    const { text, complaints } = rendered(roff);
    assert.equal(complaints, '', name);
    assert.doesNotMatch(text, /\*\*|^\|/m, name);
    assert.ok(text.length > 10_000, name);
  }
  assert.notEqual(rendered(`${pages.get('portcullis.1')}.UNKNOWN x\n`).complaints, '', 'it does complain');
});

test('every command, every key and every requirement stands in its page', { skip: needsGroff }, () => {
  const of = (name: string): string => rendered(pages.get(name) ?? '').text;
  const program = of('portcullis.1');
  const commands = leaves(buildProgram({ out: () => {}, err: () => {}, askSecret: () => null }));
  assert.ok(commands.length > 30);
  for (const { words, command } of commands) {
    assert.ok(program.includes(`portcullis ${words.join(' ')}`), words.join(' '));
    for (const { long } of command.options)
      assert.ok(program.includes(long ?? ''), `${words.join(' ')} ${long}`);
  }
  const keys = of('portcullis.toml.5');
  for (const key of Object.keys({ ...TEXT_KEYS, ...DURATION_KEYS, ...NUMBER_KEYS }))
    assert.match(keys, new RegExp(`^ +${key.replaceAll(/[.*]/g, '\\$&')}(\n| )`, 'm'), key);
  const protocol = of('portcullis-protocol.7');
  const spec = readFileSync(join(PROJECT, 'spec/protocol.md'), 'utf8');
  const required = [...spec.matchAll(/^- \*\*(P\d+)\*\*/gm)].map(([, id]) => id ?? '');
  assert.ok(required.length > 60);
  for (const id of required) assert.match(protocol, new RegExp(`^ +${id} `, 'm'), id);
});

test('text is harmless to roff: no escape, no request, nothing beyond ASCII', { skip: needsGroff }, () => {
  const nasty = ".so /etc/passwd\n'br \\fB \\n(yr - ^~` ’ ≥ é\n..\nend";
  const roff = plain(nasty);
  assert.match(roff, /^[\n\x20-\x7e]*$/);
  const { text, complaints } = rendered(`.TH X 1\n.SH N\n.nf\n${roff}\n.fi\n`);
  assert.equal(complaints, '');
  for (const line of nasty.split('\n')) assert.ok(text.includes(line), `${line} in ${text}`);
});

test('Markdown: what it knows, and what it refuses', () => {
  assert.equal(
    inline('`a-b` and **c**, *d e*, [f](g.md), 2 * 3'),
    '\\fBa\\-b\\fP and \\fBc\\fP, \\fId e\\fP, f, 2 * 3',
  );
  assert.deepEqual(
    markdownToRoff('# T\n\n- **P1** one\n  more\n\n| A | B |\n| --- | --- |\n| `x` | y \\| z |\n'),
    ['.SH "DESCRIPTION"', '.TP\n\\fBP1\\fP\none\nmore', '.TP\n\\fBx\\fP\ny | z'],
  );
  assert.throws(() => markdownToRoff('# T\n\n> quoted\n'), /not known here: > quoted/);
  assert.throws(() => markdownToRoff('# T\n\n# U\n'), /second title: U/);
});
