/** What can be done in the living room: what a hand does to a telephone, a decoder, a switch. */
import { z } from 'zod';
import type { Switches } from './api.ts';
import type { Furnished } from './server.ts';

export type Done = { ok: true } | { ok: false; status: number; error: string };

type Act = (body: unknown) => Promise<Done>;

const DONE: Done = { ok: true };
const TEXT_CHARS_MAX = 480;
const MINUTES_MAX = 60 * 24 * 366;
const DELAY_MS = 5_000;
const REPEATS = 3;

const msisdn = z.string().regex(/^\+\d{7,15}$/);
const card = z.string().regex(/^\d{11}$/);

const textSent = z.strictObject({ phone: msisdn, body: z.string().min(1).max(TEXT_CHARS_MAX) });
const prompted = z.strictObject({
  id: z.string().max(100),
  answer: z.enum(['accept', 'cancel']),
  pin: z
    .string()
    .regex(/^\d{1,8}$/)
    .optional(),
});
const knobs = z.strictObject({
  card,
  power: z.boolean().optional(),
  signal: z.boolean().optional(),
  cardIn: z.boolean().optional(),
  paired: z.boolean().optional(),
  service: z.string().max(40).optional(),
});
const switched = z.strictObject({
  vipControl: z.boolean().optional(),
  operator: z.enum(['normal', 'repeats', 'delays', 'silent']).optional(),
});
const later = z.strictObject({ minutes: z.number().int().min(1).max(MINUTES_MAX) });
const suspended = z.strictObject({ card, suspended: z.boolean() });
const units = z.strictObject({ phone: msisdn, units: z.number().int().min(1).max(100_000) });

/** What the mobile-money operator does with its notices. */
const OPERATOR_FAULTS: Readonly<Record<Switches['operator'], object>> = {
  normal: {},
  repeats: { repeat: REPEATS },
  delays: { delayMs: DELAY_MS },
  silent: { drop: true },
};

const refused = (status: number, error: string): Done => ({ ok: false, status, error });

/** The acts by the last part of their address. */
export function createActs(
  deps: Furnished,
  state: { switches: Switches; wrote(phone: string, body: string): void; changed(): void },
): Readonly<Record<string, Act>> {
  const { money, texts, headEnd, clock, product } = deps;
  return {
    text: reading(textSent, async ({ phone, body }) => {
      state.wrote(phone, body);
      const answer = await texts.sendFromPhone({
        from: phone,
        to: deps.phoneOf(phone)?.textCode ?? '',
        text: body,
      });
      return answer === 200 ? DONE : refused(502, 'The gateway did not take the text');
    }),
    prompt: reading(prompted, async ({ id, answer, pin }) => {
      const shown = money.prompts().find((prompt) => prompt.checkoutRequestId === id);
      if (!shown) return refused(404, 'No such prompt is open');
      deps.note({ step: 'answered', at: clock.now(), msisdn: `+${shown.msisdn}`, detail: answer });
      // Not waited for: its callback may be delayed or lost, as the switch says.
      void money.answerPrompt(id, answer === 'accept' ? { answer, pin: pin ?? '' } : { answer });
      return DONE;
    }),
    tv: reading(knobs, async ({ card: number, ...turned }) => {
      const given = Object.entries(turned).filter(([, value]) => value !== undefined);
      const known = await headEnd.turn(number, Object.fromEntries(given));
      return known ? DONE : refused(404, 'No decoder has this card');
    }),
    switches: reading(switched, async ({ vipControl, operator }) => {
      if (vipControl !== undefined) await headEnd.setLink(vipControl);
      if (operator !== undefined) money.setFaults(OPERATOR_FAULTS[operator]);
      state.switches.vipControl = vipControl ?? state.switches.vipControl;
      state.switches.operator = operator ?? state.switches.operator;
      return DONE;
    }),
    later: reading(later, async ({ minutes }) => {
      await product().clocks?.house.moveTo(new Date(clock.now().getTime() + minutes * 60_000));
      return DONE;
    }),
    suspend: reading(suspended, (wanted) => suspend(deps, wanted)),
    units: reading(units, async ({ phone, units: count }) => {
      const sent = await money.sendTvu({
        channel: phone.startsWith('+254') ? 'ke-tvu' : 'ci-tvu',
        msisdn: phone,
        units: count,
      });
      return sent?.status === 200 ? DONE : refused(502, 'The notice was not taken');
    }),
  };

  function reading<T>(schema: z.ZodType<T>, act: (body: T) => Promise<Done>): Act {
    return async (body) => {
      const read = schema.safeParse(body);
      if (!read.success) {
        const [issue] = read.error.issues;
        return refused(400, `${issue?.path.join('.') || 'body'}: ${issue?.message}`);
      }
      const done = await act(read.data);
      state.changed();
      return done;
    };
  }
}

async function suspend(
  { product }: Furnished,
  { card: number, suspended: isWanted }: z.infer<typeof suspended>,
): Promise<Done> {
  const { pool, entitlement } = product();
  const { rows } = await pool.query('SELECT id FROM card WHERE number = $1', [number]);
  const cardId: bigint | undefined = rows[0]?.id;
  if (cardId === undefined || !entitlement) return refused(404, 'No such card');
  const by = 'living-room';
  const done = isWanted
    ? await entitlement.suspensions.suspendCard({ cardId, reason: 'admin', by })
    : await entitlement.suspensions.resumeCard({ cardId, by });
  return done.ok ? DONE : refused(409, done.error);
}
