/** The operators on which prepaid stories are told, by mode. */
import type { Mode } from '../result.ts';
import type { HouseSetup, PrepaidHouse } from './house.ts';
import { createPaperHouse } from './paper-house.ts';
import { openPostgresHouse } from './postgres.ts';

/** Opens an operator of its own for one case; the caller closes it. */
export async function openHouse(setup: HouseSetup, mode: Mode): Promise<PrepaidHouse> {
  return mode === 'pure' ? createPaperHouse(setup) : await openPostgresHouse(setup);
}
