import type { Prompt, RoadStep, RoadStepName, TvView } from '../api.ts';
import { nextStage } from './hint.ts';

const prompt: Prompt = { id: 'p', amount: '650', currency: 'KES', merchant: 'VIP', reference: '1' };
const road = (...names: RoadStepName[]): RoadStep[] =>
  names.map((step, id) => ({ id, step, at: '2026-11-23T12:00:00.000Z' }));
const blocked = (code: string) => ({ screen: { kind: 'blocked', code, osd: null } }) as TvView;

describe('the hint for newcomers', () => {
  it('goes from dialling over paying and watching to the end', () => {
    expect(nextStage([], null, null)).toBe('dial');
    expect(nextStage(road('dialled'), null, null)).toBe('dial');
    expect(nextStage(road('dialled', 'prompted'), prompt, null)).toBe('pay');
    expect(nextStage(road('dialled', 'prompted', 'answered'), null, null)).toBe('watch');
    expect(nextStage(road('dialled', 'settled', 'sent'), null, null)).toBe('watch');
    expect(nextStage(road('dialled', 'settled', 'sent', 'picture'), null, null)).toBe('done');
  });

  it('is at its end when a picture that never went stays', () => {
    const renewed = road('dialled', 'settled', 'sent', 'accepted', 'on_air');
    const picture = { screen: { kind: 'picture', service: 'NEWS1', osd: null } } as TvView;
    expect(nextStage(renewed, null, picture)).toBe('done');
    const later = [...renewed, ...road('picture', 'sent', 'on_air')].map((one, id) => ({
      ...one,
      id,
    }));
    expect(nextStage(later, null, blocked('V04'))).toBe('done');
  });

  it('asks to dial again after a prompt that was refused, and when the time is over', () => {
    const refused = road('prompted', 'answered').map((step) => ({ ...step, detail: 'cancel' }));
    expect(nextStage(refused, null, null)).toBe('dial');
    const paid = road('dialled', 'settled', 'picture');
    expect(nextStage(paid, null, blocked('V03'))).toBe('dial');
    expect(nextStage(paid, null, blocked('V06'))).toBe('done');
  });
});
