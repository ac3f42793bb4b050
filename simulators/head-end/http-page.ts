/** The page for people: three files beside this one, as they are. */
import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';

const FILES: Readonly<Record<string, [file: string, type: string]>> = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/page.css': ['page.css', 'text/css; charset=utf-8'],
  '/page.mjs': ['page.mjs', 'text/javascript; charset=utf-8'],
  '/grid.mjs': ['grid.mjs', 'text/javascript; charset=utf-8'],
  '/dom.mjs': ['dom.mjs', 'text/javascript; charset=utf-8'],
};
/** It needs nothing from anywhere else, and nobody may put it in a frame. */
const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'",
  'x-content-type-options': 'nosniff',
};

/** Reads the files once; `serve` is false for a path that is none of them. */
export function openPage(): { serve(path: string, response: ServerResponse): boolean } {
  const read = new Map(
    Object.entries(FILES).map(([path, [file, type]]) => {
      return [path, { type, text: readFileSync(join(import.meta.dirname, 'page', file)) }];
    }),
  );
  return {
    serve(path, response) {
      const found = read.get(path);
      if (!found) return false;
      response.writeHead(200, { ...HEADERS, 'content-type': found.type });
      response.end(found.text);
      return true;
    },
  };
}
