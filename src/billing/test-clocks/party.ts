/** Whom a command concerns, as far as it says so by itself. */
import type { Command, Payment } from '../settlement/commands.ts';
import { readReference } from '../settlement/reference.ts';
import type { Party } from './store.ts';

/** What a clock is looked up by; empty where only the books know whom the command concerns. */
export function partyOf(command: Command): Party {
  switch (command.kind) {
    case 'payment':
      return partyOfPayment(command);
    case 'buy':
      return { cardId: command.purpose.cardId };
    case 'claim':
    case 'redeem':
      return { cardNumber: command.cardNumber };
    case 'tvu_notice':
    case 'convert_tvu':
      return { msisdn: command.msisdn };
    default:
      return {
        ...('original' in command ? { payment: command.original } : {}),
        subscriberId: 'subscriberId' in command ? command.subscriberId : null,
        cardId: 'cardId' in command ? command.cardId : null,
      };
  }
}

/** The card that is paid for, whoever pays; without one the payer. */
function partyOfPayment({ cardNumber, accountRef, payerMsisdn }: Payment): Party {
  const card = cardNumber ?? readReference(accountRef, '').card;
  return card === null ? { msisdn: payerMsisdn } : { cardNumber: card };
}
