import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { createHeadEndHttp, type HeadEndHttp } from '../../simulators/head-end/http.ts';
import { createVipControlServer, type VipControlServer } from '../../simulators/head-end/server.ts';
import { cardTarget } from '../../src/entitlement/vip-control/command.ts';
import {
  createVipControlLink,
  type VipControlLink,
} from '../../src/entitlement/vip-control/link.ts';
import { silentLogger } from '../../src/platform/log.ts';
import { systemClock, systemRandom } from '../../src/platform/system.ts';
import { makeTestFolder } from '../../src/platform/test-database.ts';
import { skipSuite } from '../programs.ts';
import { expectAccessible } from './accessible.ts';
import { chromiumProgram, launchChromium } from './chromium.ts';

/**
 * Goal: whoever runs a trial sees the head-end at work and makes it fail with a button. Method: a
 * real head-end with 10,000 decoders, a real link to it, and its page in Chromium.
 */
const DECODERS = 10_000;
const FIRST_CARD = 4_021_000_000;
const host = '127.0.0.1';
const program = chromiumProgram();

if (program) {
  describe('the page of the head-end in Chromium', () => stories(program));
} else {
  skipSuite('the page of the head-end', 'chromium');
}

let folder: string;
let headEnd: VipControlServer;
let http: HeadEndHttp;
let link: VipControlLink;
let browser: Browser;
let page: Page;
const pageErrors: string[] = [];

const cardOf = (n: number): string => String(FIRST_CARD + n);
const text = (selector: string, like: RegExp) =>
  page.locator(selector).filter({ hasText: like }).first().waitFor();

function stories(executablePath: string): void {
  jest.setTimeout(60_000);
  beforeAll(async () => {
    await open();
    browser = await launchChromium(executablePath);
  });
  afterEach(async () => {
    headEnd?.faults.heal();
    await page?.close();
    expect(pageErrors.splice(0)).toEqual([]);
  });
  afterAll(async () => {
    await browser?.close();
    await link?.close();
    await http?.stop();
    await headEnd?.stop();
    rmSync(folder, { recursive: true });
  });

  it('shows the work, the air, and ten thousand decoders by what they show', atWork);
  it('finds one card, and turns its decoder off and on', oneCard);
  it('makes the head-end fail, heals it, and says what it cannot do', failing);
  it.each([
    ['a laptop', 1280, 800, 'light'],
    ['a phone', 390, 844, 'dark'],
  ] as const)('is accessible and fits on %s', async (_, width, height, colorScheme) => {
    await visit({ viewport: { width, height }, colorScheme });
    headEnd.faults.set({ kind: 'late', value: 3_000, percent: 20 });
    await page.locator('.tv').first().click();
    await text('#chosen-title', /Card/);
    await text('#faults', /late/);
    await expectAccessible(page);
    const wide = await page.evaluate('document.documentElement.scrollWidth');
    expect(wide).toBeLessThanOrEqual(width);
  });
}

async function open(): Promise<void> {
  folder = makeTestFolder();
  headEnd = await createVipControlServer({
    ...{ port: 0, host, clock: systemClock, logger: silentLogger, latencyMs: 0 },
    dataFile: join(folder, 'journal.jsonl'),
    services: [{ code: 'NOVA', name: 'Nova', product: 'ESS' }],
  });
  http = await createHeadEndHttp({ headEnd, host, port: 0, clock: systemClock });
  link = createVipControlLink({
    ...{ host, port: headEnd.port, clientId: 'dispatcher-1', casId: 'main', epoch: () => 1 },
    ...{ clock: systemClock, random: systemRandom, logger: silentLogger },
  });
  for (let n = 0; n < DECODERS; n += 1) {
    headEnd.air.decoders.add({ stb: `STB-${n}`, card: cardOf(n), service: 'NOVA' });
  }
  await Promise.all(Array.from({ length: 50 }, (_, n) => grant(n, 1)));
}

function grant(n: number, rev: number) {
  const from = new Date(systemClock.now().getTime() - 1_000);
  const to = new Date(from.getTime() + 30 * 24 * 3_600_000);
  return link.send({
    ...{ op: 'ENTITLE', cmdId: `c${n}.${rev}`, rev, prio: 'SALE', notAfter: to },
    target: cardTarget(cardOf(n)),
    set: [{ product: 'ESS', from, to }],
  });
}

async function visit(options: Parameters<Browser['newPage']>[0] = {}): Promise<void> {
  page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...options });
  page.on('pageerror', (error) => pageErrors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().includes('400')) {
      pageErrors.push(message.text());
    }
  });
  await page.goto(`http://${host}:${http.port}/`);
  await page.locator('body[data-connection=live]').waitFor();
  await text('#page', /Page 1 of/);
}

async function atWork(): Promise<void> {
  await visit();
  await text('#decoder-count', /^10,000$/);
  await text('#codes button', /^Picture: 50$/);
  await text('#codes button', /^V07 waits for rights: 9,950$/);
  await text('#page', /^Page 1 of 84$/);
  await text('#sessions', /dispatcher-1: 0 in flight/);
  await text('#air', /50 every 10 s/);
  await text('#commands', /ENTITLE.*DONE/);
  await grant(60, 1);
  await text('#codes button', /^Picture: 51$/);
  await page.locator('#codes button', { hasText: 'Picture' }).click();
  await text('#page', /^Page 1 of 1$/);
  expect(await page.locator('.tv').count()).toBe(51);
}

async function oneCard(): Promise<void> {
  await visit();
  await page.getByLabel('Card', { exact: true }).fill(cardOf(7));
  await page.getByRole('button', { name: 'Search' }).click();
  const tv = page.locator(`.tv[data-card="${cardOf(7)}"]`);
  await tv.click();
  await text('#chosen-text', /NOVA.*Revision here 1\.1, in the home 1\.1.*ESS to/);
  await page.getByRole('button', { name: 'Power' }).click();
  await page.locator(`.tv[data-card="${cardOf(7)}"][data-kind=off]`).waitFor();
  await page.getByRole('button', { name: 'Power' }).click();
  await page.locator(`.tv[data-card="${cardOf(7)}"][data-kind=picture]`).waitFor();
}

async function failing(): Promise<void> {
  await visit();
  await page.getByLabel('What goes wrong').selectOption('rate');
  await text('#does', /so many commands a second/);
  await page.getByLabel('Value').fill('0.01');
  await page.getByRole('button', { name: 'Make it fail' }).click();
  await text('#answer', /value: 0\.1 to 10000/);
  await page.getByLabel('Value').fill('0.1');
  await page.getByRole('button', { name: 'Make it fail' }).click();
  await text('#faults', /rate 0\.1: met 0/);
  const sale = grant(70, 1);
  await text('#queue tr', /SALE1/);
  await page.getByRole('button', { name: 'Heal rate' }).click();
  await text('#faults', /None/);
  await page.getByRole('button', { name: 'Cut VIP Control' }).click();
  await text('#state', /VIP Control is cut/);
  await page.getByRole('button', { name: 'Bring VIP Control back' }).click();
  await text('#state', /Running well/);
  expect(await sale).toMatchObject({ kind: 'done' });
  await page.getByRole('button', { name: 'Restart', exact: true }).click();
  await text('#sessions', /dispatcher-1/);
}
