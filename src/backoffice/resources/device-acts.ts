/** Acts on cards and decoders: each once for its key, some by two people. */
import { z } from 'zod';
import type { Acting, DeviceOutcome } from '../../entitlement/devices/acting.ts';
import {
  DECLARED_CARD_STATES,
  DECLARED_DECODER_STATES,
} from '../../entitlement/devices/declarations.ts';
import { cardNumber, reason, siteCode, text } from '../api/fields.ts';
import { type Problem, type ProblemCode, problem } from '../api/problems.ts';
import { type Answer, type Call, created, type Route, route } from '../api/route.ts';
import { type Act, type ActOutcome, type Acts, approvalById } from '../people/approvals.ts';
import type { Permission } from '../people/permissions.ts';
import { siteFilter } from '../people/principal.ts';
import { doOrAsk } from './act.ts';
import { approval } from './approval-view.ts';
import { type Desk, siteByCode } from './desk.ts';
import { type DeviceRecord, deviceByName, type Kind } from './device-store.ts';
import { CARDS, DECODERS, decoderSerial } from './devices.ts';

export const LIFTING = 'device.lifting';

const tag = 'Devices';
const done = z
  .strictObject({
    /** Of the device, or of the one that took over. */
    state: z.string(),
  })
  .meta({ id: 'DeviceDone' });
const PROBLEMS_OF_ACTS: readonly ProblemCode[] = [
  ...(['device_blacklisted', 'device_not_listed', 'device_state', 'device_other_site'] as const),
  ...(['device_incompatible', 'already_paired', 'not_paired', 'card_in_use'] as const),
  ...(['still_paired'] as const),
  ...(['card_not_in_use', 'already_blacklisted', 'not_blacklisted'] as const),
];

/** The routes of acts. */
export const deviceActRoutes = (desk: Desk): Route[] => [
  ...pairingRoutes(desk),
  ...swapRoutes(desk),
  ...cardRoutes(desk),
  ...stateRoutes(desk),
  blacklistRoute(desk),
  liftRoute(desk, 'card'),
  liftRoute(desk, 'stb'),
];

const faceOf = (kind: Kind) => (kind === 'card' ? CARDS : DECODERS);

interface ActSpec<B extends z.ZodType<{ reason: string }>> {
  kind: Kind;
  /** Below the device. */
  path: string;
  summary: string;
  access: Permission;
  body: B;
  example: z.input<B>;
  act(acting: Acting, name: string, said: z.output<B>, call: AnyCall): Promise<DeviceOutcome>;
}

type AnyCall = Pick<Call<unknown, unknown, unknown>, 'principal'>;

/** A route that does one thing to one device, once for each key. */
function actRoute<B extends z.ZodType<{ reason: string }>>(spec: ActSpec<B>): Route {
  const { kind, path, summary, access, body, example, act } = spec;
  const face = faceOf(kind);
  return route({
    ...{ method: 'post', path: `${face.path}/{${face.param}}/${path}`, tag, access, summary },
    ...{ params: face.params, body, example, idempotent: true },
    ...{ write: { object: kind === 'card' ? 'viewing_card' : 'decoder', commits: 'itself' } },
    ...{ answers: { 201: done }, problems: PROBLEMS_OF_ACTS },
    async handler(call) {
      const found = await seenDevice(call, kind, call.params[face.param] ?? '');
      if (!found) return problem('not_found');
      call.note({ siteId: found.siteId, reason: call.body.reason });
      return answerTo(await act(actingOf(call, call.body.reason), found.name, call.body, call));
    },
  });
}

const seenDevice = (
  { db, principal, now }: Pick<Call<unknown, unknown, unknown>, 'db' | 'principal' | 'now'>,
  kind: Kind,
  name: string,
): Promise<DeviceRecord | null> =>
  deviceByName(db, kind, name, { now, sites: siteFilter(principal) });

const actingOf = (
  { receipt, principal }: Pick<Call<unknown, unknown, unknown>, 'receipt' | 'principal'>,
  why: string,
): Acting => ({
  ...{ key: receipt, by: principal.key, reason: why },
  channel: principal.kind === 'staff' ? 'staff' : 'partner',
});

const answerTo = (outcome: DeviceOutcome): Answer | Problem =>
  outcome.ok ? created({ state: outcome.state }) : problem(codeOfFault(outcome.error));

