/** Rules of what is shown to people, whatever their cards may show. */
import type { WireOperation } from '../../src/entitlement/vip-control/operations.ts';
import type { EmmContent } from './air/types.ts';
import type { Execution, Order } from './rules.ts';

const MESSAGE_OPERATIONS = ['OSD', 'MAIL', 'FINGERPRINT', 'FORCE_TUNE'] as const;
export type MessageOperation = Extract<WireOperation, { op: (typeof MESSAGE_OPERATIONS)[number] }>;

/** Whether an operation is one of these. */
export function isMessageOperation(operation: WireOperation): operation is MessageOperation {
  return (MESSAGE_OPERATIONS as readonly string[]).includes(operation.op);
}

/** Puts it on air, to a card or to all of a group at once; the head-end keeps nothing of it. */
export function executeMessage(operation: MessageOperation, { cmdId, target }: Order): Execution {
  const { kind, id } = target;
  const air = {
    card: id,
    ...(kind === 'card' ? {} : { group: kind }),
    content: contentOf(operation, cmdId),
    repeat: 'profile' as const,
  };
  return { code: 'DONE', air: [air] };
}

function contentOf(operation: MessageOperation, id: string): EmmContent {
  switch (operation.op) {
    case 'OSD': {
      const { lang: _, ...message } = operation.args;
      return { kind: 'message', message: { id, ...message } };
    }
    case 'MAIL':
      return { kind: 'mail', mail: { id, ...operation.args } };
    case 'FINGERPRINT':
      return { kind: 'fingerprint', fingerprint: { id, ...operation.args } };
    case 'FORCE_TUNE':
      return { kind: 'tune', tune: { id, ...operation.args } };
  }
}
