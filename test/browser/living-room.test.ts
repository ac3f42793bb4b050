import { skipSuite } from '../programs.ts';
import { expectAccessible } from './accessible.ts';
import { chromiumProgram } from './chromium.ts';
import { openRoom, type Room, type Visit } from './room.ts';

/**
 * Goal: a visitor sees in the living room what the product promises. Method: real Chromium presses
 * the keys of the telephone and the switches; the television is looked at. Everything behind the
 * page is the demo as `npm start` runs it, on a database of its own; every story has a person of
 * its own, so that none disturbs another.
 */
const AMINA = '+254700000001';
const DANIEL = '+254700000004';
const ESTHER = '+254700000005';
const KHADIJA = '+254700000011';
const MOSES = '+254700000013';
const JAMES = '+254700000010';
const CATHERINE = '+254700000003';
/** In house time the repetition comes each minute; a head-end may need two seconds to execute. */
const PATIENCE_MS = 15_000;

const program = chromiumProgram();

if (program) {
  describe('the living room in Chromium', () => stories(program));
} else {
  skipSuite('the living room', 'chromium');
}

function stories(executablePath: string): void {
  jest.setTimeout(60_000);
  beforeAll(async () => {
    room = await openRoom(executablePath);
  }, 90_000);
  afterEach(async () => {
    await seat?.close();
  });
  afterAll(async () => {
    await room?.close();
  });

  describe('on the road of a payment', paying);
  describe('with telephone and switches', playing);
  describe('for everybody', beingAccessible);
}

let room: Room;
let seat: Visit;

const sit = async (msisdn: string, options = {}): Promise<Visit> => {
  seat = await room.visit(msisdn, options);
  return seat;
};
const picture = (like = '') =>
  seat.page
    .locator(`[data-testid=tv][data-screen=picture]${like}`)
    .waitFor({ timeout: PATIENCE_MS });
const code = (wanted: string) =>
  seat.tv.filter({ hasText: wanted }).waitFor({ timeout: PATIENCE_MS });
const inbox = (like: RegExp) =>
  seat.page.getByTestId('phone-screen').filter({ hasText: like }).waitFor({ timeout: PATIENCE_MS });

/** The way to a prompt for the first term of the card that the menu goes on with. */
const payMonth = async (): Promise<void> => {
  await seat.dial();
  await seat.answer('1', /Card \.\./);
  await seat.answer('1', /1 Yes, /);
  await seat.answer('1', /PIN/);
};

function paying(): void {
  it('shows the way from the dialled code to the picture, and how long it took', async () => {
    await sit(AMINA, { reducedMotion: 'no-preference' });
    await code('V03');
    await expect(seat.page.getByTestId('time-to-picture').first().textContent()).resolves.toMatch(
      /^\W*–/,
    );
    await payMonth();
    await seat.enterPin('1234');
    await picture();
    await inbox(/Paid KES 650/);
    await seat.page.getByTestId('tv-osd').filter({ hasText: 'Paid KES 650' }).waitFor();
    const ride = seat.page.getByTestId('ride').first();
    await ride.filter({ hasText: 'On air' }).waitFor();
    const steps = await ride.getByRole('listitem').allTextContents();
    for (const step of ['Dialled', 'PIN', 'Notice', 'books', 'sent', 'On air', 'Picture']) {
      expect(steps.join('\n')).toContain(step);
    }
    const figure = await seat.page.getByTestId('time-to-picture').first().textContent();
    expect(figure).toMatch(/\d+(\.\d+)? ?(m?s)/);
  });

  it('brings the picture to a decoder that was off when it was paid', async () => {
    await sit(KHADIJA);
    await code('V03');
    await seat.switchTo('power', false);
    await payMonth();
    await seat.enterPin('1234');
    await inbox(/Paid KES 650/);
    await seat.page.getByTestId('ride').first().filter({ hasText: 'On air' }).waitFor();
    await seat.page.getByTestId('later-40').click();
    await seat.switchTo('power', true);
    // Nobody does anything; within one repetition period, which may end at once, it is back.
    await room.later(1);
    await picture();
  });

  it('settles while VIP Control is down, and goes on air when it is back', async () => {
    await sit(DANIEL);
    await seat.switchTo('vip', false);
    await payMonth();
    await seat.enterPin('1234');
    await inbox(/Paid KES 650/);
    await room.later(1);
    await seat.page.getByTestId('dark').filter({ hasText: '..0051' }).waitFor();
    await expect(seat.tv.getAttribute('data-screen')).resolves.toBe('blocked');
    await seat.switchTo('vip', true);
    await picture();
    await seat.page.getByTestId('dark').filter({ hasText: 'Nobody' }).waitFor();
  });
}

