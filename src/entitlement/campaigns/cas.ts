/** The conditional-access systems: which there are, and what each can show. */
import type { ClientBase, Pool } from 'pg';
import type { Clock, Logger } from '../../platform/ports.ts';
import type { Capabilities } from '../vip-control/messages.ts';
import type { CasLimits } from './rules.ts';

type Db = Pool | ClientBase;

/** Keeps what a system said when it was connected to, for the processes that are not. */
export async function noteCapabilities(
  db: Db,
  casId: string,
  { osdMax, mailMax, fpModes, supports }: Capabilities,
  at: Date,
): Promise<void> {
  await db.query(
    `INSERT INTO cas_capabilities (cas_id, osd_max, mail_max, fp_modes, supports, said_at)
     VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (cas_id) DO UPDATE
        SET osd_max = excluded.osd_max, mail_max = excluded.mail_max,
            fp_modes = excluded.fp_modes, supports = excluded.supports, said_at = excluded.said_at`,
    [
      ...[casId, osdMax, mailMax ?? null, fpModes ? JSON.stringify(fpModes) : null],
      ...[JSON.stringify(supports), at],
    ],
  );
}

/** The same when a link has logged in. Never rejects: it is said again at the next log-in. */
export async function noteSaid(
  { pool, clock, logger }: { pool: Pool; clock: Clock; logger: Logger },
  casId: string,
  said: Capabilities | null | undefined,
): Promise<void> {
  try {
    if (said) await noteCapabilities(pool, casId, said, clock.now());
  } catch (error) {
    logger.warn('campaign.capabilities_unwritten', { casId, error });
  }
}

/** Every system there is, by id. */
export async function allCas(db: Db): Promise<Map<string, CasLimits>> {
  const { rows } = await db.query(
    `SELECT a.id, s.osd_max, s.mail_max, s.fp_modes, s.supports
       FROM conditional_access a LEFT JOIN cas_capabilities s ON s.cas_id = a.id ORDER BY a.id`,
  );
  return new Map(
    rows.map(({ id, osd_max, mail_max, fp_modes, supports }) => {
      const said = {
        ...{ osdMax: osd_max, supports },
        ...(mail_max === null ? {} : { mailMax: mail_max }),
        ...(fp_modes === null ? {} : { fpModes: fp_modes }),
      };
      return [id, { casId: id, said: osd_max === null ? null : said }];
    }),
  );
}
