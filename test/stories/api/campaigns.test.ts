import type { RoleName } from '../../../src/backoffice/people/permissions.ts';
import { noteCapabilities } from '../../../src/entitlement/cas/store.ts';
import { type Customer, createOffice, type Office, type SiteCode } from './office.ts';

/**
 * Goal: what is shown on many screens was looked at before, decided by who may, and can be followed
 * to each card. Method: the API over the real queue of commands; nothing is sent.
 */
let office: Office;
beforeAll(async () => {
  office = await createOffice();
  await office.changeCatalogue([
    '    rules:',
    '    rules:\n      messages: { cardsAlone: 2, perMinute: 60 }',
  ]);
  await noteCapabilities(
    office.pool,
    'vip-control',
    {
      ...{ osdMax: 130, mailMax: 140, maxWindow: 16 },
      supports: ['OSD', 'MAIL', 'FINGERPRINT', 'FORCE_TUNE'],
    },
    office.now(),
  );
});
afterAll(() => office.close());

const reason = 'agreed with the office';

interface Who {
  role?: RoleName;
  token?: string;
  sites?: SiteCode[] | 'all';
}
const post = async (path: string, body: object, who: Who = {}) => {
  const { role = 'broadcaster', sites = 'all' } = who;
  const token = who.token ?? (await office.staff([role], sites)).token;
  return office.call('post', path, { token, body });
};
const get = async (path: string, role: RoleName = 'broadcaster') =>
  (await office.call('get', path, { token: (await office.staff([role])).token })).body;

let serial = 0;
const template = async (body = 'Hello {name}', more: object = {}) => {
  serial += 1;
  const name = `Greeting ${serial}`;
  const texts = { en: { subject: null, body } };
  return (await post('/sites/NBO/message-templates', { name, texts, ...more })).body;
};
const listed = (...of: Customer[]) => ({ kind: 'cards', numbers: of.map(({ number }) => number) });
const draft = (body: object, who: Who = {}) =>
  post('/sites/NBO/campaigns', { name: 'A campaign', ...body }, who);
const greeting = async (target: object, more: object = {}) => {
  const { id: templateId } = await template();
  return (await draft({ content: { kind: 'osd', templateId }, target, ...more })).body;
};
const startOf = (id: string, who: Who = {}) => post(`/campaigns/${id}/starts`, { reason }, who);

describe('a template', () => {
  it('has versions that never change, until its name is used no more', async () => {
    const first = await template();
    const texts = { en: { subject: null, body: 'Good evening {name}' } };
    const second = await template('', { name: first.name, texts });
    expect([first.version, second.version, second.texts.en.body]).toEqual([
      ...[1, 2, 'Good evening {name}'],
    ]);
    expect((await get(`/message-templates/${first.id}`)).texts.en.body).toBe('Hello {name}');
    const retired = await post(`/message-templates/${first.id}/retirements`, { reason });
    expect([retired.status, retired.body.version, retired.body.isRetired]).toEqual([201, 3, true]);
    const content = { kind: 'osd', templateId: second.id };
    const late = await draft({ content, target: { kind: 'filter', filter: {} } });
    expect([late.status, late.body.code]).toEqual([409, 'template_retired']);
  });

  it('has the language of its site, and only placeholders that there are', async () => {
    const body = { name: 'Salut', texts: { fr: { subject: null, body: 'Salut {nom}' } } };
    const { status, body: said } = await post('/sites/NBO/message-templates', body);
    expect([status, said.fields.map(({ path }: { path: string }) => path)]).toEqual([
      422,
      ['texts.fr.body', 'texts.en'],
    ]);
  });
});

