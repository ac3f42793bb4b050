/** What the demo's head-end broadcasts and who receives it. */
import { readFileSync } from 'node:fs';
import { readCatalogueFile } from '../../src/billing/catalogue/file/read.ts';
import { withLuhnDigit } from '../../src/platform/luhn.ts';
import type { NewDecoder, Service } from '../head-end/air/types.ts';

/** The transmitter of a small town; a full round over its cards takes seconds. */
export const KBIT_PER_SECOND = 100;
/** From taking a command to executing it, as a head-end of the trade does. */
export const LATENCY = { medianMs: 80, p99Ms: 2_000 };

/** Homes beyond those of the demo's people, so that the carousel has something to carry. */
const OTHER_DECODERS = 200;
const FIRST_SERVICE = 'NOVA1';

/**
 * The line-up, by the demo's catalogue: which product opens a channel; none where it is free to
 * air. A film or match has a channel of its own.
 */
export function demoServices(): Service[] {
  const url = new URL('../../prisma/demo/catalogue.yaml', import.meta.url);
  const read = readCatalogueFile(readFileSync(url, 'utf8'));
  if (!read.ok) throw new Error(`The demo's catalogue: ${read.problems[0]?.reason}`);
  const services = [...read.catalogue.channels.values()].map(({ code, name, freeToAir, cas }) => {
    return { code, name, product: freeToAir ? null : (cas[0] ?? null) };
  });
  return [...services, { code: 'EVENT', name: 'Film and match', product: 'EVT:FINAL' }];
}

/** A decoder for every card, and some more; all are on, and were while the demo was away. */
export function demoDecoders(cards: readonly string[]): NewDecoder[] {
  const others = Array.from({ length: OTHER_DECODERS }, (_, index) =>
    withLuhnDigit(`40219${String(index).padStart(5, '0')}`),
  );
  return [...cards, ...others].map((card) => ({
    stb: `STB-${card}`,
    card,
    service: FIRST_SERVICE,
    upToDate: true,
  }));
}
