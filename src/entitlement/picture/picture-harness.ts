/** Cards of a small world, as the stories of this room need them. */

import type { World } from '../../../test/stories/world.ts';
import { silentLogger } from '../../platform/log.ts';
import type { Logger } from '../../platform/ports.ts';
import type { Asking, PictureDesk } from './desk.ts';
import { createPictureDesk } from './service.ts';
import { createSuspensions, type Suspensions } from './suspension.ts';

export const START = '2026-11-23T11:02:00Z';
/** What a month of the customer's bouquet costs, in minor units. */
export const MONTH = 65_000n;
export const MONTH_ENDS = new Date('2026-12-23T21:00:00Z');

export interface PaidCard {
  id: bigint;
  number: string;
}

/** A card, paid for a month or not. */
export async function card(world: World, { paid = true } = {}): Promise<PaidCard> {
  const { number } = await world.customer();
  if (paid) await world.pay({ amount: MONTH, accountRef: number });
  const [row] = await world.rows('SELECT id FROM card WHERE number = $1', [number]);
  return { id: BigInt(String(row?.id)), number };
}

/** As if the head-end had said now that the wanted set is on air. */
export async function putOnAir(world: World, { id }: PaidCard): Promise<void> {
  await world.pool.query(
    `UPDATE card_rights SET acked_rev = desired_rev, on_air_at = $2, next_at = NULL
      WHERE card_id = $1`,
    [id, world.now()],
  );
}

/** A card that is paid for and on air. */
export async function cardOnAir(world: World): Promise<PaidCard> {
  const paid = await card(world);
  await putOnAir(world, paid);
  return paid;
}

/** As if settlement had raised the set to one event that runs between these instants. */
export async function grantEvent(world: World, { id }: PaidCard, from: string, to: string) {
  const set = [{ product: 'EVT:MATCH', from, to }];
  await world.pool.query(
    `UPDATE card_rights SET desired = $2, desired_rev = desired_rev + 1, raised_at = $3,
            next_at = $3
      WHERE card_id = $1`,
    [id, JSON.stringify(set), world.now()],
  );
}

export function later(world: World, seconds: number): void {
  world.moveTo(new Date(world.now().getTime() + seconds * 1000).toISOString());
}

export const byUssd = ({ id }: PaidCard): Asking => ({
  cardId: id,
  source: 'ussd',
  msisdn: '+254700100001',
});

export function deskOf(
  world: World,
  more: { wake?: () => void; logger?: Logger } = {},
): PictureDesk {
  return createPictureDesk({
    pool: world.pool,
    ids: world.ids,
    clock: { now: world.now },
    logger: more.logger ?? silentLogger,
    refresher: { wake: more.wake ?? (() => undefined) },
  });
}

export const suspensionsOf = (world: World, wake: () => void = () => undefined): Suspensions =>
  createSuspensions({
    pool: world.pool,
    ids: world.ids,
    clock: { now: world.now },
    logger: silentLogger,
    dispatcher: { wake },
  });
