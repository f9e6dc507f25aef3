/** Names of hosts, services and clusters: what may stand in a message, a file name and a log line without escaping. */

const NAME = /^[a-z0-9-]{1,32}$/;

export function isName(value: unknown): value is string {
  // `constructor` is every object's own: as a key it would be there before anybody put it.
  return typeof value === 'string' && NAME.test(value) && value !== 'constructor';
}
