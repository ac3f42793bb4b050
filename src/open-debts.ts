/** Postpaid and dunning, put together: what is owed, and what follows when it is not paid. */
import type { Catalogue } from './billing/catalogue/rules.ts';
import type { PostpaidService } from './billing/postpaid/service.ts';
import type { Billing } from './billing/service.ts';
import type { DunningHouse } from './open-dunning.ts';
import { openDunning } from './open-dunning.ts';
import { openPostpaid, type PostpaidParts } from './open-postpaid.ts';
import type { Logger } from './platform/ports.ts';
import type { createWording } from './telecom/service.ts';

export interface DebtsParts extends Omit<PostpaidParts, 'clock'> {
  billing: Billing;
  wording: ReturnType<typeof createWording>;
  catalogue(): Catalogue;
  logger: Logger & { child(fields: Record<string, unknown>): Logger };
  /** Sends what changed for pictures. */
  dispatcher: { wake(): void };
  /** Messages wait to be sent. */
  onMessages(): void;
  /** Told after each commit which postpaid accounts may owe more or less now; must not wait. */
  onChanged(accountIds: readonly bigint[]): void;
}

/** Both, by any clock: the house's, or that of a test. */
export interface Debts {
  postpaidAt(clock: PostpaidParts['clock']): PostpaidService;
  /** `testClockId`: for the subscribers of that clock alone. */
  dunningAt(
    clock: PostpaidParts['clock'],
    postpaid: PostpaidService,
    testClockId?: bigint,
  ): DunningHouse;
}

/** Nothing runs before it is called. */
export function openDebts(parts: DebtsParts): Debts {
  const { billing, wording, logger } = parts;
  const operator = () => billing.catalogue.inForce()?.file ?? null;
  return {
    postpaidAt: (clock) =>
      openPostpaid({ ...parts, clock, operator, logger: logger.child({ room: 'billing' }) }),
    dunningAt: (clock, postpaid, testClockId) =>
      openDunning({
        ...{ ...parts, clock, postpaid, operator },
        ...{ settlement: billing.settlement, messagesFor: wording.dunningMessagesFor },
        ...(testClockId === undefined ? {} : { testClockId }),
        logger: logger.child({ room: 'dunning' }),
      }),
  };
}
