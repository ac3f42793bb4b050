/** Requirements on what is on the air: by us alone, at once, and for whom it is due. */
import { REPORT_NAMES } from '../reports/definitions.ts';
import { lineUpAt } from '../reports/line-up.ts';
import { runReport } from '../reports/service.ts';
import { catalogueTextAt, productsOfCard } from '../reports/store.ts';
import { type Asking, type Check, ON_AIR, verdict } from './ask.ts';

const DAYS = "interval '30 days'";
/** Until both sides say the same of a change. */
const SECONDS_MAX = 60;
/** Of a set that is on its way this is not yet a divergence. */
const UNDERWAY = "interval '2 minutes'";
/** The night compares; one night may be missed. */
const COMPARED_HOURS_MAX = 48;

/** Sentences on systems that were not compared of late. */
async function uncompared({ look, at }: Asking): Promise<string[]> {
  const systems = await look<{ id: string; is_late: boolean }>(
    'When each system was last compared wholly',
    `SELECT a.id, max(e.ended_at) AS ended_at,
            coalesce(max(e.ended_at)
              < $1::timestamptz - interval '${COMPARED_HOURS_MAX} hours', true) AS is_late
       FROM conditional_access a
       LEFT JOIN reconciliation_run r ON r.cas_id = a.id
       LEFT JOIN reconciliation_end e ON e.run_id = r.id AND e.error IS NULL
      GROUP BY a.id ORDER BY a.id`,
    [at],
  );
  const late = systems.filter(({ is_late }) => is_late);
  return late.map(({ id }) => `${id} was not compared in the last ${COMPARED_HOURS_MAX} hours.`);
}

/** C-4: nobody activates from the terminal of the system. */
export const noForeignWrites: Check = async (asking) => {
  const foreign = await asking.look(
    'Lines of the systems’ logs of the last 30 days that no command of ours explains',
    `SELECT r.cas_id, f.n, f.at, f.op, f.target_id, f.by
       FROM reconciliation_foreign f JOIN reconciliation_run r ON r.id = f.run_id
      WHERE f.at > $1::timestamptz - ${DAYS} ORDER BY f.at DESC LIMIT 100`,
    [asking.at],
  );
  const [last] = await asking.look<{ lines: number }>(
    'Lines of their logs that were read for it',
    'SELECT coalesce(sum(log_lines), 0)::integer AS lines FROM reconciliation_end',
  );
  return verdict(
    [foreign.length > 0 && `${foreign.length} foreign writes in the last 30 days.`],
    [
      ...(await uncompared(asking)),
      (last?.lines ?? 0) === 0 && 'No log of a system has been read: its key is not given.',
    ],
  );
};

/** C-5: both sides change together, and say so when they do not. */
export const sidesAgree: Check = async (asking) => {
  const [speed] = await asking.look<{ sent: number; p99: number | null }>(
    'Seconds from accepted to on the air in the last 30 days, the 99th of 100',
    `SELECT count(*)::integer AS sent,
            (percentile_cont(0.99) WITHIN GROUP (
              ORDER BY extract(epoch FROM on_air_at - coalesce(accepted_at, sent_at))
            ))::float8 AS p99
       FROM command_log
      WHERE at > $1::timestamptz - ${DAYS} AND result = 'done' AND op IN ('ENTITLE', 'SWAP')`,
    [asking.at],
  );
  const late = await asking.look(
    'Cards whose set has been on its way for more than two minutes',
    `SELECT c.number, r.cas_id, r.raised_at, r.failure
       FROM card_rights r JOIN card c ON c.id = r.card_id
      WHERE r.desired_rev <> r.acked_rev AND r.raised_at < $1::timestamptz - ${UNDERWAY}
      ORDER BY r.raised_at LIMIT 100`,
    [asking.at],
  );
  const open = await asking.look<{ cards: number }>(
    'Differences that comparing found and that are still there',
    `SELECT d.cas_id, d.class, count(DISTINCT d.card)::integer AS cards
       FROM reconciliation_difference d
      WHERE NOT EXISTS (SELECT FROM reconciliation_closing WHERE difference_id = d.id)
      GROUP BY 1, 2 ORDER BY 1, 2`,
  );
  return verdict(
    [
      (speed?.p99 ?? 0) > SECONDS_MAX && `The slowest hundredth takes over ${SECONDS_MAX} s.`,
      late.length > 0 && `${late.length} cards wait for what is wanted.`,
      open.length > 0 && 'Differences between the two sides are open.',
    ],
    [...(await uncompared(asking)), (speed?.sent ?? 0) === 0 && 'Nothing was sent in 30 days.'],
  );
};

const DAY_MINUTES = 1_440;

