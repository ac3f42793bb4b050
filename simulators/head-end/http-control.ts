/** What people and tests may turn: decoders, the link, faults, speed, time. */
import { z } from 'zod';
import type { AirOptions, Knobs, NewDecoder } from './air/types.ts';
import { consoleForm } from './console.ts';
import { decodersOf } from './decoder-range.ts';
import { FAULT_KINDS, faultForm } from './faults/kinds.ts';
import { type Answer, NOT_FOUND } from './http-answers.ts';
import { LATENCY_MS_MAX } from './latency.ts';
import type { MovedClock } from './moved-clock.ts';
import type { VipControlServer } from './server.ts';

export interface ControlDeps {
  headEnd: VipControlServer;
  clock: Pick<MovedClock, 'now'> & Partial<MovedClock>;
}

export interface Control {
  form: z.ZodType;
  run(deps: ControlDeps, body: unknown): Answer | Promise<Answer>;
}

const NAME_CHARS_MAX = 64;
const LOST_SECONDS_MAX = 366 * 24 * 3_600;
const RANGE_MAX = 20_000;
const PRODUCTS_GONE_MAX = 500;
const WINDOW_MAX = 100_000;
const PAUSE_MS_MAX = 600_000;
const DECODER_SKEW_MS_MAX = 366 * 24 * 3_600_000;
const OFFSET_MS_MAX = 10 * DECODER_SKEW_MS_MAX;
const DONE: Answer = [200, { ok: true }];

const name = z.string().min(1).max(NAME_CHARS_MAX);
const milliseconds = z.number().min(0).max(LATENCY_MS_MAX);
const serviceForm = z.strictObject({
  code: name,
  name,
  product: name.nullable(),
  regions: z.array(name).exactOptional(),
});

/** The line-up as a file or a caller gives it. */
export const servicesForm: z.ZodType<AirOptions['services']> = z.array(serviceForm);

const newDecoderMore = {
  service: name,
  region: name.exactOptional(),
  power: z.boolean().exactOptional(),
  upToDate: z.boolean().exactOptional(),
};
const newDecoder = { stb: name, card: name, ...newDecoderMore } satisfies Record<
  keyof NewDecoder,
  z.ZodType
>;
const range = z.strictObject({
  ...{ firstStb: name, firstCard: name, count: z.int().min(1).max(RANGE_MAX) },
  ...newDecoderMore,
});
const decodersForm = z
  .strictObject({
    decoders: z.array(z.strictObject(newDecoder)).exactOptional(),
    range: range.exactOptional(),
  })
  .refine(({ decoders, range }) => (decoders === undefined) !== (range === undefined), {
    error: 'decoders or range',
  });
const knobs = {
  power: z.boolean().exactOptional(),
  signal: z.boolean().exactOptional(),
  cardIn: z.boolean().exactOptional(),
  service: name.exactOptional(),
  region: name.exactOptional(),
  paired: z.boolean().exactOptional(),
  blacklisted: z.boolean().exactOptional(),
  clockOffsetMs: z.int().min(-DECODER_SKEW_MS_MAX).max(DECODER_SKEW_MS_MAX).exactOptional(),
} satisfies Record<keyof Knobs, z.ZodType>;
const decoderForm = z.strictObject({ card: name, ...knobs });

const latencyForm = z.union([
  z.strictObject({ ms: milliseconds }),
  z
    .strictObject({ medianMs: milliseconds, p99Ms: milliseconds })
    .refine(({ medianMs, p99Ms }) => p99Ms >= medianMs, {
      path: ['p99Ms'],
      error: 'below medianMs',
    }),
]);

const restartForm = z.strictObject({
  lose: z.enum(['nothing', 'queue']).default('nothing'),
  loseSeconds: z.number().min(0).max(LOST_SECONDS_MAX).exactOptional(),
});

