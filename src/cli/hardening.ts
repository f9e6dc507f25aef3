/**
 * Imported before all else: a listener for SIGUSR1, without which any process of the same user could open Node's
 * debugger in this one, with all its rights (spec H4).
 */
process.on('SIGUSR1', () => undefined);
