/** How a keepalived configuration is read: comments, quotes, braces, conditions, definitions, included files, and every refusal. */
import assert from 'node:assert/strict';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import fc from 'fast-check';
import { Remarks } from '../../src/cli/keepalived/remarks.ts';
import { readSource } from '../../src/cli/keepalived/source.ts';
import { type Statement, treeOf } from '../../src/cli/keepalived/tree.ts';
import { readVrrp } from '../../src/cli/keepalived/vrrp.ts';
import { OperatorError } from '../../src/trust/errors.ts';
import { inDirectory, portcullis } from './cli-harness.ts';
import type { temporaryDir } from './cluster-files.ts';
import { conf, imported, remarkOn, settingsOf } from './keepalived-harness.ts';

type Shape = (string | Shape)[];

function shapeOf(tree: readonly Statement[]): Shape {
  return tree.flatMap(({ words, block }) => [words.join('|'), ...(block === null ? [] : [shapeOf(block)])]);
}

function read(
  t: Parameters<typeof temporaryDir>[0],
  files: { [name: string]: string } | string,
  id = 'fw1',
): Shape {
  return shapeOf(treeOf(readSource(join(conf(t, files), 'keepalived.conf'), id).lines));
}

test('braces stand where they like; comments, quotes, tabs and ends of lines of other systems', (t) => {
  const text = [
    '! a comment',
    'one{two {three four}}   # another',
    'five\t"six seven"eight \r',
    '{',
    '  nine "ten # eleven ! {" \\# \\!',
    '}',
    '\tgroup { A B }',
  ].join('\n');
  assert.deepEqual(read(t, text), [
    'one',
    ['two', ['three|four']],
    'five|six seven|eight',
    ['nine|ten # eleven ! {|#|!'],
    'group',
    ['A|B'],
  ]);
});

test('conditions are judged by the name of this host, or by --config-id', async (t) => {
  const text = '@fw1 a\n@fw2 b\n@^fw1 c\n@^fw2 d\n@fw1\n$X=@fw1 e\n$X\n';
  assert.deepEqual(read(t, text), ['a', 'd', 'e']);
  assert.deepEqual(read(t, text, 'fw2'), ['b', 'c']);
  const pair = `vrrp_instance I {
    interface eth0
    @low priority 50
    @high priority 150
    virtual_ipaddress { 10.0.0.1/24 }
  }`;
  const made = await imported(t, pair, '--config-id', 'high');
  assert.equal(made.services[0]?.instances[0]?.priority, 150);
  assert.equal(made.remarks.filter(({ keywords }) => keywords.includes('@')).length, 0);
  assert.match(remarkOn(await imported(t, pair), '@').instead, /--config-id/);
});

test('definitions are put in when they are used, also into each other, and over several lines', (t) => {
  const text = `
$BASE=10.2.\${SUB}
$SUB=0
address \${BASE}.1 $BASE.2 \${NOBODY}.3
$SUB=7
address \${BASE}.1
$INSTANCE= \\
  vrrp_instance I_\${N} { \\
    id \${N} \\
    @fw1 mine \\
    @fw2 other \\
  }
$N=1
$INSTANCE
$N=2
$INSTANCE
escaped \${_HASH}x y\${_BANG}
here \${_INSTANCE}
`;
  assert.deepEqual(read(t, text), [
    `address|10.2.0.1|$BASE.2|\${NOBODY}.3`,
    'address|10.2.7.1',
    'vrrp_instance|I_1',
    ['id|1', 'mine'],
    'vrrp_instance|I_2',
    ['id|2', 'mine'],
    'escaped|#x|y!',
    'here|fw1',
  ]);
});

