/** Catalogue files before they are loaded: `catalogue check FILE`, `catalogue diff OLD NEW`. */
import { readFileSync } from 'node:fs';
import { catalogueCommand } from './billing/catalogue/file/command.ts';

try {
  const today = new Date().toISOString().slice(0, 'YYYY-MM-DD'.length);
  const read = (path: string) => readFileSync(path, 'utf8');
  const { exitCode, out, error } = catalogueCommand(process.argv.slice(2), read, today);
  process.stdout.write(out);
  process.stderr.write(error);
  process.exitCode = exitCode;
} catch (error) {
  const isMissing = (error as { code?: string }).code === 'ENOENT';
  process.stderr.write(`${isMissing ? (error as Error).message : (error as Error).stack}\n`);
  process.exitCode = 2;
}
