/** Differences of plain data, place by place. */

/** Entries that come, go or differ, in sentences that begin with their place in the file. */
export function mapDiff(
  section: string,
  before: ReadonlyMap<string, unknown>,
  after: ReadonlyMap<string, unknown>,
): string[] {
  const names = [...new Set([...before.keys(), ...after.keys()])];
  return names.flatMap((name) => {
    const place = name === '' ? section : `${section}.${name}`;
    if (!before.has(name)) return [`${place} is new.`];
    if (!after.has(name)) return [`${place} is no longer in the catalogue.`];
    return valueDiff(place, flattened(before.get(name)), flattened(after.get(name)));
  });
}

function valueDiff(
  place: string,
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): string[] {
  const paths = [...new Set([...before.keys(), ...after.keys()])];
  return paths.flatMap((path) => {
    const [was, is] = [before.get(path) ?? 'not said', after.get(path) ?? 'not said'];
    return was === is ? [] : [`${place}${path} is ${is} instead of ${was}.`];
  });
}

/** Every single value by its path, `.rules.grace.hours`; a list of single values is one. */
export function flattened(value: unknown, path = ''): Map<string, string> {
  if (value instanceof Map) return flattened(Object.fromEntries(value), path);
  if (Array.isArray(value) && value.every((item) => typeof item !== 'object')) {
    return new Map([[path, value.length === 0 ? 'empty' : value.join(', ')]]);
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).flatMap(([key, inner]) => [
      ...flattened(inner, Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`),
    ]);
    return new Map(entries);
  }
  return new Map([[path, value === null || value === undefined ? 'not said' : String(value)]]);
}
