/** The wording of dunning: every `DunningMessage` becomes a key of the language files. */
import type { DunningMessage, DunningMessagesFor } from '../../billing/dunning/sayings.ts';
import { currencyExponent } from '../../platform/money/amount.ts';
import { amountText, createDates, type LanguageKey, type Values } from '../language.ts';
import type { MessagesDeps } from './messages.ts';

/** What is written for a saying of dunning; see `createMessages` for what it is given. */
export function createDunningMessages(deps: MessagesDeps): DunningMessagesFor {
  const dates = createDates();
  return ({ siteId, language, to, message }) => {
    const key = to.kind === 'text' ? textKey(message) : screenKey(message);
    if (key === null) return null;
    const { timeZone } = deps.siteOf(siteId);
    // `lastDay` is of an exclusive end; these days are named by their own first instant.
    const day = (midnight: Date) => dates.lastDay(new Date(midnight.getTime() + 1), timeZone);
    const values: Values = {
      amount: amountOf(message),
      code: deps.serviceCodeOf(siteId),
      ...(message.name === 'dunning'
        ? { since: day(message.since), until: day(message.dueOn) }
        : { until: dates.lastDay(message.by, timeZone) }),
    };
    return {
      kind: to.kind,
      template: key,
      target: to.kind === 'text' ? to.msisdn : to.cardNumber,
      body: deps.languages.render(language, key, values),
      notAfter: message.notAfter,
    };
  };
}

function textKey(message: DunningMessage): LanguageKey {
  if (message.name === 'promise_noted') return 'text.dunning.promise';
  if (message.kind === 'prepaid') {
    return message.does === 'terminate' ? 'text.dunning.dormant' : 'text.dunning.ended';
  }
  return message.isSkipped ? 'text.dunning.late' : `text.dunning.${message.does}`;
}

/** A television says no figures to the whole room, and nothing of a step that is past. */
function screenKey(message: DunningMessage): LanguageKey | null {
  if (message.name !== 'dunning' || message.isSkipped || message.does === 'terminate') return null;
  if (message.kind === 'prepaid') {
    return message.does === 'wall' ? 'osd.dunning.wall.ended' : 'osd.dunning.ended';
  }
  return `osd.dunning.${message.does}`;
}

function amountOf({ amount, asset }: DunningMessage): string {
  const known = currencyExponent(asset);
  if (!known.ok) throw new Error(`a message in the unknown currency ${asset}`);
  return amountText(amount, asset, known.exponent);
}
