/**
 * What the house asks of every conditional-access system, whoever made it. The words are those of
 * VIP Control (`../vip-control/`): a driver of another make translates them. How to write one:
 * docs/guides/cas-driver.md; whether it keeps its word: test/conformance/cas-driver.ts.
 */
import type { Command, CommandOutcome } from '../vip-control/command.ts';
import type { Capabilities, Evt } from '../vip-control/messages.ts';
import type { AnswerTo, Query } from '../vip-control/queries.ts';

export interface CasDriver {
  /**
   * Sends a command and resolves with what came of it, at the latest when its `notAfter` passes;
   * never rejects for anything the network or the other side does. The same `cmdId` is executed
   * once however often it is given; one under way gives the promise of the first call.
   */
  send(command: Command): Promise<CommandOutcome>;
  /**
   * Asks without changing anything. `REFUSED` with a result code when there is no answer, `AWAY`
   * when there is no session or it ended; never rejects, and is never asked again by itself.
   */
  ask<Q extends Query>(query: Q): Promise<AnswerTo<Q['op']>>;
  /** `connecting` whenever there is no session: commands wait for the next. */
  state(): 'connected' | 'connecting' | 'closed';
  /** What the other side can do, as it said last; `undefined` before the first log-in. */
  capabilities(): Capabilities | undefined;
  /** Calls `listener` each time a session has come up, until the returned function is called. */
  onConnected(listener: () => void): () => void;
  /** Calls `listener` with whatever the other side tells unasked, likewise. */
  onEvent(listener: (event: Evt) => void): () => void;
  /** Parts from the other side; everything pending resolves, commands as unknown. */
  close(): Promise<void>;
}
