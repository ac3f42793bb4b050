/** Cards and decoders as things: which there are, where, and what became of each. */
import { z } from 'zod';
import { CARD_STATES, DECODER_STATES } from '../../registry/devices/states.ts';
import { cardNumberText, idText, instant, pageOf, pageQuery, siteCode } from '../api/fields.ts';
import { type FieldFault, problem } from '../api/problems.ts';
import { created, ok, type Route, route } from '../api/route.ts';
import { siteFilter } from '../people/principal.ts';
import { codeOf, type Desk, siteByCode, sitesOf } from './desk.ts';
import {
  type DeviceRecord,
  deviceByName,
  findDevices,
  historyOf,
  type Kind,
} from './device-store.ts';

export const decoderSerial = z.string().regex(/^[A-Z0-9-]{4,40}$/);
const tag = 'Devices';

const viewingCard = z
  .strictObject({
    number: cardNumberText,
    kind: z.enum(['physical', 'virtual']),
    /** In use: `active`, `expired` or `suspended` by what it carries. */
    state: z.enum([...CARD_STATES, 'active', 'expired', 'suspended']),
    site: siteCode.nullable(),
    batch: z.string().nullable(),
    area: z.string().nullable(),
    decoders: z.array(decoderSerial),
    cardId: idText.nullable(),
    subscriberId: idText.nullable(),
  })
  .meta({ id: 'ViewingCard' });

const decoder = z
  .strictObject({
    serial: decoderSerial,
    model: z.string().nullable(),
    chipId: z.string().nullable(),
    mac: z.string().nullable(),
    state: z.enum(DECODER_STATES),
    site: siteCode.nullable(),
    batch: z.string().nullable(),
    ownership: z.string().nullable(),
    cards: z.array(cardNumberText),
  })
  .meta({ id: 'Decoder' });

const step = z
  .strictObject({
    at: instant,
    /** `event`: of the device itself. `command`: what the head-end was told, and its state. */
    source: z.enum(['event', 'command']),
    what: z.string(),
    actor: z.string(),
    channel: z.string().nullable(),
    site: siteCode.nullable(),
    reason: z.string(),
    approvedBy: z.string().nullable(),
    from: z.string().nullable(),
    to: z.string(),
    detail: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'DeviceStep' });

const HISTORY_MAX = 500;

const siteOf = (desk: Desk, siteId: bigint | null) =>
  siteId === null ? null : codeOf(desk, siteId);

const cardView = (desk: Desk) => (one: DeviceRecord) => ({
  ...{ number: one.name, kind: one.sort, state: one.state, site: siteOf(desk, one.siteId) },
  ...{ batch: one.batch, area: one.area, decoders: one.paired },
  cardId: one.cardId?.toString() ?? null,
  subscriberId: one.subscriberId?.toString() ?? null,
});

const decoderView = (desk: Desk) => (one: DeviceRecord) => ({
  ...{ serial: one.name, model: one.sort, chipId: one.chipId, mac: one.mac, state: one.state },
  ...{ site: siteOf(desk, one.siteId), batch: one.batch, ownership: one.ownership },
  cards: one.paired,
});

/** How cards and decoders differ in the API. */
interface Face {
  kind: Kind;
  path: string;
  /** The name of the path's parameter. */
  param: 'number' | 'stb';
  params: z.ZodType<Record<string, string>>;
  words: [one: string, many: string];
  shape: z.ZodType;
  states: readonly string[];
  view: (desk: Desk) => (one: DeviceRecord) => unknown;
}

export const CARDS: Face = {
  ...{ kind: 'card', path: '/viewing-cards', param: 'number', words: ['A card', 'Cards'] },
  params: z.strictObject({ number: cardNumberText }),
  ...{ shape: viewingCard, states: CARD_STATES, view: cardView },
};

export const DECODERS: Face = {
  ...{ kind: 'stb', path: '/decoders', param: 'stb', words: ['A decoder', 'Decoders'] },
  params: z.strictObject({ stb: decoderSerial }),
  ...{ shape: decoder, states: DECODER_STATES, view: decoderView },
};

/** The routes that look at devices, and the receipt of files. */
export const deviceRoutes = (desk: Desk): Route[] => [
  ...lookRoutes(desk, CARDS),
  ...lookRoutes(desk, DECODERS),
  receiveRoute(desk),
];

/** They have no time of their own: lists go by id. */
const NO_TIME = new Date(0);

