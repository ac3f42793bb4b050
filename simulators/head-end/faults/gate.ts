/** Whether a head-end in trouble takes a command. */
import type { ResultCode } from '../../../src/entitlement/vip-control/results.ts';
import type { Random } from '../../../src/platform/ports.ts';
import type { Faults } from './faults.ts';

/** The code a command is refused with because of `maintenance` or `load`. */
export function refusedFor(deps: { faults: Faults; random: Random }): ResultCode | undefined {
  const { faults, random } = deps;
  if (faults.strikes('maintenance')) return 'MAINTENANCE';
  if (!faults.strikes('load')) return undefined;
  return random.fraction() < 0.5 ? 'BUSY' : 'BANDWIDTH';
}
