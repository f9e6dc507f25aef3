/**
 * Imported before all else: a listener for SIGUSR1, without which any process of the same user could open Node's
 * debugger in this one, with all its rights (threats: a local user).
 */
process.on('SIGUSR1', () => undefined);
