import { resolve } from 'node:path';
import { z } from 'zod';
import { parseAmount } from './money/amount.ts';
import { StartError } from './start-error.ts';

export const ROLES = ['gateway', 'dispatcher', 'scheduler', 'backoffice'] as const;
export type Role = (typeof ROLES)[number];

/** How this process is set up: read once, at the start, and never changed. */
export interface Config {
  /** Demo: simulators instead of operators, this machine only, never in production. */
  isDemo: boolean;
  isProduction: boolean;
  /** 0: any free port. */
  port: number;
  /** The address to listen on; 127.0.0.1 in the demo whatever is set. */
  bind: string;
  /** Absolute. */
  dataDir: string;
  /** `embedded`: a Postgres of our own in `dataDir`. */
  database: { kind: 'embedded' } | { kind: 'server'; appUrl: string; ownerUrl: string };
  redisUrl: string | undefined;
  roles: ReadonlySet<Role>;
  /** Absolute; always set outside the demo. */
  providersFile: string | undefined;
  /** The head-end's VIP Control; always set outside the demo where the dispatcher runs. */
  control: { host: string; port: number } | undefined;
  /** Proxies of ours in front of the gateway. */
  trustedHops: number;
  logLevel: 'debug' | 'info' | 'warn' | 'error';
  /** Absent where nothing was read: the demo's own are used. */
  backoffice?: BackofficeConfig;
  /** With which the codes of scratch cards are hashed; without it none is known. */
  voucherKey?: string | undefined;
}

export interface BackofficeConfig {
  /** Without a slash at the end. */
  publicUrl: string | undefined;
  /** Always set outside the demo where the back office runs. */
  secret: string | undefined;
  /** Minor units by currency: above them a second person is needed; of all others always. */
  approvalAbove: ReadonlyMap<string, bigint>;
  firstAdministrator: { login: string; password: string } | undefined;
}

interface Setting {
  /** One line for `.env.example`. */
  about: string;
  /** What happens when it is not set, as it would be written; or an example of a value. */
  default?: string;
  example?: string;
  /** What the value must be, for the sentence that refuses another one. */
  must: string;
  /** The value is kept out of that sentence. */
  isSecret?: true;
  schema: z.ZodType<unknown, string>;
}

const postgresUrl = urlOf(['postgres:', 'postgresql:']);

