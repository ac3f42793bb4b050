/**
 * A night's work as a process of its own, so that its memory is the product's and it can be killed:
 * renews what is due, or invoices the contracts that are. Says when it is ready, and what it did
 * when it is asked.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { doDue } from '../src/billing/settlement/due-list.ts';
import type { Settlement } from '../src/billing/settlement/service.ts';
import { contracts, contractsService } from './contracts.ts';
import { type House, openHouse } from './house.ts';
import { format } from './measure.ts';
import { months } from './months.ts';
import type { Memory, NightReport, NightTask } from './night.ts';
import { freshDay, paymentOf, receiptOf } from './payments.ts';

const MARKS = [0.1, 0.5, 1];
const MB = 2 ** 20;

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

process.once('message', async (task: NightTask) => {
  const house = await openHouse(task);
  const work = task.kind === 'prepaid' ? renew : invoice;
  process.once('disconnect', () => process.exit(0));
  process.once('message', async () => {
    process.send?.(await work(house, task));
  });
  process.send?.({});
});

/** Notes memory as the work passes its marks. */
function watchProgress(total: number) {
  const memory: Memory[] = [];
  let done = 0;
  const note = (share: number) => {
    collectGarbage();
    const { rss, heapUsed } = process.memoryUsage();
    const [rssMb, heapMb] = [rss / MB, heapUsed / MB];
    memory.push({ share, rssMb, heapMb });
    process.stderr.write(
      `  at ${100 * share} %: RSS ${format(rssMb)} MB, heap ${format(heapMb)} MB\n`,
    );
  };
  return {
    memory,
    done: () => done,
    tick() {
      done += 1;
      const mark = MARKS[memory.length];
      if (mark !== undefined && done >= mark * total) note(mark);
    },
  };
}

/** Wakes once, as the job does. */
async function renew(house: House, task: NightTask): Promise<NightReport> {
  const settlement = house.openSettlement();
  const progress = watchProgress(task.total);
  const counted: Pick<Settlement, 'settleAutomatic'> = {
    async settleAutomatic(command) {
      const outcome = await settlement.settleAutomatic(command);
      progress.tick();
      return outcome;
    },
  };
  const clock = { now: () => months.at };
  const startMs = performance.now();
  const payments = startPayments(house, settlement, task.payers);
  await doDue({ pool: house.pool, settlement: counted, clock });
  const seconds = (performance.now() - startMs) / 1000;
  const latenciesMs = await payments.stop();
  await settlement.close();
  return { done: progress.done(), seconds, memory: progress.memory, latenciesMs };
}

/** Payments at fixed instants, whether or not earlier ones are answered. */
function startPayments(house: House, settlement: Settlement, payers: NightTask['payers']) {
  const latencies: Promise<number>[] = [];
  const stopped = new AbortController();
  const day = freshDay();
  const pay = async (n: number, serial: number): Promise<number> => {
    const startMs = performance.now();
    const payment = paymentOf(house.site.id, receiptOf(day, serial), n, new Date());
    const outcome = await settlement.settle(payment);
    if (outcome.kind !== 'done') throw new Error(`A payment ended as ${outcome.kind}`);
    return performance.now() - startMs;
  };
  const run = async ({ first, count, perSecond }: NonNullable<NightTask['payers']>) => {
    for (let dueMs = performance.now(); !stopped.signal.aborted; dueMs += 1000 / perSecond) {
      await pause(Math.max(0, dueMs - performance.now()));
      const late = performance.now() - dueMs;
      const n = first + (latencies.length % count);
      latencies.push(pay(n, latencies.length).then((ms) => ms + late));
    }
  };
  const running = payers ? run(payers) : Promise.resolve();
  return {
    async stop() {
      stopped.abort();
      await running;
      return Promise.all(latencies);
    },
  };
}

async function invoice(house: House, task: NightTask): Promise<NightReport> {
  const progress = watchProgress(task.total);
  const service = contractsService(house.pool, contracts.at, () => progress.tick());
  const startMs = performance.now();
  const { accounts, failed } = await service.billingRun(contracts.at);
  const seconds = (performance.now() - startMs) / 1000;
  if (failed.length > 0) throw new Error(`${failed.length} accounts failed`);
  return { done: accounts, seconds, memory: progress.memory, latenciesMs: [] };
}
