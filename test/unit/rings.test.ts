/** The four rings: imports go inward only; the core touches nothing; files stay small. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';

/** What each folder may import, beside itself: folders of src, and packages. */
const MAY: { readonly [folder: string]: { readonly folders: string[]; readonly packages: RegExp } } = {
  core: { folders: [], packages: /^$/ },
  ahead: { folders: ['core'], packages: /^$/ },
  wire: { folders: ['core', 'trust'], packages: /^(node:crypto|@noble\/.+|cbor-x.*)$/ },
  trust: { folders: ['core', 'wire'], packages: /^(node:crypto|node:net|@noble\/.+)$/ },
  audit: { folders: ['core', 'wire', 'trust'], packages: /^node:crypto$/ },
  driver: { folders: ['core', 'wire', 'trust'], packages: /^$/ },
  linux: { folders: ['core', 'driver', 'trust'], packages: /^(node:.+|koffi)$/ },
  daemon: {
    folders: ['core', 'ahead', 'wire', 'trust', 'audit', 'driver', 'linux'],
    packages: /^(node:.+|pino|smol-toml)$/,
  },
  // Pure like them all, and no ring of its own: what of them is handed to other programs.
  library: {
    folders: ['core', 'ahead', 'wire', 'trust', 'audit', 'driver', 'daemon'],
    packages: /^$/,
  },
  cli: {
    folders: ['core', 'ahead', 'wire', 'trust', 'audit', 'driver', 'linux', 'daemon'],
    packages: /^(node:.+|commander)$/,
  },
};

/** `import 'X'`, `import .. from 'X'`, `export .. from 'X'`, and the last line of one of several. */
const IMPORTED = /^(?:import |(?:import|export) [^'\n]*\bfrom |\} from )'([^']+)';$/gm;

const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.ts'));

test('every source file belongs to a ring, and imports inward only', () => {
  assert.ok(files.length > 50);
  for (const file of files) {
    const folder = file.split('/')[0] ?? '';
    const may = MAY[folder];
    assert.ok(may, `src/${file} is in no ring`);
    const text = readFileSync(join('src', file), 'utf8');
    for (const [, name] of text.matchAll(IMPORTED)) {
      if (name === undefined) continue;
      if (!name.startsWith('.')) assert.match(name, may.packages, `src/${file} imports ${name}`);
      else {
        const target = join(file, '..', name).split('/')[0] ?? '';
        assert.ok(target === folder || may.folders.includes(target), `src/${file} imports ${name}`);
      }
    }
  }
});

/** What is loaded with a file, but for what it imports later: the files, and the packages. */
function loadedWith(main: string): { seen: Set<string>; packages: string[] } {
  const seen = new Set<string>();
  const packages = new Set<string>();
  const follow = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    const text = readFileSync(join('src', file), 'utf8');
    // Types are gone when it runs.
    const imports = text.replace(/^import type [^;]*;$/gm, '').matchAll(IMPORTED);
    for (const [, name = ''] of imports) {
      if (name.startsWith('.')) follow(join(file, '..', name));
      else if (!name.startsWith('node:')) packages.add(name);
    }
    if (/createRequire/.test(text)) packages.add('koffi');
  };
  follow(main);
  return { seen, packages: [...packages].sort() };
}

test('the actuator loads its own few files, and neither codec, cryptography nor any package but these (M14)', () => {
  const { seen, packages } = loadedWith('daemon/actuator-main.ts');
  assert.deepEqual(packages, ['koffi', 'smol-toml']);
  assert.deepEqual(
    [...seen].filter((file) => file.startsWith('wire/')),
    [],
  );
  assert.ok(seen.has('linux/actuator.ts') && seen.size > 40, `${seen.size} files`);
});

test('the daemon loads nothing of the other commands', () => {
  const { seen, packages } = loadedWith('cli/daemon-start.ts');
  assert.ok(!packages.includes('commander'), packages.join());
  assert.deepEqual(
    [...seen].filter((file) => file.startsWith('cli/')),
    ['cli/daemon-start.ts'],
  );
  assert.ok(seen.has('daemon/daemon.ts') && seen.has('core/step.ts'));
  assert.deepEqual([...loadedWith('cli/portcullis.ts').seen], ['cli/portcullis.ts', 'daemon/hardening.ts']);
});

test('of the daemon the library takes the defaults of the times, and nothing that opens or starts anything', () => {
  for (const file of files.filter((f) => f.startsWith('library/')))
    for (const [, name] of readFileSync(join('src', file), 'utf8').matchAll(/'\.\.\/daemon\/([^']+)'/g))
      assert.equal(name, 'config/timing.ts', file);
});

test('the core touches neither clock, chance, process nor timers', () => {
  for (const file of files.filter((f) => f.startsWith('core/'))) {
    const text = readFileSync(join('src', file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
    assert.doesNotMatch(
      text,
      /\b(Date|Math\.random|process|setTimeout|setInterval|performance|globalThis)\b[.(]/,
      file,
    );
  }
});

test('a file can be read in one sitting', () => {
  for (const file of files) {
    const lines = readFileSync(join('src', file), 'utf8').split('\n').length;
    assert.ok(lines <= 350, `src/${file} has ${lines} lines`);
  }
});

test('no shell anywhere', () => {
  for (const file of files) {
    const text = readFileSync(join('src', file), 'utf8');
    assert.doesNotMatch(text, /shell:\s*true|\bexecSync\(|[^.\w]exec\(|\/bin\/(ba)?sh\b/, file);
  }
});

test('nothing but the real primitives is ever handed to the wire: stand-ins are the simulator’s alone', () => {
  for (const file of files.filter((f) => !f.startsWith('wire/'))) {
    assert.doesNotMatch(readFileSync(join('src', file), 'utf8'), /primitives/i, `src/${file}`);
  }
});