test('included files stand in their places, by patterns too, relative to the file that includes them', async (t) => {
  const files = {
    'keepalived.conf': 'a\ninclude conf.d/*.conf\nincluder nowhere/*.conf\nb',
    'conf.d/20-x.conf': 'x\ninclude more/y.txt',
    'conf.d/10-w.conf': 'w',
    'conf.d/.hidden.conf': 'hidden',
    'conf.d/readme.txt': 'readme',
    'conf.d/more/y.txt': 'y',
  };
  assert.deepEqual(read(t, files), ['a', 'w', 'x', 'y', 'b']);
  const dir = conf(t, files);
  const { missing } = readSource(join(dir, 'keepalived.conf'), 'fw1');
  assert.deepEqual(missing, [{ file: join(dir, 'keepalived.conf'), line: 3, pattern: 'nowhere/*.conf' }]);
  const made = await imported(t, {
    'keepalived.conf': 'include [v]rr?/*\ninclude /nowhere/at/all',
    'vrrp/a': 'vrrp_instance I { interface eth0\n virtual_ipaddress { 10.0.0.1/24 } }',
  });
  assert.equal(made.services[0]?.name, 'i');
  assert.match(remarkOn(made, 'include').what, /finds no file: \/nowhere\/at\/all/);
  const coloured = await portcullis([
    'import',
    'keepalived',
    join(conf(t, 'a\u001b[31m { }\ninclude \u001b[0m'), 'keepalived.conf'),
  ]);
  assert.equal(coloured.status, 1);
  assert.ok(!coloured.err.includes('\u001b'), coloured.err);
});

