/**
 * What a command of VIP Control can ask for: one schema an operation. A new operation is one more
 * schema in the union at the end.
 */
import { z } from 'zod';

const NAME_CHARS_MAX = 200;
const TEXT_CHARS_MAX = 2_000;
const DATE_CHARS_MAX = 40;
const SHOWN_SECONDS_MAX = 3_600;
const BOOST_SECONDS_MAX = 3_600;
const SHOWN_TIMES_MAX = 100;
const PRODUCTS_MAX = 500;
const POSITION_PERCENT_MAX = 100;

const name = z.string().min(1).max(NAME_CHARS_MAX);
const count = z.number().int().nonnegative();
const dateText = z.string().max(DATE_CHARS_MAX);
const shownSeconds = count.min(1).max(SHOWN_SECONDS_MAX);
const products = z.array(name).max(PRODUCTS_MAX);

// Dates of rights are judged with the command (`BAD_DATES`): they must not cost the session.
const right = z.object({ product: name, from: dateText, to: dateText });
/** One product a card may show, from one UTC instant (ISO 8601) to another; the end is required. */
export type WireRight = z.infer<typeof right>;

/**
 * Whom a command is for. `region`: all cards that are bound to that area. `all`: every card; its
 * id is `*`. What a card may show is changed card by card alone.
 */
export const TARGET_KINDS = ['card', 'stb', 'region', 'all'] as const;
export const target = z.object({ kind: z.enum(TARGET_KINDS), id: name });
export type Target = z.infer<typeof target>;

/** Which state of a card's rights: a higher epoch wins over any rev. */
export const revision = z.object({ epoch: count, rev: count });
export type Revision = z.infer<typeof revision>;

/** The rights of a card are changed under a revision; everything else has none. */
const revised = { epoch: count, rev: count };

const entitle = z.object({
  op: z.literal('ENTITLE'),
  ...revised,
  args: z.union([
    // While suspended the card keeps its set and shows none of it but what is free to air.
    z.object({ set: z.array(right), suspended: name.optional() }),
    z.object({ add: z.array(right).default([]), remove: products.default([]) }).strict(),
  ]),
});
/** Takes products, or all of them (`*`), off the card at once. */
const cancel = z.object({
  op: z.literal('CANCEL'),
  ...revised,
  args: z.object({ products: z.union([z.literal('*'), products.min(1)]) }),
});
const suspend = z.object({
  op: z.literal('SUSPEND'),
  ...revised,
  args: z.object({ reason: name }),
});
const resume = z.object({ op: z.literal('RESUME'), ...revised, args: z.object({}) });
/** One pay-per-view right; never on air later than 15 minutes past `to`. */
const event = z.object({
  op: z.literal('EVENT'),
  ...revised,
  args: z.object({ eventId: name, from: dateText, to: dateText }),
});
/**
 * In one act: the set of the target goes to another card, under that card's own revision, the
 * decoder with it, and the target is replaced for ever.
 */
const swapCard = z.object({
  op: z.literal('SWAP'),
  ...revised,
  args: z.object({
    newCard: name,
    newRev: count,
    set: z.array(right),
    suspended: name.optional(),
  }),
});
/** The same for a decoder: all cards paired with the target are paired with the new one. */
const swapStb = z.object({ op: z.literal('SWAP_STB'), args: z.object({ newStb: name }) });

/** What is broadcast afresh: rights, the pairing with the decoder, or both. */
export const REFRESH_SCOPES = ['rights', 'pairing', 'all'] as const;
export type RefreshScope = (typeof REFRESH_SCOPES)[number];
const refresh = z.object({
  op: z.literal('REFRESH'),
  args: z.object({
    scope: z.enum(REFRESH_SCOPES).default('rights'),
    /** How long the repetition begins anew; 0: once, and not counted against the card's limit. */
    boostSeconds: count.max(BOOST_SECONDS_MAX).default(300),
  }),
});

