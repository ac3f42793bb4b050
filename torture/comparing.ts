/**
 * Comparisons with the head-end: asked for while all goes on, as the night does, and at the end,
 * when people have mended what they alone can mend. Until then everything is waited for.
 */
import type { Pool } from 'pg';
import { runById } from '../src/entitlement/reconciliation/report.ts';
import { ON_ITS_WAY_MS } from '../src/entitlement/reconciliation/rules.ts';
import { askRun } from '../src/entitlement/reconciliation/run-store.ts';
import { closeWorkItem } from '../src/entitlement/work-items/store.ts';
import { sleep } from '../src/platform/timers.ts';
import type { Meddling } from './meddling.ts';

export const CAS_ID = 'vip-control';
const ASK_EVERY_MS = 30_000;
const POLL_MS = 500;
const RUN_MS_MAX = 300_000;
/** Beyond what is on its way: a dispatcher may have had another clock. */
const MARGIN_MS = 2_000;
const WHO = 'command:torture';

/** Asks for a comparison again and again until it is stopped; then waits for the last. */
export async function compareOften(pool: Pool, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    await sleep(ASK_EVERY_MS, stop);
    // One that has not ended is enough; a database that is away is asked the next time.
    if (!stop.aborted) await ask(pool).catch(() => undefined);
  }
}

const ask = (pool: Pool) => askRun(pool, { casId: CAS_ID, by: WHO, heal: true, at: new Date() });

/** Asks for one, and waits for it; a sentence when it came to nothing. */
export async function compareOnce(pool: Pool): Promise<string[]> {
  const deadlineMs = performance.now() + RUN_MS_MAX;
  let id: bigint | null = null;
  while (performance.now() < deadlineMs) {
    if (id === null) {
      const asked = await ask(pool);
      id = asked.ok ? asked.id : null;
    }
    const end = id === null ? null : (await runById(pool, id))?.end;
    if (end) return end.error === null ? [] : [`comparison: ${end.error}`];
    await sleep(POLL_MS);
  }
  return ['comparison: nobody has made it'];
}

export interface Ending {
  pool: Pool;
  meddling: Meddling;
  /** Until nothing waits but for people; null: it took too long. */
  waitUntilQuiet(but: 'refused' | 'ahead' | 'nothing'): Promise<number | null>;
}

/**
 * What is refused is refused until everybody knows; people mend what they were told of; the
 * comparison finds and heals the rest, and a second one sees that it is so. Milliseconds until
 * nothing waited but for people; null, or faults: it did not come to that.
 */
export async function endWell({ pool, meddling, waitUntilQuiet }: Ending) {
  const quietMs = await waitUntilQuiet('refused');
  await meddling.mend();
  await closeItems(pool);
  const faults: string[] = [];
  const settle = async (but: 'ahead' | 'nothing') => {
    if ((await waitUntilQuiet(but)) === null) faults.push(`not quiet, and ${but} waited`);
  };
  await settle('ahead');
  await sleep(await onItsWayMs(pool));
  faults.push(...(await compareOnce(pool)));
  await settle('nothing');
  faults.push(...(await compareOnce(pool)));
  return { quietMs, faults };
}

/** A person has done what the sentence says; where that is to raise the epoch, it is left. */
async function closeItems(pool: Pool): Promise<void> {
  const { rows } = await pool.query<{ id: bigint }>(
    `SELECT id FROM work_item WHERE closed_at IS NULL AND code <> 'STALE_REV' ORDER BY id`,
  );
  for (const { id } of rows) await closeWorkItem(pool, id, { by: WHO, at: new Date() });
}

/** Until every card has been left alone so long that it is compared. */
async function onItsWayMs(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ at: Date | null }>(
    `SELECT greatest((SELECT max(greatest(raised_at, on_air_at)) FROM card_rights),
                     (SELECT max(greatest(created_at, done_at)) FROM cas_command)) AS at`,
  );
  const touchedMs = rows[0]?.at?.getTime() ?? 0;
  return Math.max(0, touchedMs + ON_ITS_WAY_MS + MARGIN_MS - Date.now());
}
