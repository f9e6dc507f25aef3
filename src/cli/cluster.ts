/** `portcullis cluster ...`: make, change, show and verify rosters. */
import type { Command } from 'commander';
import { registerClusterBundle } from './cluster-bundle.ts';
import { registerClusterEdit } from './cluster-edit.ts';
import { registerClusterInit } from './cluster-init.ts';
import { registerClusterPush } from './cluster-push.ts';
import { registerClusterRotate } from './cluster-rotate.ts';
import { registerClusterShow } from './cluster-show.ts';
import { examples } from './help.ts';
import { type KeyIo, processIo } from './key-io.ts';

/** Adds the command group to the program. Commands throw OperatorError. */
export function registerCluster(program: Command, io: KeyIo = processIo): void {
  const cluster = examples(
    program.command('cluster'),
    'cluster init dmz --admin-key admin.key --out roster.cose',
    'cluster add fw1 --roster roster.cose --admin-key admin.key --key fw1.key.pub --address 10.77.1.11:7946 --priority 100',
    'cluster show roster.cose',
  ).description('make, change, show and verify rosters');
  registerClusterInit(cluster, io);
  registerClusterEdit(cluster, io);
  registerClusterRotate(cluster, io);
  registerClusterBundle(cluster, io);
  registerClusterPush(cluster, io);
  registerClusterShow(cluster, io);
}
