/** The living room as a visitor finds it: the whole demo in this process, and pages in Chromium. */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { demoHouse } from '../../simulators/demo/start.ts';
import { silentLogger } from '../../src/platform/log.ts';
import { createTestDatabase, makeTestFolder } from '../../src/platform/test-database.ts';
import { type Product, startProduct } from '../../src/product.ts';
import { demoConfig } from '../demo-config.ts';
import { launchChromium } from './chromium.ts';

export interface Room {
  product: Product;
  browser: Browser;
  /**
   * Sits down as the owner of this phone, who wants no motion unless the options say otherwise; the
   * page is live when it is returned.
   */
  visit(msisdn: string, options?: BrowserContextOptions): Promise<Visit>;
  /** The whole house moves on, by less than the page has a button for. */
  later(minutes: number): Promise<void>;
  close(): Promise<void>;
}

export interface Visit {
  page: Page;
  tv: Locator;
  screen: Locator;
  /** Presses keys of the telephone one after the other. */
  press(keys: string): Promise<void>;
  /** Dials the code of the operator and waits for the menu. */
  dial(): Promise<void>;
  /** Answers a menu, and waits for a screen like this. */
  answer(typed: string, like: RegExp): Promise<void>;
  /** Waits for the prompt of mobile money and types a PIN. */
  enterPin(pin: string): Promise<void>;
  switchTo(name: string, isOn: boolean): Promise<void>;
  close(): Promise<void>;
}

const ROOT = join(import.meta.dirname, '../..');

/** Builds the page, starts the demo on a database of its own, and a browser. */
export async function openRoom(executablePath: string): Promise<Room> {
  execFileSync(process.execPath, [join(ROOT, 'scripts/build-pages.mjs')], { stdio: 'pipe' });
  const database = await createTestDatabase();
  const dataDir = makeTestFolder();
  const { appUrl, ownerUrl } = database;
  const config = demoConfig(dataDir, { kind: 'server', appUrl, ownerUrl });
  const product = await startProduct({
    config,
    logger: silentLogger,
    pushDelayMs: 0,
    ...demoHouse(config, silentLogger),
  });
  const browser = await launchChromium(executablePath);
  const url = `${product.url}/living-room/`;
  return {
    product,
    browser,
    visit: (msisdn, options = {}) => visit(browser, url, msisdn, options),
    async later(minutes) {
      const response = await fetch(`${url}later`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ minutes }),
      });
      if (!response.ok) throw new Error(`Later: ${await response.text()}`);
    },
    async close() {
      await browser.close();
      await product.stop();
      await database.drop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

async function visit(
  browser: Browser,
  url: string,
  msisdn: string,
  options: BrowserContextOptions,
): Promise<Visit> {
  // The television moves without end, which costs a machine without graphics half its time.
  const still = { viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce' } as const;
  const context = await browser.newContext({ ...still, ...options });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  await page.goto(url);
  const live = page.locator('[data-testid=room][data-connection=live]');
  await live.waitFor();
  await page.getByTestId('person').selectOption(msisdn);
  await live.waitFor();
  const screen = page.getByTestId('phone-screen');
  const tv = page.getByTestId('tv');
  const press = async (keys: string) => {
    for (const key of keys) await page.getByTestId(`key-${key}`).click();
  };
  const shows = (like: RegExp) => screen.filter({ hasText: like }).waitFor();
  return {
    page,
    tv,
    screen,
    press,
    async dial() {
      await page.getByTestId('speed-dial').click();
      await shows(/VIP TV/);
    },
    async answer(typed, like) {
      await press(typed);
      await page.getByTestId('key-call').click();
      await shows(like);
    },
    async enterPin(pin) {
      await shows(/PIN:/);
      await press(pin);
      await page.getByTestId('key-call').click();
    },
    async switchTo(name, isOn) {
      // As a person does: the label is on top of the input. The server has the last word.
      const input = page.getByTestId(`switch-${name}`);
      if ((await input.isChecked()) !== isOn) await input.dispatchEvent('click');
      await page.locator(`[data-testid=switch-${name}][data-checked=${isOn}]`).waitFor();
    },
    async close() {
      await context.close();
      if (faults.length > 0) throw new Error(`The page failed: ${faults.join('; ')}`);
    },
  };
}
