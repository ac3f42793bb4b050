import { createWorld, type World } from '../../../test/stories/world.ts';
import { createCatalogue } from '../../billing/catalogue/service.ts';
import type { Purpose } from '../../billing/settlement/commands.ts';
import type { Asking, Diagnosis, PictureDesk } from '../../entitlement/picture/desk.ts';
import { bigintAsDigits } from '../../platform/json.ts';
import { createDialogueServices } from './dialogue-services.ts';
import type { BlockedView, DialogueChannel, DialogueServices } from './services.ts';
import { createDialogueStore } from './store.ts';

const NOT_PAID: Diagnosis = { kind: 'not_paid', paidUntil: null };
const MONTH = 65_000n;
const LESS_THAN_A_DAY = 1_000n;

let world: World;
let services: DialogueServices;
let channel: DialogueChannel;
let diagnosis: Diagnosis | null;
let isCarried: boolean;
let asked: (Asking & { answer?: string; key?: string })[];

beforeAll(async () => {
  world = await createWorld('2026-11-23T09:00:00Z');
  const site = world.site('NBO');
  channel = {
    id: 'ke-ussd',
    siteId: site.id,
    country: site.country,
    currency: site.currency,
    timeZone: site.timeZone,
    defaultLanguage: site.language,
    serviceCode: '*384*100#',
    mobileMoney: true,
  };
  const catalogue = await createCatalogue(world.prisma, world);
  services = createDialogueServices({
    carries: () => isCarried,
    raiseWork: async () => undefined,
    ...world,
    store: createDialogueStore(world.pool),
    catalogue: () => catalogue.current(),
    clock: { now: () => world.now() },
    picture: desk,
    owedFor: async () => 65_000n,
    moneyChannelOf: () => null,
    momo: {
      order: async () => {
        throw new Error('nothing is ordered here');
      },
    },
  });
});
afterAll(() => world.close());
beforeEach(() => {
  diagnosis = NOT_PAID;
  isCarried = true;
  asked = [];
  world.moveTo('2026-11-23T09:00:00Z');
});

/** A desk that finds what the test says and remembers what it was asked. */
const desk: PictureDesk = {
  diagnose: async () => diagnosis,
  async refresh(asking) {
    asked.push(asking);
    return { kind: 'asked', at: world.now() };
  },
  async report(asking) {
    asked.push(asking);
    return { blackReports: 1 };
  },
};

type Person = Awaited<ReturnType<World['customer']>>;

async function look({ number }: Pick<Person, 'number'>, msisdn: string): Promise<BlockedView> {
  const view = await services.blocked(channel, number, msisdn);
  if (view === null) throw new Error('No such card');
  return view;
}

async function cardIdOf({ number }: Person): Promise<bigint> {
  const [row] = await world.rows('SELECT id FROM card WHERE number = $1', [number]);
  return BigInt(String(row?.id));
}

/** The phone orders, accepts the prompt, and the operator tells us. */
async function payByPrompt(msisdn: string, purpose: Purpose, amount: bigint): Promise<string> {
  const id = await world.ids.take();
  await world.pool.query(
    `INSERT INTO payment_order (id, ref, request_token, key, channel_id, site_id, msisdn, asset,
                                amount, purpose, state, created_at)
     VALUES ($1, $2, $2, $2, 'ke-paybill', $3, $4, 'KES', $5, $6, 'prompted', $7)`,
    [
      id,
      `V${String(id).padStart(8, '0')}`,
      channel.siteId,
      msisdn,
      amount,
      JSON.stringify(purpose, bigintAsDigits),
      world.now(),
    ],
  );
  const receipt = `P${id}`;
  await world.pay({ amount, orderId: id, receipt });
  return receipt;
}

const payTerm = async (msisdn: string, to: Person) =>
  payByPrompt(msisdn, { kind: 'term', cardId: await cardIdOf(to), term: 'month' }, MONTH);

/** The wording room names its templates; this world writes the names of messages. */
async function nameReceipts(msisdn: string): Promise<void> {
  await world.pool.query(
    `UPDATE outbound SET template = 'text.receipt.other_card.payer'
      WHERE target = $1 AND template = 'paid_for_other'`,
    [msisdn],
  );
}

describe('a card that is suspended', () => {
  it('is told what it owes, if that is why', async () => {
    const owner = await world.customer();
    const since = world.now();
    diagnosis = { kind: 'suspended', reason: 'unpaid', since };
    expect(await look(owner, owner.msisdn)).toMatchObject({ diagnosis, owedMinor: 65_000n });
    diagnosis = { kind: 'suspended', reason: 'blocked', since };
    expect(await look(owner, owner.msisdn)).toMatchObject({ owedMinor: 0n });
  });
});

describe('a card that is not paid', () => {
  it('lacks the price of its usual and of its cheapest term, less credit', async () => {
    const owner = await world.customer({ term: 'week' });
    expect(await look(owner, owner.msisdn)).toMatchObject({
      diagnosis: NOT_PAID,
      creditMinor: 0n,
      missing: [
        { term: 'week', amountMinor: 20_000n },
        { term: 'day', amountMinor: 4_000n },
      ],
      wrongCard: null,
    });
    await world.pay({ amount: 5_000n, accountRef: owner.msisdn });
    await services.caller(channel, owner.msisdn, true);
    expect(await look(owner, owner.msisdn)).toMatchObject({
      creditMinor: 5_000n,
      missing: [
        { term: 'week', amountMinor: 15_000n },
        { term: 'day', amountMinor: 0n },
      ],
    });
  });

  it('names one term where the usual one is the cheapest', async () => {
    const owner = await world.customer({ term: 'day' });
    expect((await look(owner, owner.msisdn)).missing).toEqual([
      { term: 'day', amountMinor: 4_000n },
    ]);
  });

  it('shows a stranger their own credit, never the owner’s', async () => {
    const [owner, stranger] = [await world.customer(), await world.customer()];
    await world.pay({ amount: 5_000n, accountRef: owner.msisdn });
    expect((await look(owner, stranger.msisdn)).creditMinor).toBe(0n);
    expect((await look(owner, '+254733000001')).creditMinor).toBe(0n);
  });
});

