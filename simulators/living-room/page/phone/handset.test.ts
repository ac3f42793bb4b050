import type { Prompt } from '../../api.ts';
import {
  type Act,
  dial,
  type Handset,
  hear,
  idle,
  type Key,
  press,
  promptAgain,
  showPrompt,
  timeOut,
  typeLetter,
} from './handset.ts';
import { softKeys } from './soft-keys.ts';

const around = { serviceCode: '*384*100#', textIds: ['t2', 't1'], unread: 0, nowMs: 0 };
const prompt: Prompt = {
  id: 'p1',
  amount: '650',
  currency: 'KES',
  merchant: 'VIP',
  reference: '1',
};

/** Presses keys one after the other; the acts are what the outside was asked for. */
function pressAll(from: Handset, ...keys: Key[]): { handset: Handset; acts: Act[] } {
  let handset = from;
  const acts: Act[] = [];
  for (const key of keys) {
    const step = press(handset, key, around);
    handset = step.handset;
    if (step.act !== null) acts.push(step.act);
  }
  return { handset, acts };
}

const MENU = 'VIP TV\n1 Pay / renew';
const inMenu = hear(dial('*384*100#').handset, { screen: MENU, reason: null });
const ended = hear(dial('*384*100#').handset, { screen: 'Goodbye.', reason: 'answered' });

describe('dialling', () => {
  it('calls what was typed, with either key', () => {
    const keys: Key[] = ['*', '3', '8', '4', '*', '1', '0', '0', '#'];
    for (const go of ['call', 'left'] as const) {
      const { handset, acts } = pressAll(idle, ...keys, go);
      expect(acts).toEqual([{ act: 'dial', code: '*384*100#' }]);
      expect(handset.at).toEqual({ face: 'session', screen: '', typed: '', waiting: true });
    }
  });

  it('brings back the service code when the green key finds an empty line', () => {
    expect(pressAll(idle, 'call', 'call').acts).toEqual([{ act: 'dial', code: '*384*100#' }]);
  });

  it('erases one character at a time, and all with the red key', () => {
    expect(pressAll(idle, '1', '2', 'right').handset.at).toEqual({ face: 'idle', typed: '1' });
    expect(pressAll(idle, '1', '2', 'end').handset.at).toEqual({ face: 'idle', typed: '' });
  });

  it('types no more than a line holds', () => {
    const { handset } = pressAll(idle, ...Array.from({ length: 60 }, () => '1' as const));
    expect(handset.at).toEqual({ face: 'idle', typed: '1'.repeat(40) });
  });
});

describe('a session', () => {
  it('shows the menu and sends what is typed', () => {
    const { handset, acts } = pressAll(inMenu, '1', 'call');
    expect(acts).toEqual([{ act: 'send', input: '1' }]);
    expect(handset.at).toMatchObject({ face: 'session', screen: MENU, waiting: true });
  });

  it('sends nothing without an input, and nothing while the network answers', () => {
    expect(pressAll(inMenu, 'call', 'left').acts).toEqual([]);
    expect(pressAll(inMenu, '1', 'call', '2', 'call').acts).toHaveLength(1);
  });

  it('takes the letters of a real keyboard', () => {
    expect(typeLetter(inMenu, 'A').at).toMatchObject({ typed: 'A' });
    expect(typeLetter(idle, 'A')).toBe(idle);
  });

  it('ends with what the network says last, and the next digit dials anew', () => {
    expect(ended.at).toEqual({ face: 'ended', reason: 'answered', screen: 'Goodbye.' });
    expect(pressAll(ended, '*').handset.at).toEqual({ face: 'idle', typed: '*' });
    expect(pressAll(ended, 'up').handset).toEqual(ended);
  });

  it('is hung up with the red key, also while the network answers', () => {
    const hungUp = pressAll(dial('*384*100#').handset, 'end');
    expect(hungUp.acts).toEqual([{ act: 'hang_up' }]);
    expect(hungUp.handset.at).toMatchObject({ face: 'ended', reason: 'hung_up' });
    expect(pressAll(inMenu, 'right').acts).toEqual([{ act: 'hang_up' }]);
  });

  it('does not hear an answer that comes after the end', () => {
    const { handset } = pressAll(dial('*384*100#').handset, 'end');
    expect(hear(handset, { screen: MENU, reason: null })).toBe(handset);
  });

  it('ends when no key is pressed', () => {
    expect(timeOut(inMenu).at).toMatchObject({ face: 'ended', reason: 'timed_out' });
    expect(timeOut(idle)).toBe(idle);
  });
});

