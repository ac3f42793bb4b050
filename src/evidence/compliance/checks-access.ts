/** Requirements on people, logs of people, links, and what contracts add. */
import { type Check, verdict } from './ask.ts';

/** Transports that nobody on the way can read. */
const SEALED = new Set(['tls', 'https']);
const COMPARED_HOURS_MAX = 48;

/** IX-1: each line of a log has what is wanted of it. */
export const linesAreWhole =
  (wanted: Readonly<Record<string, readonly string[]>>): Check =>
  async ({ look }) => {
    const columns = await look<{ table: string; column: string; is_sure: boolean }>(
      'Columns of the logs, and whether the database refuses a line without them',
      `SELECT c.relname AS table, a.attname AS column, a.attnotnull AS is_sure
         FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY ($1) AND a.attnum > 0
          AND a.attname = ANY ($2) AND NOT a.attisdropped ORDER BY 1, a.attnum`,
      [Object.keys(wanted), [...new Set(Object.values(wanted).flat())]],
    );
    const faults = Object.entries(wanted).flatMap(([table, names]) =>
      names.map((name) => {
        const found = columns.find((one) => one.table === table && one.column === name);
        if (!found) return `${table} has no ${name}.`;
        return found.is_sure ? false : `${table} may have lines without ${name}.`;
      }),
    );
    return verdict(faults);
  };

/** IX-2: each act has its person, role and address, and none was written without. */
export const actsHavePeople =
  (wanted: Readonly<Record<string, readonly string[]>>): Check =>
  async (asking) => {
    const { wrong } = await linesAreWhole(wanted)(asking);
    const roles = await asking.look<{ role: string; lines: number; no_address: number }>(
      'Lines of the audit by the role in which somebody acted, and lines without an address',
      `SELECT role, count(*)::integer AS lines, max(at) AS newest,
              (count(*) FILTER (WHERE remote = '' AND actor <> 'system'))::integer AS no_address
         FROM audit GROUP BY role ORDER BY role`,
    );
    const before = roles.find(({ role }) => role === 'not recorded')?.lines ?? 0;
    const bare = roles.reduce((sum, { no_address }) => sum + no_address, 0);
    return verdict(
      [...wrong, bare > 0 && `Acts of people without an address: ${bare}.`],
      [
        before > 0 && `Lines from before roles were written down: ${before}.`,
        roles.every(({ role }) => role === 'system') && 'Nobody has done anything yet.',
      ],
    );
  };

/** IX-3: no role deletes a log. */
export const nobodyDeletesLogs: Check = async ({ look }) => {
  const roles = await look<{ role: string; table: string }>(
    'Roles of the database that are not superusers and may remove lines of a log',
    `SELECT r.rolname AS role, c.relname AS table FROM pg_class c, pg_roles r
      WHERE c.relnamespace = 'public'::regnamespace
        AND c.relname IN ('command_log', 'audit', 'journal', 'entry')
        AND NOT r.rolsuper AND r.oid <> c.relowner AND r.rolname NOT LIKE 'pg\\_%'
        AND has_table_privilege(r.oid, c.oid, 'DELETE, TRUNCATE, UPDATE') ORDER BY 1, 2`,
  );
  return verdict(roles.map(({ role, table }) => `${role} may remove or change lines of ${table}.`));
};

/** IX-4: only what the manufacturer’s file lists is activated. */
export const onlyListedDevices: Check = async ({ look, say, installation: { listedSites } }) => {
  const [cards] = await look<{ in_use: number; unlisted: number }>(
    'Cards in use, and those in no file of a manufacturer',
    `SELECT count(*)::integer AS in_use,
            (count(*) FILTER (WHERE file_id IS NULL))::integer AS unlisted
       FROM viewing_card WHERE state = 'in_use'`,
  );
  const sites = await look<{ code: string }>('Sites', 'SELECT code FROM site ORDER BY code');
  say('Sites that use listed devices alone', listedSites, 'setting VIP_LISTED_DEVICES');
  const open = sites.filter(
    ({ code }) => !listedSites.includes(code) && !listedSites.includes('all'),
  );
  return verdict(
    [
      open.length > 0 &&
        `Unlisted devices can be used at: ${open.map(({ code }) => code).join(', ')}.`,
    ],
    [(cards?.unlisted ?? 0) > 0 && `${cards?.unlisted} cards in use are in no file.`],
  );
};

/** IX-5: the file is taken in whole, with its checksum. */
export const filesAreProved: Check = async ({ look }) => {
  const files = await look(
    'Files taken in, by their SHA-256',
    `SELECT received_at, sha256, decoders, cards, received_by FROM device_file
      ORDER BY id DESC LIMIT 10`,
  );
  return verdict([], [files.length === 0 && 'No file of a manufacturer has been taken in.']);
};

/** IX-6: roles, and how people are let in. */
export const peopleAreLetInByRules: Check = async ({ look, say, installation }) => {
  say('Roles, rules of passwords and of sign-in', installation.people, 'docs/reference/roles.md');
  say('A second factor is needed', installation.requireTotp, 'setting VIP_DEMO (off: needed)');
  const [staff] = await look<{ active: number; one_factor: number }>(
    'Active accounts, and those without a second factor',
    `SELECT count(*)::integer AS active,
            (count(*) FILTER (WHERE totp_since IS NULL))::integer AS one_factor
       FROM staff WHERE is_active`,
  );
  return verdict(
    [!installation.requireTotp && 'A second factor is not needed here.'],
    [
      (staff?.active ?? 0) === 0 && 'There are no accounts.',
      (staff?.one_factor ?? 0) > 0 && `${staff?.one_factor} accounts have no second factor yet.`,
    ],
  );
};

