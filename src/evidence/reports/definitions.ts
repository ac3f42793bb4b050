/** The reports: what each says, and what its words mean. They are printed with every result. */

export const REPORTS = {
  registered: {
    version: 1,
    definition:
      'Cards that had been given to a subscriber and whose subscription had not been closed.',
  },
  active: {
    version: 1,
    definition:
      'Cards with at least one product in date on the air, in all and by product: as sold, with ' +
      'the grace of the operator’s rule, without the margin of the air.',
  },
  suspended: {
    version: 1,
    definition: 'Cards that the head-end showed nothing because they were suspended.',
  },
  deactivated: {
    version: 1,
    definition: 'Cards that once had a product or a suspension and then had neither.',
  },
  blacklisted: {
    version: 2,
    definition:
      'Cards and decoders that were blacklisted and had not been lifted, and since when. A state ' +
      'follows from what became of the device up to then.',
  },
  monthly: {
    version: 1,
    definition:
      'Active cards of each bouquet and channel on the 7th, 14th, 21st and 28th of the month at ' +
      '21:00 UTC, and their mean; contents of the bouquets as of each of these instants.',
  },
  bouquets: {
    version: 1,
    definition: 'Channels of each bouquet by the catalogue then in force.',
  },
  audience: {
    version: 1,
    definition:
      'Active cards of each bouquet and channel. A card is of a bouquet or channel when it has ' +
      'any product that opens it, and counts once.',
  },
  card: {
    version: 1,
    definition: 'What a card had on the air, and since when without a break.',
  },
  ageing: {
    version: 1,
    definition:
      'Active cards of each product by how many days they had had it without a break, whole days.',
  },
} as const;

export type ReportName = keyof typeof REPORTS;
export const REPORT_NAMES = Object.keys(REPORTS) as ReportName[];
