/** What the dialogue does when gateways repeat, services hang and the store is away. */

import { createHash } from 'node:crypto';
import type { UssdTurn } from '../canonical.ts';
import { ANSWER_MS_MAX } from './engine.ts';
import { HOPS_MAX } from './hop.ts';
import { CALLER, IVORY_COAST, KENYA, memory, phone, play, RICH, world } from './script.fixture.ts';

const RICH_RESELLER = { ...RICH, isReseller: true };
const TRY_AGAIN = 'END Sorry, not possible just now. Please try again in a minute.';
const UNCLEAR =
  'END We are working on it and will send you a text. Please do not pay again before.';
const SLOW = 'END This takes too long. Nothing was paid. Please dial again.';

describe('a repeated request', () => {
  it('acts once and hears the same while the first is still being worked on', async () => {
    const on = world();
    const caller = phone(on);
    await caller.dial('1*1');
    const replies = await Promise.all([caller.request('1*1*1'), caller.request('1*1*1')]);
    expect(replies[0]).toBe(replies[1]);
    expect(on.acts).toHaveLength(1);
  });

  it('acts under the same key on two gateways at once', async () => {
    const on = world();
    const store = memory();
    const one = phone(on, { store });
    const two = phone(on, { store });
    await one.dial('1*1');
    await two.dial('1*1');
    await Promise.all([one.request('1*1*1'), two.request('1*1*1')]);
    expect(on.acts).toHaveLength(2);
    expect(on.acts[0]?.key).toBe(on.acts[1]?.key);
  });

  it('acts under the same key when the session could not be written after the act', async () => {
    const on = world();
    const caller = phone(on);
    await caller.dial('1*1');
    const { set } = caller.store;
    caller.store.set = async () => {
      throw new Error('store away');
    };
    const first = await caller.request('1*1*1');
    caller.store.set = set;
    expect(await caller.request('1*1*1')).toBe(first);
    expect(first).toMatch(/^END A prompt/);
    expect(on.acts[0]?.key).toBe(on.acts[1]?.key);
  });

  it('that was overtaken by a later one changes nothing', async () => {
    const on = world();
    const caller = phone(on);
    await caller.dial();
    await caller.send('1');
    await caller.send('1');
    const last = await caller.send('1');
    expect(await caller.request('1*1')).toBe(last);
    expect(await caller.request('1')).toBe(last);
    expect(await caller.request('1*1*1')).toBe(last);
    expect(on.acts).toHaveLength(1);
  });

  it('gets a new key in a new session, even when the gateway uses its id again', async () => {
    const on = world();
    let ms = 0;
    const caller = phone(on, { clock: { now: () => new Date(1_800_000_000_000 + ms) } });
    for (let dial = 0; dial < 2; dial += 1) {
      ms += 60_000;
      await caller.request('');
      await caller.request('1');
      await caller.request('1*1');
      await caller.request('1*1*1');
    }
    expect(new Set(on.acts.map(({ key }) => key)).size).toBe(2);
  });
});

describe('the store', () => {
  it('is read once and written once a hop', async () => {
    const caller = phone(world());
    await caller.request('');
    for (const cumulative of [
      '3',
      '3*0',
      '3*0*4',
      '3*0*4*1',
      '3*0*4*1*00',
      '3*0*4*1*00*2',
      '3*0*4*1*00*2*3',
    ]) {
      caller.store.reads = 0;
      caller.store.writes = 0;
      await caller.request(cumulative);
      expect([caller.store.reads, caller.store.writes]).toEqual([1, 1]);
    }
  });

  it('away at reading or writing, asks to try again and moves nothing', async () => {
    for (const call of ['get', 'set'] as const) {
      const on = world({ ...CALLER, language: 'fr' });
      const caller = phone(on, { channel: IVORY_COAST });
      caller.store[call] = async () => {
        throw new Error('store away');
      };
      expect(await caller.request('')).toBe(
        "END Desole, impossible pour l'instant. Reessayez dans une minute.",
      );
      expect(caller.log).toMatchObject([{ event: 'ussd.store_failed' }]);
      expect(on.acts).toEqual([]);
    }
  });

  it('emptied in mid-session, shows the confirm screen again and does not act', async () => {
    const on = world();
    const caller = phone(on);
    await caller.dial();
    await caller.send('1');
    const confirm = await caller.send('1');
    caller.store.records.clear();
    expect(await caller.send('1')).toBe(confirm);
    expect(on.acts).toEqual([]);
  });

  it('holding a record of another version, starts again', async () => {
    const caller = phone(world());
    const main = await caller.dial();
    for (const key of caller.store.records.keys()) {
      caller.store.records.set(key, '{"version":0,"value":{}}');
      expect(await caller.request('')).toBe(main);
      caller.store.records.set(key, 'not JSON');
      expect(await caller.request('')).toBe(main);
    }
  });
});