/** All settings there are. `.env.example` says the same, and a test compares the two. */
export const SETTINGS = {
  PORT: {
    about: 'The HTTP port; 0 takes any free one.',
    default: '8080',
    must: 'be a whole number from 0 to 65535',
    schema: portNumber(0),
  },
  VIP_BIND: {
    about: 'The address to listen on; the demo listens on 127.0.0.1 whatever stands here.',
    default: '0.0.0.0',
    must: 'be an address or a host name',
    schema: z.string().regex(/^[\w.:-]+$/),
  },
  VIP_DATA_DIR: {
    about: 'The folder of the embedded database.',
    default: './data',
    must: 'be a folder',
    schema: z.string().transform((path) => resolve(path)),
  },
  DATABASE_URL: {
    about: 'The Postgres server, as the role the product works with; without it: the embedded one.',
    example: 'postgres://vip_app:password@db.example/vip',
    must: 'be an address like postgres://user:password@host:5432/database',
    isSecret: true,
    schema: postgresUrl,
  },
  DATABASE_OWNER_URL: {
    about: 'The same database, as the role that owns the tables and migrates; else DATABASE_URL.',
    example: 'postgres://vip_owner:password@db.example/vip',
    must: 'be an address like postgres://user:password@host:5432/database',
    isSecret: true,
    schema: postgresUrl,
  },
  REDIS_URL: {
    about: 'Redis, which several gateways need to share their USSD sessions; else in memory.',
    example: 'redis://:password@redis.example:6379',
    must: 'be an address like redis://:password@host:6379',
    isSecret: true,
    schema: urlOf(['redis:', 'rediss:']),
  },
  VIP_DEMO: {
    about: '1: demo operator and simulators. Else 0; without DATABASE_URL it is 1.',
    example: '1',
    must: 'be 0 or 1',
    schema: z.enum(['0', '1']).transform((text) => text === '1'),
  },
  VIP_ROLES: {
    about: 'What this process does.',
    default: ROLES.join(','),
    must: `be a list of ${ROLES.join(', ')}, with commas between`,
    schema: z
      .string()
      .transform((text) => text.split(',').map((role) => role.trim()))
      .pipe(z.array(z.enum(ROLES)).min(1)),
  },
  VIP_PROVIDERS_FILE: {
    about: 'The operators and providers to work with; needed outside the demo.',
    example: './config/providers.yaml',
    must: 'be a file',
    schema: z.string().transform((path) => resolve(path)),
  },
  VIP_CONTROL_URL: {
    about: 'The head-end; needed outside the demo where the dispatcher runs.',
    example: 'tcp://head-end.example:7700',
    must: 'be an address like tcp://host:port',
    schema: z
      .string()
      .regex(/^tcp:\/\/[\w.-]+:\d{1,5}$/)
      .transform((text) => {
        const [host = '', port = ''] = text.slice('tcp://'.length).split(':');
        return { host, port };
      })
      .pipe(z.object({ host: z.string(), port: portNumber(1) })),
  },
  VIP_TRUSTED_PROXIES: {
    about: 'How many proxies of yours stand in front; their X-Forwarded-For is believed.',
    default: '0',
    must: 'be a whole number from 0 to 9',
    schema: z.string().regex(/^\d$/).transform(Number),
  },
  VIP_PUBLIC_URL: {
    about: 'Where the API is reached from outside; else the address it listens on.',
    example: 'https://billing.example',
    must: 'be an address like https://host',
    schema: urlOf(['http:', 'https:']).transform((text) => text.replace(/\/+$/, '')),
  },
  VIP_API_SECRET: {
    about: 'Signs and seals for the API; the same in all processes, needed outside the demo.',
    example: 'at-least-32-characters-made-by-openssl-rand',
    must: 'have at least 32 characters',
    isSecret: true,
    schema: z.string().min(32),
  },
  VIP_APPROVAL_ABOVE: {
    about: 'Above these amounts taking money back needs a second person; else it always does.',
    example: 'KES 5000.00, XOF 30000',
    must: 'be amounts like KES 5000.00, with commas between',
    schema: z.string().transform(readLimits),
  },
  VIP_FIRST_ADMINISTRATOR: {
    about: 'Made at the start while there is no account; the password is changed at sign-in.',
    example: 'login:password-of-12-characters-or-more',
    must: 'be login:password, the password of at least 12 characters',
    isSecret: true,
    schema: z
      .string()
      .regex(/^[a-z0-9][a-z0-9._-]{1,39}:.{12,128}$/)
      .transform((text) => {
        const [login = ''] = text.split(':');
        return { login, password: text.slice(login.length + 1) };
      }),
  },
  VIP_VOUCHER_KEY: {
    about: 'Hashes the codes of scratch cards; never changed, or no card sold is known any more.',
    example: 'at-least-32-characters-made-by-openssl-rand',
    must: 'have at least 32 characters',
    isSecret: true,
    schema: z.string().min(32),
  },
  LOG_LEVEL: {
    about: 'The least important lines still logged: debug, info, warn or error.',
    default: 'info',
    must: 'be debug, info, warn or error',
    schema: z.enum(['debug', 'info', 'warn', 'error']),
  },
  NODE_ENV: {
    about: 'production refuses the demo and the embedded database.',
    example: 'production',
    must: 'be a word',
    schema: z.string(),
  },
} as const satisfies Record<string, Setting>;

type Name = keyof typeof SETTINGS;
type Value<N extends Name> = z.output<(typeof SETTINGS)[N]['schema']>;
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The configuration that `env` describes. Throws a StartError whose one sentence names the
 * setting that is missing or wrong. An empty value counts as none.
 */
