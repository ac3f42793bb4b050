/** The comparison of homes would notice: each thing that may be wrong, falsified on purpose. */
import type { AirEvent, DecoderView, Screen } from '../simulators/head-end/air/types.ts';
import type { CardNow, HeadEndClient } from '../simulators/head-end/client.ts';
import { createHomes } from './homes.ts';

const CARD = '4031';
const right = { product: 'ESS', from: '2026-11-01T00:00:00Z', to: '2026-12-01T00:00:00Z' };
const card = { card: CARD, epoch: 1, rev: 3, set: [right], rightsNow: [right], firstAirAt: null };
const picture: Screen = { kind: 'picture', service: 'NOVA1', osd: null };

/** A head-end that says what the test wants. */
function setUp(said: { card?: Partial<CardNow> | null; decoder?: Partial<DecoderView> | null }) {
  let hear: (event: AirEvent) => void = () => undefined;
  const decoder = { stored: { ...card, receivedAt: '' }, screen: picture, ...said.decoder };
  const headEnd = {
    card: async () => (said.card === null ? undefined : { ...card, ...said.card }),
    decoder: async () => (said.decoder === null ? undefined : decoder),
    events(_card: string | null, onEvent: typeof hear) {
      hear = onEvent;
      return () => undefined;
    },
  } as Partial<HeadEndClient> as HeadEndClient;
  const homes = createHomes(headEnd, [CARD], 0);
  const message = (id: string | null): Screen => {
    const osd = id === null ? null : { id, text: id, durationSeconds: 20, forced: false };
    return { ...picture, osd } as Screen;
  };
  const shows = (...screens: (string | null)[]) => {
    for (const id of screens) hear({ type: 'screen', card: CARD, at: '', screen: message(id) });
  };
  return { homes, shows };
}

describe('the comparison of homes', () => {
  it('is content when a home holds and shows what its card has', async () => {
    const seen = await setUp({}).homes.settle();
    expect(seen).toEqual({ faults: [], alike: 1, pictures: 1 });
  });

  it.each([
    ['an older revision in the home', { decoder: { stored: { ...card, rev: 2, receivedAt: '' } } }],
    ['nothing in the home', { decoder: { stored: null } }],
    ['something in the home that the head-end has not', { card: null }],
    ['no decoder', { decoder: null }],
    ['a screen without a picture', { decoder: { screen: { kind: 'off' } as Screen } }],
    ['a picture without a right', { card: { rightsNow: [] } }],
  ])('notices %s', async (_, said) => {
    const { faults, alike } = await setUp(said).homes.settle();
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(`card ${CARD}: `);
    expect(alike).toBe(0);
  });
});

describe('the watch over messages', () => {
  it('notices one that comes again after it had gone', () => {
    const { homes, shows } = setUp({});
    shows('a', null, 'b', null, 'a');
    expect(homes.messages()).toEqual({
      shown: 3,
      faults: [`card ${CARD}: message a was shown again`],
    });
  });

  it('knows that a message comes up again when the one above it has gone', () => {
    const { homes, shows } = setUp({});
    shows('a', 'b', 'a', null);
    expect(homes.messages().faults).toEqual([]);
  });
});
