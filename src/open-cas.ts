/** Which conditional-access systems there are, and which products they carry. */
import { readFileSync } from 'node:fs';
import type { Pool } from 'pg';
import { type Carriage, openCarriage } from './entitlement/cas/carriage.ts';
import { declareSystems } from './entitlement/cas/store.ts';
import { type CasSystem, ONLY_SYSTEM, readSystems } from './entitlement/cas/systems.ts';
import type { Config } from './platform/config.ts';
import type { Logger } from './platform/ports.ts';
import { StartError } from './platform/start-error.ts';
import type { DemoHouse } from './product.ts';

export interface Cas extends Pick<Carriage, 'carries' | 'stop'> {
  /** Empty where this process knows of none: then it sends nothing. */
  systems: readonly CasSystem[];
}

interface Opening {
  config: Config;
  pool: Pool;
  logger: Logger;
  demo: DemoHouse | undefined;
}

/** Declares the systems of the file in the database; throws a StartError for a bad file. */
export async function openCas({ config, pool, logger, demo }: Opening): Promise<Cas> {
  const systems = systemsOf(config, demo);
  if (systems.length > 0) await declareSystems(pool, systems);
  return { systems, ...(await openCarriage({ pool, logger, systems })) };
}

function systemsOf({ casFile, control }: Config, demo: DemoHouse | undefined) {
  const only = demo?.control ?? control;
  if (casFile === undefined || demo) {
    return only ? [{ ...ONLY_SYSTEM, address: only }] : [];
  }
  const read = readSystems(readFileSync(casFile, 'utf8'));
  if (read.ok) return read.systems;
  const faults = read.problems.map(({ line, path, reason }) => `line ${line}: ${path} ${reason}`);
  throw new StartError(`VIP_CAS_FILE cannot be used: ${faults.join('; ')}.`);
}
