import { createHouse, type House } from './house.ts';
import type { Television } from './television.ts';
import type { Customer } from './town.ts';

const MINUTE_MS = 60_000;
/** A message and its repeats are over by then. */
const MESSAGE_OVER_MS = 2 * MINUTE_MS;

interface Home extends Customer {
  tv: Television;
}

let house: House;
beforeAll(async () => {
  house = await createHouse();
});
afterAll(() => house.close());
afterEach(() => house.settleDown());

const home = async (options: Parameters<House['customer']>[0] = {}): Promise<Home> => {
  const customer = await house.customer({ name: 'Amina Diallo', ...options });
  return { ...customer, tv: house.tv(customer.card) };
};
/** What stands behind `Ref`, by which staff find a payment. */
const refOf = (message: string) => /Ref (\w+)$/.exec(message)?.[1];
const speakFrench = ({ msisdn }: Customer) => house.dial(house.phone(msisdn), '*384*100#', '0');
const payByPrompt = async ({ msisdn }: Customer) => {
  house.money.setPhone(msisdn, { behaviour: 'manual' });
  await house.dial(house.phone(msisdn), '*384*100#', '1', '1', '1');
  await house.answerPrompt(msisdn, '1234');
};
const payByUnits = async ({ msisdn }: Customer) => {
  await house.money.sendTvu({ channel: 'ci-tvu', msisdn, units: 6_000 });
  await house.dial(house.phone(msisdn, 'ci-ussd'), '*384*225#', '1', '1', '2');
};

describe('a payment', () => {
  const FRENCH_TEXT =
    /^Paye KES 650\. ESSENTIAL carte \.\.\d{4} au 23\/12\/2026\. Laissez le decodeur ALLUME/;

  it.each([
    {
      who: 'in English, by paybill',
      site: 'NBO',
      pay: (payer: Home) => house.pay(payer),
      text: /^Paid KES 650\. ESSENTIAL card \.\.\d{4} to 23\/12\/2026\. Keep the decoder ON/,
      osd: /^Paid KES 650\. ESSENTIAL to 23\/12\/2026\. Thank you\./,
    },
    {
      who: 'in the French that the phone chose, by prompt and PIN',
      site: 'NBO',
      pay: async (payer: Home) => {
        await speakFrench(payer);
        await payByPrompt(payer);
      },
      text: FRENCH_TEXT,
      osd: /^Paye KES 650\. ESSENTIAL au 23\/12\/2026\. Merci\./,
    },
    {
      who: 'in the French of Abidjan, with TV units',
      site: 'ABJ',
      pay: payByUnits,
      text: /^Paye 5000 F\. ACCESS carte \.\.\d{4} au 23\/12\/2026\. Laissez le decodeur ALLUME/,
      osd: /^Paye 5000 F\. ACCESS au 23\/12\/2026\. Merci\./,
    },
  ] as const)('is told on the phone and on the screen, once each: $who', async (told) => {
    const payer = await home({ site: told.site });
    const { msisdn, card, tv } = payer;
    await told.pay(payer);
    const text = await house.textTo(msisdn, told.text);
    const osd = await tv.untilOsd(told.osd);
    expect(refOf(osd)).toBe(refOf(text));
    expect(refOf(osd)).toBeDefined();
    await tv.until('NOVA1');
    house.clock.advance(MESSAGE_OVER_MS);
    expect(tv.osd()).toBeNull();
    expect(tv.messages()).toEqual([osd]);
    expect(house.commands(card, 'OSD')).toMatchObject([{ text: osd, result: { code: 'DONE' } }]);
    expect(house.inbox(msisdn).filter((one) => told.text.test(one))).toEqual([text]);
  });

  it('shows names and credit on the phone only', async () => {
    const payer = await home();
    await house.pay(payer, 66_000n);
    await house.textTo(payer.msisdn, /Ref/);
    const osd = await payer.tv.untilOsd(/^(Paid|Received) KES 660\./);
    expect(osd).not.toMatch(/Amina|Diallo|credit|\.\.\d{4}/i);
  });
});

