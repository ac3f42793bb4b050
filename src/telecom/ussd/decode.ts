/** What a subscriber typed on this hop, out of all they typed so far. */

import type { UssdTurn } from '../canonical.ts';
import type { UssdRequest } from '../provider.ts';

/**
 * Decodes a gateway's cumulative string by difference to the session's previous one; `previous`
 * is undefined when no session is known. Inputs may hold `*` themselves, so the string is never
 * split: the new input is what follows `previous` and one `*`. The same string again is a replay,
 * told as an empty input. A string that does not continue the previous one belongs to a fresh
 * session. (Behaviour of the Safaricom connector, praekelt/vumi transports/safaricom.)
 */
export function decodeTurn(request: UssdRequest, previous: string | undefined): UssdTurn {
  const { sessionId, msisdn, serviceCode, cumulative } = request;
  const head = { type: 'ussd.turn', sessionId, msisdn, serviceCode } as const;
  const input = previous === undefined ? null : newInput(cumulative, previous);
  if (input !== null) return { ...head, phase: 'input', input, dialled: null };
  const dialled = cumulative.replace(/#$/, '');
  return { ...head, phase: 'begin', input: null, dialled: dialled === '' ? null : dialled };
}

function newInput(cumulative: string, previous: string): string | null {
  if (cumulative === previous) return '';
  if (previous === '') return cumulative;
  return cumulative.startsWith(`${previous}*`) ? cumulative.slice(previous.length + 1) : null;
}
