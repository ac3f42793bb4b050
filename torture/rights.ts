/** The rights that were paid for, those that we ask for, and those that the head-end airs. */
import type { Pool } from 'pg';
import { z } from 'zod';
import { canonicalSet } from '../simulators/head-end/card-state.ts';
import { isBouquet } from '../src/billing/catalogue/compile.ts';
import { newestCatalogue } from '../src/billing/catalogue/publish.ts';

const right = z.object({ product: z.string(), from: z.string(), to: z.string() });
const page = z.object({
  pages: z.number(),
  cards: z.array(
    z.object({ card: z.string(), epoch: z.number(), rev: z.number(), set: z.array(right) }),
  ),
});

type Right = z.infer<typeof right>;
type OnAir = z.infer<typeof page>['cards'][number];

interface CardRow {
  card: string;
  desiredRev: number;
  ackedRev: number;
  desired: Right[];
  paidUntil: Date | null;
  bouquet: string | null;
}

/** Compares all cards that ever had rights; `cards` is how many are on air with ours. */
export async function rightsFaults(
  pool: Pool,
  vipControlUrl: string,
  strangers: ReadonlySet<string> = new Set(),
): Promise<{ faults: string[]; cards: number }> {
  const onAir = await readOnAir(vipControlUrl);
  const epochs = await pool.query<{ epoch: number }>('SELECT epoch FROM conditional_access');
  const epoch = epochs.rows[0]?.epoch ?? 0;
  const { rows } = await pool.query<CardRow>(
    `SELECT c.number AS card, r.desired_rev AS "desiredRev", r.acked_rev AS "ackedRev", r.desired,
            s.paid_until AS "paidUntil", b.code AS bouquet
       FROM card_rights r
       JOIN card c ON c.id = r.card_id
       LEFT JOIN subscription s ON s.card_id = c.id
       LEFT JOIN bouquet b ON b.id = s.bouquet_id
      WHERE r.desired_rev > 0`,
  );
  const file = (await newestCatalogue(pool))?.file;
  const productsOf = (code: string | null): readonly string[] => {
    const product = file?.products.get(code ?? '');
    return product && isBouquet(product) ? (product.contents.at(-1)?.cas ?? []) : [];
  };
  const now = new Date();
  const faults = rows.flatMap((row) => [
    ...paidFaults(row, productsOf(row.bouquet), now),
    ...airFaults(row, onAir.get(row.card), epoch),
  ]);
  const known = new Set(rows.map(({ card }) => card));
  for (const [card, { set }] of onAir) {
    const isRight = known.has(card) || (strangers.has(card) && set.length === 0);
    if (!isRight) faults.push(`card ${card}: on air, though we never asked for it`);
  }
  return { faults, cards: rows.length };
}

/** What is paid for must be asked for: every product of the bouquet, until the very end. */
function paidFaults(
  { card, desired, paidUntil }: CardRow,
  products: readonly string[],
  now: Date,
): string[] {
  if (!paidUntil || paidUntil.getTime() <= now.getTime()) return [];
  return products
    .filter((product) => {
      const asked = desired.find((one) => one.product === product);
      const covers = asked && Date.parse(asked.from) <= now.getTime();
      return !covers || Date.parse(asked.to) !== paidUntil.getTime();
    })
    .map((product) => `card ${card}: ${product} is not asked for until ${paidUntil.toISOString()}`);
}

function airFaults(row: CardRow, onAir: OnAir | undefined, epoch: number): string[] {
  const { card, desiredRev, ackedRev, desired } = row;
  if (ackedRev !== desiredRev) return [`card ${card}: ${ackedRev} of ${desiredRev} acknowledged`];
  if (!onAir) return [`card ${card}: acknowledged, but the head-end does not know it`];
  const faults: string[] = [];
  if (onAir.epoch !== epoch || onAir.rev !== desiredRev) {
    faults.push(`card ${card}: on air ${onAir.epoch}.${onAir.rev}, ours ${epoch}.${desiredRev}`);
  }
  if (JSON.stringify(canonicalSet(desired.map(withAirMargin))) !== JSON.stringify(onAir.set)) {
    faults.push(`card ${card}: other rights on air than ours`);
  }
  return faults;
}

/** The margin of the air: a right is broadcast six hours longer, an event a quarter of an hour. */
function withAirMargin({ product, from, to }: Right): Right {
  const minutes = product.startsWith('EVT:') ? 15 : 360;
  return { product, from, to: new Date(Date.parse(to) + minutes * 60_000).toISOString() };
}

async function readOnAir(vipControlUrl: string): Promise<Map<string, OnAir>> {
  const cards = new Map<string, OnAir>();
  for (let number = 1, pages = 1; number <= pages; number += 1) {
    const answer = await fetch(`${vipControlUrl}/cards?page=${number}`);
    const read = page.parse(await answer.json());
    pages = read.pages;
    for (const card of read.cards) cards.set(card.card, card);
  }
  return cards;
}
