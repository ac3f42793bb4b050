/** What the television says in words: on its screen, and to those who do not see it. */
import type { HouseView, TvView } from '../../api.ts';
import type { Say, WordKey } from '../words/words.ts';

export interface Blocked {
  code: string;
  what: string;
  advice: string;
}

/** Name and number of a programme; a service that the house does not know keeps its code. */
export function programmeOf(
  services: HouseView['services'],
  code: string,
): { name: string; number: number } {
  const place = services.findIndex((service) => service.code === code);
  return { name: services[place]?.name ?? code, number: place + 1 };
}

/**
 * The sentences of a code V01 to V08, and of any other; a card that is suspended for a debt says
 * so. `help` is what to dial.
 */
export function blockedText(
  { code, why }: { code: string; why?: string },
  help: string,
  say: Say,
): Blocked {
  const isUnpaid = code === 'V04' && why === 'unpaid';
  const known = isUnpaid ? 'V04.unpaid' : /^V0[1-8]$/.test(code) ? code : 'V00';
  return {
    code,
    what: say(`${known}.what` as WordKey),
    advice: say(`${known}.do` as WordKey, { help }),
  };
}

/** `*384*100*2#`, where the menu helps with a black screen. */
export function helpCode(serviceCode: string): string {
  return `${serviceCode.replace(/#$/, '')}*2#`;
}

/** All that the television shows, in sentences; a person without a card has none to show. */
export function tvSentence(
  tv: TvView | 'none' | 'connecting',
  services: HouseView['services'],
  help: string,
  say: Say,
): string {
  if (tv === 'none') return say('tv.none');
  if (tv === 'connecting') return say('page.connecting');
  const { screen } = tv;
  if (screen.kind === 'off') return say('tv.off');
  const shown =
    screen.kind === 'picture'
      ? pictureSentence(screen.service, services, say)
      : say('tv.blocked', { ...blockedText(screen, help, say) });
  return screen.osd === null ? shown : `${shown} ${say('tv.osd', { text: screen.osd.text })}`;
}

function pictureSentence(service: string, services: HouseView['services'], say: Say): string {
  const { name, number } = programmeOf(services, service);
  return say('tv.picture', { programme: name, number });
}
