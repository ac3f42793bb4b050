import { isPin, typedPhone, typedUnits } from '../typed.ts';
import {
  backTo,
  CANCEL_CHOICES,
  type Elsewhere,
  refused,
  type Screen,
  type State,
} from './screen.ts';

/** A reseller sends TV units to a phone: number, units, PIN. */

const RESELLERS_ONLY: Elsewhere = { go: { screen: 'tvu' }, hint: 'hint.reseller' };
const PHONE: State = { screen: 'send.phone' };

export const sendPhone: Screen = {
  show: async ({ services, channel, msisdn, words }) => {
    const caller = await services.caller(channel, msisdn);
    if (!caller.isReseller) return RESELLERS_ONLY;
    return { text: words.say('send.phone'), choices: backTo({ screen: 'tvu' }) };
  },

  typed: (_state, input, { channel }) => {
    const phone = typedPhone(input, channel.country);
    if (phone === null) return { stay: 'hint.phone' };
    return { go: { screen: 'send.units', phone } };
  },
};

export const sendUnits: Screen = {
  show: async ({ services, channel, msisdn, words }, state) => {
    const caller = await services.caller(channel, msisdn);
    const values = { phone: state.phone ?? '', units: String(caller.tvuUnits) };
    return { text: words.say('send.units', values), choices: backTo(PHONE) };
  },

  typed: (state, input) => {
    const units = typedUnits(input);
    if (units === null) return { stay: 'hint.units' };
    return { go: { ...state, screen: 'send.pin', units: String(units) } };
  },
};

/**
 * The confirm screen of sending: the PIN is the yes. Whatever the answer, the session ends with it,
 * so that nothing that follows can carry the PIN along.
 */
export const sendPin: Screen = {
  secret: true,

  show: async ({ services, channel, msisdn, words }, state) => {
    const units = BigInt(state.units ?? '0');
    const caller = await services.caller(channel, msisdn);
    if (!caller.isReseller) return RESELLERS_ONLY;
    if (units > caller.tvuUnits) {
      return { go: { ...state, screen: 'send.units' }, hint: 'hint.units_have' };
    }
    const text = words.say('send.pin', { units: String(units), phone: state.phone ?? '' });
    return { text, choices: CANCEL_CHOICES };
  },

  typed: (_state, input) =>
    isPin(input) ? { deed: { do: 'send', pin: input } } : { end: 'end.pin_form' },

  act: async ({ services, words }, act, state, deed) => {
    if (deed.do !== 'send') throw new Error(`send cannot ${deed.do}`);
    const units = BigInt(state.units ?? '0');
    const phone = state.phone ?? '';
    const done = await services.sendUnits(act, phone, units, deed.pin);
    if (!done.ok) return refused(words, done.error);
    return words.say('end.sent', {
      units: String(units),
      phone,
      left: String(done.value.unitsLeft),
      ref: done.value.ref,
    });
  },
};
