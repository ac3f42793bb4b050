/** The demo's people as the living room shows them. */
import type { ProductParts } from '../../src/product.ts';
import type { PhoneView } from '../living-room/api.ts';
import { TEXT_CODES } from './channels.ts';
import { demoPhones } from './people.ts';

/** Of the mobile network a phone is in, by site. */
export const NETWORK_CODES: Readonly<Record<string, string>> = { NBO: '63902', ABJ: '61203' };

/** Every phone with the code it dials and the money it pays with. */
export function seats({ channels, billing }: ProductParts): PhoneView[] {
  const sites = [...billing.catalogue.current().sites.values()];
  return demoPhones().flatMap(({ site: code, msisdn, name, note, cards, pin }) => {
    const site = sites.find((known) => known.code === code);
    const ussd = channels
      .ofKind('ussd')
      .find((channel) => channel.site === code && channel.provider === 'africastalking');
    if (!site || !ussd || msisdn === null) return [];
    return {
      msisdn,
      name,
      note,
      language: site.language,
      channel: ussd.id,
      serviceCode: ussd.serviceCode,
      networkCode: NETWORK_CODES[code] ?? '',
      textCode: TEXT_CODES[code] ?? '',
      currency: site.currency,
      mobileMoney: channels.ofKind('money').some((channel) => channel.site === code),
      pin,
      cards,
    };
  });
}
