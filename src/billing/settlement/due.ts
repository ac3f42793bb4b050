/**
 * What happens by itself, as commands. Everything that is due at one instant is done in the order
 * of `DUE_ORDER`, then by id; the keys name what is due, so that each is done once.
 */
import type { Command, CommandBase } from './commands.ts';

/** Something that is due at an instant. `id` orders what is due together and makes the key. */
export type Due = { at: Date; siteId: bigint; id: bigint } & (
  | { kind: 'expire_credit'; subscriberId: bigint }
  | { kind: 'release_event'; purchaseId: bigint }
  | { kind: 'end_pause'; cardId: bigint }
  | { kind: 'complete_move'; original: { provider: string; receipt: string } }
  | { kind: 'renew'; cardId: bigint }
  | { kind: 'claw_back'; commissionId: bigint }
);

export const DUE_ORDER: readonly Due['kind'][] = [
  'expire_credit',
  'release_event',
  'end_pause',
  'complete_move',
  'renew',
  'claw_back',
];

/** Sorts what is due: by instant, then by kind, then by id. */
export function dueOrder(a: Due, b: Due): number {
  const byTime = a.at.getTime() - b.at.getTime();
  if (byTime !== 0) return byTime;
  const byKind = DUE_ORDER.indexOf(a.kind) - DUE_ORDER.indexOf(b.kind);
  if (byKind !== 0) return byKind;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

/** The command that does it at `at`: the instant it was due, or later when it is noticed late. */
export function dueCommand(due: Due, at: Date = due.at): Command {
  const receipt = `${due.kind}:${due.id}:${due.at.toISOString()}`;
  const base: CommandBase = {
    provider: 'vip',
    receipt,
    channelId: 'scheduler',
    siteId: due.siteId,
    at,
    raw: Buffer.alloc(0),
  };
  switch (due.kind) {
    case 'expire_credit':
      return { ...base, kind: due.kind, subscriberId: due.subscriberId };
    case 'release_event':
      return { ...base, kind: due.kind, purchaseId: due.purchaseId };
    case 'end_pause':
      return { ...base, kind: due.kind, cardId: due.cardId };
    case 'complete_move':
      return { ...base, kind: due.kind, original: due.original };
    case 'renew':
      return { ...base, kind: due.kind, cardId: due.cardId };
    case 'claw_back':
      return { ...base, kind: due.kind, commissionId: due.commissionId };
  }
}
