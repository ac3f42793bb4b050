/** The answer to a command, as it is stored with it and given again to a repeat. */
import { publicRef } from '../../platform/ref.ts';
import type { RefusalCode, Settled, SuspenseReason } from './commands.ts';
import type { Workspace } from './workspace.ts';

export type Decision = Settled;

interface Left {
  paidUntil: Date | null;
  credit: bigint | null;
  units: bigint | null;
}

/** The command was carried out. */
export const settled = (w: Workspace, { paidUntil, credit, units }: Left): Decision => ({
  state: 'settled',
  ref: publicRef(w.inboxId),
  code: null,
  paidUntil: paidUntil?.toISOString() ?? null,
  credit: credit?.toString() ?? null,
  units: units?.toString() ?? null,
});

/** Nothing moved, and the reason is the answer for ever. */
export const refused = (w: Workspace, code: RefusalCode): Decision => ({
  ...settled(w, { paidUntil: null, credit: null, units: null }),
  state: 'refused',
  code,
});

/** The money is ours to keep safe, but not yet known whose. */
export const suspended = (w: Workspace, code: SuspenseReason): Decision => ({
  ...settled(w, { paidUntil: null, credit: null, units: null }),
  state: 'suspense',
  code,
});
