/** What a backup says about itself, and the proof that its files are whole. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { StartError } from '../../start-error.ts';

export const MANIFEST = 'manifest.json';

const count = z.number().int().nonnegative();
const name = z.string().regex(/^[a-z_][a-z0-9_]*$/);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const table = z.object({
  name,
  columns: z.array(name),
  rows: count,
  /** Of the compressed file `<name>.copy.gz`. */
  sha256,
});
const manifest = z.object({
  format: z.literal(1),
  /** The instant of which everything in it is. */
  at: z.iso.datetime(),
  /** By name and checksum, in the order in which they were applied. */
  migrations: z.array(z.object({ name: z.string(), checksum: sha256 })),
  tables: z.array(table),
  /** Partitions made since, with their bounds as Postgres writes them. */
  partitions: z.array(z.object({ name, parent: name, bound: z.string() })),
  sequences: z.array(z.object({ name, last: z.string().regex(/^\d+$/), isCalled: z.boolean() })),
});
export type Manifest = z.infer<typeof manifest>;
export type BackedUpTable = z.infer<typeof table>;

export const fileOf = (dir: string, tableName: string): string => join(dir, `${tableName}.copy.gz`);

/** The manifest of a backup whose files are all there and whole; else a StartError names one. */
export async function readBackup(dir: string): Promise<Manifest> {
  const text = await readFile(join(dir, MANIFEST), 'utf8').catch(() => {
    throw new StartError(`${dir} is no backup, or not a finished one: it has no ${MANIFEST}.`);
  });
  const parsed = manifest.safeParse(jsonOf(text));
  if (!parsed.success) throw new StartError(`${join(dir, MANIFEST)} is damaged.`);
  for (const backedUp of parsed.data.tables) {
    const file = fileOf(dir, backedUp.name);
    if ((await digestOf(file)) !== backedUp.sha256) {
      throw new StartError(`${file} is not what was backed up: its SHA-256 differs.`);
    }
  }
  return parsed.data;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(file), hash);
  } catch (error) {
    if ((error as { code?: string }).code !== 'ENOENT') throw error;
    throw new StartError(`${file} is missing.`);
  }
  return hash.digest('hex');
}
