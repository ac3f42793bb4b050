/** The compliance pack: each requirement, how it stands at this moment, and what shows it. */
import { hash } from 'node:crypto';
import type { Pool } from 'pg';
import type { Clock } from '../../platform/ports.ts';
import { knownUntil } from '../reports/store.ts';
import {
  type Asking,
  type Check,
  createAsking,
  type Evidence,
  type Installation,
  type Verdict,
} from './ask.ts';
import { REQUIREMENTS, type Requirement } from './requirements.ts';

export type Status = 'met' | 'part' | 'not met' | 'not applicable';

export interface PackRow {
  number: string;
  requirement: string;
  status: Status;
  /** Why it is not met, or shown in part alone. */
  reasons: string[];
  evidence: Evidence[];
}

export interface Pack {
  version: number;
  at: string;
  /** Up to when it is known what was on the air. */
  knownUntil: string | null;
  rows: PackRow[];
  /** Of the pack’s canonical text, hexadecimal. */
  sha256: string;
}

/** Raised when a requirement is looked into otherwise. */
const PACK_VERSION = 1;

export interface PackDeps {
  /** As the role of the product; several connections: the verifier takes its own. */
  pool: Pool;
  clock: Clock;
  installation: Installation;
}

/**
 * Looks into every requirement, one after the other, and changes nothing. A look that fails is
 * `not met`, with what was said; a lost database makes all of them so.
 */
export async function makePack(deps: PackDeps): Promise<Pack> {
  const at = deps.clock.now();
  const known = await knownUntil(deps.pool);
  const rows: PackRow[] = [];
  for (const requirement of REQUIREMENTS) {
    rows.push(await makeRow(requirement, { ...deps, at, known }));
  }
  const body = {
    ...{ version: PACK_VERSION, at: at.toISOString() },
    ...{ knownUntil: known?.toISOString() ?? null, rows },
  };
  return { ...body, sha256: hash('sha256', canonicalPack(body)) };
}

/** Looks into one requirement, as of an instant that is now. */
export async function makeRow(
  { number, says, check }: Requirement,
  { pool, installation, at, known }: Omit<Asking, 'look' | 'say'>,
): Promise<PackRow> {
  const evidence: Evidence[] = [];
  const judged = await judge(check, createAsking({ pool, at, known, installation }, evidence));
  const { wrong, missing, outside } = judged;
  const reasons = outside === undefined ? [...wrong, ...missing] : [outside];
  return { number, requirement: says, status: statusOf(judged), reasons, evidence };
}

/** The text that a pack’s SHA-256 is of: its JSON without spaces and without `sha256`. */
export const canonicalPack = ({ version, at, knownUntil, rows }: Omit<Pack, 'sha256'>): string =>
  JSON.stringify({ version, at, knownUntil, rows });

async function judge(check: Check, asking: Parameters<Check>[0]): Promise<Verdict> {
  try {
    return await check(asking);
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    return { wrong: [`It could not be looked into: ${said}`], missing: [] };
  }
}

/** What is broken weighs more than what cannot be shown. */
export function statusOf({ wrong, missing, outside }: Verdict): Status {
  if (outside !== undefined) return 'not applicable';
  if (wrong.length > 0) return 'not met';
  return missing.length > 0 ? 'part' : 'met';
}

/** `19 met, 22 part, 7 not met, 5 not applicable`: how many rows are so. */
export function countsOf({ rows }: Pick<Pack, 'rows'>): string {
  const statuses: Status[] = ['met', 'part', 'not met', 'not applicable'];
  const count = (status: Status) => rows.filter((one) => one.status === status).length;
  return statuses.map((status) => `${count(status)} ${status}`).join(', ');
}

/** A pack for reading; `queries`: with the source of each piece of evidence. */
export function packText(pack: Pack, { queries }: { queries: boolean }): string {
  const lines = pack.rows.flatMap(({ number, requirement, status, reasons, evidence }) => [
    '',
    `${number}  ${status.toUpperCase()}  ${requirement}`,
    ...reasons.map((one) => `  ! ${one}`),
    ...evidence.flatMap(({ what, found, source }) => [
      `  - ${what}: ${JSON.stringify(found)}`,
      ...(queries ? [`    ${source}`] : []),
    ]),
  ]);
  return [
    `Compliance pack of ${pack.at} (on the air: until ${pack.knownUntil ?? 'nothing is known'})`,
    `${countsOf(pack)}; SHA-256 ${pack.sha256}`,
    ...lines,
    '',
  ].join('\n');
}
