/** Puts the evidence room to work: sealing, the months of the command log, the day's anchor. */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Pool } from 'pg';
import { followLog } from './evidence/air/service.ts';
import { writeAnchor } from './evidence/anchors.ts';
import { makeMonths } from './evidence/months.ts';
import { sealAll } from './evidence/seal.ts';
import type { Config } from './platform/config.ts';
import type { Job } from './platform/jobs.ts';
import type { Clock, Logger } from './platform/ports.ts';
import { StartError } from './platform/start-error.ts';

/** Where anchors are written, and what signs them. */
export interface AnchorPlace {
  folder: string;
  key: KeyObject;
}

/** Reads the key of the anchors; null where none are written. Throws a StartError without it. */
export function openAnchors({ evidence }: Pick<Config, 'evidence'>): AnchorPlace | null {
  if (!evidence?.anchors) return null;
  const { folder, keyFile } = evidence.anchors;
  return { folder, key: readAnchorKey(keyFile) };
}

/** The private key of a PEM file; a StartError for any other file. */
export function readAnchorKey(file: string): KeyObject {
  try {
    const key = createPrivateKey(readFileSync(file));
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch {
    // Said below, without what stands in the file.
  }
  throw new StartError(`VIP_ANCHOR_KEY_FILE: ${file} is no private Ed25519 key as PEM.`);
}

interface EvidenceWork {
  pool: Pool;
  clock: Clock;
  logger: Logger;
  anchors: AnchorPlace | null;
}

/** What wakes by the calendar. */
export function evidenceJobs({ pool, clock, logger, anchors }: EvidenceWork): Job[] {
  const jobs: Job[] = [
    {
      name: 'seal',
      cron: '*/10 * * * * *',
      run: async (signal) => void (await sealAll({ pool, clock }, signal)),
    },
    {
      name: 'follow-command-log',
      cron: '4,14,24,34,44,54 * * * * *',
      run: async (signal) => void (await followLog({ pool, clock }, signal)),
    },
    {
      name: 'command-log-months',
      cron: '25 7 * * * *',
      async run() {
        for (const month of await makeMonths({ pool, clock })) {
          logger.info('evidence.month_made', { month });
        }
      },
    },
  ];
  if (!anchors) return jobs;
  const anchor: Job = {
    name: 'anchor',
    // Each hour, so that a day whose first hour was missed has one too.
    cron: '15 5 * * * *',
    async run(signal) {
      await sealAll({ pool, clock }, signal);
      const sha256 = await writeAnchor({ pool, clock, ...anchors });
      if (sha256 !== null) logger.info('evidence.anchored', { sha256 });
    },
  };
  return [...jobs, anchor];
}
