/** Which problems a route may answer, by its own document. */

export interface Described {
  responses: { default?: { description?: string } };
}

/** Any route may answer these: the frame around them all. */
const OF_THE_FRAME = new Set([
  ...['malformed_request', 'invalid_query', 'method_not_allowed', 'not_acceptable'],
  ...['request_timeout', 'body_too_large', 'unsupported_media_type', 'idempotency_key_missing'],
  ...['password_pending', 'totp_pending', 'internal', 'unavailable'],
]);

/** Is it a problem that the document names for this operation? */
export const isDeclared = ({ responses }: Described, code: string): boolean =>
  OF_THE_FRAME.has(code) || (responses.default?.description ?? '').includes(`\`${code}\``);

/** Finds what the document says of a call. */
export function operationsOf(
  document: Record<string, unknown>,
): (method: string, path: string) => Described | undefined {
  const paths = document.paths as Record<string, Record<string, Described>>;
  const routes = Object.entries(paths).map(([template, operations]) => {
    return { shape: new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}$`), operations };
  });
  // A path without names comes before one with names that it would fit as well.
  routes.sort((a, b) => a.shape.source.split('[').length - b.shape.source.split('[').length);
  return (method, path) => {
    const [plain = ''] = path.split('?');
    return routes.find(({ shape, operations }) => shape.test(plain) && operations[method])
      ?.operations[method];
  };
}