/** One story of months that begin today: three days before their end, the day before, on it. */
describe('a month that ends', () => {
  const STEPS = [
    {
      at: '2026-12-20T08:00:00Z',
      en: {
        text: /^ESSENTIAL card \.\.\d{4} is paid to 23\/12\/2026\. Next: KES 650 for a month, dial/,
        osd: 'Paid to 23/12/2026. To go on, dial *384*100#.',
      },
      fr: {
        text: /^ESSENTIAL carte \.\.\d{4} payee au 23\/12\/2026\. Suite: KES 650 pour un mois/,
        osd: 'Paye au 23/12/2026. Pour continuer, composez *384*100#.',
      },
    },
    {
      at: '2026-12-22T08:00:00Z',
      en: {
        text: /the last day is tomorrow, 23\/12\/2026\. To go on: KES 650 for a month, dial/,
        osd: 'Last day: tomorrow, 23/12/2026. To go on, dial *384*100#.',
      },
      fr: {
        text: /dernier jour demain, 23\/12\/2026\. Pour continuer: KES 650 pour un mois/,
        osd: 'Dernier jour: demain, 23/12/2026. Pour continuer, composez *384*100#.',
      },
    },
    {
      at: '2026-12-23T08:00:00Z',
      en: {
        text: /the last day is today, 23\/12\/2026\. To go on: KES 650 for a month, dial/,
        osd: 'Last day: today, 23/12/2026. To go on, dial *384*100#.',
      },
      fr: {
        text: /dernier jour aujourd'hui, 23\/12\/2026\. Pour continuer: KES 650 pour un mois/,
        osd: "Dernier jour: aujourd'hui, 23/12/2026. Pour continuer, composez *384*100#.",
      },
    },
  ] as const;
  const REMINDER = /^ESSENTIAL car/;
  const [D3, D1, D0] = STEPS;
  type Step = (typeof STEPS)[number];
  const paid = async () => {
    const payer = await home();
    await house.pay(payer);
    await payer.tv.until('NOVA1');
    return payer;
  };
  const reminders = ({ msisdn }: Customer) =>
    house.inbox(msisdn).filter((text) => REMINDER.test(text));
  const remind = async () => {
    await house.product.jobs?.runNow('remind');
  };
  const expectPair = async ({ msisdn, tv }: Home, { text, osd }: Step['en' | 'fr']) => {
    await house.textTo(msisdn, text);
    await house.until(() => {
      tv.shows();
      expect(tv.messages()).toContain(osd);
    });
  };
  const statesOf = ({ msisdn, card }: Customer) =>
    house.rows(
      `SELECT kind, state FROM outbound
        WHERE target = ANY($1) AND while_paid_until IS NOT NULL ORDER BY kind`,
      [[msisdn, card]],
    );
  const allTextsTried = () =>
    house.until(async () => {
      const untried = "kind = 'text' AND state = 'queued' AND failure IS NULL";
      expect(await house.rows(`SELECT 1 FROM outbound WHERE ${untried}`)).toEqual([]);
    });

  let faithful: Home;
  let french: Home;
  let early: Home;
  let late: Home;
  beforeAll(async () => {
    [faithful, french, early, late] = [await paid(), await paid(), await paid(), await paid()];
    await speakFrench(french);
  });

  const isReminded = async (step: Step) => {
    await house.passTo(step.at);
    await remind();
    await expectPair(faithful, step.en);
    await expectPair(french, step.fr);
    // Whoever is asked again has said it already.
    await remind();
    house.clock.advance(MESSAGE_OVER_MS);
  };

  it('is told three days before, on the phone and on the screen', async () => {
    await isReminded(D3);
    await expectPair(early, D3.en);
    await expectPair(late, D3.en);
  });

  it('is told the day before, but not when it was paid on', async () => {
    await house.pay(early);
    await house.until(() => expect(house.inbox(early.msisdn)).toHaveLength(3));
    await isReminded(D1);
    await expectPair(late, D1.en);
    expect(reminders(early)).toHaveLength(1);
  });

  it('is not told any more once a payment has settled, though it was to be', async () => {
    house.texts.setFault('status_500');
    await house.headEnd.setLink(false);
    await house.passTo(D0.at);
    await remind();
    const inState = (state: string) =>
      house.until(async () => {
        const kinds = (await statesOf(late)).filter((row) => row.state === state);
        expect(kinds.map(({ kind }) => kind)).toEqual(['osd', 'text']);
      });
    await inState('queued');
    await house.pay(late);
    await house.until(async () =>
      expect(await house.paidUntil(late.card)).toBe('2027-01-23T21:00:00.000Z'),
    );
    await allTextsTried();
    house.texts.setFault('none');
    await house.headEnd.setLink(true);
    house.clock.advance(MINUTE_MS);
    await house.textTo(late.msisdn, /^Paid KES 650\. ESSENTIAL card \.\.\d{4} to 23\/01\/2027/);
    await late.tv.untilOsd(/^Paid KES 650\. ESSENTIAL to 23\/01\/2027/);
    await inState('overtaken');
    expect(reminders(late)).toHaveLength(2);
    expect(late.tv.messages().filter((one) => one === D0.en.osd)).toEqual([]);
    // Who has not paid is told as soon as that can be.
    await expectPair(faithful, D0.en);
    await expectPair(french, D0.fr);
  });

  it('was told on these days once each', async () => {
    for (const [told, language] of [
      [faithful, 'en'],
      [french, 'fr'],
    ] as const) {
      expect(reminders(told)).toHaveLength(STEPS.length);
      for (const step of STEPS) {
        const same = told.tv.messages().filter((message) => message === step[language].osd);
        expect(same).toHaveLength(1);
      }
    }
  });
});
