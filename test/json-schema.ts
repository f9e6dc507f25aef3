/**
 * A small validator of JSON Schema (draft 7), for tests: those keywords that our schemas use, and an error for every
 * other one, so that none is passed over unseen.
 */

type Schema = { readonly [keyword: string]: unknown };

const WORDS = new Set(['$schema', '$defs', '$comment', 'title', 'description', 'default']);

/** What is wrong with `value`, each with its place; empty when it fits. Throws on a keyword that it does not know. */
export function misfits(schema: unknown, value: unknown, root: unknown = schema, at = ''): string[] {
  const rules = schema as Schema;
  if (typeof rules.$ref === 'string') return misfits(definition(root, rules.$ref), value, root, at);
  const wrong: string[] = [];
  const complain = (what: string): void => {
    wrong.push(`${at === '' ? '/' : at}: ${what}`);
  };
  for (const [keyword, rule] of Object.entries(rules)) {
    if (WORDS.has(keyword)) continue;
    switch (keyword) {
      case 'type':
        if (![rule].flat().some((type) => isOf(type as string, value))) complain(`is not ${String(rule)}`);
        break;
      case 'const':
        if (value !== rule) complain(`is not ${String(rule)}`);
        break;
      case 'enum':
        if (!(rule as unknown[]).includes(value)) complain(`is none of ${String(rule)}`);
        break;
      case 'anyOf':
        if ((rule as unknown[]).every((one) => misfits(one, value, root, at).length > 0))
          complain('fits none of anyOf');
        break;
      case 'pattern':
        if (typeof value === 'string' && !new RegExp(rule as string, 'u').test(value))
          complain(`does not match ${String(rule)}`);
        break;
      case 'minimum':
        if (typeof value === 'number' && value < (rule as number)) complain(`is below ${String(rule)}`);
        break;
      case 'maximum':
        if (typeof value === 'number' && value > (rule as number)) complain(`is above ${String(rule)}`);
        break;
      case 'minItems':
        if (Array.isArray(value) && value.length < (rule as number)) complain('has too few items');
        break;
      case 'maxItems':
        if (Array.isArray(value) && value.length > (rule as number)) complain('has too many items');
        break;
      case 'uniqueItems':
        if (Array.isArray(value) && new Set(value.map((v) => JSON.stringify(v))).size < value.length)
          complain('has an item twice');
        break;
      case 'items':
        if (Array.isArray(value))
          for (const [i, item] of value.entries()) wrong.push(...misfits(rule, item, root, `${at}/${i}`));
        break;
      case 'required':
        if (isTable(value))
          for (const key of rule as string[]) if (!Object.hasOwn(value, key)) complain(`lacks ${key}`);
        break;
      case 'properties':
        if (isTable(value))
          for (const [key, inner] of Object.entries(rule as Schema))
            if (Object.hasOwn(value, key)) wrong.push(...misfits(inner, value[key], root, `${at}/${key}`));
        break;
      case 'additionalProperties':
        if (!isTable(value)) break;
        for (const key of Object.keys(value).filter((name) => !Object.hasOwn(known(rules), name)))
          if (rule === false) complain(`has ${key}, which is not known`);
          else if (rule !== true) wrong.push(...misfits(rule, value[key], root, `${at}/${key}`));
        break;
      default:
        throw new Error(`keyword ${keyword} is not known to this validator`);
    }
  }
  return wrong;
}

function known(rules: Schema): object {
  return (rules.properties ?? {}) as object;
}

/** `#/$defs/NAME`. */
function definition(root: unknown, ref: string): unknown {
  const name = /^#\/\$defs\/(\w+)$/.exec(ref)?.[1];
  const found = name === undefined ? undefined : ((root as Schema).$defs as Schema | undefined)?.[name];
  if (found === undefined) throw new Error(`no definition ${ref}`);
  return found;
}

function isTable(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isOf(type: string, value: unknown): boolean {
  switch (type) {
    case 'object':
      return isTable(value);
    case 'array':
      return Array.isArray(value);
    case 'null':
      return value === null;
    case 'integer':
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}
