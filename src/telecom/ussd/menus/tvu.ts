import type { CallerView } from '../services.ts';
import { typedAmount, typedUnits } from '../typed.ts';
import type { Words } from '../words.ts';
import {
  backTo,
  CANCEL_CHOICES,
  firstFitting,
  MAIN,
  refused,
  type Screen,
  type Shown,
  type State,
  type Step,
} from './screen.ts';

const TVU: State = { screen: 'tvu' };

/** TV units: buy, convert to credit and, for resellers, send. */
export const tvu: Screen = {
  show: async ({ services, channel, msisdn, words }) =>
    drawTvu(words, await services.caller(channel, msisdn), channel.mobileMoney),
};

/** The menu of TV units; sending stands there for resellers alone. */
export function drawTvu(words: Words, caller: CallerView, mobileMoney: boolean): Shown {
  const send: Step = caller.isReseller
    ? { go: { screen: 'send.phone' } }
    : { stay: 'hint.reseller' };
  const lines = [words.say('tvu.menu', { units: String(caller.tvuUnits) })];
  if (mobileMoney) lines.push(words.say('tvu.buy'));
  lines.push(words.say('tvu.turn'));
  if (caller.isReseller) lines.push(words.say('tvu.send'));
  lines.push(words.say('nav.back'));
  const choices = {
    ...backTo(MAIN),
    ...(mobileMoney ? { '1': { go: { screen: 'tvu.amount' } } as const } : {}),
    '2': { go: { screen: 'tvu.units' } },
    '3': send,
  } as const;
  return { text: lines.join('\n'), choices };
}

export const tvuAmount: Screen = {
  show: async ({ channel, words }) => ({
    text: words.say('tvu.amount', { currency: channel.currency }),
    choices: backTo(TVU),
  }),

  typed: (_state, input, { words }) => {
    const minor = typedAmount(input, words.exponent);
    if (minor === null) return { stay: 'hint.amount' };
    return { go: { screen: 'confirm', amount: String(minor) } };
  },
};

export const tvuUnits: Screen = {
  show: async ({ services, channel, msisdn, words }) => {
    const caller = await services.caller(channel, msisdn);
    return {
      text: words.say('tvu.units', { units: String(caller.tvuUnits) }),
      choices: backTo(TVU),
    };
  },

  typed: (_state, input) => {
    const units = typedUnits(input);
    if (units === null) return { stay: 'hint.units' };
    return { go: { screen: 'tvu.convert', units: String(units) } };
  },
};

/** Says how much credit the units give and how many stay unused, before anything moves. */
export const tvuConvert: Screen = {
  show: async ({ services, channel, msisdn, words }, state) => {
    const units = BigInt(state.units ?? '0');
    const [caller, quote] = await Promise.all([
      services.caller(channel, msisdn),
      services.tvuQuote(channel, units),
    ]);
    if (units > caller.tvuUnits) return { go: { screen: 'tvu.units' }, hint: 'hint.units_have' };
    if (quote === null) return { go: TVU, hint: 'hint.tariff' };
    if (quote.creditMinor <= 0n) return { go: { screen: 'tvu.units' }, hint: 'hint.units_few' };
    const question = words.say('tvu.convert', {
      credit: words.amount(quote.creditMinor),
      used: String(quote.usedUnits),
      left: String(caller.tvuUnits - quote.usedUnits),
    });
    return {
      text: firstFitting(
        [question, words.say('confirm.yes'), words.say('confirm.cancel')].join('\n'),
      ),
      choices: { ...CANCEL_CHOICES, '1': { deed: { do: 'convert' } } },
    };
  },

  act: async ({ services, words }, act, state) => {
    const done = await services.convertTvu(act, BigInt(state.units ?? '0'));
    if (!done.ok) return refused(words, done.error);
    return words.say('end.converted', {
      used: String(done.value.usedUnits),
      credit: words.amount(done.value.creditMinor),
      ref: done.value.ref,
    });
  },
};
