import { progressOf } from '../../src/entitlement/campaigns/showing-store.ts';
import { noteCapabilities } from '../../src/entitlement/cas/store.ts';
import {
  type Air,
  createAir,
  listenIn,
  outletOf,
  type TestLink,
} from '../../src/entitlement/dispatch/dispatch-harness.ts';
import { cardTarget } from '../../src/entitlement/vip-control/command.ts';
import { createFakeRandom } from '../../src/entitlement/vip-control/testing.ts';
import { silentLogger } from '../../src/platform/log.ts';
import { CAS_ID, createStudio, type Studio } from './campaigns.ts';

/**
 * Goal: what is decided stands on the screens it is for, once. Method: the real queue and link, the
 * head-end with its air, and decoders whose screens are looked at.
 */
const START = '2026-11-23T11:02:00Z';
const SERVICES = [
  { code: 'FILM', name: 'Film', product: 'ESS' },
  { code: 'NEWS', name: 'News', product: null },
];

let studio: Studio;
let air: Air;
let unknown: string | undefined;
beforeAll(async () => {
  studio = await createStudio(START, '{ cardsAlone: 100, perMinute: 60 }');
  air = await createAir(studio.world.now, {
    services: SERVICES,
    knownCard: (card) => card !== unknown,
  });
  const link = await air.link('first');
  const { pool, now } = studio.world;
  const said = link.capabilities();
  if (!said) throw new Error('A link that is up has said what it can');
  await noteCapabilities(pool, CAS_ID, said, now());
});
afterAll(async () => {
  await air.close();
  await studio.world.close();
});

const sender = (link: TestLink) =>
  studio.commands.sender({
    ...{ casId: CAS_ID, clock: { now: studio.world.now }, random: createFakeRandom() },
    outlet: outletOf(link, studio.world.now),
    logger: silentLogger,
  });
const later = (seconds: number) =>
  studio.world.moveTo(new Date(studio.world.now().getTime() + seconds * 1_000).toISOString());
let homes = 0;
/** A card in a decoder that is on. */
const home = async () => {
  const { number } = await studio.world.customer();
  homes += 1;
  air.headEnd().air.decoders.add({ stb: `STB-${homes}`, card: number, service: 'NEWS' });
  return number;
};
const sees = (card: string) => {
  const now = studio.world.now();
  air.headEnd().air.advance(now);
  const view = air.headEnd().air.decoders.view(card, now);
  if (!view) throw new Error(`No decoder with ${card}`);
  return view;
};
const to = (...numbers: string[]) => ({ target: { kind: 'cards', numbers } });
const template = (body: string) => studio.template({ en: { subject: 'To {name}', body } });
/** Feeds, and sends what is due over a link of its own. */
const send = async () => {
  await studio.campaigns.feed();
  homes += 1;
  await sender(await air.link(`sender-${homes}`)).runUntilIdle();
};

describe('on the screens', () => {
  it('stands what each was told, and who was refused is counted by code', async () => {
    const [one, other, stranger] = [await home(), await home(), await home()];
    unknown = stranger;
    const templateId = await template('Card {card}');
    const { id } = await studio.started({ kind: 'forced', templateId }, to(one, other, stranger));
    await send();
    expect(sees(one).screen).toMatchObject({ osd: { text: `Card ${one}`, forced: true } });
    expect(sees(other).screen).toMatchObject({ osd: { text: `Card ${other}` } });
    expect(sees(stranger).screen).toMatchObject({ osd: null });
    expect(await progressOf(studio.world.pool, id)).toMatchObject({
      ...{ commands: 3, onAir: 2, waiting: 0, refused: [{ code: 'UNKNOWN_CARD', commands: 1 }] },
    });
    unknown = undefined;
  });

  it('lies a mail in the mailbox', async () => {
    const [one, other] = [await home(), await home()];
    const { id } = await studio.started(
      { kind: 'mail', templateId: await template('Paid: {amount}') },
      to(one),
    );
    await send();
    const mails = sees(one).mailbox;
    expect(mails).toMatchObject([{ subject: 'To Customer 4', body: 'Paid: KES 650' }]);
    expect(sees(other).mailbox).toEqual([]);
    expect(await progressOf(studio.world.pool, id)).toMatchObject({ onAir: 1 });
  });

  it('is a fingerprint on all of them, and another programme in one area', async () => {
    const [one, other] = [await home(), await home()];
    const fingerprint = { kind: 'fingerprint', identity: 'vc', durationSeconds: 20 };
    await studio.started(fingerprint, { target: { kind: 'all' } }, 'staff:2');
    await send();
    for (const card of [one, other]) {
      expect(sees(card).screen).toMatchObject({ fingerprint: { text: card } });
    }
    const link = await air.link('office');
    const bound = await link.send({
      ...{ op: 'REGION', args: { area: 'NBO-WEST' }, cmdId: 'bind', target: cardTarget(one) },
      ...{ prio: 'SALE', notAfter: new Date(studio.world.now().getTime() + 60_000) },
    });
    expect(bound.kind).toBe('done');
    const tune = { kind: 'force_tune', service: 'NEWS', durationSeconds: 60 };
    await studio.started(tune, { target: { kind: 'region', area: 'NBO-WEST' } }, 'staff:2');
    await send();
    expect([sees(one).tuned, sees(other).tuned]).toEqual(['NEWS', null]);
  });
});

describe('a showing', () => {
  it('is on the screen once, though the process that sent it ended before the answer', async () => {
    const card = await home();
    const osd = { kind: 'osd', templateId: await template('Once') };
    const { id } = await studio.started(osd, to(card));
    await studio.campaigns.feed();
    const real = listenIn(await air.link('dying'));
    const heard = Promise.withResolvers<void>();
    const dying: TestLink = {
      ...real,
      async send(command) {
        await real.send(command);
        heard.resolve();
        return new Promise<never>(() => undefined);
      },
    };
    void sender(dying).runUntilIdle();
    await heard.promise;
    later(21);
    const second = listenIn(await air.link('alive'));
    await sender(second).runUntilIdle();
    expect(second.sent).toMatchObject([{ outcome: { kind: 'done', dup: true } }]);
    expect(air.headEnd().commands({ card })).toHaveLength(1);
    expect(await progressOf(studio.world.pool, id)).toMatchObject({ commands: 1, onAir: 1 });
  });

  it('is never on the screen after its time, however long the head-end was away', async () => {
    const card = await home();
    const osd = { kind: 'osd', templateId: await template('Late') };
    const { id } = await studio.started(osd, { ...to(card), validSeconds: 600 });
    await studio.campaigns.feed();
    later(601);
    await send();
    expect(sees(card).screen).toMatchObject({ osd: null });
    expect(air.headEnd().commands({ card })).toEqual([]);
    expect(await progressOf(studio.world.pool, id)).toMatchObject({ expired: 1, onAir: 0 });
  });
});