describe('a service', () => {
  it('slow at reading, ends with nothing paid, and the payment can be resumed', async () => {
    const on = world();
    let late = false;
    const budgets: number[] = [];
    const caller = phone(on, {
      within: async (ms, work) => {
        budgets.push(ms);
        if (!late) return work;
        await Promise.race([work, new Promise((resolve) => setImmediate(resolve))]);
        return 'timeout';
      },
    });
    await caller.dial('1');
    late = true;
    const { card } = on.services;
    on.services.card = () => new Promise(() => undefined);
    expect(await caller.request('1*1')).toBe(SLOW);
    late = false;
    expect(await caller.request('1*1')).toBe(SLOW);
    expect(budgets[0]).toBe(ANSWER_MS_MAX);
    on.services.card = card;
    expect(await caller.dial()).toMatch(/^Continue paying card ..4417/);
  });

  it('slow at acting, promises a text and does not offer the payment again', async () => {
    const on = world();
    let late = false;
    const caller = phone(on, {
      within: async (_ms, work) => {
        if (!late) return work;
        await Promise.race([work, new Promise((resolve) => setImmediate(resolve))]);
        return 'timeout';
      },
    });
    await caller.dial('1*1');
    late = true;
    on.services.payByMobileMoney = () => new Promise(() => undefined);
    expect(await caller.request('1*1*1')).toBe(UNCLEAR);
    late = false;
    expect(await caller.request('1*1*1')).toBe(UNCLEAR);
    expect(await caller.dial()).toMatch(/^VIP TV/);
  });

  it('never acts after the caller was told that it did not', async () => {
    const on = world();
    let late = false;
    const caller = phone(on, { within: async (_ms, work) => (late ? 'timeout' : work) });
    await caller.dial('1*1');
    const { get } = caller.store;
    let release: () => void = () => undefined;
    const hung = new Promise<void>((resolve) => {
      release = resolve;
    });
    caller.store.get = async (key) => {
      await hung;
      return get.call(caller.store, key);
    };
    late = true;
    expect(await caller.request('1*1*1')).toBe(TRY_AGAIN);
    release();
    await new Promise((resolve) => setImmediate(resolve));
    expect(on.acts).toEqual([]);
  });

  it('failing at reading asks to try again; failing at acting promises a text', async () => {
    const on = world();
    const caller = phone(on);
    await caller.dial('1*1');
    on.services.payByMobileMoney = async () => {
      throw new Error('connection lost');
    };
    expect(await caller.send('1')).toBe(UNCLEAR);
    on.services.caller = async () => {
      throw new Error('connection lost');
    };
    expect(await caller.dial()).toBe(TRY_AGAIN);
    expect(caller.log.map(({ event }) => event)).toContain('ussd.failed');
  });

  it('failing with the PIN in its message leaves no PIN in the log', async () => {
    const on = world(RICH_RESELLER);
    on.services.sendUnits = async (_act, _to, _units, pin) => {
      throw new Error(`bad argument ${pin}`);
    };
    const caller = phone(on);
    await caller.dial('4*3*0712000111*500');
    expect(await caller.send('4321')).toBe(UNCLEAR);
    const kept = JSON.stringify([...caller.store.records, caller.log]);
    expect(kept).not.toContain('4321');
    expect(kept).not.toContain(createHash('sha256').update('4321').digest('hex'));
  });
});

