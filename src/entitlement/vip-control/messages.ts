/**
 * The messages of the VIP Control link as they lie in a frame. Both ends parse what they receive
 * with these schemas; fields they do not know are dropped, so that a newer peer may add some.
 */
import { z } from 'zod';
import type { JsonObject } from './frame.ts';
import { operation, revision, target, type WireOperation } from './operations.ts';
import { answerMessage, queryMessage } from './queries.ts';
import type { ResultCode } from './results.ts';

export const PROTOCOL_VERSION = 1;

/** Most important first: sales are sent before everything else. */
export const PRIORITIES = ['SALE', 'REFRESH', 'MESSAGE', 'BULK'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** The prefix of a pay-per-view event among the products of a card: `EVT:<code>`. */
export const EVENT_PRODUCT_PREFIX = 'EVT:';

const CMD_ID_CHARS_MAX = 64;
const NAME_CHARS_MAX = 200;
const DATE_CHARS_MAX = 40;
const REPEAT_STEPS_MAX = 16;

const name = z.string().min(1).max(NAME_CHARS_MAX);
const cmdId = z.string().min(1).max(CMD_ID_CHARS_MAX);
const count = z.number().int().nonnegative();
const dateText = z.string().max(DATE_CHARS_MAX);
const instant = dateText.refine((text) => !Number.isNaN(Date.parse(text)));

/** Broadcast every `everySeconds` for `forSeconds`. */
const repeatStep = z.object({ everySeconds: count.min(1), forSeconds: count.min(1) });
export type RepeatStep = z.infer<typeof repeatStep>;

const capabilities = z.object({
  osdMax: count,
  /** Longest mail; absent: it takes none. */
  mailMax: count.optional(),
  /** How it can show a fingerprint. */
  fpModes: z.array(name).optional(),
  maxWindow: count.min(1),
  supports: z.array(name),
  products: z.array(name).optional(),
  /** How it repeats a change by itself, step after step; absent: nobody has said. */
  repeats: z.array(repeatStep).max(REPEAT_STEPS_MAX).optional(),
});
/** What the head-end can do: longest on-screen text, window, operations, products, repetition. */
export type Capabilities = z.infer<typeof capabilities>;

const hello = z.object({
  t: z.literal('HELLO'),
  v: count,
  clientId: name,
  casId: name,
  nonce: name,
  epoch: count,
  takeover: z.boolean(),
  /** For diagnosis: the last `seq` of the session before that was answered. */
  lastSeqSeen: count.optional(),
});
const welcome = z.object({
  t: z.literal('WELCOME'),
  sessionId: name,
  nonce: name,
  caps: capabilities,
  serverTime: instant,
  epoch: count,
  /** For diagnosis: the last `seq` that came from this client in the session before. */
  lastCmdSeq: count.optional(),
});

/** What every command has; `args` is judged per operation, after `cmdId` can be answered to. */
const commandEnvelope = z.object({
  t: z.literal('CMD'),
  seq: count,
  cmdId,
  op: name,
  target,
  epoch: count.optional(),
  rev: count.optional(),
  args: z.record(z.string(), z.unknown()),
  prio: z.enum(PRIORITIES),
  notAfter: instant,
  issuedAt: instant,
  actor: name.optional(),
  reason: name.optional(),
  /** The second person, where one is required. */
  approvedBy: name.optional(),
});
const emm = z.object({ count, firstAirAt: instant, cycleMs: count });
/** How the change is being broadcast; nobody can ever say that a decoder received it. */
export type Emm = z.infer<typeof emm>;

const ack = z.object({
  t: z.literal('ACK'),
  seq: count.optional(),
  cmdId,
  status: z.enum(['ACCEPTED', 'DUPLICATE']),
});
const nak = z.object({
  t: z.literal('NAK'),
  seq: count.optional(),
  cmdId,
  code: name,
  retryAfterMs: count.optional(),
});
const res = z.object({
  t: z.literal('RES'),
  cmdId,
  status: z.enum(['DONE', 'REJECTED']),
  code: name,
  dup: z.boolean(),
  emm: emm.optional(),
  cardRev: revision.optional(),
});
const status = z.object({ t: z.literal('STATUS'), cmdId });
const flow = z.object({ t: z.literal('FLOW'), window: count, retryAfterMs: count.optional() });
const ping = z.object({ t: z.literal('PING') });
const pong = z.object({ t: z.literal('PONG') });
const bye = z.object({ t: z.literal('BYE'), code: name });
/** Something happened there that nobody of us asked for: `foreign_write`, `emm_backlog`, … */
const evt = z.object({
  t: z.literal('EVT'),
  kind: name,
  detail: z.record(z.string(), z.unknown()).default({}),
});

const fromClient = z.discriminatedUnion('t', [
  ...([hello, commandEnvelope, status, queryMessage, ping, pong, bye] as const),
]);
const fromServer = z.discriminatedUnion('t', [
  ...([welcome, ack, nak, res, flow, answerMessage, evt, ping, pong, bye] as const),
]);
const SERVER_TYPES = new Set<unknown>(fromServer.options.map((option) => option.shape.t.value));

export type Hello = z.infer<typeof hello>;
export type Welcome = z.infer<typeof welcome>;
export type CommandEnvelope = z.infer<typeof commandEnvelope>;
export type Ack = z.infer<typeof ack>;
export type Nak = z.infer<typeof nak>;
export type Res = z.infer<typeof res>;
export type Flow = z.infer<typeof flow>;
export type Evt = z.infer<typeof evt>;
export type QueryMessage = z.infer<typeof queryMessage>;
export type AnswerMessage = z.infer<typeof answerMessage>;
export type Bye = z.infer<typeof bye>;
export type ClientMessage = z.infer<typeof fromClient>;
export type ServerMessage = z.infer<typeof fromServer>;

/** Why a side says BYE: a result code, or one of the session's own reasons. */
export type ByeCode = ResultCode | 'CLOSING' | 'CLOCK_SKEW' | 'SESSION_EXISTS' | 'TAKEN_OVER';

export type Parsed<T> =
  | { ok: true; message: T }
  | { ok: false; error: 'unknown_type' | 'malformed' };

/** What a head-end said; `unknown_type` may be skipped, `malformed` ends the session. */
export function parseServerMessage(json: JsonObject): Parsed<ServerMessage> {
  if (!SERVER_TYPES.has(json.t)) return { ok: false, error: 'unknown_type' };
  const parsed = fromServer.safeParse(json);
  return parsed.success ? { ok: true, message: parsed.data } : { ok: false, error: 'malformed' };
}

/** What a client said; a command's own fields are judged later, by `parseOperation`. */
export function parseClientMessage(json: JsonObject): ClientMessage | undefined {
  const parsed = fromClient.safeParse(json);
  return parsed.success ? parsed.data : undefined;
}

/** The operation of a command; `undefined` when unknown or its fields do not fit (`PROTOCOL`). */
export function parseOperation(envelope: CommandEnvelope): WireOperation | undefined {
  const parsed = operation.safeParse(envelope);
  return parsed.success ? parsed.data : undefined;
}
