/**
 * The pains of such systems' users, each as a scenario (pains.ts). Which of them the state machine has no part in:
 *
 * | pain | why it is not here |
 * | --- | --- |
 * | 7 connections reset, conntrack | the order filter, states, addresses, gate is the actuator's; test/netns |
 * | 10 one shared secret | keys and rosters: test/unit (wire, trust) |
 * | 11 a reload of the firewall blocks the cluster | rule sets: test/netns |
 * | 14 state through files and signals | control socket: test/unit (daemon-control) |
 * | 15 sealed logs that prove little | the event log, not the machine |
 * | runners-up: dadfailed, script users | the kernel's addresses and files: test/netns, test/unit |
 */
import test from 'node:test';
import { SCENARIOS } from './pains.ts';

for (const { name, run } of SCENARIOS) test(name, () => run());