/** By the path behind `/control/`. */
export const CONTROLS: Readonly<Record<string, Control>> = {
  decoders: control(decodersForm, addDecoders),
  decoder: control(decoderForm, turnDecoder),
  insert: control(z.strictObject({ stb: name, card: name }), ({ headEnd, clock }, { stb, card }) =>
    headEnd.air.decoders.insert(stb, card, clock.now()) ? DONE : NOT_FOUND,
  ),
  link: control(z.strictObject({ up: z.boolean() }), async ({ headEnd }, { up }) => {
    await headEnd.setLink(up);
    return DONE;
  }),
  fault: control(faultForm, ({ headEnd }, fault) => {
    headEnd.faults.set(fault);
    return DONE;
  }),
  heal: control(
    z.strictObject({ kind: z.enum(FAULT_KINDS).exactOptional() }),
    ({ headEnd }, { kind }) => {
      headEnd.faults.heal(kind);
      return DONE;
    },
  ),
  console: control(consoleForm, ({ headEnd }, write) =>
    headEnd.writeByConsole(write) ? DONE : [400, { error: 'set: bad dates, or too much.' }],
  ),
  products: control(
    z.strictObject({ gone: z.array(name).max(PRODUCTS_GONE_MAX) }),
    ({ headEnd }, { gone }) => {
      headEnd.setGoneProducts(gone);
      return DONE;
    },
  ),
  restart: control(restartForm, async ({ headEnd, clock }, { lose, loseSeconds }) => {
    const sinceMs = clock.now().getTime() - (loseSeconds ?? 0) * 1_000;
    await headEnd.restart(loseSeconds === undefined ? { lose } : { lose: 'since', sinceMs });
    return DONE;
  }),
  latency: control(latencyForm, ({ headEnd }, latency) => {
    headEnd.setLatency('ms' in latency ? latency.ms : latency);
    return DONE;
  }),
  flow: control(
    z.strictObject({
      window: z.int().min(0).max(WINDOW_MAX),
      retryAfterMs: z.int().min(0).max(PAUSE_MS_MAX).exactOptional(),
    }),
    ({ headEnd }, { window, retryAfterMs }) => {
      headEnd.setFlow(window, retryAfterMs);
      return DONE;
    },
  ),
  clock: control(
    z.strictObject({ offsetMs: z.int().min(-OFFSET_MS_MAX).max(OFFSET_MS_MAX) }),
    ({ headEnd, clock }, { offsetMs }) => {
      if (!clock.moveTo) return [409, { error: 'This clock cannot be moved.' }];
      clock.moveTo(offsetMs);
      headEnd.air.advance(clock.now());
      return DONE;
    },
  ),
};

function control<T>(
  form: z.ZodType<T>,
  run: (deps: ControlDeps, body: T) => Answer | Promise<Answer>,
): Control {
  // Whoever calls `run` has read the body with `form`.
  return { form, run: (deps, body) => run(deps, body as T) };
}

function addDecoders(
  { headEnd: { air, services }, clock }: ControlDeps,
  { decoders: each = [], range }: z.infer<typeof decodersForm>,
): Answer {
  const decoders = range === undefined ? each : decodersOf(range);
  if (!decoders) return [400, { error: 'range: the numbers do not end in enough digits.' }];
  const stray = decoders.findIndex(({ service }) => !services.some(({ code }) => code === service));
  if (stray >= 0) return [400, { error: `decoders.${stray}.service: there is no such service.` }];
  // What was broadcast until now they have missed.
  air.advance(clock.now());
  for (const decoder of decoders) air.decoders.add(decoder);
  return DONE;
}

function turnDecoder(
  { headEnd: { air, services }, clock }: ControlDeps,
  { card, ...turned }: z.infer<typeof decoderForm>,
): Answer {
  const { service } = turned;
  if (service !== undefined && !services.some(({ code }) => code === service)) {
    return [400, { error: 'service: there is no such service.' }];
  }
  return air.decoders.turn(card, turned, clock.now()) ? DONE : NOT_FOUND;
}
