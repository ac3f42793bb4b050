/** What a subscriber asks for, as a command of settlement: its key acts once. */
import { REFUSALS, type RefusalCode } from '../../billing/errors.ts';
import type { Command, Outcome, Settled } from '../../billing/settlement/commands.ts';
import type { Settlement } from '../../billing/settlement/service.ts';
import type { Clock } from '../../platform/ports.ts';
import type { Act, Done, Refusal } from './services.ts';

type OwnCommand = Extract<
  Command,
  { kind: 'buy' | 'convert_tvu' | 'transfer_tvu' | 'move_payment' | 'object_move' }
>;
export type OwnAct = OwnCommand extends infer C
  ? C extends OwnCommand
    ? Omit<C, 'provider' | 'receipt' | 'channelId' | 'siteId' | 'at' | 'raw'>
    : never
  : never;

/** The command of an act at an instant. */
export const commandOf = (act: Act, command: OwnAct, at: Date): Command => ({
  ...command,
  provider: 'ussd',
  receipt: act.key,
  channelId: act.channel.id,
  siteId: act.channel.siteId,
  at,
  raw: Buffer.from(JSON.stringify({ act: command.kind, key: act.key })),
});

/** Settles an act; the same key again is answered as the first time. */
export async function settle(
  deps: { settlement: Pick<Settlement, 'settle'>; clock: Clock },
  act: Act,
  command: OwnAct,
): Promise<Done<Settled>> {
  const outcome: Outcome = await deps.settlement.settle(commandOf(act, command, deps.clock.now()));
  return outcome.kind === 'done' ? doneOf(outcome.settled) : { ok: false, error: 'try_later' };
}

/** An answer of settlement as the dialogue says it. */
export function doneOf<S extends Pick<Settled, 'state' | 'code'>>(settled: S): Done<S> {
  if (settled.state !== 'settled') return { ok: false, error: refusalOf(settled.code) };
  return { ok: true, value: settled };
}

/** The catalogue of refusals says which have words of their own. */
const isSpoken = (code: string): code is RefusalCode & Refusal =>
  code in REFUSALS && REFUSALS[code as RefusalCode].isSpoken;

const refusalOf = (code: string | null): Refusal =>
  code !== null && isSpoken(code) ? code : 'try_later';
