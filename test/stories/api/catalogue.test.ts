import { createOffice, type Office } from './office.ts';

/**
 * Goal: a new catalogue is published by two, and holds from then on. Method: the demo's file with
 * changes, as the office has it, through the API.
 */
let office: Office;
let manager: string;
let supervisor: string;
beforeAll(async () => {
  office = await createOffice();
  manager = (await office.staff(['catalogue_manager'])).token;
  supervisor = (await office.staff(['supervisor'])).token;
});
afterAll(() => office.close());

async function inForce(token = manager) {
  const answer = await office.call('get', '/catalogue', { token });
  expect(answer.status).toBe(200);
  return { text: String(answer.body.text), ifMatch: String(answer.headers.etag), ...answer.body };
}

const changed = (text: string, was: string, is: string): string => {
  if (!text.includes(was)) throw new Error(`There is no ${was}`);
  return text.replace(was, is);
};
const ask = (text: string, ifMatch: string, more: Record<string, unknown> = {}) =>
  office.call('post', '/catalogue/versions', {
    ...{ token: manager, ifMatch, body: { text, reason: 'prices of the new year', ...more } },
  });
const decide = (approvalId: string, token = supervisor) =>
  office.call('post', `/approvals/${approvalId}/approval`, {
    ...{ token, body: { reason: 'seen and checked' } },
  });
const monthOf = async (code: string, date: string) => {
  const path = `/prices?site=NBO&kind=bouquet&date=${date}`;
  const { body } = await office.call('get', path, { token: manager });
  type Item = { product: string; amount: string; gross: { amount: string } };
  const found = body.items.find((one: Item) => one.product === code && one.amount === 'month');
  return found?.gross.amount;
};

const ROW = "- { from: 2026-01-01, country: KE, month: '650.00'";
const withNewPrice = (text: string, price: string) =>
  changed(text, ROW, `- { from: 2027-01-01, country: KE, month: '${price}' }\n      ${ROW}`);