/** Makes a serial of the manufacturer's file known; of a card or a decoder, by the target. */
const register = z.object({
  op: z.literal('CARD_REGISTER'),
  args: z.object({ batch: name, model: name.optional() }),
});
const retire = z.object({ op: z.literal('CARD_RETIRE'), args: z.object({ reason: name }) });
/** `strict`: in this decoder alone, instead of any before. `list`: in this one as well. */
const pair = z.object({
  op: z.literal('PAIR'),
  args: z.object({ stb: name, mode: z.enum(['strict', 'list']).default('strict') }),
});
/** From one decoder, or, without `stb`, from all. */
const unpair = z.object({ op: z.literal('UNPAIR'), args: z.object({ stb: name.optional() }) });
/** Binds the card to an area; null frees it. */
const region = z.object({ op: z.literal('REGION'), args: z.object({ area: name.nullable() }) });
/** The parental and purchase PIN: the maker's again, or a given one of four digits. */
const pinReset = z.object({
  op: z.literal('PIN_RESET'),
  args: z.object({
    pin: z
      .string()
      .regex(/^\d{4}$/)
      .nullable()
      .default(null),
  }),
});
const blacklist = z.object({
  op: z.literal('BLACKLIST'),
  args: z.object({ reason: name, evidence: name.optional() }),
});
const unblacklist = z.object({ op: z.literal('UNBLACKLIST'), args: z.object({ reason: name }) });

const osd = z.object({
  op: z.literal('OSD'),
  args: z.object({
    text: z.string().min(1).max(TEXT_CHARS_MAX),
    durationSeconds: shownSeconds,
    /** Covers the picture and cannot be dismissed. */
    forced: z.boolean().default(false),
    /** A message that does not cover the picture keeps to its lower part unless it says so. */
    position: z.enum(['bottom', 'top']).default('bottom'),
    /** How often it is shown, and how many seconds lie between two beginnings. */
    times: count.min(1).max(SHOWN_TIMES_MAX).default(1),
    intervalSeconds: count.max(SHOWN_SECONDS_MAX).default(0),
    lang: name.optional(),
  }),
});
const mail = z.object({
  op: z.literal('MAIL'),
  args: z.object({
    subject: z.string().min(1).max(TEXT_CHARS_MAX),
    body: z.string().min(1).max(TEXT_CHARS_MAX),
  }),
});
const percent = count.max(POSITION_PERCENT_MAX);
const colour = z.string().regex(/^#[0-9a-f]{6}$/);
/** Shows the number of the decoder or card over everything: to see it, or for a machine only. */
const fingerprint = z.object({
  op: z.literal('FINGERPRINT'),
  args: z.object({
    identity: z.enum(['stb', 'vc']),
    mode: z.enum(['overt', 'covert']).default('overt'),
    durationSeconds: shownSeconds,
    /** Where on the screen; absent: each decoder chooses a place by chance. */
    position: z.object({ xPercent: percent, yPercent: percent }).optional(),
    colour: colour.optional(),
    background: colour.optional(),
    /** Only while this programme is shown. */
    service: name.optional(),
  }),
});
const forceTune = z.object({
  op: z.literal('FORCE_TUNE'),
  args: z.object({ service: name, durationSeconds: shownSeconds }),
});

export const operation = z.discriminatedUnion('op', [
  entitle,
  cancel,
  suspend,
  resume,
  event,
  swapCard,
  swapStb,
  refresh,
  register,
  retire,
  pair,
  unpair,
  region,
  pinReset,
  blacklist,
  unblacklist,
  osd,
  mail,
  fingerprint,
  forceTune,
]);
/** An operation as the receiver reads it, its defaults filled in. */
export type WireOperation = z.infer<typeof operation>;
export type OperationName = WireOperation['op'];
type Sent = z.input<typeof operation>;
/** An operation as a sender gives it, without the revision, which the link completes. */
export type SentOperation<Name extends OperationName = OperationName> = Name extends OperationName
  ? Pick<Extract<Sent, { op: Name }>, 'op' | 'args'>
  : never;

export const OPERATIONS: readonly OperationName[] = operation.options.map(
  (option) => option.shape.op.value,
);
/** The operations that change what a card may show, under its revision. */
export const REVISED_OPERATIONS = [
  ...['ENTITLE', 'CANCEL', 'SUSPEND', 'RESUME', 'EVENT', 'SWAP'],
] as readonly OperationName[];
