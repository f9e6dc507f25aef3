/**
 * The configuration as a JSON Schema (draft 7), for editors that complete and check TOML: tables and keys from the shape
 * that the reader checks with, types, ranges and words from the table of keys. It knows nothing of how keys depend on
 * each other, and is never stricter than the reader: `portcullis check` has the last word. Pure.
 */
import { PROCEDURES } from '../../core/procedures.ts';
import { SERVICES_MAX } from '../../linux/config.ts';
import { LOAD_SOURCES } from '../../linux/load/sources.ts';
import { durationText } from './duration.ts';
import type { DurationKey, NumberKey, TextKey } from './key-kinds.ts';
import { DURATION_KEYS, NUMBER_KEYS, TEXT_KEYS } from './keys.ts';
import { fileSchema } from './schema.ts';
import { List, Optional, type Shape, Table } from './shape.ts';

/** Where the package puts it: the first line of a configuration names it to editors. */
export const SCHEMA_FILE = '/usr/lib/portcullis/spec/portcullis.schema.json';

export type JsonSchema = { readonly [keyword: string]: unknown };

const matching = (pattern: string): JsonSchema => ({ type: 'string', pattern });
const listOf = (items: JsonSchema, maxItems = 16): JsonSchema => ({
  type: 'array',
  minItems: 1,
  maxItems,
  uniqueItems: true,
  items,
});

const NAME = matching('^[a-z0-9-]{1,32}$');
const PATH = matching('^/[!-~]{1,254}$');
const ADDRESS = matching('^[0-9A-Fa-f:.]{2,45}$');
const PREFIX = matching('^[0-9A-Fa-f:.]{2,45}/[0-9]{1,3}$');
const DURATION = '^[0-9]{1,9}(\\.[0-9]{1,6})?(ms|s|m|h)$';

/** What may stand where the table of keys names that unit; quoted words are found by themselves. */
const BY_UNIT: { readonly [unit: string]: JsonSchema } = {
  name: NAME,
  path: PATH,
  device: matching('^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$'),
  'address:port': matching('^([0-9.]{7,15}|\\[[0-9A-Fa-f:.]{2,45}\\]):[0-9]{1,5}$'),
  'address/length': PREFIX,
  'list of address/length': listOf(PREFIX),
  'address or list': { anyOf: [ADDRESS, listOf(ADDRESS, 2)] },
  'BUS/ADDRESS': matching('^[a-z][a-z0-9_-]{0,19}/[A-Za-z0-9:_-][A-Za-z0-9:._-]{0,63}$'),
  'true or false': { type: 'boolean' },
  'list of names': listOf(NAME, SERVICES_MAX),
  'list of checks': listOf(
    matching('^(auto|broadcast-ping|carrier|(arp|ping):[0-9A-Fa-f:.]{2,45}|command:/[!-~]{1,254})$'),
  ),
  'list of sources': listOf({ type: 'string', enum: [...LOAD_SOURCES] }),
  'list of remote checks': listOf(
    matching('^(gateway|(through:)?icmp:.+|arp:.+|nd:.+|(through:)?(tcp|https?|dns):.+)$'),
  ),
};

/** Names that are the kernel's, not ours. */
const BY_KEY: { readonly [key: string]: JsonSchema } = {
  'service.uplink.module': matching('^[A-Za-z0-9_][A-Za-z0-9_-]{0,54}$'),
  'service.uplink.driver': matching('^[A-Za-z0-9_+][A-Za-z0-9_.+-]{0,63}$'),
};

/** Sections that are a list of tables are written `[[NAME]]`. */
const SECTIONS: { readonly [path: string]: string } = {
  link: 'One for each of this host’s addresses in the roster.',
  service: 'What is made redundant.',
};

/** The whole schema; `spec/portcullis.schema.json` is this, printed. */
export function configurationSchema(): JsonSchema {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Portcullis: the configuration of one host (spec/configuration.md)',
    ...schemaOf(fileSchema, ''),
  };
}

/** As it is kept in a file. */
export function renderConfigurationSchema(): string {
  return `${JSON.stringify(configurationSchema(), null, 2)}\n`;
}

function schemaOf(shape: Shape<unknown>, path: string): JsonSchema {
  if (shape instanceof Optional) return schemaOf(shape.inner, path);
  if (shape instanceof List) {
    const description = SECTIONS[path];
    const words = description === undefined ? {} : { description };
    return {
      type: 'array',
      ...words,
      minItems: 1,
      maxItems: shape.max,
      items: schemaOf(shape.element, path),
    };
  }
  return shape instanceof Table ? tableSchema(shape.keys, path) : keySchema(path);
}

function tableSchema(keys: { readonly [key: string]: Shape<unknown> }, path: string): JsonSchema {
  const entries = Object.entries(keys);
  const required = entries.filter(([, shape]) => !(shape instanceof Optional)).map(([key]) => key);
  return {
    type: 'object',
    additionalProperties: false,
    ...(required.length === 0 ? {} : { required }),
    properties: Object.fromEntries(
      entries.map(([key, shape]) => [key, schemaOf(shape, path === '' ? key : `${path}.${key}`)]),
    ),
  };
}

/** One key, as the table of keys describes it. Throws when that does not have it: a fault of ours that a test finds. */
function keySchema(path: string): JsonSchema {
  const duration = (DURATION_KEYS as { readonly [key: string]: DurationKey })[path];
  if (duration !== undefined) {
    const range = `From ${durationText(duration.minMs)} to ${durationText(duration.maxMs)}.`;
    return { ...matching(DURATION), description: `${duration.rule} ${range} Default: ${duration.formula}.` };
  }
  const count = (NUMBER_KEYS as { readonly [key: string]: NumberKey })[path];
  if (count !== undefined) {
    const { min: minimum, max: maximum, rule, unit } = count;
    const type = count.whole ? 'integer' : 'number';
    const description = unit === undefined ? rule : `${rule} In ${unit}.`;
    return { type, minimum, maximum, default: count.default, description };
  }
  const isProcedure = PROCEDURES.some((procedure) => path === `service.procedures.${procedure}`);
  const texts: { readonly [key: string]: TextKey } = TEXT_KEYS;
  const text = texts[isProcedure ? 'service.procedures.*' : path];
  if (text === undefined) throw new Error(`no key ${path} in the table`);
  const words = [...text.unit.matchAll(/"([^"]+)"/g)].map(([, word]) => word);
  const kind = BY_KEY[path] ?? (words.length > 0 ? { type: 'string', enum: words } : BY_UNIT[text.unit]);
  if (kind === undefined) throw new Error(`no such unit: ${text.unit}`);
  const without = text.default === 'required' ? '' : ` Default: ${text.default}.`;
  return { ...kind, description: `${text.rule}${without}` };
}
