/** Some cards are bound to the decoder they are in, as a dealer does at the counter. */
import type { Pool } from 'pg';
import { createCasCommands } from '../src/entitlement/commands/service.ts';
import { createDevices } from '../src/entitlement/devices/service.ts';
import { createIds } from '../src/platform/database/ids.ts';
import { silentLogger } from '../src/platform/log.ts';
import { systemClock } from '../src/platform/system.ts';
import { decoderOf } from './homes.ts';

/** Pairs these cards, each with the decoder of its home; the head-end is told by the product. */
export async function pairCards(
  pool: Pool,
  casId: string,
  cards: readonly string[],
): Promise<void> {
  const common = { pool, clock: systemClock };
  const devices = createDevices({
    ...{ ...common, ids: createIds(pool), logger: silentLogger },
    commands: createCasCommands(common),
    casOf: () => casId,
    listedOnly: () => false,
    models: null,
    wake: () => undefined,
  });
  for (const card of cards) {
    const acting = { key: `pair-${card}`, by: 'staff:1', channel: 'staff', reason: 'sold' };
    const done = await devices.pair(acting, { card, stb: decoderOf(card), mode: 'strict' });
    if (!done.ok) throw new Error(`card ${card} cannot be paired: ${done.error}`);
  }
}
