/** Who waits for whom in Postgres. */
import type { Client } from 'pg';

/** For each backend, by its process id, those it waits for; none: it waits for no lock. */
export type Blockers = ReadonlyMap<number, readonly number[]>;

/** Asks Postgres. */
export async function blockersOf(admin: Client, pids: readonly number[]): Promise<Blockers> {
  const { rows } = await admin.query<{ pid: number; by: number[] }>({
    name: 'blockers',
    text: 'SELECT pid, pg_blocking_pids(pid) AS by FROM unnest($1::int[]) pid',
    values: [pids],
  });
  return new Map(rows.map(({ pid, by }) => [pid, by]));
}

/** Whether some of these wait for each other, so that Postgres will fail one of them. */
export function hasCircle(blockers: Blockers): boolean {
  const reaches = (pid: number, goal: number, seen: Set<number>): boolean =>
    (blockers.get(pid) ?? []).some((by) => {
      if (by === goal) return true;
      return !seen.has(by) && reaches(by, goal, seen.add(by));
    });
  return [...blockers.keys()].some((pid) => reaches(pid, pid, new Set()));
}
