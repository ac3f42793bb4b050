/** What of a command must be the same when its key comes again. */
import { bigintAsDigits } from '../../platform/json.ts';
import type { Command, CommandBase } from './commands.ts';

const BASE: ReadonlySet<string> = new Set<keyof CommandBase>([
  'provider',
  'receipt',
  'channelId',
  'siteId',
  'at',
  'raw',
]);

/** The content as text, kept with the answer. */
export function contentOf(command: Command): string {
  switch (command.kind) {
    case 'payment':
      return contentOfPayment(command);
    case 'tvu_notice':
    case 'convert_tvu':
      return `${command.units} ${command.msisdn}`;
    case 'transfer_tvu':
      return `${command.units} ${command.fromMsisdn} ${command.toMsisdn}`;
    case 'buy':
      return contentOfPurchase(command);
    case 'reverse_payment':
      return `${command.original.provider} ${command.original.receipt}`;
    case 'renew':
    case 'capture_event':
    case 'release_event':
      return command.kind;
    default:
      return fieldsOf(command);
  }
}

const contentOfPurchase = ({ purpose, msisdn, means }: Extract<Command, { kind: 'buy' }>): string =>
  [JSON.stringify(purpose, bigintAsDigits), msisdn ?? 'owner', means].join(' ');

/** A notice and a look-up of the same payment differ in all but this, and in the card if known. */
function contentOfPayment(payment: Extract<Command, { kind: 'payment' }>): string {
  const { amount, asset, cardNumber, payerMsisdn } = payment;
  const money = `${amount} ${asset}`;
  return cardNumber ? `${money} ${cardNumber} ${payerMsisdn ?? '-'}` : money;
}

const fieldsOf = (command: Command): string =>
  JSON.stringify(
    Object.fromEntries(Object.entries(command).filter(([name]) => !BASE.has(name))),
    bigintAsDigits,
  );
