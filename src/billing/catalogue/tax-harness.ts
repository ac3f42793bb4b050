/** The tax of a price list that has one rate and no name for it. */
import { NAMELESS_TAX } from '../ledger/chart.ts';
import { TAXED_KINDS, type Tax } from './file/types.ts';

const PPM_A_PERMYRIAD = 100n;

/** One tax of this rate (1600n is 16 %) on the net amount, at all times; none for a rate of 0. */
export const oneTax = (permyriad: bigint): readonly Tax[] => onePpmTax(permyriad * PPM_A_PERMYRIAD);

/** The same for a rate in parts per million (149750n is 14.975 %). */
export const onePpmTax = (ppm: bigint): readonly Tax[] =>
  ppm === 0n
    ? []
    : [
        {
          code: NAMELESS_TAX,
          name: 'Tax',
          on: ['net'],
          appliesTo: TAXED_KINDS,
          rates: [{ from: '0001-01-01', ppm }],
        },
      ];