describe('a draft', () => {
  const refused = async (body: object, who: Who = {}) => {
    const { status, body: said } = await draft(body, who);
    return [status, said.code, said.fields?.[0]?.path ?? null, said.fields?.[0]?.code ?? null];
  };

  it('that cannot be shown is refused, and the reason named', async () => {
    const { id: templateId } = await template();
    const content = { kind: 'osd', templateId };
    const nobody = { kind: 'cards', numbers: ['40219999990'] };
    const invalid = (path: string, code: string) => [422, 'invalid_body', path, code];
    expect(await refused({ content, target: nobody })).toEqual(
      invalid('target.numbers', 'unknown'),
    );
    expect(await refused({ content, target: { kind: 'group', group: 'Nobody' } })).toEqual(
      invalid('target.group', 'unknown'),
    );
    const filter = { kind: 'filter', filter: { bouquet: 'NOTHING' } };
    expect(await refused({ content, target: filter })).toEqual(
      invalid('target.filter.bouquet', 'unknown'),
    );
    expect(await refused({ content, target: { kind: 'all' } })).toEqual(
      invalid('content.templateId', 'placeholders'),
    );
    const everybody = { kind: 'filter', filter: {} };
    expect(await refused({ content: { ...content, kind: 'mail' }, target: everybody })).toEqual(
      invalid('content.templateId', 'no_subject'),
    );
    const schedule = { kind: 'once', at: '2026-11-22T11:02:00Z' };
    expect(await refused({ content, target: everybody, schedule })).toEqual(
      invalid('schedule', 'over'),
    );
  });

  it('reaches nothing that who drafts it does not see', async () => {
    const content = { kind: 'fingerprint', identity: 'stb' };
    const here: Who = { sites: ['NBO'] };
    expect((await draft({ content, target: { kind: 'all' } }, here)).body.code).toBe('forbidden');
    const abroad = await office.customer('ABJ');
    expect((await draft({ content, target: listed(abroad) })).body.code).toBe('invalid_body');
    const region = (area: string) => draft({ content, target: { kind: 'region', area } }, here);
    expect((await region('ABJ')).body.code).toBe('forbidden');
    expect((await region('NBO-WEST')).status).toBe(201);
    const beyond = await draft({ content, target: { kind: 'region', area: 'KE-30' } });
    expect(beyond.body.target).toEqual({ kind: 'region', area: 'KE-30' });
  });

  it('keeps what its group meant when it was chosen', async () => {
    const name = 'Residents';
    const filter = { category: 'residential', unpaid: true };
    expect((await post('/sites/NBO/card-groups', { name, filter })).status).toBe(201);
    expect((await post('/sites/NBO/card-groups', { name, filter: {} })).body.code).toBe(
      'group_taken',
    );
    const { target } = await greeting({ kind: 'group', group: name });
    expect(target).toEqual({ kind: 'filter', filter, group: name });
  });
});

