import type { CardFacts, LineFacts } from './facts.ts';
import { createOperator } from './operator-harness.ts';
import { cover } from './rights-of-card.ts';
import type { Workspace } from './workspace.ts';

/** Goal: what a line adds to what a card is covered by. */
const at = (text: string): Date => new Date(`2026-11-${text}Z`);
const { catalogue } = createOperator({});
const [bouquet] = [...catalogue.bouquets.values()];
const site = catalogue.sites.get(bouquet?.siteId ?? 0n);
const w = { site: () => site, tools: { catalogue } } as unknown as Workspace;
const before = [{ product: 'ESS', from: at('02T12:00'), to: at('10T00:00') }];
const covered = (coverage: CardFacts['coverage'], from: Date, to: Date) => {
  const line = { bouquetId: bouquet?.id ?? 0n, from, to } as LineFacts;
  return cover(w, { siteId: site?.id, coverage } as CardFacts, line, at('05T00:00')).coverage;
};

describe('the coverage of a card', () => {
  it('grows by a line that touches what is there', () => {
    const grown = [{ ...before[0], to: at('17T00:00') }];
    expect(covered(before, at('10T00:00'), at('17T00:00'))).toEqual(grown);
  });

  it('has no interval without length, which no head-end takes and no day is in', () => {
    // The rest of the day on which a plan is changed, where nothing of it is left.
    expect(covered([], at('20T00:00'), at('20T00:00'))).toEqual([]);
    expect(covered(before, at('20T00:00'), at('20T00:00'))).toEqual(before);
    expect(covered(before, at('06T00:00'), at('06T00:00'))).toEqual(before);
  });
});
