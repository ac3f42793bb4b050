/** Publishing a catalogue file over all rooms that keep rows of it. */
import type { Pool, PoolClient } from 'pg';
import {
  lockCatalogue,
  type NewCatalogue,
  type Published,
  reviewCatalogue,
  writeCatalogue,
} from './billing/catalogue/publish.ts';
import { writeLegalEntityIn } from './billing/postpaid/legal-entities.ts';
import { transaction } from './platform/database/pool.ts';
import type { Clock, Ids } from './platform/ports.ts';

export interface Publisher {
  publish(given: NewCatalogue): Promise<Published>;
}

export interface PublisherDeps {
  pool: Pool;
  ids: Ids;
  clock: Clock;
  /** Reads the catalogue of this process again; others do so within a minute. */
  reload?(): Promise<void>;
}

/** Opens the one way in which a catalogue is published. */
export function createPublisher({ pool, ids, clock, reload }: PublisherDeps): Publisher {
  return {
    async publish(given) {
      const published = await transaction(pool, (client) =>
        publishIn(client, ids, given, clock.now()),
      );
      if (published.ok && published.isNew) await reload?.();
      return published;
    },
  };
}

async function publishIn(
  client: PoolClient,
  ids: Ids,
  given: NewCatalogue,
  at: Date,
): Promise<Published> {
  await lockCatalogue(client);
  const review = await reviewCatalogue(client, given.text, at);
  if (review.kind === 'unreadable') {
    return { ok: false, error: 'catalogue_unreadable', problems: review.problems };
  }
  const { file, before, changes, inUse, past } = review;
  if (before?.text === given.text) {
    return { ok: true, version: before.version, isNew: false, changes: [] };
  }
  if (given.onto !== undefined && given.onto !== (before?.version.id ?? null)) {
    return { ok: false, error: 'catalogue_changed' };
  }
  if (inUse.length > 0) return { ok: false, error: 'catalogue_in_use', reasons: inUse };
  if (past.length > 0 && !given.allowPast) {
    return { ok: false, error: 'catalogue_past', reasons: past };
  }
  const version = await writeCatalogue(client, ids, review, { ...given, at });
  const siteIds = await idsOfSites(client);
  for (const { sites, ...entity } of file.legalEntities.values()) {
    const own = sites.flatMap((code) => siteIds.get(code) ?? []);
    await writeLegalEntityIn(client, ids, { ...entity, siteIds: own });
  }
  return { ok: true, version, isNew: true, changes };
}

async function idsOfSites(db: PoolClient): Promise<Map<string, bigint>> {
  const { rows } = await db.query('SELECT code, id FROM site');
  return new Map(rows.map(({ code, id }) => [code, id]));
}