describe('a campaign', () => {
  it('of few is started by one, shown as its preview said, and followed to each card', async () => {
    const [one, other] = [await office.customer('NBO'), await office.customer('NBO')];
    const { id, state } = await greeting(listed(one, other));
    expect(state).toBe('draft');
    const shown = await get(`/campaigns/${id}/preview`, 'supervisor');
    expect(shown).toMatchObject({
      ...{ cards: 2, commands: 2, seconds: 2, needsSecond: false, leftOut: [], misfits: [] },
      byCas: [{ cas: 'vip-control', cards: 2 }],
    });
    expect((await startOf(id)).status).toBe(201);
    expect((await startOf(id)).body.code).toBe('campaign_not_draft');
    await office.campaigns.feed();
    const { items } = await get(`/campaigns/${id}/recipients?state=waiting`);
    const cards = items.map(({ card }: { card: string }) => card).sort();
    expect(cards).toEqual(shown.texts.map(({ card }: { card: string }) => card).sort());
    expect(await get(`/campaigns/${id}`)).toMatchObject({
      ...{ state: 'finished', occurrences: 1, skipped: 0, approvedBy: null },
      progress: { commands: 2, waiting: 2, onAir: 0, leftOut: [] },
    });
    // All of it is ordered, and what waits can be stopped all the same.
    const stop = () => post(`/campaigns/${id}/stops`, { reason: 'a word is wrong' });
    expect((await stop()).body).toEqual({ withdrawn: 2 });
    expect((await stop()).body.code).toBe('campaign_not_running');
  });

  it('of many, of all, or of another programme is started by two', async () => {
    const many = [1, 2, 3].map(() => office.customer('NBO'));
    const osd = await greeting(listed(...(await Promise.all(many))));
    const tune = await draft({
      content: { kind: 'force_tune', service: 'NEWS', durationSeconds: 60 },
      target: { kind: 'region', area: 'NBO' },
    });
    const everybody = await draft({
      content: { kind: 'fingerprint', identity: 'vc', mode: 'covert' },
      target: { kind: 'all' },
    });
    for (const { id } of [osd, tune.body, everybody.body]) {
      const asker = await office.staff(['broadcaster']);
      const asked = await startOf(id, { token: asker.token });
      expect([asked.status, asked.body.act]).toEqual([202, 'campaign.start']);
      expect((await get(`/campaigns/${id}`)).state).toBe('draft');
      const approve = (who: Who) => post(`/approvals/${asked.body.id}/approval`, { reason }, who);
      expect((await approve({ token: asker.token })).status).toBe(403);
      const second = await office.staff(['supervisor']);
      const { body } = await approve({ token: second.token });
      expect(body.state).toBe('done');
      const started = await get(`/campaigns/${id}`);
      expect([started.startedBy, started.approvedBy]).toEqual([
        ...[`staff:${asker.id}`, `staff:${second.id}`],
      ]);
    }
    await office.campaigns.feed();
    const { items } = await get(`/campaigns/${everybody.body.id}/recipients`);
    expect(items).toMatchObject([{ card: null, cas: 'vip-control', state: 'waiting' }]);
  });

  it('to all is decided by nobody who does not see all sites', async () => {
    const content = { kind: 'fingerprint', identity: 'vc' };
    const { body } = await draft({ content, target: { kind: 'all' } });
    const asked = await startOf(body.id);
    const path = `/approvals/${asked.body.id}/approval`;
    const here = await post(path, { reason }, { role: 'supervisor', sites: ['NBO'] });
    expect(here.status).toBe(404);
  });

  it('that one system cannot show whole is not started, and the system named', async () => {
    const { id: templateId } = await template(`{name} ${'x'.repeat(129)}`);
    const target = listed(await office.customer('NBO'));
    const { body } = await draft({ content: { kind: 'forced', templateId }, target });
    const { status, body: said } = await startOf(body.id);
    expect([status, said.code]).toEqual([409, 'not_shown_everywhere']);
    expect(said.fields).toMatchObject([
      {
        ...{ path: 'vip-control.en', code: 'too_long' },
        message: expect.stringMatching(/^\d+ characters for 1 cards; vip-control takes 130$/),
      },
    ]);
  });

  it('stopped is withdrawn, with who did it and why in the audit', async () => {
    const until = '2026-12-23T00:00:00Z';
    const daily = { schedule: { kind: 'repeat', every: 1, unit: 'day', until } };
    const { id } = await greeting(listed(await office.customer('NBO')), daily);
    await startOf(id);
    await office.campaigns.feed();
    const { status, body } = await post(`/campaigns/${id}/stops`, { reason: 'a word is wrong' });
    expect([status, body]).toEqual([200, { withdrawn: 1 }]);
    expect(await get(`/campaigns/${id}`)).toMatchObject({
      ...{ state: 'stopped', nextAt: null, progress: { withdrawn: 1, waiting: 0 } },
    });
    const { items } = await get(`/audit?object=campaign&objectId=${id}`, 'auditor');
    const stops = items.filter(({ route }: { route: string }) => route.endsWith('/stops'));
    expect(stops[0]).toMatchObject({ outcome: 'done', reason: 'a word is wrong' });
  });
});
