#!/usr/bin/env node
/**
 * The command line. One verb, one job; data on standard output, words on standard error; exit status 0 done,
 * 1 refused or failed, 2 wrong usage.
 */
import '../daemon/hardening.ts';
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError } from 'commander';
import { registerActuator } from './actuator.ts';
import { registerAudit } from './audit.ts';
import { registerCheck } from './check.ts';
import { registerCluster } from './cluster.ts';
import { complain } from './complaint.ts';
import { registerCompletion } from './completion.ts';
import { registerConntrackd } from './conntrackd.ts';
import { registerDaemon } from './daemon.ts';
import { registerExplain } from './explain.ts';
import { registerFence } from './fence.ts';
import { endings, showHelp } from './help.ts';
import { registerHost } from './host.ts';
import { registerImport } from './import.ts';
import { registerInit } from './init.ts';
import { type CommandIo, outliveReaders, PROCESS_IO } from './io.ts';
import { registerKey } from './key.ts';
import { registerOperate } from './operate.ts';
import { registerStatus } from './status.ts';
import { registerUplink } from './uplink.ts';

const EXIT_USAGE = 2;

/** A fresh tree of commands; each call gives its own, so that tests do not share state. */
export function buildProgram(io: CommandIo): Command {
  const program = new Command('portcullis')
    .description('hot failover for gateways')
    .version('0.1.0')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.out(text),
      writeErr: (text) => io.err(text),
      outputError: (text, write) => write(`portcullis: ${text}`),
    })
    .helpCommand('help [command...]', 'display help for command')
    .showSuggestionAfterError(true)
    .showHelpAfterError('portcullis: hint: --help behind a command says how it is used')
    .configureHelp({ showGlobalOptions: true });
  const say = (text: string): void => io.err(`portcullis: ${text}\n`);
  const keyIo = { out: io.out, say, askSecret: io.askSecret, askLine: io.askLine ?? (() => null) };
  registerKey(program, keyIo);
  registerCluster(program, keyIo);
  registerHost(program, keyIo);
  registerDaemon(program);
  registerActuator(program);
  registerCheck(program, io);
  registerStatus(program, io);
  registerExplain(program, io);
  registerOperate(program, io);
  registerFence(program, io);
  registerUplink(program, io);
  registerConntrackd(program, io);
  registerInit(program, io);
  registerImport(program, io);
  registerAudit(program, io);
  registerCompletion(program, io);
  return endings(program);
}

/** Runs one command line (without `node` and the script); resolves with the exit status. Throws what is our fault. */
export async function run(args: readonly string[], io: CommandIo): Promise<number> {
  try {
    const program = buildProgram(io);
    if (!showHelp(program, args)) await program.parseAsync([...args], { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
    return complain(error, (text) => io.err(text));
  }
}

/** Whether this file is what Node was started with, by whatever link (npm's bin is one). */
function isEntry(): boolean {
  const started = process.argv[1];
  return started !== undefined && realpathSync(started) === fileURLToPath(import.meta.url);
}

/** The process's own command line. */
export async function main(): Promise<void> {
  outliveReaders();
  const status = await run(process.argv.slice(2), PROCESS_IO);
  // Output that failed meanwhile has set it already.
  process.exitCode ||= status;
}

if (isEntry()) await main();
