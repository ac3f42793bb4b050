/** Who bills, and how debts are dunned. */
import type { Problems } from './problems.ts';
import type { WrittenFile } from './sections.ts';
import { readDunning } from './site-rules.ts';
import type { Country, DunningTerms, LegalEntityTerms, SiteTerms } from './types.ts';

/** The legal entities of a file; a site bills in the name of one. */
export function legalEntitiesOf(
  file: WrittenFile,
  problems: Problems,
): Map<string, LegalEntityTerms> {
  const billers = new Map<string, string>();
  const entities = new Map<string, LegalEntityTerms>();
  for (const [code, entity] of file.legalEntities) {
    const path = ['legalEntities', code];
    if (entity.invoiceFormat === entity.creditNoteFormat) {
      problems.at([...path, 'creditNoteFormat'], 'is that of invoices too');
    }
    entity.sites.forEach((site, index) => {
      const other = billers.get(site);
      if (other) problems.at([...path, 'sites', index], `${site} bills in the name of ${other}`);
      billers.set(site, code);
    });
    entities.set(code, { code, ...entity });
  }
  return entities;
}

/** The dunning policies of a file, one for a site, category and day. */
export function dunningOf(
  file: WrittenFile,
  places: { countries: ReadonlyMap<string, Country>; sites: ReadonlyMap<string, SiteTerms> },
  problems: Problems,
): DunningTerms[] {
  const seen = new Set<string>();
  return file.dunning.flatMap(({ policy: node, ...terms }, index): DunningTerms[] => {
    const path = ['dunning', index];
    const name = `${terms.site} ${terms.category ?? ''} ${terms.from}`;
    if (seen.has(name)) problems.at(path, 'stands there twice, with this site, category and day');
    seen.add(name);
    const country = places.countries.get(places.sites.get(terms.site)?.country ?? '');
    const at = { path: [...path, 'policy'], currency: country?.currency ?? '' };
    const policy = node === null ? undefined : readDunning(node, at, problems);
    return policy ? [{ ...terms, policy }] : [];
  });
}
