/** What all gateways share that send cumulative strings and are answered with `CON` or `END`. */

import type { Provider, UssdProvider } from '../../provider.ts';
import { isRefused } from '../../provider.ts';
import { decodeTurn } from '../decode.ts';

/** A provider out of how it writes a request; `events` reads its other messages. */
export function cumulativeUssd(
  name: string,
  readUssd: UssdProvider['readUssd'],
  events: Provider['readers'] = {},
): UssdProvider {
  return {
    name,
    readUssd,
    // `CON ` asks for input, `END ` closes; the gateway takes off the word before sending.
    answerUssd: ({ text, close }) => ({
      status: 200,
      contentType: 'text/plain',
      body: `${close ? 'END' : 'CON'} ${text}`,
    }),
    readers: {
      'ussd.turn': (raw, context) => {
        const request = readUssd(raw, context);
        return isRefused(request) ? request : decodeTurn(request, context.previous);
      },
      ...events,
    },
  };
}
