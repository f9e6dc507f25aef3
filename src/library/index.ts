/**
 * `import { ... } from "portcullis"`: what a program needs to make a service of its own redundant. The state machine and
 * the loop around it, the cluster's words, and what its members trust; the program brings sockets, a clock, and the
 * procedures of its service. Importing it does nothing. spec/library.md has the pages, test/example/http a whole program.
 */
export type {
  AlarmCode,
  CoreConfig,
  HostName,
  HostState,
  Order,
  Policy,
  Procedure,
  ServiceConfig,
  ServiceName,
  Side,
  Term,
  Timing,
  Verdict,
} from '../core/index.ts';
export { initialState, mainState, nextDeadline, PROCEDURES, step } from '../core/index.ts';
export { Driver } from '../driver/driver.ts';
export type {
  Actuator,
  ActuatorEvents,
  Clock,
  DriverOptions,
  Journal,
  JournalEntry,
  Operations,
  RosterPort,
  Transport,
} from '../driver/ports.ts';
export { decodePrivateKey, parsePublicKey } from '../trust/keys.ts';
export { membershipOf, type Roster, verifyRosterFile } from '../trust/roster.ts';
export { identityFromSeed } from '../wire/ed25519.ts';
export { Endpoint, type EndpointOptions, type Identity } from '../wire/endpoint.ts';
export { type ClusterTiming, usualTiming } from './timing.ts';