const codeOfFault = (fault: Extract<DeviceOutcome, { ok: false }>['error']): ProblemCode =>
  fault === 'unknown_device' ? 'not_found' : fault;

const pairingRoutes = (desk: Desk): Route[] => [
  actRoute({
    ...{ kind: 'card', path: 'pairings', access: 'device.pair' },
    summary: 'Bind a card to a decoder: strictly, or to this one as well',
    body: z.strictObject({
      ...{ stb: decoderSerial, mode: z.enum(['strict', 'list']).default('strict'), reason },
    }),
    example: { stb: 'STB-000123', reason: 'installed at home' },
    act: (acting, card, { stb, mode }) => desk.devices.pair(acting, { card, stb, mode }),
  }),
  actRoute({
    ...{ kind: 'card', path: 'unpairings', access: 'device.pair' },
    summary: 'Free a card from one decoder, or from all',
    body: z.strictObject({ stb: decoderSerial.nullable().default(null), reason }),
    example: { reason: 'handed in' },
    act: (acting, card, { stb }) => desk.devices.unpair(acting, { card, stb }),
  }),
];

const swapRoutes = (desk: Desk): Route[] => [
  actRoute({
    ...{ kind: 'card', path: 'swaps', access: 'device.pair' },
    summary: 'Put another card in its place: it takes everything over, and this one is dead',
    body: z.strictObject({ newCard: cardNumber, reason }),
    example: { newCard: '40219999915', reason: 'the chip is broken' },
    act: (acting, old, { newCard }) => desk.devices.swapCard(acting, { old, new: newCard }),
  }),
  actRoute({
    ...{ kind: 'stb', path: 'swaps', access: 'device.pair' },
    summary: 'Put another decoder in its place: its cards are paired with the new one',
    body: z.strictObject({ newStb: decoderSerial, reason }),
    example: { newStb: 'STB-000124', reason: 'no picture' },
    act: (acting, old, { newStb }) => desk.devices.swapDecoder(acting, { old, new: newStb }),
  }),
];

const cardRoutes = (desk: Desk): Route[] => [
  actRoute({
    ...{ kind: 'card', path: 'areas', access: 'device.pair' },
    summary: 'Bind a card to an area, so that it works nowhere else; null frees it',
    body: z.strictObject({ area: text(40).nullable(), reason }),
    example: { area: 'KE-30', reason: 'by contract' },
    act: (acting, card, { area }) => desk.devices.lockRegion(acting, { card, area }),
  }),
  actRoute({
    ...{ kind: 'card', path: 'pin-resets', access: 'device.pair' },
    summary: 'Give the maker’s PIN back to who was identified',
    body: z.strictObject({
      /** How it was seen who asks. */
      identity: text(200, 3),
      reason,
    }),
    example: { identity: 'passport seen at the counter', reason: 'forgotten' },
    act: (acting, card, { identity }) => desk.devices.resetPin(acting, { card, identity }),
  }),
];

const stateRoutes = (desk: Desk): Route[] => {
  const common = { path: 'states', access: 'device.declare' } as const;
  const where = { site: siteCode.optional(), reason };
  const siteIdOf = (call: AnyCall, code: string | undefined) =>
    code === undefined ? null : siteByCode(desk, call.principal, code);
  return [
    actRoute({
      ...{
        ...common,
        kind: 'card',
        summary: 'Say where or how a card is: lost, faulty, retired, …',
      },
      body: z.strictObject({ state: z.enum(DECLARED_CARD_STATES), ...where }),
      example: { state: 'lost', reason: 'reported by phone' },
      async act(acting, name, { state, site: code }, call) {
        const site = siteIdOf(call, code);
        if (code !== undefined && !site) return { ok: false, error: 'unknown_device' };
        const said = { kind: 'card', name, state, siteId: site?.id ?? null } as const;
        return await desk.devices.declare(acting, { ...said, ownership: null });
      },
    }),
    actRoute({
      ...{ ...common, kind: 'stb', summary: 'Say where or how a decoder is, and whose' },
      body: z.strictObject({
        ...{ state: z.enum(DECLARED_DECODER_STATES), ...where },
        ownership: z.enum(['sold', 'rented', 'loaned', 'deposit']).nullable().default(null),
      }),
      example: { state: 'in_stock', reason: 'quality seen' },
      async act(acting, name, { state, site: code, ownership }, call) {
        const site = siteIdOf(call, code);
        if (code !== undefined && !site) return { ok: false, error: 'unknown_device' };
        const said = { kind: 'stb', name, state, siteId: site?.id ?? null } as const;
        return await desk.devices.declare(acting, { ...said, ownership });
      },
    }),
  ];
};

const blacklistRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'post', path: '/sites/{site}/blacklistings', tag, access: 'device.blacklist' },
    summary: 'Blacklist a card or decoder, known or not: it is never put to use again',
    params: z.strictObject({ site: siteCode }),
    body: z.union([
      z.strictObject({ number: cardNumber, reason, evidence: text(500).optional() }),
      z.strictObject({ stb: decoderSerial, reason, evidence: text(500).optional() }),
    ]),
    ...{ idempotent: true, write: { object: 'device', commits: 'itself' } },
    example: { number: '40219999915', reason: 'shared keys', evidence: 'report 7' },
    ...{ answers: { 201: done }, problems: ['already_blacklisted', 'device_state'] },
    async handler(call) {
      const { body, principal, now, db } = call;
      const site = siteByCode(desk, principal, call.params.site);
      if (!site) return problem('not_found');
      const kind = 'number' in body ? 'card' : 'stb';
      const name = 'number' in body ? body.number : body.stb;
      const known = await deviceByName(db, kind, name, { now, sites: null });
      // Of another site: who sees that one may say so.
      if (known && !(await seenDevice(call, kind, name))) return problem('not_found');
      call.note({ siteId: site.id, objectId: name, reason: body.reason });
      const said = { kind, name, evidence: body.evidence ?? null, siteId: site.id } as const;
      return answerTo(await desk.devices.blacklist(actingOf(call, body.reason), said));
    },
  });

const liftRoute = (desk: Desk, kind: Kind): Route => {
  const face = faceOf(kind);
  return route({
    ...{ method: 'post', path: `${face.path}/{${face.param}}/liftings`, tag },
    ...{ access: 'device.blacklist', params: face.params, idempotent: true },
    summary: 'Ask for a second person to take a device off the blacklist',
    ...{ body: z.strictObject({ reason }), example: { reason: 'mixed up with another' } },
    ...{ write: { object: kind === 'card' ? 'viewing_card' : 'decoder', commits: 'itself' } },
    ...{ answers: { 202: approval }, problems: ['not_blacklisted'] },
    async handler(call) {
      const found = await seenDevice(call, kind, call.params[face.param] ?? '');
      if (!found) return problem('not_found');
      const { siteId, name, state } = found;
      const { reason: why } = call.body;
      call.note({ siteId, reason: why });
      if (state !== 'blacklisted') return problem('not_blacklisted');
      if (siteId === null) return problem('not_found');
      return await doOrAsk(desk, call, {
        ...{ act: LIFTING, siteId, reason: why, amount: null, needsSecond: true },
        subject: `Take ${kind === 'card' ? 'card' : 'decoder'} ${name} off the blacklist`,
        input: { kind, name, reason: why, by: call.principal.key },
      });
    },
  });
};

const liftInput = z.strictObject({
  kind: z.enum(['card', 'stb']),
  name: z.string(),
  reason: z.string(),
  by: z.string(),
});

/** The act of a second person: who asked, and who approved, both stand in the command. */
export function deviceActs({ pool, devices }: Pick<Desk, 'pool' | 'devices'>): Acts {
  const lifting: Act = {
    permission: 'device.approve',
    async execute(input, key): Promise<ActOutcome> {
      const { kind, name, reason: why, by } = liftInput.parse(input);
      const [, asked] = /^approval:(\d+)$/.exec(key) ?? [];
      if (asked === undefined) throw new Error('Two people lift what is blacklisted');
      const approvedBy = (await approvalById(pool, BigInt(asked), { sites: null }))?.decidedBy;
      const acting = { key, by, channel: 'staff', reason: why };
      const outcome = await devices.lift(
        { ...acting, approvedBy: approvedBy ?? undefined },
        { kind, name },
      );
      if (outcome.ok) return { kind: 'done', result: { state: outcome.state } };
      return { kind: 'refused', code: codeOfFault(outcome.error) };
    },
  };
  return { [LIFTING]: lifting };
}