/** A file, and what is said of it, with its line. */
const REFUSED: readonly (readonly [string, RegExp])[] = [
  ['a {\n b\n', /:1: \{ is never closed/],
  ['a {\n}\n}\n', /:3: \} without a \{/],
  ['{\n', /:1: \{ without a name/],
  ['a { } { }', /:1: \{ without a name/],
  ['x\na "b\n', /:2: a quotation that does not end/],
  ['~SEQ(A, 1, 3) a\n', /:1: ~SEQ and ~LST are not read here/],
  ['include {a,b}.conf\n', /:1: braces in the name/],
  ['$A=$A x\n$A\n', /:2: definitions that grow without end/],
  ['$A= \\\n b \\\n $A\n\n$A\n', /definitions that grow without end/],
  ['$A= \\\n b \\', /:1: the definition of \$A has no end/],
  [`a ${'x'.repeat(5000)}`, /:1: a line of more than/],
  ['a\0b', /bytes that are no text/],
  ['vrrp_instance {\n}', /:1: vrrp_instance without a name/],
  ['vrrp_instance A {\n priority HIGH\n}', /:2: priority is no whole number from 1 to 255: "HIGH"/],
  ['vrrp_instance A {\n virtual_router_id 256\n}', /:2: virtual_router_id is no whole number/],
  ['vrrp_instance A {\n advert_int soon\n}', /:2: advert_int is no time/],
  ['vrrp_instance A {\n interface\n}', /:2: interface without a value/],
  ['vrrp_instance A {\n virtual_ipaddress {\n\n  VIP\n }\n}', /:4: is no address: "VIP"/],
  ['vrrp_instance A {\n unicast_peer { fw2 }\n}', /:2: is no address: "fw2"/],
  ['vrrp_instance A {\n virtual_ipaddress { 10.0.0.1 }\n}', /:2: vrrp_instance A says no interface/],
  ['vrrp_instance A {\n}\nvrrp_instance A {\n}', /:3: vrrp_instance A stands twice/],
  ['vrrp_sync_group G { group { A } }', /:1: vrrp_sync_group G names A, which is no vrrp_instance/],
  ['global_defs {\n}\n', /has no vrrp_instance/],
];

test('what cannot be meant is refused with file, line and remedy, and status 1; nothing is written', async (t) => {
  for (const [text, expected] of REFUSED) {
    const dir = conf(t, text);
    const out = join(dir, 'made.toml');
    const words = ['import', 'keepalived', join(dir, 'keepalived.conf'), '--elsewhere', '--out', out];
    const { status, err } = await portcullis(words);
    assert.equal(status, 1, text);
    assert.match(err, expected);
    assert.match(err, /portcullis: hint: ./);
    assert.throws(() => readSource(out, 'x'), /no such file/);
  }
});

test('files that include each other are refused, also by another name; so are too many, and no file at all', async (t) => {
  const dir = conf(t, { 'keepalived.conf': 'include b.conf', 'b.conf': 'a\ninclude link.conf' });
  symlinkSync(join(dir, 'keepalived.conf'), join(dir, 'link.conf'));
  assert.throws(
    () => readSource(join(dir, 'keepalived.conf'), 'x'),
    (error) =>
      error instanceof OperatorError &&
      /b\.conf:2: includes .*link\.conf, which is being read/.test(error.message),
  );
  const many = conf(t, Object.fromEntries(Array.from({ length: 70 }, (_, i) => [`d/${i}`, 'x'])));
  writeFileSync(join(many, 'keepalived.conf'), 'include d/*');
  assert.throws(() => readSource(join(many, 'keepalived.conf'), 'x'), /more than 64 files/);
  const { status, err } = await portcullis(['import', 'keepalived', join(many, 'nowhere')]);
  assert.equal(status, 1);
  assert.match(err, /no such file/);
  assert.equal((await portcullis(['import', 'keepalived'])).status, 2);
  assert.equal(
    (await portcullis(['import', 'keepalived', join(many, 'd/1'), '--host', 'No Name'])).status,
    2,
  );
});

test('--out writes one new file, which our own reader takes, and says what to type; nothing is replaced', async (t) => {
  const text = `vrrp_instance I {
  interface lan0
  unicast_src_ip 10.0.0.2
  unicast_peer { 10.0.0.3 }
  virtual_ipaddress { 10.0.0.1/24
    192.0.2.1/24 dev wan0 }
  virtual_routes { default via 192.0.2.254 }
}`;
  const dir = conf(t, text);
  const out = join(dir, 'made.toml');
  const words = [
    'import',
    'keepalived',
    join(dir, 'keepalived.conf'),
    '--elsewhere',
    '--host',
    'fw1',
    '--out',
    out,
  ];
  const first = await portcullis(words);
  assert.equal(first.status, 0, first.err);
  assert.match(first.out, /^written .*made\.toml$/m);
  assert.match(first.out, /cluster add fw1 .*--address 10\.0\.0\.2:7946 --priority 100/);
  const second = await portcullis(words);
  assert.equal(second.status, 1);
  assert.match(second.err, /there is such a file already/);
  const printed = await imported(t, text);
  assert.equal(settingsOf(printed).services[0]?.gateway.uplink.device, 'wan0');
});

test('whatever stands in a file, it is read or refused by an OperatorError', () => {
  const words = fc.constantFrom(
    ...[
      'vrrp_instance',
      'vrrp_sync_group',
      'group',
      'A',
      'B',
      '{',
      '}',
      '{',
      '}',
      '\n',
      '\n',
      '"',
      '#',
      '!',
      '\\',
      '$A=1',
    ],
    ...[
      '$A',
      `\${A}`,
      '@x',
      '@^x',
      '~SEQ(',
      'interface',
      'eth0',
      'virtual_ipaddress',
      '10.0.0.1/24',
      'dev',
      'priority',
    ],
    ...[
      '1',
      'track_script',
      'weight',
      'unicast_peer',
      'vrrp_script',
      'script',
      'virtual_routes',
      'default',
      'via',
      '::1',
    ],
  );
  fc.assert(
    fc.property(fc.array(words, { maxLength: 60 }), (parts) => {
      const lines = parts
        .join(' ')
        .split('\n')
        .map((text, i) => ({ file: 'x', line: i + 1, text: text.trim() }))
        .filter(({ text }) => text !== '');
      try {
        readVrrp(treeOf(lines), new Remarks());
      } catch (error) {
        if (!(error instanceof OperatorError)) throw error;
        assert.match(error.message, /^x:\d+: /);
      }
    }),
    { numRuns: 500 },
  );
});

test('a line of a wrong file, which may be a secret, is not repeated', async () => {
  await inDirectory(async (at) => {
    const block =
      'vrrp_instance A {\ninterface eth0\nvirtual_router_id 5\npriority 9\n}\nroot:$HASH:19000\nodd_word\n';
    writeFileSync(at('k.conf'), block);
    const { status, out, err } = await portcullis(['import', 'keepalived', at('k.conf'), '--elsewhere']);
    assert.equal(status, 0, err);
    assert.doesNotMatch(out + err, /HASH/);
    assert.match(err, /k\.conf:6: what begins with no keyword, odd_word is not known here/);
  });
});
