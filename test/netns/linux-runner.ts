/**
 * A child process for tests: runs `fence` or `inspect` in the namespace it was started in, prints the answer as JSON.
 */
import type { ActuatorConfig } from '../../src/linux/config.ts';
import { fence } from '../../src/linux/fence.ts';
import { inspect } from '../../src/linux/inspect.ts';

const [, , what, text = ''] = process.argv;
const config = JSON.parse(text) as ActuatorConfig;
process.stdout.write(JSON.stringify(await (what === 'fence' ? fence(config) : inspect(config))));
