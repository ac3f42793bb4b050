/**
 * Builds the pages (simulators/living-room/page into dist/living-room). Runs after every install,
 * on any Node from 20.19 on, and needs no network. Where Vite or the pages are left out
 * (`npm ci --omit=dev`, an image of the product alone) there is nothing to build.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const configFile = join(root, 'simulators/living-room/page/vite.config.ts');

const vite = existsSync(configFile) ? await import('vite').catch(() => null) : null;
if (vite) {
  await vite.build({ configFile, root: dirname(configFile), logLevel: 'warn' });
}
