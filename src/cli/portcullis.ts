#!/usr/bin/env node
/**
 * What `portcullis` starts. The actuator holds the host's capabilities: it loads its own few files and none of the
 * commands, codecs and packages of the rest (M14).
 */
import '../daemon/hardening.ts';

const [verb, option, , more] = process.argv.slice(2);
if (verb === 'actuator' && option === '--config' && more === undefined) {
  process.argv.splice(2, 1);
  await import('../daemon/actuator-main.ts');
} else await (await import('./main.ts')).main();