describe('the prompt of mobile money', () => {
  const asked = showPrompt(ended, prompt);

  it('lies over everything and takes the PIN', () => {
    const { handset, acts } = pressAll(asked, '1', '2', '3', '4', 'left');
    expect(acts).toEqual([{ act: 'pay', id: 'p1', pin: '1234' }]);
    expect(pressAll(handset, 'left', '9', 'right').acts).toEqual([]);
  });

  it('takes digits alone, at most eight, and gives them back', () => {
    const pinOf = (...keys: Key[]) => pressAll(asked, ...keys).handset.prompt?.pin;
    expect(pinOf('1', '*', '#', 'up', '2')).toBe('12');
    expect(pinOf('1', '2', 'erase')).toBe('1');
    expect(pinOf('1', '2', '3', '4', '5', '6', '7', '8', '9')).toBe('12345678');
    expect(typeLetter(asked, 'A')).toBe(asked);
  });

  it('sends nothing without a PIN, and is refused with either key', () => {
    expect(pressAll(asked, 'left', 'call').acts).toEqual([]);
    for (const no of ['right', 'end'] as const) {
      expect(pressAll(asked, no).acts).toEqual([{ act: 'refuse', id: 'p1' }]);
    }
  });

  it('keeps its digits when it is told again, and asks anew when the answer was lost', () => {
    const typed = pressAll(asked, '1').handset;
    expect(showPrompt(typed, prompt)).toBe(typed);
    const sent = pressAll(typed, 'left').handset;
    expect(promptAgain(sent).prompt).toEqual({ id: 'p1', pin: '', waiting: false });
  });

  it('leaves the phone at rest, or in the session that it interrupted', () => {
    expect(showPrompt(asked, null)).toEqual(idle);
    expect(showPrompt(showPrompt(inMenu, prompt), null)).toEqual(inMenu);
  });
});

describe('texts', () => {
  it('are opened from the list, newest first', () => {
    const list = pressAll(idle, 'left').handset;
    expect(list.at).toEqual({ face: 'inbox', row: 1 });
    expect(pressAll(list, 'down', 'down', 'left').handset.at).toEqual({
      face: 'reading',
      id: 't1',
    });
    const back = pressAll(list, 'down', 'left', 'right').handset;
    expect(back.at).toEqual({ face: 'inbox', row: 2 });
  });

  it('are one key away after a session when one is unread', () => {
    const { handset } = press(ended, 'left', { ...around, unread: 1 });
    expect(handset.at).toEqual({ face: 'inbox', row: 1 });
    expect(press(ended, 'left', around).handset).toEqual(idle);
  });

  it('are written with the keys and sent', () => {
    const { handset, acts } = pressAll(idle, 'left', 'up', 'left', '3', '4', 'left');
    expect(acts).toEqual([{ act: 'text', body: 'DG' }]);
    expect(handset.at).toEqual({ face: 'sent' });
  });

  it('are not sent empty, and writing leads back to the list', () => {
    const writing = pressAll(idle, 'left', 'left', 'left').handset;
    expect(writing.at).toMatchObject({ face: 'writing' });
    expect(pressAll(writing, 'left', '0', 'left').acts).toEqual([]);
    expect(pressAll(writing, 'right').handset.at).toEqual({ face: 'inbox', row: 0 });
  });
});

describe('the soft keys', () => {
  it('say what they do now', () => {
    const at = (handset: Handset, unread = 0) => Object.values(softKeys(handset, unread));
    expect(at(idle)).toEqual(['soft.texts', null]);
    expect(at(inMenu)).toEqual([null, 'soft.quit']);
    expect(at(pressAll(inMenu, '1').handset)).toEqual(['soft.send', 'soft.clear']);
    expect(at(ended, 1)).toEqual(['soft.texts', 'soft.ok']);
    expect(at(showPrompt(idle, prompt))).toEqual([null, 'soft.cancel']);
  });
});
