/** JSON Schema as the API's document uses it: values made by it, and values checked by it. */
import fc from 'fast-check';

export interface Schema {
  $ref?: string;
  type?: string | string[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  enum?: unknown[];
  const?: unknown;
  pattern?: string;
  format?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  minItems?: number;
  maxItems?: number;
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | object;
}

export type Components = Readonly<Record<string, Schema>>;

type Resolved = Schema & { type?: string };

/** References followed, and a list of types as a choice. */
function resolve(schema: Schema, components: Components): Resolved {
  const { type } = schema;
  if (Array.isArray(type)) return { anyOf: type.map((one) => ({ ...schema, type: one })) };
  if (!schema.$ref) return schema as Resolved;
  const found = components[schema.$ref.replace('#/components/schemas/', '')];
  if (!found) throw new Error(`No schema ${schema.$ref}`);
  return resolve(found, components);
}

/** Values that the schema allows, as far as generating goes. */
export function valuesOf(given: Schema, components: Components): fc.Arbitrary<unknown> {
  const schema = resolve(given, components);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return fc.oneof(...choices.map((one) => valuesOf(one, components)));
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  switch (schema.type) {
    case 'null':
      return fc.constant(null);
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return fc.integer({ min: schema.minimum ?? -1e9, max: schema.maximum ?? 1e9 });
    case 'string':
      return textsOf(schema);
    case 'array':
      return fc.array(valuesOf(schema.items ?? {}, components), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.min(schema.maxItems ?? 4, 4),
      });
    case 'object':
      return objectsOf(schema, components);
    default:
      return fc.jsonValue();
  }
}

function objectsOf({ properties = {}, required = [] }: Schema, components: Components) {
  const fields = Object.entries(properties).map(
    ([name, field]): [string, fc.Arbitrary<unknown>] => {
      return [name, valuesOf(field, components)];
    },
  );
  return fc.record(Object.fromEntries(fields), { requiredKeys: required });
}

const CURRENCY = '^[A-Z]{3}$';
const FIRST_MS = Date.UTC(1900, 0, 1);
const LAST_MS = Date.UTC(2199, 11, 31);
/** Around the day on which the stories play: what is asked for then can be done. */
const NEAR_MS = [Date.UTC(2026, 9, 1), Date.UTC(2027, 3, 1)] as const;

function textsOf({ pattern, format, minLength = 0, maxLength = 60 }: Schema): fc.Arbitrary<string> {
  if (format === 'date-time' || format === 'date') {
    const instants = fc.integer({ min: FIRST_MS, max: LAST_MS });
    const near = fc.integer({ min: NEAR_MS[0], max: NEAR_MS[1] });
    return fc.oneof(near, instants).map((ms) => {
      const text = new Date(ms).toISOString();
      return format === 'date' ? text.slice(0, 10) : text;
    });
  }
  // The one pattern that says which characters, and not which shape.
  if (pattern === undefined || pattern.includes('\\P{Cc}')) {
    return fc.string({ unit: 'grapheme', minLength, maxLength: Math.min(maxLength, 60) });
  }
  const shaped = fc.stringMatching(new RegExp(pattern));
  // What is no amount of the site's currency gets no further than the door.
  return pattern === CURRENCY ? fc.oneof(fc.constant('KES'), shaped) : shaped;
}

/** Where and why a value is not what the schema says; empty when it is. */
export function faultsOf(
  given: Schema,
  value: unknown,
  components: Components,
  path = '$',
): string[] {
  const schema = resolve(given, components);
  if (schema.anyOf) {
    const fits = schema.anyOf.some((one) => faultsOf(one, value, components).length === 0);
    return fits ? [] : [`${path}: none of those allowed`];
  }
  if (schema.enum && !schema.enum.includes(value)) return [`${path}: ${value} is not listed`];
  if (schema.type && !isOf(schema.type, value)) return [`${path}: no ${schema.type}`];
  if (typeof value === 'string') return textFaults(schema, value, path);
  if (Array.isArray(value)) {
    return value.flatMap((item, index) =>
      faultsOf(schema.items ?? {}, item, components, `${path}[${index}]`),
    );
  }
  if (schema.type !== 'object') return [];
  return objectFaults(schema, value as Record<string, unknown>, components, path);
}

function isOf(type: string, value: unknown): boolean {
  if (type === 'null') return value === null;
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'array') return Array.isArray(value);
  if (type === 'object')
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  return typeof value === type;
}

function textFaults({ pattern, maxLength }: Schema, value: string, path: string): string[] {
  if (pattern && !new RegExp(pattern, 'u').test(value))
    return [`${path}: ${value} has no such shape`];
  return maxLength !== undefined && value.length > maxLength ? [`${path}: too long`] : [];
}

function objectFaults(
  { properties = {}, required = [], additionalProperties }: Schema,
  value: Record<string, unknown>,
  components: Components,
  path: string,
): string[] {
  const missing = required
    .filter((name) => !(name in value))
    .map((name) => `${path}.${name}: missing`);
  const below = Object.entries(value).flatMap(([name, item]) => {
    const field = properties[name];
    if (field) return faultsOf(field, item, components, `${path}.${name}`);
    return additionalProperties === false ? [`${path}.${name}: unknown`] : [];
  });
  return [...missing, ...below];
}
