/** What commands print with `--json` says which schema it is of, and has the keys that spec/control.md names. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { inDirectory, must } from './cli-harness.ts';
import { assertDocumented } from './printed-json.ts';

test('key, cluster and host join: a schema, and the keys that the page names', async () => {
  await inDirectory(async (at) => {
    const json = async (...words: string[]): Promise<string> => must([...words, '--json']);
    const made = await json('key', 'generate', '--out', at('admin.key'));
    assertDocumented('key generate', made);
    assertDocumented('key generate', await json('key', 'show', at('admin.key.pub')));
    await must(['key', 'generate', '--out', at('fw1.key')]);
    const roster = ['--roster', at('r'), '--admin-key', at('admin.key')];
    assertDocumented(
      'cluster init',
      await json('cluster', 'init', 'dmz', '--admin-key', at('admin.key'), '--out', at('r')),
    );
    const add = ['cluster', 'add', 'fw1', ...roster, '--key', at('fw1.key.pub')];
    assertDocumented('cluster init', await json(...add, '--address', '10.77.1.11:7946'));
    const bundle = ['cluster', 'bundle', 'fw1', '--roster', at('r'), '--out', at('b')];
    assertDocumented('cluster bundle', await json(...bundle));
    assertDocumented('cluster show --history', await json('cluster', 'show', at('r'), '--history'));
    const { fingerprint } = JSON.parse(made) as { fingerprint: string };
    const join = ['host', 'join', at('b'), '--dir', at('.'), '--key', at('fw1.key')];
    assertDocumented('host join', await json(...join, '--admin-fingerprint', fingerprint));
  });
});

test('the page can fail: a key that it does not name, or one too few', () => {
  const keys = { schema: 1, cluster: 'dmz', id: '', versions: [] };
  assertDocumented('cluster show --history', `${JSON.stringify(keys)}\n`);
  for (const wrong of [
    { ...keys, more: 1 },
    { schema: 1, cluster: '', id: '' },
    { ...keys, schema: 2 },
  ])
    assert.throws(() => assertDocumented('cluster show --history', `${JSON.stringify(wrong)}\n`));
});
