/** The conditional-access systems: which there are, and what each can show. */
import type { ClientBase, Pool } from 'pg';
import type { CasLimits } from './rules.ts';

type Db = Pool | ClientBase;

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
