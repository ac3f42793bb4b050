/** Bouquets and channels as a catalogue had them at an instant. Pure. */
import { contentsOn, dateAt } from '../../billing/catalogue/file/price.ts';
import { readCatalogueFile } from '../../billing/catalogue/file/read.ts';
import type { OperatorCatalogue } from '../../billing/catalogue/file/types.ts';

export interface LineUpEntry {
  kind: 'bouquet' | 'channel';
  code: string;
  name: string;
  /** Of a bouquet; of a channel empty: it is the same everywhere. */
  country: string;
  /** Codes of its channels; of a channel its own. */
  channels: readonly string[];
  /** A card that has any of these has it. */
  products: readonly string[];
}

/** Bouquets (and whatever else is sold with channels) by country, then channels; sorted by code. */
export function lineUpAt(text: string, at: Date): LineUpEntry[] {
  const read = readCatalogueFile(text);
  if (!read.ok) throw new Error('A published catalogue cannot be read');
  return [...bouquetsAt(read.catalogue, at), ...channelsOf(read.catalogue)];
}

function bouquetsAt({ products, countries }: OperatorCatalogue, at: Date): LineUpEntry[] {
  const entries: LineUpEntry[] = [];
  for (const product of products.values()) {
    if (!('contents' in product)) continue;
    for (const code of product.countries) {
      const country = countries.get(code);
      const contents = country && contentsOn(product.contents, code, dateAt(country, at));
      if (!contents) continue;
      const { channels, cas } = contents;
      const named = { code: product.code, name: product.name, country: code };
      entries.push({ kind: 'bouquet', ...named, channels: [...channels].sort(), products: cas });
    }
  }
  return entries.sort((a, b) => compare(a.code, b.code) || compare(a.country, b.country));
}

/** What is free to air needs no product: everybody has it, and it is not counted. */
const channelsOf = ({ channels }: OperatorCatalogue): LineUpEntry[] =>
  [...channels.values()]
    .filter(({ freeToAir }) => !freeToAir)
    .map(({ code, name, cas }): LineUpEntry => {
      return { kind: 'channel', code, name, country: '', channels: [code], products: cas };
    })
    .sort((a, b) => compare(a.code, b.code));

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
