import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Environment, readConfig } from './config.ts';
import { SETTINGS } from './settings.ts';

const SERVER = {
  DATABASE_URL: 'postgres://app:hunter2@db.example/vip',
  VIP_PROVIDERS_FILE: 'config/providers.yaml',
  VIP_CONTROL_URL: 'tcp://127.0.0.1:7700',
  VIP_API_SECRET: 'hunter2-hunter2-hunter2-hunter2-hunter2',
};

describe('the configuration', () => {
  it('is the demo on this machine when nothing is set', () => {
    expect(readConfig({})).toEqual({
      isDemo: true,
      isProduction: false,
      port: 8080,
      bind: '127.0.0.1',
      dataDir: join(process.cwd(), 'data'),
      database: { kind: 'embedded' },
      redisUrl: undefined,
      roles: new Set(['gateway', 'dispatcher', 'scheduler', 'backoffice']),
      providersFile: undefined,
      control: undefined,
      trustedHops: 0,
      logLevel: 'info',
      evidence: { anchors: undefined, keepMonths: 24 },
      backoffice: {
        publicUrl: undefined,
        secret: undefined,
        approvalAbove: new Map(),
        firstAdministrator: undefined,
      },
    });
  });

  it('is no demo once a database server is named', () => {
    expect(readConfig({ ...SERVER, NODE_ENV: 'production', PORT: '0' })).toMatchObject({
      isDemo: false,
      isProduction: true,
      port: 0,
      bind: '0.0.0.0',
      database: { kind: 'server', appUrl: SERVER.DATABASE_URL, ownerUrl: SERVER.DATABASE_URL },
      providersFile: join(process.cwd(), 'config', 'providers.yaml'),
      control: { transport: 'tcp', host: '127.0.0.1', port: 7700 },
    });
  });

  it('takes a head-end behind certificates, or over a line that is safe by itself', () => {
    const secured = readConfig({
      ...SERVER,
      VIP_CONTROL_URL: 'tls://head-end.example:7700',
      VIP_CONTROL_CA: '/a/ca.pem',
      VIP_CONTROL_CERT: '/a/own.pem',
      VIP_CONTROL_KEY: '/a/own.key',
    });
    expect(secured.control).toEqual({
      transport: 'tls',
      host: 'head-end.example',
      port: 7700,
      files: { ca: '/a/ca.pem', cert: '/a/own.pem', key: '/a/own.key' },
    });
    const url = 'tcp://10.0.0.7:7700';
    const plain = readConfig({ ...SERVER, VIP_CONTROL_URL: url, VIP_CONTROL_PLAIN: '1' });
    expect(plain.control).toMatchObject({ transport: 'tcp', host: '10.0.0.7' });
  });

  it('takes an owner of its own, some roles, and a demo on a server', () => {
    const owner = 'postgresql://owner@db.example/vip';
    const env = { ...SERVER, DATABASE_OWNER_URL: owner, VIP_ROLES: 'gateway, backoffice' };
    const config = readConfig({ ...env, VIP_CONTROL_URL: '' });
    expect(config.database).toMatchObject({ ownerUrl: owner });
    expect([...config.roles]).toEqual(['gateway', 'backoffice']);
    const demo = readConfig({ DATABASE_URL: SERVER.DATABASE_URL, VIP_DEMO: '1', VIP_BIND: '::' });
    expect(demo).toMatchObject({ isDemo: true, bind: '127.0.0.1', database: { kind: 'server' } });
  });

  it('reads what the back office needs', () => {
    const env = {
      VIP_PUBLIC_URL: 'https://billing.example/',
      VIP_APPROVAL_ABOVE: 'KES 5000.00, XOF 30000',
      VIP_FIRST_ADMINISTRATOR: 'boss:a:password:with:colons',
    };
    expect(readConfig(env).backoffice).toMatchObject({
      publicUrl: 'https://billing.example',
      approvalAbove: new Map([
        ['KES', 500_000n],
        ['XOF', 30_000n],
      ]),
      firstAdministrator: { login: 'boss', password: 'a:password:with:colons' },
    });
  });

  const wrong: [Environment, string][] = [
    [{ PORT: '80a' }, 'PORT must be a whole number from 0 to 65535, not "80a".'],
    [{ PORT: '65536' }, 'PORT must be a whole number from 0 to 65535, not "65536".'],
    [{ VIP_DEMO: 'yes' }, 'VIP_DEMO must be 0 or 1, not "yes".'],
    [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL must be debug, info, warn or error, not "loud".'],
    [
      { VIP_ROLES: 'gateway,cook' },
      'VIP_ROLES must be a list of gateway, dispatcher, scheduler, backoffice, ' +
        'with commas between, not "gateway,cook".',
    ],
    [
      { DATABASE_URL: 'mysql://u:hunter2@h/d' },
      'DATABASE_URL must be an address like postgres://user:password@host:5432/database.',
    ],
    [{ REDIS_URL: 'hunter2' }, 'REDIS_URL must be an address like redis://:password@host:6379.'],
    [
      { VIP_CONTROL_URL: 'tls://head-end' },
      'VIP_CONTROL_URL must be an address like tls://host:port or https://host, with nothing ' +
        'after it, not "tls://head-end".',
    ],
    [
      { VIP_CONTROL_URL: 'tcp://head-end.example:7700' },
      'VIP_CONTROL_URL must begin with tls:// or https:// (see VIP_CONTROL_PLAIN).',
    ],
    [
      { VIP_CONTROL_URL: 'tls://head-end.example:7700', VIP_CONTROL_CA: 'ca.pem' },
      'VIP_CONTROL_CA, VIP_CONTROL_CERT and VIP_CONTROL_KEY must all be set for ' +
        'tls://head-end.example:7700.',
    ],
    [
      { VIP_CONTROL_URL: 'tcp://127.0.0.1:7700', VIP_CONTROL_KEY: 'own.key' },
      'VIP_CONTROL_CA, VIP_CONTROL_CERT and VIP_CONTROL_KEY are not used by ' +
        'tcp://127.0.0.1:7700: it must begin with tls:// or https://.',
    ],
    [
      { VIP_DEMO: '0' },
      'VIP_PROVIDERS_FILE is not set, which is needed outside the demo (VIP_DEMO=1).',
    ],
    [
      { ...SERVER, VIP_CONTROL_URL: undefined },
      'VIP_CONTROL_URL is not set, which is needed outside the demo (VIP_DEMO=1).',
    ],
    [
      { ...SERVER, VIP_API_SECRET: undefined },
      'VIP_API_SECRET is not set, which is needed outside the demo (VIP_DEMO=1).',
    ],
    [{ VIP_API_SECRET: 'hunter2' }, 'VIP_API_SECRET must have at least 32 characters.'],
    [
      { VIP_APPROVAL_ABOVE: 'KES 1,000' },
      'VIP_APPROVAL_ABOVE must be amounts like KES 5000.00, with commas between, not "KES 1,000".',
    ],
    [
      { VIP_FIRST_ADMINISTRATOR: 'boss:short' },
      'VIP_FIRST_ADMINISTRATOR must be login:password, the password of at least 12 characters.',
    ],
    [
      { NODE_ENV: 'production' },
      'DATABASE_URL is not set, and the embedded database is refused under NODE_ENV=production.',
    ],
    [
      { ...SERVER, NODE_ENV: 'production', VIP_DEMO: '1' },
      'VIP_DEMO=1 is refused under NODE_ENV=production.',
    ],
  ];
  it.each(wrong)('refuses %j in one sentence', (env, sentence) => {
    expect(() => readConfig(env)).toThrow(new Error(sentence));
  });

  it('is described, setting for setting, by .env.example', () => {
    const written = Object.entries(SETTINGS).map(([name, setting]) => {
      const value = 'default' in setting ? setting.default : setting.example;
      const mark = 'default' in setting ? '' : '#';
      return `# ${setting.about}\n${mark}${name}=${value}\n`;
    });
    expect(readFileSync('.env.example', 'utf8')).toBe(written.join('\n'));
  });
});