describe('limits', () => {
  it('end a session after forty answers', async () => {
    const caller = phone(world());
    await caller.dial();
    for (let hop = 0; hop < HOPS_MAX; hop += 1) {
      expect(await caller.send('9')).toMatch(/^Choose/);
    }
    const end = 'END Too many steps. Nothing was paid. Please dial again.';
    expect(await caller.send('9')).toBe(end);
    expect(await caller.send('9')).toBe(end);
  });

  it('refuse a session id or an input string beyond any gateway', async () => {
    const caller = phone(world());
    expect(await caller.request('1'.repeat(3_000))).toBe(TRY_AGAIN);
    const request = { sessionId: 'S'.repeat(200), msisdn: null, serviceCode: null, cumulative: '' };
    expect((await caller.dialogue.handle(KENYA, request)).close).toBe(true);
    expect(caller.store.records.size).toBe(0);
  });

  it('let a caller without a number go with a word', async () => {
    expect(await phone(world(), { msisdn: null }).dial()).toMatch(/^END Sorry, your phone number/);
  });
});

describe('a gateway that sends single inputs', () => {
  const hop = (phase: UssdTurn['phase'], input: string | null): UssdTurn => ({
    type: 'ussd.turn',
    sessionId: 'T1',
    msisdn: '+254712345678',
    serviceCode: KENYA.serviceCode,
    phase,
    input,
    dialled: null,
  });

  it('walks the same menus, and an empty answer repeats the screen', async () => {
    const on = world();
    const { dialogue } = phone(on);
    expect((await dialogue.turn(KENYA, hop('begin', null))).text).toMatch(/^VIP TV/);
    const terms = await dialogue.turn(KENYA, hop('input', '1'));
    expect(terms.text).toMatch(/^Card ..4417/);
    expect(await dialogue.turn(KENYA, hop('input', ''))).toEqual(terms);
    await dialogue.turn(KENYA, hop('input', '1'));
    const end = await dialogue.turn(KENYA, hop('input', '1'));
    expect(end.close).toBe(true);
    expect(await dialogue.turn(KENYA, hop('input', '1'))).toEqual(end);
    expect(on.acts).toHaveLength(1);
  });

  it('may say that the caller hung up', async () => {
    const on = world();
    const { dialogue, log } = phone(on);
    for (const phase of ['end', 'abort', 'timeout'] as const) {
      expect((await dialogue.turn(KENYA, hop(phase, null))).close).toBe(true);
    }
    await dialogue.end(KENYA, {
      type: 'ussd.end',
      sessionId: 'T1',
      msisdn: null,
      outcome: 'incomplete',
    });
    expect(log).toEqual([
      { event: 'ussd.ended', fields: { channel: KENYA.id, outcome: 'incomplete' } },
    ]);
    expect(on.acts).toEqual([]);
  });
});

describe('all refusals', () => {
  it('have last words in both languages', async () => {
    for (const error of ['insufficient_funds', 'event_already_bought', 'try_later'] as const) {
      for (const language of ['en', 'fr'] as const) {
        const on = world({ ...RICH_RESELLER, language });
        on.services.payFromWallet = async () => ({ ok: false, error });
        const caller = phone(on);
        await caller.dial('1*1');
        expect(await caller.send('3')).toMatch(/^END .*(Nothing|Rien)/);
      }
    }
  });
});

describe('two phones with one session id', () => {
  it('do not see each other', async () => {
    const store = memory();
    const on = world();
    const one = phone(on, { store });
    const two = phone(on, { store, msisdn: '+254712999999' });
    await play(one, [['dial 1*1', await phone(world()).dial('1*1')]]);
    expect(await two.dial('1*1*1')).toMatch(/^Pay KES 650/);
    expect(on.acts).toEqual([]);
  });
});
