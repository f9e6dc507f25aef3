/** Prints the JSON Schema of the configuration, for spec/portcullis.schema.json. */
import { renderConfigurationSchema } from './json-schema.ts';

process.stdout.write(renderConfigurationSchema());