const lookRoutes = (desk: Desk, face: Face): Route[] => {
  const { kind, path, param, params, words, shape } = face;
  const view = face.view(desk);
  const one = `${path}/{${param}}`;
  const access = 'device.read';
  return [
    route({
      ...{ method: 'get', path, tag, access, paged: true },
      summary: `${words[1]} as things, wherever they are, the first known first`,
      query: z.strictObject({
        ...{ ...pageQuery, site: siteCode.optional() },
        state: z.enum(face.states as [string, ...string[]]).optional(),
      }),
      answers: { 200: pageOf(shape) },
      async handler({ db, principal, query, page, now, pageOf: answer }) {
        const sites = sitesOf(desk, principal, query.site);
        const { after, fetch: limit } = page;
        const state = query.state ?? null;
        const wanted = { now, sites, state, after: after?.id ?? null, limit };
        const rows = await findDevices(db, kind, wanted);
        return answer(rows, ({ id }) => ({ at: NO_TIME, id }), view);
      },
    }),
    route({
      ...{ method: 'get', path: one, tag, access, params, answers: { 200: shape } },
      summary: `${words[0]}: its state, where it is, what it is paired with`,
      async handler({ db, principal, params: given, now }) {
        const name = given[param] ?? '';
        const found = await deviceByName(db, kind, name, { now, sites: siteFilter(principal) });
        return found ? ok(view(found)) : problem('not_found');
      },
    }),
    route({
      ...{ method: 'get', path: `${one}/history`, tag, access, params },
      summary: `${words[0]}: what became of it and what was ordered for it, the newest first`,
      answers: { 200: z.strictObject({ items: z.array(step) }) },
      async handler({ db, principal, params: given, now }) {
        const name = given[param] ?? '';
        const found = await deviceByName(db, kind, name, { now, sites: siteFilter(principal) });
        if (!found) return problem('not_found');
        const steps = await historyOf(db, kind, name, HISTORY_MAX);
        const items = steps.map(({ siteId, at, ...rest }) => {
          return { ...rest, at: at.toISOString(), site: siteOf(desk, siteId) };
        });
        return ok({ items });
      },
    }),
  ];
};

const FILE_CHARS_MAX = 2_000_000;
const BODY_BYTES_MAX = 2_500_000;

/** Lines of text, as a spreadsheet writes them. */
const fileText = z
  .string()
  .min(1)
  .max(FILE_CHARS_MAX)
  .regex(/^[\P{Cc}\t\n\r]*$/u);

const receiveRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'post', path: '/device-files', tag, access: 'device.receive' },
    summary: 'Take in a manufacturer’s file: whole or nothing, and the same again is nothing',
    body: z.strictObject({
      site: siteCode,
      text: fileText,
      /** Of the text, given apart; else the file ends with a line `#sha256,<hex>`. */
      sha256: z
        .string()
        .regex(/^[0-9a-fA-F]{64}$/)
        .nullable()
        .default(null),
    }),
    ...{ bodyBytesMax: BODY_BYTES_MAX, write: { object: 'device_file', commits: 'itself' } },
    example: { site: 'NBO', text: 'stb_serial,model,chip_id,mac,card_number,batch\n' },
    answers: {
      201: z.strictObject({
        id: idText,
        decoders: z.int(),
        cards: z.int(),
        /** False: it was taken in before. */
        isNew: z.boolean(),
      }),
    },
    problems: ['device_file_refused', 'not_found'],
    async handler({ principal, body, note }) {
      const site = siteByCode(desk, principal, body.site);
      if (!site) return problem('not_found');
      note({ siteId: site.id });
      const { text: file, sha256 } = body;
      const channel = principal.kind === 'staff' ? 'staff' : 'partner';
      const given = { text: file, sha256, siteId: site.id, by: principal.key, channel };
      const got = await desk.devices.receive(given);
      if (!got.ok) {
        const fields = got.faults.map(
          ({ line, code, value }): FieldFault => ({
            path: line === 0 ? 'text' : `text:${line}`,
            code,
            message: value === '' ? code : value,
          }),
        );
        return problem('device_file_refused', { fields });
      }
      const { id, decoders, cards } = got.file;
      const counted = { decoders, cards, isNew: got.isNew };
      note({ objectId: id, after: counted });
      return created({ id: id.toString(), ...counted });
    },
  });
