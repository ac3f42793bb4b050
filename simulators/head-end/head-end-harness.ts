/** A head-end of one test's own in a time of its own, and links to it over a line to be cut. */
import { appendFile, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Command,
  type CommandOutcome,
  cardTarget,
  type LinkRight,
} from '../../src/entitlement/vip-control/command.ts';
import {
  createVipControlLink,
  type VipControlLink,
} from '../../src/entitlement/vip-control/link.ts';
import {
  createFakeRandom,
  createFakeTime,
  type FakeTime,
  until,
} from '../../src/entitlement/vip-control/testing.ts';
import { silentLogger } from '../../src/platform/log.ts';
import { makeTestFolder } from '../../src/platform/test-database.ts';
import type { VipControlServerDeps } from './head-end.ts';
import { createLossyLine } from './lossy-line.ts';
import { createVipControlServer } from './server.ts';

export const NOW = new Date('2026-11-23T13:00:00Z');
export const ESS: LinkRight = { product: 'ESS', from: NOW, to: new Date('2026-12-23T23:00:00Z') };
export const MAX: LinkRight = { ...ESS, product: 'MAX' };
const common = { prio: 'SALE', notAfter: new Date('2026-11-24T14:00:00Z') } as const;

/** Rights for a card; `4021` unless it is said. */
export function entitle(cmdId: string, rev: number, set: LinkRight[], card = '4021'): Command {
  return { ...common, op: 'ENTITLE', cmdId, target: cardTarget(card), rev, set };
}

/** A message for card `4021`. */
export function osd(cmdId: string, said: { text?: string; forced?: boolean } = {}): Command {
  const args = { text: 'Bonjour', durationSeconds: 20, ...said };
  return { ...common, op: 'OSD', cmdId, target: cardTarget('4021'), args };
}

/** The rights of card `4021` once more, for so long. */
export function refresh(cmdId: string, boostSeconds: number): Command {
  const args = { scope: 'rights', boostSeconds } as const;
  return { ...common, op: 'REFRESH', cmdId, target: cardTarget('4021'), args };
}

const cleanups: (() => Promise<unknown>)[] = [];

/** Closes later, in reverse order, what a test has opened. */
export function closeLater(cleanup: () => Promise<unknown>): void {
  cleanups.push(cleanup);
}

/** For `afterEach`: closes all that is open. */
export async function tearDown(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
}

/** A head-end without latency, and a link to it; time stands still but for `time.advance`. */
export async function setUp(options: Partial<VipControlServerDeps> = {}) {
  const folder = makeTestFolder();
  closeLater(() => rm(folder, { recursive: true }));
  const time = createFakeTime(NOW);
  const dataFile = join(folder, 'journal.jsonl');
  const start = (changed: Partial<VipControlServerDeps> = {}) =>
    createVipControlServer({
      port: 0,
      host: '127.0.0.1',
      dataFile,
      clock: time.clock,
      timers: time.timers,
      logger: silentLogger,
      latencyMs: 0,
      ...options,
      ...changed,
    });
  const house = { headEnd: await start() };
  closeLater(() => house.headEnd.stop());
  const line = await createLossyLine(() => house.headEnd.port);
  closeLater(line.stop);
  const restart = async (changed: Partial<VipControlServerDeps> = {}, torn = '') => {
    await house.headEnd.stop();
    await appendFile(dataFile, torn);
    house.headEnd = await start(changed);
  };
  const executions = async (cmdId: string) =>
    (await readFile(dataFile, 'utf8'))
      .split('\n')
      .filter((text) => text.startsWith('{"k":"res"') && text.includes(`"${cmdId}"`)).length;
  const openLink = (epoch = 1) => linkTo(line.port, time, epoch);
  return { folder, time, house, line, restart, executions, openLink, link: openLink() };
}

function linkTo(port: number, time: FakeTime, epoch: number) {
  const link = createVipControlLink({
    host: '127.0.0.1',
    port,
    clientId: 'dispatcher-1',
    casId: 'main',
    epoch: () => epoch,
    clock: time.clock,
    random: createFakeRandom(),
    logger: silentLogger,
    timers: time.timers,
  });
  closeLater(link.close);
  return link;
}

/** Waits until the link has noticed that it was cut off, and lets it try again. */
export async function reconnect(link: VipControlLink, time: FakeTime): Promise<void> {
  await until(() => link.state() === 'connecting');
  time.advance(100);
}

export interface Sent {
  outcome?: CommandOutcome;
}

/** Sends a command that need not come to an outcome soon. */
export function sendOff(link: VipControlLink, command: Command): Sent {
  const sent: Sent = {};
  void link.send(command).then((outcome) => {
    sent.outcome = outcome;
  });
  return sent;
}
