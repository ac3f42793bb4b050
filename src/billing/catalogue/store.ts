/** The catalogue in Postgres: the file as it was published, and rows for what others point at. */
import type { PrismaClient } from '../../platform/database/client/client.ts';
import { bouquetKey, compileCatalogue } from './compile.ts';
import { readCatalogueFile } from './file/read.ts';
import type { OperatorCatalogue } from './file/types.ts';
import type { Catalogue, PayPerViewEvent } from './rules.ts';

/** One publication of the file; the newest holds. */
export interface CatalogueVersion {
  id: bigint;
  /** Of the text, lower-case hex. */
  sha256: string;
  publishedAt: Date;
  publishedBy: string;
  note: string;
}

/** A published file, read. */
export interface PublishedCatalogue {
  version: CatalogueVersion;
  text: string;
  file: OperatorCatalogue;
}

const EMPTY = { sites: new Map(), bouquets: new Map(), tariffs: new Map(), units: new Map() };
const PERCENT_TO_PERMYRIAD = 100;

/**
 * The file in force, null before the first; `known` is answered again while it still holds. Throws
 * when the text can't be read: it was checked when it was published.
 */
export async function readPublished(
  prisma: PrismaClient,
  known: PublishedCatalogue | null,
): Promise<PublishedCatalogue | null> {
  const orderBy = [{ publishedAt: 'desc' }, { id: 'desc' }] as const;
  const newest = await prisma.catalogueVersion.findFirst({
    select: { id: true },
    orderBy: [...orderBy],
  });
  if (!newest) return null;
  if (newest.id === known?.version.id) return known;
  const row = await prisma.catalogueVersion.findUniqueOrThrow({ where: { id: newest.id } });
  return publishedOf(row);
}

/** A row as it is worked with. Throws when its text can't be read. */
export function publishedOf({
  text,
  ...version
}: CatalogueVersion & { text: string }): PublishedCatalogue {
  const read = readCatalogueFile(text);
  if (!read.ok) {
    const [first] = read.problems;
    throw new Error(`Catalogue ${version.id} can't be read: ${first?.path}: ${first?.reason}`);
  }
  return { version, text, file: read.catalogue };
}

/** What is sold by the file in force, with the contents of `at`, and the events. */
export async function loadCatalogue(
  prisma: PrismaClient,
  published: PublishedCatalogue | null,
  at: Date,
): Promise<Catalogue> {
  const [sites, bouquets, events] = await Promise.all([
    prisma.site.findMany({ select: { id: true, code: true } }),
    prisma.bouquet.findMany({ select: { id: true, siteId: true, code: true } }),
    prisma.event.findMany(),
  ]);
  const ids = {
    sites: new Map(sites.map(({ id, code }) => [code, id])),
    bouquets: new Map(bouquets.map(({ id, siteId, code }) => [bouquetKey(siteId, code), id])),
  };
  return {
    ...(published ? compileCatalogue(published.file, ids, at) : EMPTY),
    events: new Map(
      events.map(({ taxPercent, ...event }): [bigint, PayPerViewEvent] => [
        event.id,
        { ...event, taxPermyriad: permyriad(taxPercent) },
      ]),
    ),
  };
}

/** Two decimals at the most, so this is exact. */
const permyriad = (percent: { toString(): string }): bigint =>
  BigInt(Math.round(Number(percent) * PERCENT_TO_PERMYRIAD));
