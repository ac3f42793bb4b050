/** The houses in which postpaid stories are told, by mode. */
import type { Mode } from '../result.ts';
import type { HouseSetup, PostpaidHouse } from './house.ts';
import { createPaperHouse } from './paper-house.ts';
import { closePostgres, openPostgresHouse } from './postgres.ts';

/** Puts away behind `tell` what the houses of a mode stand on. */
export async function* withStage<T>(mode: Mode, tell: AsyncIterable<T>): AsyncIterable<T> {
  try {
    yield* tell;
  } finally {
    if (mode === 'postgres') await closePostgres();
  }
}

/** Opens a house of its own for one case; the caller closes it. */
export async function openHouse(setup: HouseSetup, mode: Mode): Promise<PostpaidHouse> {
  return mode === 'pure' ? createPaperHouse(setup) : await openPostgresHouse(setup);
}
