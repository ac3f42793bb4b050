/** The doors of the USSD gateways: turns, and the event that ends a session. */
import type { Logger } from '../../platform/ports.ts';
import type { UssdChannel } from '../channels.ts';
import type { DoorHandler } from '../door.ts';
import { isRefused, MISSING_FIELD, type ProviderAnswer, type UssdProvider } from '../provider.ts';
import type { Dialogue } from './engine.ts';
import type { DialogueChannel } from './services.ts';

export interface UssdDoorDeps {
  dialogue: Dialogue;
  logger: Logger;
  providers: ReadonlyMap<string, UssdProvider>;
  channelOf(channel: UssdChannel): DialogueChannel;
  onTurn?(provider: string, outcome: 'continue' | 'end' | 'refused'): void;
}

const EMPTY: ProviderAnswer = { status: 200, contentType: 'text/plain', body: '' };
const BAD_REQUEST = { text: 'Bad request', close: true };

/** Handles what a USSD gateway sends; answers in the gateway's own words. */
export function createUssdDoor(deps: UssdDoorDeps): DoorHandler {
  return async ({ channel, rest, raw }) => {
    const ussd = channel as UssdChannel;
    const provider = deps.providers.get(ussd.provider);
    if (!provider) throw new Error(`No USSD provider ${ussd.provider}`);
    const site = deps.channelOf(ussd);
    if (rest === 'end') {
      const event = provider.readers['ussd.end']?.(raw, site);
      if (!event || !('type' in event) || event.type !== 'ussd.end') {
        return { ...EMPTY, status: 400 };
      }
      await deps.dialogue.end(site, event);
      return EMPTY;
    }
    const request = rest === '' ? provider.readUssd(raw, site) : MISSING_FIELD;
    if (isRefused(request)) {
      deps.onTurn?.(ussd.provider, 'refused');
      return { ...provider.answerUssd(BAD_REQUEST), status: 400 };
    }
    const reply = await deps.dialogue.handle(site, request);
    deps.onTurn?.(ussd.provider, reply.close ? 'end' : 'continue');
    return provider.answerUssd(reply);
  };
}
