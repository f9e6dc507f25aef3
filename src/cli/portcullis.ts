#!/usr/bin/env node
/**
 * What `portcullis` starts. The actuator holds the host's capabilities: it loads its own few files and none of the
 * commands, codecs and packages of the rest (M14). The daemon, as its units start it, loads none of the other commands.
 */
import '../daemon/hardening.ts';

const args = process.argv.slice(2);
const [verb, option, , more] = args;
if (verb === 'actuator' && option === '--config' && more === undefined) {
  process.argv.splice(2, 1);
  await import('../daemon/actuator-main.ts');
} else if (verb === 'daemon') {
  const { plainDaemon, startDaemon } = await import('./daemon-start.ts');
  const plain = plainDaemon(args);
  if (plain === null) await (await import('./main.ts')).main();
  else {
    const { complain } = await import('./complaint.ts');
    await startDaemon(plain.config, plain.logLevel).catch((error: unknown) => {
      process.exitCode = complain(error, (text) => process.stderr.write(text));
    });
  }
} else await (await import('./main.ts')).main();