describe('the last payment of the phone', () => {
  it('went to another card, by prompt: also where that gave credit alone', async () => {
    const [ours, theirs] = [await world.customer(), await world.customer()];
    await payTerm(ours.msisdn, theirs);
    const wrong = { last4: theirs.number.slice(-4), amountMinor: MONTH, at: world.now() };
    expect((await look(ours, ours.msisdn)).wrongCard).toEqual(wrong);
    world.moveTo('2026-11-23T10:00:00Z');
    const cardId = await cardIdOf(theirs);
    await payByPrompt(ours.msisdn, { kind: 'credit', cardId }, 10_000n);
    const last = { ...wrong, amountMinor: 10_000n, at: world.now() };
    expect((await look(ours, ours.msisdn)).wrongCard).toEqual(last);
    // Nobody else is told.
    expect((await look(ours, theirs.msisdn)).wrongCard).toBeNull();
  });

  it('went to another’s card by paybill, and the payer was told so', async () => {
    const [ours, theirs] = [await world.customer(), await world.customer()];
    await world.customer({ msisdn: theirs.msisdn });
    await world.pay({ amount: MONTH, accountRef: theirs.number, payerMsisdn: ours.msisdn });
    await nameReceipts(ours.msisdn);
    expect((await look(ours, ours.msisdn)).wrongCard).toEqual({
      last4: theirs.number.slice(-4),
      amountMinor: MONTH,
      at: world.now(),
    });
    expect((await look(ours, theirs.msisdn)).wrongCard).toBeNull();
  });

  it('went to this card after all', async () => {
    const [ours, theirs] = [await world.customer(), await world.customer()];
    await payTerm(ours.msisdn, theirs);
    world.moveTo('2026-11-23T10:00:00Z');
    const cardId = await cardIdOf(ours);
    await payByPrompt(ours.msisdn, { kind: 'credit', cardId }, LESS_THAN_A_DAY);
    expect((await look(ours, ours.msisdn)).wrongCard).toBeNull();
  });

  it('is too old, was taken back, bought units, or was never paid', async () => {
    const [ours, theirs] = [await world.customer(), await world.customer()];
    const cardId = await cardIdOf(theirs);
    const receipt = await payByPrompt(ours.msisdn, { kind: 'credit', cardId }, LESS_THAN_A_DAY);
    expect((await look(ours, ours.msisdn)).wrongCard).not.toBeNull();
    const original = { provider: 'mpesa', receipt };
    expect(world.settledOf(await world.act({ kind: 'reverse_payment', original }))).toMatchObject({
      state: 'settled',
    });
    expect((await look(ours, ours.msisdn)).wrongCard).toBeNull();
    await payByPrompt(ours.msisdn, { kind: 'tvu', subscriberId: ours.id }, 10_000n);
    expect((await look(ours, ours.msisdn)).wrongCard).toBeNull();
    await payTerm(ours.msisdn, theirs);
    expect((await look(ours, ours.msisdn)).wrongCard).not.toBeNull();
    world.moveTo('2026-11-25T09:00:01Z');
    expect((await look(ours, ours.msisdn)).wrongCard).toBeNull();
  });
});

describe('what goes to the picture desk', () => {
  it('is the card and the phone; a report also has its key', async () => {
    const owner = await world.customer();
    const { msisdn } = owner;
    const cardId = await cardIdOf(owner);
    await services.refresh({ channel, msisdn }, cardId);
    const act = { channel, msisdn, key: 'ke-ussd:S1:x:blocked:2' };
    expect(await services.reportPicture(act, cardId, 'black')).toEqual({ blackReports: 1 });
    const asking = { cardId, source: 'ussd', msisdn };
    expect(asked).toEqual([asking, { ...asking, answer: 'black', key: act.key }]);
  });

  it('is not asked about a card that is unknown or of another country', async () => {
    const abroad = await world.customer({ siteCode: 'ABJ' });
    expect(await services.blocked(channel, abroad.number, '+254733000001')).toBeNull();
    expect(await services.blocked(channel, '12345084417', '+254733000001')).toBeNull();
    const owner = await world.customer();
    diagnosis = null;
    expect(await services.blocked(channel, owner.number, owner.msisdn)).toBeNull();
  });

  it('explains a paid card alone: no money is spoken of', async () => {
    const owner = await world.customer();
    await payTerm(owner.msisdn, await world.customer());
    const since = world.now();
    diagnosis = { kind: 'on_air', paidUntil: since, since, refreshedAt: null };
    expect(await look(owner, owner.msisdn)).toMatchObject({
      diagnosis,
      missing: [],
      wrongCard: null,
    });
  });
});

describe('a card whose system does not carry its plan', () => {
  it('is offered no term', async () => {
    const { number, msisdn } = await world.customer();
    expect((await services.card(channel, number, msisdn))?.terms).not.toEqual([]);
    isCarried = false;
    expect((await services.card(channel, number, msisdn))?.terms).toEqual([]);
    expect((await services.caller(channel, msisdn)).cards).toMatchObject([{ number, terms: [] }]);
  });
});