export function readConfig(env: Environment): Config {
  const appUrl = read(env, 'DATABASE_URL');
  const isProduction = read(env, 'NODE_ENV') === 'production';
  const isDemo = read(env, 'VIP_DEMO') ?? appUrl === undefined;
  refuseInProduction(isProduction, appUrl, isDemo);
  const roles = new Set(readOr(env, 'VIP_ROLES'));
  const providersFile = read(env, 'VIP_PROVIDERS_FILE');
  const control = read(env, 'VIP_CONTROL_URL');
  if (!isDemo) {
    if (!providersFile) throw missing('VIP_PROVIDERS_FILE');
    if (!control && roles.has('dispatcher')) throw missing('VIP_CONTROL_URL');
    if (!env.VIP_API_SECRET && roles.has('backoffice')) throw missing('VIP_API_SECRET');
  }
  const bind = readOr(env, 'VIP_BIND');
  return {
    isDemo,
    isProduction,
    port: readOr(env, 'PORT'),
    bind: isDemo ? '127.0.0.1' : bind,
    ...readDatabase(env),
    redisUrl: read(env, 'REDIS_URL'),
    roles,
    providersFile,
    control,
    trustedHops: readOr(env, 'VIP_TRUSTED_PROXIES'),
    logLevel: readOr(env, 'LOG_LEVEL'),
    voucherKey: read(env, 'VIP_VOUCHER_KEY'),
    backoffice: {
      publicUrl: read(env, 'VIP_PUBLIC_URL'),
      secret: read(env, 'VIP_API_SECRET'),
      approvalAbove: read(env, 'VIP_APPROVAL_ABOVE') ?? new Map(),
      firstAdministrator: read(env, 'VIP_FIRST_ADMINISTRATOR'),
    },
  };
}

/** Which database the environment describes; what a command needs that starts nothing else. */
export function readDatabase(env: Environment): Pick<Config, 'dataDir' | 'database'> {
  const appUrl = read(env, 'DATABASE_URL');
  const ownerUrl = read(env, 'DATABASE_OWNER_URL') ?? appUrl;
  return {
    dataDir: readOr(env, 'VIP_DATA_DIR'),
    database: appUrl && ownerUrl ? { kind: 'server', appUrl, ownerUrl } : { kind: 'embedded' },
  };
}

function refuseInProduction(isProduction: boolean, url: string | undefined, isDemo: boolean) {
  if (!isProduction) return;
  if (!url) {
    throw new StartError(
      'DATABASE_URL is not set, and the embedded database is refused under NODE_ENV=production.',
    );
  }
  if (isDemo) throw new StartError('VIP_DEMO=1 is refused under NODE_ENV=production.');
}

function missing(name: Name): StartError {
  return new StartError(`${name} is not set, which is needed outside the demo (VIP_DEMO=1).`);
}

function read<N extends Name>(env: Environment, name: N): Value<N> | undefined {
  const text = env[name]?.trim();
  return text ? parse(name, text) : undefined;
}

/** For settings that have a default. */
function readOr<N extends Name>(env: Environment, name: N): Value<N> {
  const setting: Setting = SETTINGS[name];
  return parse(name, env[name]?.trim() || (setting.default ?? ''));
}

function parse<N extends Name>(name: N, text: string): Value<N> {
  const setting: Setting = SETTINGS[name];
  const result = setting.schema.safeParse(text);
  if (result.success) return result.data as Value<N>;
  const given = setting.isSecret ? '' : `, not "${text}"`;
  throw new StartError(`${name} must ${setting.must}${given}.`);
}

/** `KES 5000.00, XOF 30000` */
function readLimits(text: string, context: z.RefinementCtx): ReadonlyMap<string, bigint> {
  const limits = new Map<string, bigint>();
  for (const part of text.split(',')) {
    const [, currency = '', amount = ''] = /^ *([A-Z]{3}) +([\d.]+) *$/.exec(part) ?? [];
    const read = parseAmount(amount, currency);
    if (read.ok) limits.set(currency, read.minor);
    else context.addIssue({ code: 'custom', message: 'not an amount' });
  }
  return limits;
}

function portNumber(min: number) {
  return z
    .string()
    .regex(/^\d{1,5}$/)
    .transform(Number)
    .pipe(z.number().min(min).max(65_535));
}

function urlOf(protocols: string[]) {
  return z.string().refine((text) => {
    const url = URL.parse(text);
    return url !== null && protocols.includes(url.protocol) && url.hostname !== '';
  });
}
