/** What a command is about. Pure. */
import type { OperationName, SentOperation, Target } from '../vip-control/operations.ts';

/** An operation that is not a card's set of rights as such: dispatch alone sends those. */
export type QueuedOperation = SentOperation<Exclude<OperationName, 'ENTITLE'>>;

/** What is only shown: it changes nothing that another command could meet. */
const SHOWN: readonly OperationName[] = ['OSD', 'MAIL', 'FINGERPRINT', 'FORCE_TUNE'];

/**
 * The devices a command is about, as `card:<number>` and `stb:<serial>`: commands that share one
 * go in the order in which they were ordered. Of a region or of everything: none. Nor of what is
 * only shown, so that nothing more urgent waits behind it.
 */
export function subjectsOf(target: Target, { op, args }: QueuedOperation): string[] {
  if (SHOWN.includes(op)) return [];
  const named = args as { newCard?: string; stb?: string; newStb?: string };
  const stbs = [named.stb, named.newStb].filter((serial) => serial !== undefined);
  return [
    ...(target.kind === 'card' || target.kind === 'stb' ? [`${target.kind}:${target.id}`] : []),
    ...(named.newCard === undefined ? [] : [`card:${named.newCard}`]),
    ...stbs.map((serial) => `stb:${serial}`),
  ];
}
