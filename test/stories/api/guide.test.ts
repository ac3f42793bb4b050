import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addStaff } from '../../../src/backoffice/bootstrap.ts';
import { isRoleName } from '../../../src/backoffice/people/permissions.ts';
import { makeTestFolder } from '../../../src/platform/test-database.ts';
import { createOffice, type Office, passwords } from './office.ts';

/**
 * Goal: what the guides tell a reader to type works. Method: a real shell reads each example, with
 * a `curl` in its path that only says how it was called; the call is then made.
 */
const GUIDES = [
  ['api', 13],
  ['test-clocks', 8],
  ['screen-messages', 6],
] as const;
const PASSWORD = 'correct horse battery';

interface Example {
  text: string;
  role: string | null;
  status: number;
}

function examples(guide: string): Example[] {
  const blocks = readFileSync(`docs/guides/${guide}.md`, 'utf8').matchAll(/```sh\n([\s\S]*?)```/g);
  return [...blocks].flatMap(([, text = '']) => {
    if (!text.includes('curl ')) return [];
    const role = /^# as (?:an? )?(\w+)$/m.exec(text)?.[1] ?? null;
    return [{ text, role, status: Number(/^# (\d{3})$/m.exec(text)?.[1]) }];
  });
}

let office: Office;
let folder: string;
let known: Record<string, string>;
beforeAll(async () => {
  office = await createOffice({ hasClocks: true });
  known = await names();
  folder = makeTestFolder();
  mkdirSync(join(folder, 'bin'));
  const curl = `#!/bin/sh\nprintf '%s\\0' "$@"\n`;
  writeFileSync(join(folder, 'bin', 'curl'), curl, { mode: 0o755 });
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await office.close();
});

/** The request that these arguments of curl make. */
function requestOf(args: string[]): [string, RequestInit] {
  const rest = args.filter((one) => one !== '-i');
  const url = rest.find((one, at) => !one.startsWith('-') && !rest[at - 1]?.startsWith('-'));
  const given = (option: string) => rest.filter((_one, at) => rest[at - 1] === option);
  const headers = new Headers();
  for (const header of given('-H')) {
    const [name = ''] = header.split(':');
    headers.set(name, header.slice(name.length + 1));
  }
  const [body] = given('-d');
  const [method = body === undefined ? 'GET' : 'POST'] = given('-X');
  return [url ?? '', { method, headers, ...(body === undefined ? {} : { body }) }];
}

/** What the guides call by a name. */
async function names(): Promise<Record<string, string>> {
  const { subscriberId, cardId, number } = await office.customer('NBO');
  const newcomer = await office.customer('NBO');
  // Taken back can be what is not spent.
  const other = await office.customer('NBO');
  await office.pay('NBO', { amount: 200_000n, accountRef: other.phone });
  const [untouched] = await office.rows('SELECT id FROM inbox');
  const lost = { amount: 5_000n, accountRef: 'nobody', payerMsisdn: '+254722000001' };
  await office.pay('NBO', lost);
  const [suspense] = await office.rows('SELECT inbox_id AS id FROM suspense_item');
  await office.pool.query("UPDATE subscriber SET full_name = 'Amina Diallo' WHERE id = $1", [
    subscriberId,
  ]);
  const passwordHash = await passwords.hash(PASSWORD);
  await addStaff(
    { pool: office.pool, ids: office.ids, clock: { now: office.now } },
    {
      ...{ login: 'cashier', fullName: 'Cashier', roles: ['cashier'], sites: 'all' },
      ...{ passwordHash, mustChange: false },
    },
  );
  return {
    ...{ API: office.url, PASSWORD, SUBSCRIBER: String(subscriberId), CARD: String(cardId) },
    ...{ NEWCOMER: String(newcomer.subscriberId), NEWCOMER_CARD: String(newcomer.cardId) },
    ...{ PAYMENT: String(untouched?.id), SUSPENSE: String(suspense?.id), CARD_NUMBER: number },
  };
}

/** Makes the call of an example, as its role; what it answered. */
async function run({ text, role }: Example) {
  if (role !== null && !isRoleName(role)) throw new Error(`No role ${role}`);
  const TOKEN = role === null ? '' : (await office.staff([role])).token;
  const env = { ...known, TOKEN, PATH: `${join(folder, 'bin')}:/usr/bin:/bin` };
  const said = execFileSync('/bin/sh', ['-eu', '-c', text], { env, encoding: 'utf8' });
  const [url, request] = requestOf(said.split('\0').slice(0, -1));
  const answer = await fetch(url, request);
  const body = (await answer.json()) as { id?: string; invoiceId?: string | null };
  const etag = answer.headers.get('etag');
  if (etag) known.ETAG = etag;
  if (answer.status === 202) known.APPROVAL = String(body.id);
  if (url.endsWith('/postpaid-account')) known.ACCOUNT = String(body.id);
  if (url.endsWith('/contracts')) known.INVOICE = String(body.invoiceId);
  if (url.endsWith('/message-templates')) known.TEMPLATE = String(body.id);
  if (url.endsWith('/campaigns')) known.CAMPAIGN = String(body.id);
  if (url.endsWith('/test-clocks')) known.CLOCK = String(body.id);
  return { status: answer.status, body };
}

describe('a guide', () => {
  it.each(GUIDES)('shows only what works: %s', async (guide, count) => {
    const found = examples(guide);
    expect(found.length).toBeGreaterThanOrEqual(count);
    for (const example of found) {
      const { status, body } = await run(example);
      const surprise = status === example.status ? null : body;
      expect([example.text, status, surprise]).toEqual([example.text, example.status, null]);
    }
  });
});
