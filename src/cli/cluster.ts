/** `portcullis cluster ...`: make, change, show and verify rosters. */
import type { Command } from 'commander';
import { registerClusterBundle } from './cluster-bundle.ts';
import { registerClusterEdit } from './cluster-edit.ts';
import { registerClusterInit } from './cluster-init.ts';
import { registerClusterPush } from './cluster-push.ts';
import { registerClusterRotate } from './cluster-rotate.ts';
import { registerClusterShow } from './cluster-show.ts';
import { type KeyIo, processIo } from './key-io.ts';

/** Adds the command group to the program. Commands throw OperatorError. */
export function registerCluster(program: Command, io: KeyIo = processIo): void {
  const cluster = program.command('cluster').description('make, change, show and verify rosters');
  registerClusterInit(cluster, io);
  registerClusterEdit(cluster, io);
  registerClusterRotate(cluster, io);
  registerClusterBundle(cluster, io);
  registerClusterPush(cluster, io);
  registerClusterShow(cluster, io);
}
