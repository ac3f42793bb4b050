/** A tiny USSD application to hold a telephone against. */

import { plain, type SimulatorAnswer, serve } from '../mobile-money/http.ts';

export interface Gateway {
  url: string;
  /** Every request, as its fields; end events have the path `/end`. */
  heard: { path: string; fields: Record<string, string> }[];
  /** What the application answers to a cumulative text. */
  answerWith(answer: (text: string) => SimulatorAnswer | 'hang'): void;
  stop(): Promise<void>;
}

export async function openGateway(): Promise<Gateway> {
  const heard: Gateway['heard'] = [];
  let answer: (text: string) => SimulatorAnswer | 'hang' = (text) =>
    plain(200, text.endsWith('9') ? 'END Bye' : `CON You typed: ${text}`);
  const respond = (text: string) => {
    const said = answer(text);
    return said === 'hang' ? new Promise<SimulatorAnswer>(() => {}) : said;
  };
  const server = await serve(
    {
      'POST /ussd': ({ body }) => {
        const fields = Object.fromEntries(new URLSearchParams(body));
        heard.push({ path: '/ussd', fields });
        return respond(fields.text ?? '');
      },
      'POST /end': ({ body }) => {
        heard.push({ path: '/end', fields: Object.fromEntries(new URLSearchParams(body)) });
        return plain(200, '');
      },
      'GET /direct': ({ query }) => {
        heard.push({ path: '/direct', fields: Object.fromEntries(query) });
        return respond(query.get('USSD_PARAMS') ?? '');
      },
    },
    0,
  );
  return {
    ...server,
    heard,
    answerWith(changed) {
      answer = changed;
    },
  };
}