/** IX-7: what people did. */
export const actsAreReported: Check = async ({ look, at }) => {
  const acts = await look(
    'Acts of people in the last 30 days',
    `SELECT route, outcome, count(*)::integer AS acts, count(DISTINCT actor)::integer AS people
       FROM audit WHERE at > $1::timestamptz - interval '30 days'
      GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2`,
    [at],
  );
  return verdict([], [acts.length === 0 && 'Nobody did anything in 30 days.']);
};

/** IX-8: a server that follows. */
export const serverIsFollowed: Check = async ({ look }) => {
  const [standby] = await look<{ followers: number }>(
    'Servers that follow this one',
    `SELECT count(*)::integer AS followers FROM pg_stat_replication
      WHERE state IS NULL OR state = 'streaming'`,
  );
  return verdict([(standby?.followers ?? 0) === 0 && 'No second server follows this database.']);
};

/** IX-9: an encrypted link. */
export const linksAreSealed: Check = async ({ say, installation: { links } }) => {
  say('How each system is reached', links, 'settings VIP_CAS_FILE, VIP_CONTROL_URL');
  if (!links || links.length === 0) return verdict([], ['This process knows no address.']);
  const open = links.filter(({ transport }) => !SEALED.has(transport));
  return verdict(open.map(({ cas, transport }) => `${cas} is reached in the clear: ${transport}.`));
};

/** IX-10: somebody is told when the two sides differ. */
export const divergenceIsTold: Check = async ({ look, at }) => {
  const runs = await look<{ is_late: boolean }>(
    'The last comparison, which raises the alarm, and its variance in millionths',
    `SELECT r.cas_id, e.ended_at, e.variance_ppm, e.error,
            e.ended_at < $1::timestamptz - interval '${COMPARED_HOURS_MAX} hours' AS is_late
       FROM reconciliation_run r JOIN reconciliation_end e ON e.run_id = r.id
      ORDER BY r.id DESC LIMIT 1`,
    [at],
  );
  await look(
    'Work that was opened for people because a card is not as it should be',
    `SELECT code, count(*)::integer AS items,
            (count(*) FILTER (WHERE closed_at IS NULL))::integer AS open
       FROM work_item GROUP BY code ORDER BY code`,
  );
  return verdict(
    [runs[0]?.is_late === true && 'Nothing has been compared for two days.'],
    [runs.length === 0 && 'Nothing has been compared yet.'],
  );
};

/** IX-11: no database is shared with a system. */
export const noSharedDatabase: Check = async ({ look, say, installation: { links } }) => {
  const strangers = await look<{ name: string }>(
    'Sessions on this database that are not of the product',
    `SELECT usename AS name, application_name, count(*)::integer AS sessions
       FROM pg_stat_activity
      WHERE datname = current_database() AND usename <> current_user
        AND backend_type = 'client backend' GROUP BY 1, 2 ORDER BY 1, 2`,
  );
  say('How each system is reached', links, 'settings VIP_CAS_FILE, VIP_CONTROL_URL');
  return verdict(
    [],
    [
      strangers.length > 0 && 'Others are connected to this database: see who they are.',
      (links ?? []).length === 0 && 'This process knows no address of a system.',
    ],
  );
};

/** a card stays in its area. */
export const cardsStayInTheirArea: Check = async ({ look }) => {
  const [cards] = await look<{ bound: number; cards: number }>(
    'Cards, and those bound to an area',
    `SELECT count(*)::integer AS cards, count(area)::integer AS bound FROM viewing_card`,
  );
  const free = (cards?.cards ?? 0) - (cards?.bound ?? 0);
  return verdict([], [free > 0 && `${free} cards are bound to no area.`]);
};

/** changes of records of customers are held. */
export const changesAreHeld: Check = async ({ look }) => {
  const changes = await look(
    'Changes of records of subscribers, by what they are and as what somebody made them',
    `SELECT route, role, count(*)::integer AS changes, max(at) AS newest FROM audit
      WHERE object IN ('subscriber', 'phone', 'card', 'subscription') AND outcome = 'done'
      GROUP BY route, role ORDER BY route, role`,
  );
  return verdict([], [changes.length === 0 && 'Nobody has changed a record yet.']);
};

/** who pays nothing is told apart. */
export const categoriesAreTold: Check = async ({ look }) => {
  const kinds = await look<{ category: string }>(
    'Subscribers by category',
    `SELECT category, count(*)::integer AS subscribers FROM subscriber
      GROUP BY category ORDER BY 1`,
  );
  await look('Trials given', 'SELECT count(*)::integer AS trials FROM trial');
  return verdict(
    [kinds.some(({ category }) => category.trim() === '') && 'A subscriber has no category.'],
    [kinds.length === 0 && 'There are no subscribers.'],
  );
};

/** from the first day to the last. */
export const lifeCanBeWalked: Check = async ({ look }) => {
  const [steps] = await look<Record<string, number>>(
    'What there is to walk through',
    `SELECT (SELECT count(*) FROM subscriber)::integer AS acquired,
            (SELECT count(*) FROM command_log WHERE op = 'ENTITLE')::integer AS provisioned,
            (SELECT count(*) FROM term)::integer AS sold,
            (SELECT count(*) FROM card_suspension)::integer AS suspended,
            (SELECT count(*) FROM subscription WHERE closed_at IS NOT NULL)::integer AS closed`,
  );
  const none = Object.entries(steps ?? {}).filter(([, count]) => count === 0);
  return verdict(
    [],
    none.map(([step]) => `No card has been ${step} yet.`),
  );
};
