/** The memory as the air and the window look at it. */
import type { CardOnAir, CardRights } from './air/types.ts';
import { type CardState, hasRights } from './card-state.ts';
import type { Memory, StoredCommand } from './memory.ts';

const COMMANDS_LISTED = 50;

export interface Readings {
  card(number: string): CardState | undefined;
  cards(): CardState[];
  /** The last commands, newest first, of one card or of all. */
  commands(query?: { card?: string; limit?: number }): StoredCommand[];
}

/** What a card is told of itself; `pairedWith`: its decoder while no command has paired it. */
export function stateOf(
  memory: Memory,
  card: string,
  pairedWith?: (card: string) => string | undefined,
): CardOnAir {
  const state = memory.cards.get(card);
  const usual = pairedWith?.(card);
  return {
    rights: state && hasRights(state) ? rightsOf(state) : undefined,
    pairedWith: state?.isBound ? state.stbs : usual === undefined ? undefined : [usual],
    region: state?.region ?? null,
    pin: state?.pin ?? null,
  };
}

function rightsOf({ card, epoch, rev, sub, set, suspended, state }: CardState): CardRights {
  return {
    ...{ card, epoch, rev, set },
    ...(suspended === undefined ? {} : { suspended }),
    ...(sub === 0 ? {} : { sub }),
    ...(state === 'blacklisted' ? { isBlacklisted: true } : {}),
  };
}

/** What waits for its first broadcast does not slip out with the slow cycle before. */
export function* cardsOnAir({ cards }: Memory): Generator<string> {
  for (const { card, firstAirAt } of cards.values()) {
    if (firstAirAt !== null) yield card;
  }
}

/** The cards and commands of a memory. */
export function readings(memory: Memory): Readings {
  return {
    card: (number) => memory.cards.get(number),
    cards: () => [...memory.cards.values()],
    commands({ card, limit = COMMANDS_LISTED } = {}) {
      const found: StoredCommand[] = [];
      for (const command of memory.commands.values()) {
        if (card === undefined || command.card === card) found.push(command);
      }
      return found.slice(-limit).reverse();
    },
  };
}