/** C-8: a twentieth of the base can be changed within a day. */
export const aTwentiethADay: Check = async ({ look, at }) => {
  const [busy] = await look<{ minute_max: number; hour_max: number }>(
    'Commands executed in the busiest hour and the busiest minute of the last 30 days',
    `SELECT coalesce((SELECT max(n) FROM (SELECT count(*) AS n FROM command_log
                      WHERE at > $1::timestamptz - ${DAYS} AND result = 'done'
                      GROUP BY date_trunc('hour', on_air_at)) h), 0)::integer AS hour_max,
            coalesce((SELECT max(n) FROM (SELECT count(*) AS n FROM command_log
                      WHERE at > $1::timestamptz - ${DAYS} AND result = 'done'
                      GROUP BY date_trunc('minute', on_air_at)) m), 0)::integer AS minute_max`,
    [at],
  );
  const [base] = await look<{ wanted: number }>(
    'Cards in all, and a twentieth of them',
    'SELECT count(*)::integer AS cards, ceil(count(*) * 0.05)::integer AS wanted FROM card',
  );
  const shown = (busy?.minute_max ?? 0) * DAY_MINUTES;
  const wanted = base?.wanted ?? 0;
  return verdict(
    [],
    [
      wanted === 0 && 'There are no cards.',
      shown < wanted && `Live traffic has shown ${shown} a day so far; ${wanted} are wanted.`,
    ],
  );
};

/** C-10: each card has its own channels. */
export const channelByChannel: Check = async ({ pool, look, say, known }) => {
  const [sample] = await look<{ card: string }>(
    'A card that is active, as a sample',
    `SELECT i.card FROM air_span i WHERE ${ON_AIR} ORDER BY i.from_at DESC, i.card LIMIT 1`,
    [known],
  );
  if (!sample || !known) return verdict([], ['No card is active.']);
  const had = await productsOfCard(pool, sample.card, known);
  const text = await catalogueTextAt(pool, known);
  const entries = text === null ? [] : lineUpAt(text, known);
  const channels = entries.filter(({ kind }) => kind === 'channel');
  const opened = channels.filter(({ products }) =>
    products.some((code) => had.some(({ product }) => product === code)),
  );
  const found = {
    products: had.map(({ product }) => product),
    open: opened.map(({ code }) => code),
    closed: channels.filter((one) => !opened.includes(one)).map(({ code }) => code),
  };
  say('Its products, and channels open and closed to it', found, `report card=${sample.card}`);
  return verdict([], [channels.length === 0 && 'The catalogue has no pay channels.']);
};

/** C-13: the ten reports, for any instant. */
export const tenReports: Check = async ({ pool, look, say, known }) => {
  const [sample] = await look<{ number: string }>(
    'A card for the report of one card',
    'SELECT number FROM card ORDER BY id LIMIT 1',
  );
  const missing: string[] = [];
  for (const name of REPORT_NAMES) {
    const card = name === 'card' ? sample?.number : undefined;
    const answer = await runReport(pool, { name, card, at: known ?? undefined });
    if (!answer.ok) missing.push(`${name}: ${answer.error}.`);
    else {
      const { version, at, sha256, rows } = answer.report;
      const said = { version, at, rows: rows.length, sha256 };
      say(`Report ${name}`, said, `GET /api/v1/reports/${name}?at=${at}`);
    }
  }
  return verdict([], missing);
};

/** C-20: who is switched off sees nothing that is paid for. */
export const offIsDark: Check = async ({ look, known }) => {
  if (!known) return verdict([], ['Nothing is known of the air yet.']);
  const [suspended] = await look<{ cards: number; visible: number }>(
    'Suspended or blocked cards for more than two minutes, and those of them that show something',
    `SELECT count(*)::integer AS cards,
            (count(*) FILTER (WHERE EXISTS (
              SELECT FROM air_span i WHERE i.card = c.number AND ${ON_AIR})))::integer AS visible
       FROM card c
      WHERE c.is_blocked OR EXISTS (
              SELECT FROM card_suspension s WHERE s.card_id = c.id AND s.resumed_at IS NULL
                 AND s.suspended_at < $1::timestamptz - ${UNDERWAY})`,
    [known],
  );
  const [ended] = await look<{ visible: number }>(
    'Cards that show something though all that was sold to them has ended',
    `SELECT count(DISTINCT i.card)::integer AS visible
       FROM air_span i JOIN card c ON c.number = i.card JOIN card_rights r ON r.card_id = c.id
      WHERE ${ON_AIR}
        AND NOT EXISTS (SELECT FROM jsonb_array_elements(r.desired) d
                         WHERE (d->>'to')::timestamptz > $1::timestamptz - ${UNDERWAY})`,
    [known],
  );
  return verdict([
    (suspended?.visible ?? 0) > 0 && `${suspended?.visible} suspended cards show something.`,
    (ended?.visible ?? 0) > 0 && `${ended?.visible} ended cards show something.`,
  ]);
};
