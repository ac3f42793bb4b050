import { problemsAfter } from './example-harness.ts';

/** Each row: a text of the example, what stands in its place, and what is said then. */
describe('what a catalogue file says', () => {
  const essential = "{ from: 2026-01-01, country: KE, month: '650.00', week: '200.00'";

  it.each<[string, string, string, string]>([
    // Names of other sections.
    [
      'availableWith: [ESSENTIAL, PREMIUM]',
      'availableWith: [ESENTIAL, PREMIUM]',
      'addOns.SPORT.availableWith[0]',
      'there is no ESENTIAL in bouquets, singleChannels, addOns (did you mean ESSENTIAL?)',
    ],
    [
      'cas: [ESS, PREM]',
      'cas: [ESS, PREMI]',
      'bouquets.PREMIUM.contents[0].cas[1]',
      'there is no PREMI in cas (did you mean PREM?)',
    ],
    [
      'channels: [FILM1]',
      'channels: [FILM2]',
      'singleChannels.CINEMA.contents[0].channels[0]',
      'there is no FILM2 in channels (did you mean FILM1?)',
    ],
    [
      'site: MSA, month',
      'site: MSB, month',
      'bouquets.ESSENTIAL.prices[2].site',
      'there is no site MSB (did you mean MSA?)',
    ],
    [
      'site: MSA, month',
      'site: ABJ, month',
      'bouquets.ESSENTIAL.prices[2].site',
      'ABJ is in CI, not in KE',
    ],
    [
      'KIDS1: { name: Kiboko Kids, cas: [ESS] }',
      'KIDS1: { name: Kiboko Kids }',
      'channels.KIDS1',
      'is opened by no product (cas: […], or freeToAir: true)',
    ],
    [
      'channels: [FOOT1HD], cas: [HD]',
      'channels: [FOOT1HD], cas: [SPORT]',
      'addOns.SPORT_HD.contents',
      'none of SPORT opens FOOT1HD (from 2026-06-01) (it is opened by HD)',
    ],
    [
      '  CINEMA:',
      '  PREMIUM:',
      'singleChannels.PREMIUM',
      'PREMIUM is there twice (see bouquets.PREMIUM)',
    ],
    // Versions.
    [
      essential,
      `{ from: 2026-01-01, country: KE, day: '45.00' }\n      - ${essential}`,
      'bouquets.ESSENTIAL.prices[1].day',
      'a second version from 2026-01-01 (see bouquets.ESSENTIAL.prices[0].day)',
    ],
    [
      essential,
      essential.replace('2026-01-01', '2026-01-01, until: 2027-02-01'),
      'bouquets.ESSENTIAL.prices[1].month',
      'overlaps another version: 2027-02-01 is after 2027-01-01 ' +
        '(see bouquets.ESSENTIAL.prices[0].month)',
    ],
    [
      'until: 2027-03-01',
      'until: 2026-12-01',
      'bouquets.ESSENTIAL.prices[2].until',
      'is not after from (it is the first day without this price)',
    ],
    [
      "{ from: 2027-07-01, percent: '5' }",
      "{ from: 2026-01-01, percent: '5' }",
      'countries.KE.taxes[0].rates[1]',
      'a second version from 2026-01-01 (see countries.KE.taxes[0].rates[0])',
    ],
    [
      'until: 2027-03-01',
      'existingFrom: 2027-03-01',
      'bouquets.ESSENTIAL.prices[2].existingFrom',
      'is for plans (a prepaid term keeps its price)',
    ],
    [
      '2026-06-01, channels',
      '2026-07-01, channels',
      'addOns.SPORT_HD.contents',
      'it is sold in KE from 2026-06-01, but holds nothing then',
    ],
    // Prices.
    [
      ", week: '200.00', day: '40.00'",
      ", week: '200.00'",
      'bouquets.ESSENTIAL.prices',
      'no price for day in KE',
    ],
    [
      "- { from: 2026-01-01, country: CI, month: '3500' }",
      '',
      'addOns.SPORT.prices',
      'no price for month in CI',
    ],
    [
      "{ from: 2026-01-01, country: KE, once: '800.00' }",
      "{ from: 2026-01-01, country: KE, site: NBO, category: residential, once: '800.00' }",
      'services.VISIT.prices',
      'no price for once in KE at NBO for hotel, institution, staff, demo and at MSA ' +
        '(or name the categories it is sold to)',
    ],
    [
      "month: '650.00'",
      "monht: '650.00'",
      'bouquets.ESSENTIAL.prices[0].monht',
      'is not a known key here (did you mean month?)',
    ],
    [
      "country: KE, value: '190.00'",
      "country: CI, value: '190'",
      'scratchCards.WEEKCARD.prices[0].country',
      'WEEKCARD is not sold in CI (known: KE)',
    ],
    [
      'dayRate: day_term }',
      'dayRate: day_terms }',
      'sites.ABJ.payment.dayRate',
      'is not one of them (known: month/30, day_term)',
    ],
    [
      'daysPerYear: 30',
      'daysPerYears: 30',
      'sites.NBO.rules.pause.daysPerYears',
      'is not a known key here (did you mean daysPerYear?)',
    ],
    ["fee: '10.00'", "fee: '10.001'", 'sites.NBO.rules.loan.fee', '10.001 is no amount of KES'],
    // Taxes.
    [
      'on: [net, EXCISE]',
      'on: [net, CAC]',
      'countries.KE.taxes[1].on[1]',
      'there is no tax CAC (known here: net, EXCISE)',
    ],
    [
      'appliesTo: [bouquet, channel, add_on, plan]',
      'on: [VAT]',
      'countries.KE.taxes[0].on[0]',
      'VAT does not stand before EXCISE (known here: net)',
    ],
    [
      "- { from: 2026-01-01, percent: '16' }",
      "- { from: 2026-02-01, percent: '16' }",
      'countries.KE.taxes[1].rates',
      'VAT has no rate on 2026-01-01, when ESSENTIAL is sold for month ' +
        "(a tax that begins later has percent '0' until then)",
    ],
    // Add-ons and plans.
    [
      'availableWith: [ESSENTIAL, PREMIUM]',
      'availableWith: [ESSENTIAL, SPORT_HD]',
      'addOns.SPORT.availableWith',
      'add-ons in a circle: SPORT → SPORT_HD → SPORT',
    ],
    [
      'availableWith: [ESSENTIAL, PREMIUM]',
      'availableWith: [CINEMA]',
      'addOns.SPORT.availableWith',
      'SPORT is sold in CI, but none of these is',
    ],
    [
      'length: { days: 14 }',
      'length: { days: 14, months: 1 }',
      'plans.HOTEL_ROOMS.phases[0].length',
      'must be one of days, months, years (for example { months: 6 })',
    ],
    [
      ', length: { days: 14 }',
      '',
      'plans.HOTEL_ROOMS.phases[0].length',
      'only the last phase may be without end',
    ],
    [
      'type: evergreen, period',
      'type: discount, period',
      'plans.HOTEL_ROOMS.phases[2].type',
      'discount has an end (length, or type: evergreen)',
    ],
    [
      'name: trial, type',
      'name: site, type',
      'plans.HOTEL_ROOMS.phases[0].name',
      'site has a meaning in prices already',
    ],
    // Goods, cards, promotions, units.
    [
      '    terms: [month]\n    deposit: true',
      '    terms: []\n    deposit: true',
      'goods.DECODER_RENT.terms',
      'must not be empty',
    ],
    ['gives: days', 'gives: amount', 'scratchCards.WEEKCARD.product', 'is for cards of days'],
    [
      '    product: ESSENTIAL\n    days: 7',
      '    product: ESSENTIAL',
      'scratchCards.WEEKCARD.days',
      'is missing for a card of days',
    ],
    ['until: 2027-01-01', 'until: 2026-11-01', 'promotions.NOEL.until', 'is not after from'],
    [
      '    term: month\n    bonusDays',
      '    term: 10d\n    bonusDays',
      'promotions.NOEL.term',
      'PREMIUM is not sold for 10d (it is sold for month, week, day, quarter, year)',
    ],
    [
      "CM: '850000' }",
      "GH: '850000' }",
      'promotions.NOEL.budget.GH',
      'there is no country GH (known: KE, CI, CM)',
    ],
    [
      "price: '96'",
      "price: '96.50'",
      'tvu.CI.operators.mtn[0].price',
      '96.50 has more decimals than XOF',
    ],
  ])('must fit together: %s → %s', (was, is, path, reason) => {
    expect(problemsAfter([was, is]).map((text) => text.replace(/^\d+ /, ''))).toContain(
      `${path}: ${reason}`,
    );
  });
});
