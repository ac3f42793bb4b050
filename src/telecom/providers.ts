/** All provider files, found by provider name and kind of message. */

import { parseXml } from '../platform/xml.ts';
import { africastalkingPayments } from './momo/providers/africastalking-payments.ts';
import { mpesa } from './momo/providers/mpesa.ts';
import { mpesaSoap, telebirr } from './momo/providers/mpesa-soap.ts';
import { MISSING_FIELD, type Provider, type Reader, type UssdProvider } from './provider.ts';
import { africastalkingMessages } from './text/providers/africastalking-messages.ts';
import { africastalkingUssd } from './ussd/providers/africastalking.ts';
import { safaricomUssd } from './ussd/providers/safaricom.ts';

/** No provider at all: whatever claims to be XML is only ever judged. */
const xml: Provider = {
  name: 'xml',
  readers: {
    'hostile.xml': (raw) => {
      const parsed = parseXml(raw.body);
      return !parsed.ok && parsed.error === 'doctype' ? { refused: 'xml_doctype' } : MISSING_FIELD;
    },
  },
};

/** The USSD gateways by provider name. */
export const ussdProviders: ReadonlyMap<string, UssdProvider> = new Map(
  [africastalkingUssd, safaricomUssd].map((provider) => [provider.name, provider]),
);

const providers: readonly Provider[] = [
  ...ussdProviders.values(),
  africastalkingMessages,
  africastalkingPayments,
  mpesa,
  mpesaSoap,
  telebirr,
  xml,
];

const readers: ReadonlyMap<string, Reader> = new Map(
  providers.flatMap(({ name, readers: own }) =>
    Object.entries(own).map(([message, reader]): [string, Reader] => [
      `${name} ${message}`,
      reader,
    ]),
  ),
);

/** The reader of one kind of message (`money.notice`) of a provider, or undefined. */
export function readerFor(provider: string, message: string): Reader | undefined {
  return readers.get(`${provider.toLowerCase()} ${message}`);
}