function playing(): void {
  it('moves nothing on a wrong PIN or a refusal, and says why', async () => {
    await sit(MOSES);
    await payMonth();
    await seat.enterPin('9999');
    await inbox(/Not paid: KES 650.*PIN/s);
    await payMonth();
    await seat.screen.filter({ hasText: /PIN:/ }).waitFor();
    await seat.page.getByTestId('key-right').click();
    await inbox(/Not paid: KES 650.*declined/s);
    await code('V03');
  });

  it('turns TV units into credit and pays with it', async () => {
    await sit(ESTHER);
    await code('V03');
    await seat.dial();
    await seat.answer('4', /TV units/);
    await seat.answer('2', /How many/);
    await seat.answer('700', /700/);
    await seat.answer('1', /Done|Ref/);
    await seat.press('');
    await seat.page.getByTestId('key-end').click();
    await seat.dial();
    await seat.answer('1', /Card \.\./);
    await seat.answer('1', /3 Pay with credit|3 Credit/);
    await seat.answer('3', /Paid/);
    await picture();
  });

  it('speaks French on the telephone and on the page', async () => {
    await sit(JAMES);
    await seat.dial();
    await seat.answer('0', /Payer/);
    await seat.page.getByTestId('key-end').click();
    await seat.page.getByTestId('language').click();
    await expect(seat.page.locator('html').getAttribute('lang')).resolves.toBe('fr');
    await seat.page
      .getByRole('heading', { name: /route|chemin|salon/i })
      .first()
      .waitFor();
  });

  it('can be used with the keyboard alone', async () => {
    await sit(CATHERINE);
    const { page } = seat;
    await page.getByTestId('key-call').focus();
    await page.keyboard.type('*384*100#');
    await page.keyboard.press('Enter');
    await seat.screen.filter({ hasText: /VIP TV/ }).waitFor();
    await page.keyboard.type('3');
    await page.keyboard.press('Enter');
    await seat.screen.filter({ hasText: /Credit/ }).waitFor();
    await page.keyboard.press('Escape');
    await page.locator('[data-testid=phone-screen]:not([data-face=session])').waitFor();
  });

  it('leaves free channels on a suspended card, and gives back what is paid', async () => {
    await sit(JAMES);
    await picture();
    await seat.page.getByTestId('suspend').click();
    await code('V04');
    await seat.page.getByTestId('remote-programme').selectOption('NEWS1');
    await picture('[data-service=NEWS1]');
    await seat.page.getByTestId('remote-programme').selectOption('NOVA1');
    await code('V04');
    await seat.page.getByTestId('unsuspend').click();
    await picture('[data-service=NOVA1]');
  });
}

function beingAccessible(): void {
  it.each([
    ['a phone', 360, 740, 'light'],
    ['a laptop', 1280, 800, 'dark'],
    ['a projector', 1920, 1080, 'light'],
  ] as const)('is accessible on %s, also in a session and in French', async (...shape) => {
    const [, width, height, colorScheme] = shape;
    await sit(CATHERINE, { viewport: { width, height }, colorScheme });
    await expectAccessible(seat.page);
    await seat.dial();
    await expectAccessible(seat.page);
    await seat.page.getByTestId('language').click();
    await expectAccessible(seat.page);
    const { scrollWidth } = (await seat.page.evaluate(
      '({ scrollWidth: document.body.scrollWidth })',
    )) as {
      scrollWidth: number;
    };
    expect(scrollWidth).toBeLessThanOrEqual(width);
  });
}
