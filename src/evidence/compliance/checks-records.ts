/** Requirements on records: who has what, where it is, what they are billed. */
import { type Check, ON_AIR, verdict } from './ask.ts';

/** C-9: card and decoder are paired from here. */
export const cardsArePaired: Check = async ({ look, known }) => {
  const [cards] = await look<{ active: number; unpaired: number }>(
    'Active cards, and those of them that are in no decoder',
    `SELECT count(*)::integer AS active,
            (count(*) FILTER (WHERE NOT EXISTS (
              SELECT FROM pairing p WHERE p.card = i.card AND p.to_at IS NULL)
            ))::integer AS unpaired
       FROM air_span i
      WHERE ${ON_AIR}`,
    [known],
  );
  await look(
    'Commands of pairing in the log',
    `SELECT op, result, count(*)::integer AS rows FROM command_log
      WHERE op IN ('PAIR', 'UNPAIR', 'SWAP', 'SWAP_STB') GROUP BY 1, 2 ORDER BY 1, 2`,
  );
  return verdict(
    [(cards?.unpaired ?? 0) > 0 && `${cards?.unpaired} active cards are paired with no decoder.`],
    [(cards?.active ?? 0) === 0 && 'No card is active.'],
  );
};

/** What the record of a subscriber needs: in words, and when it is there (`s`: the subscriber). */
const RECORD = {
  name: { says: 'name', is: "btrim(s.full_name) <> ''" },
  billing: { says: 'billing address', is: 's.billing_address IS NOT NULL' },
  installation: { says: 'installation address', is: 's.installation_address IS NOT NULL' },
  place: { says: 'place of the installation', is: 's.latitude IS NOT NULL' },
  landline: { says: 'landline', is: 's.landline IS NOT NULL' },
  mobile: {
    says: 'mobile',
    is: 'EXISTS (SELECT FROM phone p WHERE p.subscriber_id = s.id)',
  },
  email: { says: 'e-mail', is: 's.email IS NOT NULL' },
  contract: {
    says: 'subscription or account',
    is: `(EXISTS (SELECT FROM card c
                    JOIN subscription n ON coalesce(n.card_id, n.former_card_id) = c.id
                   WHERE c.subscriber_id = s.id)
         OR EXISTS (SELECT FROM postpaid_account a WHERE a.subscriber_id = s.id))`,
  },
  decoder: {
    says: 'known decoder for each card',
    is: `NOT EXISTS (SELECT FROM card c WHERE c.subscriber_id = s.id AND c.replaced_by IS NULL
                        AND NOT EXISTS (SELECT FROM pairing p
                                         WHERE p.card = c.number AND p.to_at IS NULL))`,
  },
} as const;

type Item = keyof typeof RECORD;
const ITEMS = Object.keys(RECORD) as Item[];
/** Everybody has these. What a person may do without is missing, not wrong. */
const SURE: readonly Item[] = ['name', 'billing', 'installation'];

/** Each subscriber has a number that is theirs alone: that is the key of the table. */
const RECORDS = `
SELECT count(*)::integer AS subscribers,
       (count(*) FILTER (WHERE ${ITEMS.join(' AND ')}))::integer AS whole,
       ${ITEMS.map((item) => `(count(*) FILTER (WHERE NOT ${item}))::integer AS no_${item}`).join(`,
       `)}
  FROM (SELECT ${ITEMS.map((item) => `${RECORD[item].is} AS ${item}`).join(', ')}
          FROM subscriber s) r`;

type Records = { subscribers: number; whole: number } & Record<`no_${Item}`, number>;

/** C-11: the record of a subscriber. */
export const subscribersAreRecorded: Check = async ({ look, say }) => {
  const [records] = await look<Records>('Records of subscribers, and what is not in them', RECORDS);
  const [devices] = await look<{ no_contract: number }>(
    'Cards in use without a subscription, and without a decoder',
    `SELECT (count(*) FILTER (WHERE NOT EXISTS (
               SELECT FROM subscription n WHERE coalesce(n.card_id, n.former_card_id) = c.id)
            ))::integer AS no_contract,
            (count(*) FILTER (WHERE NOT EXISTS (
               SELECT FROM pairing p WHERE p.card = c.number AND p.to_at IS NULL)))::integer
              AS no_decoder
       FROM card c`,
  );
  const { subscribers = 0, whole = 0 } = records ?? {};
  const share = subscribers === 0 ? null : Math.floor((100 * whole) / subscribers);
  say('Per cent of the records that have all', share, 'the first query: whole / subscribers');
  const lacks = (items: readonly Item[]) =>
    items.map((item) => {
      const count = records?.[`no_${item}`] ?? 0;
      return count > 0 && `${count} of ${subscribers} subscribers have no ${RECORD[item].says}.`;
    });
  return verdict(lacks(SURE), [
    subscribers === 0 && 'There are no subscribers.',
    ...lacks(ITEMS.filter((item) => !SURE.includes(item))),
    (devices?.no_contract ?? 0) > 0 && `${devices?.no_contract} cards have no subscription.`,
  ]);
};