describe('a new catalogue', () => {
  it('is asked for by one, published by another, and holds from then on', async () => {
    const { text, ifMatch } = await inForce();
    const asked = await ask(withNewPrice(text, '700.00'), ifMatch);
    expect([asked.status, asked.body.state, asked.body.site]).toEqual([202, 'asked', null]);
    expect(asked.headers.etag).toBeUndefined();
    expect((await inForce()).ifMatch).toBe(ifMatch);
    const path = `/catalogue/proposals/${asked.body.id}`;
    const seen = await office.call('get', path, { token: supervisor });
    expect(seen.body.check.changes).toEqual([
      'From 2027-01-01: ESSENTIAL, month, in KE costs 700.00 KES instead of 650.00 KES.',
    ]);
    expect((await decide(asked.body.id, manager)).status).toBe(403);
    const done = await decide(asked.body.id);
    expect([done.status, done.body.state, done.body.code]).toEqual([200, 'done', null]);
    const after = await inForce();
    expect(after.text).toContain("month: '700.00'");
    expect(after.note).toBe('prices of the new year');
    expect(await monthOf('ESSENTIAL', '2026-12-31')).toBe('650.00');
    expect(await monthOf('ESSENTIAL', '2027-01-01')).toBe('700.00');
    const list = await office.call('get', '/catalogue/versions', { token: manager });
    expect(list.body.items.map(({ note }: { note: string }) => note)).toEqual([
      'prices of the new year',
      'the demo operator',
    ]);
    const [first] = list.body.items;
    const one = await office.call('get', `/catalogue/versions/${first.id}`, { token: manager });
    expect(one.body.text).toBe(after.text);
    // The text itself is in no line of the audit.
    const [line] = await office.rows(
      "SELECT max(length(after::text)) AS chars FROM audit WHERE after::text LIKE '%allowPast%'",
    );
    expect(Number(line?.chars)).toBeLessThan(1_000);
  });

  it('is not published when another was in between', async () => {
    const { text, ifMatch } = await inForce();
    const one = await ask(changed(text, 'Demo TV Kenya', 'Demo TV KE'), ifMatch);
    const other = await ask(changed(text, 'Demo TV Kenya', 'Demo Kenya'), ifMatch);
    expect((await decide(one.body.id)).body.state).toBe('done');
    expect((await decide(other.body.id)).body).toMatchObject({
      state: 'failed',
      code: 'catalogue_changed',
    });
    expect((await ask(text, ifMatch)).body.code).toBe('precondition_failed');
    const without = office.call('post', '/catalogue/versions', {
      ...{ token: manager, body: { text, reason: 'without a tag' } },
    });
    expect((await without).body.code).toBe('precondition_required');
  });

  it('is checked without being written, and refused with places and reasons', async () => {
    await office.customer('NBO');
    const { text, ifMatch } = await inForce();
    const check = async (of: string) =>
      (await office.call('post', '/catalogue/checks', { token: manager, body: { text: of } })).body;
    expect(await check(text)).toEqual({ problems: [], changes: [], inUse: [], past: [] });
    const broken = changed(text, ROW, ROW.replace("'650.00'", '650.00'));
    const [fault] = (await check(broken)).problems;
    expect(fault).toMatchObject({ path: 'bouquets.ESSENTIAL.prices[1].month' });
    const refused = await ask(broken, ifMatch);
    expect([refused.status, refused.body.code]).toEqual([422, 'invalid_body']);
    expect(refused.body.errors ?? refused.body.fields).toMatchObject([
      { path: `text:${fault.line}:${fault.column}` },
    ]);
    const gone = changed(text, '  ESSENTIAL:\n', '  OTHER:\n');
    expect((await check(gone)).inUse).toHaveLength(1);
    expect((await ask(gone, ifMatch)).body.code).toBe('catalogue_in_use');
    const cheaper = changed(text, ROW, ROW.replace('650', '600'));
    expect((await check(cheaper)).past).toHaveLength(1);
    expect((await ask(cheaper, ifMatch)).body.code).toBe('catalogue_past');
    expect((await ask(cheaper, ifMatch, { allowPast: true })).status).toBe(202);
  });

  it('may be large, and has a limit', async () => {
    const { text, ifMatch } = await inForce();
    const comment = `${'# a long comment\n'.repeat(20_000)}`;
    expect((await ask(text + comment, ifMatch)).status).toBe(202);
    const tooLong = await ask(text + comment.repeat(3), ifMatch);
    expect([tooLong.status, tooLong.body.code]).toEqual([422, 'invalid_body']);
    const huge = await ask(text + comment.repeat(7), ifMatch);
    expect([huge.status, huge.body.code]).toEqual([413, 'body_too_large']);
  });

  it('is of all sites, and so are those who write one', async () => {
    const { token } = await office.staff(['catalogue_manager'], ['ABJ']);
    const { text } = await inForce();
    const seen = await office.call('get', '/catalogue', { token });
    expect(seen.body.text).toBeNull();
    const body = { text, reason: 'of one site alone' };
    const tag = { ifMatch: String(seen.headers.etag) };
    const asked = await office.call('post', '/catalogue/versions', { token, body, ...tag });
    expect(asked.body.code).toBe('forbidden');
    const checked = await office.call('post', '/catalogue/checks', { token, body: { text } });
    expect(checked.body.code).toBe('forbidden');
  });
});

describe('what is sold', () => {
  it('is listed by site, kind and category, with contents and prices', async () => {
    const list = async (path: string) =>
      (await office.call('get', path, { token: manager })).body.items;
    expect(await list('/products?site=ABJ&kind=bouquet')).toMatchObject([
      { code: 'ACCESS', amounts: ['month', 'week', 'day'], opens: ['ESS'] },
      { code: 'EVASION', opens: ['ESS', 'PREM'] },
    ]);
    expect(await list('/products?site=NBO&kind=goods')).toMatchObject([
      {
        code: 'DECODER',
        further: [
          { name: 'item', value: 'decoder' },
          { name: 'offer', value: 'sale' },
        ],
      },
    ]);
    expect(await list('/prices?site=ABJ&kind=service&category=hotel')).toEqual([
      {
        ...{ site: 'ABJ', product: 'INSTALL', kind: 'service', amount: 'once' },
        net: { amount: '4237', currency: 'XOF' },
        taxes: [{ code: 'TVA', amount: { amount: '763', currency: 'XOF' } }],
        gross: { amount: '5000', currency: 'XOF' },
        version: 'INSTALL:once:CI:2026-01-01',
      },
    ]);
    expect(await list('/prices?date=2025-01-01')).toEqual([]);
  });
});
