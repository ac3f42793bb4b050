/** Requirements on the conditional-access systems, decoders, fingerprints and messages. */
import { type Asking, type Check, verdict } from './ask.ts';

/** Every decoder shows a message of so many characters. */
const OSD_CHARS_MIN = 120;

interface System {
  id: string;
  osd_max: number | null;
  fp_modes: string[] | null;
  supports: string[] | null;
}

/** Every system with what it has said of itself. */
export const systemsOf = (asking: Asking): Promise<System[]> =>
  asking.look<System>(
    'What each system says it can do',
    `SELECT a.id, s.osd_max, s.mail_max, s.fp_modes, s.supports, s.said_at
       FROM conditional_access a LEFT JOIN cas_capabilities s ON s.cas_id = a.id ORDER BY a.id`,
  );

/** Sentences on systems that cannot do an operation, and on those that have not said. */
export const doing = (systems: readonly System[], op: string) => ({
  wrong: systems.flatMap(({ id, supports }) =>
    supports && !supports.includes(op) ? [`${id} does not do ${op}.`] : [],
  ),
  missing: systems.flatMap(({ id, supports }) =>
    supports ? [] : [`${id} has not said what it can do.`],
  ),
});

/** All systems do an operation; `unproved`: what data cannot show of it. */
export const supported =
  (op: string, unproved: string): Check =>
  async (asking) => {
    const { wrong, missing } = doing(await systemsOf(asking), op);
    await asking.look(
      `Commands ${op} in the log, by whom they were for`,
      `SELECT cas, target_kind, result, count(*)::integer AS rows, max(at) AS newest
         FROM command_log WHERE op = $1 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`,
      [op],
    );
    return verdict(wrong, [...missing, unproved]);
  };

/** What data cannot show, with the reason. */
export const outside =
  (reason: string): Check =>
  async () => ({ wrong: [], missing: [], outside: reason });

/** C-1: a declaration that the system was never broken, in date. */
export const systemsAreDeclaredSafe: Check = async ({ look, at }) => {
  const systems = await look<{ id: string; declaration: string | null; is_over: boolean }>(
    'Declarations on file',
    `SELECT id, vendor, version, declaration, declared_until,
            coalesce(declared_until < $1::date, false) AS is_over
       FROM conditional_access ORDER BY id`,
    [at],
  );
  return verdict(
    systems.flatMap(({ id, declaration, is_over }) => [
      ...(declaration === null ? [`${id} has no declaration of its vendor on file.`] : []),
      ...(is_over ? [`The declaration of ${id} has run out.`] : []),
    ]),
  );
};

/** C-19: every system is declared, with its time of service. */
export const systemsAreDeclared: Check = async ({ look }) => {
  const systems = await look<{ id: string; in_service_from: string | null; vendor: string | null }>(
    'Systems with their dates of service, and their cards',
    `SELECT a.id, a.name, a.vendor, a.version, a.in_service_from, a.in_service_to,
            (SELECT count(*)::integer FROM card c WHERE c.cas_id = a.id) AS cards
       FROM conditional_access a ORDER BY a.id`,
  );
  return verdict(
    [systems.length === 0 && 'No system is declared.'],
    systems.flatMap(({ id, in_service_from, vendor }) =>
      in_service_from === null || vendor === null
        ? [`${id} has no vendor or no date of service in VIP_CAS_FILE.`]
        : [],
    ),
  );
};

/** C-6: decoders can be upgraded over the air. */
export const decodersAreKnown: Check = async ({ look }) => {
  const models = await look<{ model: string | null }>(
    'Decoders by model',
    'SELECT model, count(*)::integer AS decoders FROM decoder GROUP BY model ORDER BY model',
  );
  return verdict(
    [!models.some(({ model }) => model !== null) && 'No decoder is known with its model.'],
    ['Upgrades are started in the head-end; models alone are recorded here.'],
  );
};

/** D: both kinds of fingerprint. */
export const fingerprintsAreOfBothKinds: Check = async (asking) => {
  const systems = await systemsOf(asking);
  const { wrong, missing } = doing(systems, 'FINGERPRINT');
  const lacks = systems.flatMap(({ id, fp_modes }) =>
    ['overt', 'covert'].flatMap((mode) =>
      fp_modes && !fp_modes.includes(mode) ? [`${id} shows no ${mode} fingerprint.`] : [],
    ),
  );
  const silent = systems.filter(({ supports, fp_modes }) => supports && !fp_modes);
  return verdict(
    [...wrong, ...lacks],
    [...missing, ...silent.map(({ id }) => `${id} has not said how it shows a fingerprint.`)],
  );
};

/** D: at regular intervals. */
export const fingerprintsAreRegular: Check = async ({ look, at }) => {
  const plans = await look(
    'Fingerprints that run, and those of the last 30 days',
    `SELECT id, name, state, schedule, occurrences, next_at FROM campaign
      WHERE kind = 'fingerprint' AND (state = 'running'
              OR started_at > $1::timestamptz - interval '30 days')
      ORDER BY id LIMIT 20`,
    [at],
  );
  return verdict([], [plans.length === 0 && 'No fingerprint is planned or was shown in 30 days.']);
};

/** E: messages of 120 characters. */
export const messagesAreLongEnough: Check = async (asking) => {
  const systems = await systemsOf(asking);
  const { wrong, missing } = doing(systems, 'OSD');
  const short = systems.flatMap(({ id, osd_max }) =>
    osd_max !== null && osd_max < OSD_CHARS_MIN
      ? [`${id} shows ${osd_max} characters, not ${OSD_CHARS_MIN}.`]
      : [],
  );
  return verdict([...wrong, ...short], missing);
};

/** E: to one, to a group, to all. */
export const messagesGoToAnyGroup: Check = async (asking) => {
  const { wrong, missing } = doing(await systemsOf(asking), 'OSD');
  const shown = await asking.look<{ target_kind: string }>(
    'Messages in the log by whom they were for',
    `SELECT target_kind, count(*)::integer AS rows FROM command_log
      WHERE op IN ('OSD', 'MAIL') GROUP BY 1 ORDER BY 1`,
  );
  const absent = ['card', 'region', 'all'].filter((kind) =>
    shown.every(({ target_kind }) => target_kind !== kind),
  );
  return verdict(wrong, [
    ...missing,
    ...absent.map((kind) => `No message for “${kind}” has been shown yet.`),
  ]);
};

/** E: messages that cover the picture. */
export const messagesAreForced: Check = async (asking) => {
  const { wrong, missing } = doing(await systemsOf(asking), 'OSD');
  const [forced] = await asking.look<{ rows: number }>(
    'Forced messages in the log',
    `SELECT count(*)::integer AS rows FROM command_log
      WHERE op = 'OSD' AND args->>'forced' = 'true' AND result = 'done'`,
  );
  return verdict(
    wrong,
    [...missing, (forced?.rows ?? 0) === 0 && 'None has been shown yet.'].filter(
      (one) => one !== false,
    ),
  );
};