/** C-12: what became of each device, where it is, and who asked for a change. */
export const devicesAreFound: Check = async ({ look }) => {
  await look(
    'Steps of devices by act',
    `SELECT kind, act, count(*)::integer AS steps, max(at) AS newest FROM device_event
      GROUP BY 1, 2 ORDER BY 1, 2`,
  );
  const places = await look<{ lost: number; kind: string }>(
    'Devices by kind, and those whose site is not known',
    `SELECT kind, count(*)::integer AS devices,
            (count(*) FILTER (WHERE site_id IS NULL))::integer AS lost
       FROM (SELECT 'card' AS kind, site_id FROM viewing_card
             UNION ALL SELECT 'decoder', site_id FROM decoder) d
      GROUP BY kind ORDER BY kind`,
  );
  const [asked] = await look<{ nobody: number }>(
    'Commands of the log, and those that say neither who nor why',
    `SELECT count(*)::integer AS commands,
            (count(*) FILTER (WHERE actor IS NULL AND reason IS NULL))::integer AS nobody
       FROM command_log`,
  );
  return verdict(
    places.flatMap(({ kind, lost }) => (lost > 0 ? [`${lost} of kind ${kind} are nowhere.`] : [])),
    [
      places.length === 0 && 'There are no devices.',
      (asked?.nobody ?? 0) > 0 && `${asked?.nobody} commands do not say who asked, nor why.`,
    ],
  );
};

/** C-15: what is blacklisted is never used again. */
export const blacklistHolds: Check = async ({ look, known }) => {
  await look(
    'Blacklisted devices',
    `SELECT 'card' AS kind, count(*)::integer AS devices FROM viewing_card
      WHERE state = 'blacklisted'
      UNION ALL SELECT 'decoder', count(*)::integer FROM decoder WHERE state = 'blacklisted'`,
  );
  await look(
    'Attempts to use such a device that were refused',
    `SELECT op AS attempt, count(*)::integer AS refused FROM command_log WHERE code = 'BLACKLISTED'
      GROUP BY op
      UNION ALL
     SELECT route, count(*)::integer FROM audit
      WHERE outcome = 'refused' AND object IN ('card', 'decoder', 'viewing_card', 'device')
      GROUP BY route ORDER BY 1`,
  );
  const ways = await look<{ to_state: string }>(
    'Where a blacklisted device can go',
    `SELECT kind, to_state FROM device_step WHERE from_state = 'blacklisted' ORDER BY kind`,
  );
  const alone = await look(
    'Lifted by one person alone',
    `SELECT kind, device, at, actor FROM device_event
      WHERE from_state = 'blacklisted' AND to_state <> 'blacklisted'
        AND (approved_by IS NULL OR approved_by = actor) ORDER BY id LIMIT 100`,
  );
  const seen = await look(
    'Blacklisted cards that show something',
    `SELECT v.number FROM viewing_card v JOIN air_span i ON i.card = v.number
      WHERE v.state = 'blacklisted' AND ${ON_AIR}
        AND EXISTS (SELECT FROM device_event e WHERE (e.kind, e.device) = ('card', v.number)
                       AND e.to_state = 'blacklisted'
                       AND e.at < $1::timestamptz - interval '2 minutes')
      ORDER BY 1 LIMIT 100`,
    [known],
  );
  return verdict([
    ways.some(({ to_state }) => to_state !== 'quarantine') && 'A blacklisted device can be used.',
    alone.length > 0 && `${alone.length} devices were lifted by one person alone.`,
    seen.length > 0 && `${seen.length} blacklisted cards show something.`,
  ]);
};

/** C-17: an itemised bill. */
export const billsAreItemised: Check = async ({ look }) => {
  const lines = await look(
    'Lines of the invoice that was issued last, with their taxes in minor units',
    `WITH last AS (SELECT account_id, id FROM invoice WHERE status = 'committed'
                    ORDER BY issued_on DESC, account_id, id DESC LIMIT 1)
     SELECT l.invoice_id, l.type, l.plan_code, l.from_date, l.to_date, l.amount,
            (SELECT jsonb_object_agg(t.tax_code, t.amount) FROM invoice_tax t
              WHERE (t.account_id, t.line_id) = (l.account_id, l.id)) AS taxes
       FROM last JOIN invoice_line l ON (l.account_id, l.invoice_id) = (last.account_id, last.id)
      ORDER BY l.id`,
  );
  const [terms] = await look<{ terms: number }>(
    'Prepaid terms, each one item with its price and tax',
    'SELECT count(*)::integer AS terms, sum(price) AS price, sum(tax) AS tax FROM term',
  );
  return verdict(
    [],
    [
      lines.length === 0 && 'No invoice has been issued.',
      lines.length + (terms?.terms ?? 0) === 0 && 'Nothing has been sold.',
    ],
  );
};
