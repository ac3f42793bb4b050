/** A link and a scripted head-end in one fake time, put together for a test. */
import { silentLogger } from '../../platform/log.ts';
import { type Command, cardTarget } from './command.ts';
import { createVipControlLink, type VipControlLinkDeps } from './link.ts';
import type { Res } from './messages.ts';
import { createScriptedHeadEnd, type ScriptedOptions } from './scripted-head-end.ts';
import { createFakeRandom, createFakeTime, until } from './testing.ts';

const cleanups: (() => Promise<void>)[] = [];

/** For `afterEach`: closes what `setUp` opened. */
export async function tearDown(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
}

/** A link that is calling a head-end; `headEnd.call(1)` is that call. */
export async function setUp(
  options: Partial<ScriptedOptions> = {},
  deps: Partial<VipControlLinkDeps> = {},
) {
  const time = createFakeTime();
  const headEnd = await createScriptedHeadEnd({ now: time.clock.now, ...options });
  cleanups.push(headEnd.stop);
  const link = createVipControlLink({
    host: '127.0.0.1',
    port: headEnd.port,
    clientId: 'dispatcher-1',
    casId: 'main',
    epoch: () => 3,
    clock: time.clock,
    random: createFakeRandom(),
    logger: silentLogger,
    timers: time.timers,
    ...deps,
  });
  // First the link, then the head-end: closing must not depend on a reconnect.
  cleanups.push(link.close);
  const minutes = (count: number) => new Date(time.clock.now().getTime() + count * 60_000);
  const refresh = (cmdId: string, fields: Partial<Command> = {}): Command =>
    ({
      op: 'REFRESH',
      cmdId,
      target: cardTarget('4021'),
      args: {},
      prio: 'SALE',
      notAfter: minutes(60),
      ...fields,
    }) as Command;
  const connected = () => until(() => link.state() === 'connected');
  return { time, headEnd, link, refresh, minutes, connected };
}

/** The plain good result of a command. */
export const done = (cmdId: string): Res => ({
  t: 'RES',
  cmdId,
  status: 'DONE',
  code: 'DONE',
  dup: false,
});
