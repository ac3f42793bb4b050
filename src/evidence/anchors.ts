/**
 * Anchors: the heads of all chains, written down each day outside the database and signed with a
 * key that the database does not have. Who can change everything in the database, seals and all,
 * cannot change them.
 */
import { createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { z } from 'zod';
import type { Clock } from '../platform/ports.ts';

export interface AnchoredChain {
  chain: string;
  /** The number of its last block. */
  blocks: string;
  rows: string;
  /** SHA-256, hexadecimal. */
  head: string;
}

export interface Anchor {
  /** The file's name, without its folder. */
  file: string;
  at: string;
  chains: AnchoredChain[];
}

const digits = z.string().regex(/^\d{1,19}$/);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const anchorText = z.object({
  version: z.literal(1),
  at: z.string(),
  /** SHA-256 of the anchor file before this one; null: it is the first. */
  before: sha256.nullable(),
  chains: z.array(z.object({ chain: z.string(), blocks: digits, rows: digits, head: sha256 })),
});

const FILE = /^\d{4}-\d{2}-\d{2}\.json$/;

export interface AnchorDeps {
  pool: Pool;
  clock: Clock;
  folder: string;
  /** Ed25519 (RFC 8032), private. */
  key: KeyObject;
}

/**
 * Writes the anchor of the day, `<date>.json` with its signature in `<date>.json.sig`. Answers its
 * SHA-256, or null when the day (UTC) has one: none is ever written over.
 */
export async function writeAnchor({
  pool,
  clock,
  folder,
  key,
}: AnchorDeps): Promise<string | null> {
  await mkdir(folder, { recursive: true });
  const files = await anchorFiles(folder);
  const at = clock.now();
  const file = `${at.toISOString().slice(0, 10)}.json`;
  if (files.includes(file)) return null;
  const last = files.at(-1);
  const before = last === undefined ? null : sha256Of(await readFile(join(folder, last)));
  const chains = await readHeads(pool);
  const body = { version: 1, at: at.toISOString(), before, chains };
  const text = Buffer.from(`${JSON.stringify(body, null, 2)}\n`);
  // The signature first: an anchor without one is never seen.
  await writeWhole(join(folder, `${file}.sig`), sign(null, text, key));
  await writeWhole(join(folder, file), text);
  return sha256Of(text);
}

async function readHeads(pool: Pool): Promise<AnchoredChain[]> {
  const { rows } = await pool.query(
    `SELECT s.chain, s.no::text AS blocks, encode(s.head, 'hex') AS head,
            (SELECT sum(rows)::text FROM seal_block WHERE chain = s.chain) AS rows
       FROM seal_block s
      WHERE s.no = (SELECT max(no) FROM seal_block WHERE chain = s.chain) ORDER BY s.chain`,
  );
  return rows.map(({ chain, blocks, rows: count, head }) => ({ chain, blocks, rows: count, head }));
}

/** A file that is there wholly or not at all, on the disk when this resolves. */
async function writeWhole(path: string, content: Buffer): Promise<void> {
  const part = `${path}.part`;
  const file = await open(part, 'w');
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(part, path);
}

/** What is wrong with the anchor files themselves, in sentences. */
export interface Anchors {
  anchors: Anchor[];
  faults: string[];
}

/**
 * Reads the anchors of a folder, oldest first; `key`: the private or public key as PEM. A file that
 * is not signed by it, or does not follow on the one before, is a fault and not read.
 */
export async function readAnchors(folder: string, key: string): Promise<Anchors> {
  const publicKey = createPublicKey(key);
  const anchors: Anchor[] = [];
  const faults: string[] = [];
  let before: string | null = null;
  for (const file of await anchorFiles(folder)) {
    const text = await readFile(join(folder, file));
    const signature = await readFile(join(folder, `${file}.sig`)).catch(() => Buffer.alloc(0));
    const body = verify(null, text, publicKey, signature) ? readBody(text) : null;
    if (!body) faults.push(`${file} is not signed with this key`);
    else if (body.before !== before) faults.push(`${file} does not follow on the file before it`);
    else anchors.push({ file, at: body.at, chains: body.chains });
    before = sha256Of(text);
  }
  return { anchors, faults };
}

function readBody(text: Buffer): z.output<typeof anchorText> | null {
  try {
    return anchorText.parse(JSON.parse(text.toString('utf8')));
  } catch {
    return null;
  }
}

async function anchorFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder);
  return names.filter((name) => FILE.test(name)).sort();
}

const sha256Of = (content: Buffer): string => hash('sha256', content, 'hex');
