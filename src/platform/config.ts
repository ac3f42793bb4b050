import { type ControlAddress, readControlAddress } from './control-address.ts';
import { type Name, type ROLES, SETTINGS, type Setting, type Value } from './settings.ts';
import { StartError } from './start-error.ts';

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
  /** The only head-end; where the dispatcher runs, this or `casFile` is set outside the demo. */
  control: ControlAddress | undefined;
  /** Absolute: the file of the conditional-access systems, where there are several. */
  casFile?: string | undefined;
  /** Proxies of ours in front of the gateway. */
  trustedHops: number;
  logLevel: 'debug' | 'info' | 'warn' | 'error';
  /** Absent where nothing was read: the demo's own are used. */
  backoffice?: BackofficeConfig;
  /** With which the codes of scratch cards are hashed; without it none is known. */
  voucherKey?: string | undefined;
  evidence?: EvidenceConfig;
  /** Codes of sites that put to use only what a manufacturer's file lists; `all`: every site. */
  listedDevices?: ReadonlySet<string> | undefined;
  /** Models that a file may name; without them: any. */
  decoderModels?: ReadonlySet<string> | undefined;
}

export interface EvidenceConfig {
  /** Absolute; without both no anchors are written. */
  anchors: { folder: string; keyFile: string } | undefined;
  /** How many months of the command log cannot be taken out of the database. */
  keepMonths: number;
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
  const control = readControl(env);
  const casFile = read(env, 'VIP_CAS_FILE');
  if (!isDemo) {
    if (!providersFile) throw missing('VIP_PROVIDERS_FILE');
    if (!control && !casFile && roles.has('dispatcher')) throw missing('VIP_CONTROL_URL');
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
    casFile,
    trustedHops: readOr(env, 'VIP_TRUSTED_PROXIES'),
    logLevel: readOr(env, 'LOG_LEVEL'),
    voucherKey: read(env, 'VIP_VOUCHER_KEY'),
    evidence: readEvidence(env),
    listedDevices: read(env, 'VIP_LISTED_DEVICES'),
    decoderModels: read(env, 'VIP_DECODER_MODELS'),
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

function readControl(env: Environment): ControlAddress | undefined {
  const url = read(env, 'VIP_CONTROL_URL');
  if (url === undefined) return undefined;
  const found = readControlAddress({
    url,
    ca: read(env, 'VIP_CONTROL_CA'),
    cert: read(env, 'VIP_CONTROL_CERT'),
    key: read(env, 'VIP_CONTROL_KEY'),
    allowPlain: readOr(env, 'VIP_CONTROL_PLAIN'),
  });
  if (found.ok) return found.address;
  const files = 'VIP_CONTROL_CA, VIP_CONTROL_CERT and VIP_CONTROL_KEY';
  const sentences = {
    bad_url: `VIP_CONTROL_URL must ${SETTINGS.VIP_CONTROL_URL.must}, not "${url}".`,
    plain_not_allowed:
      'VIP_CONTROL_URL must begin with tls:// or https:// (see VIP_CONTROL_PLAIN).',
    files_missing: `${files} must all be set for ${url}.`,
    files_unused: `${files} are not used by ${url}: it must begin with tls:// or https://.`,
  };
  throw new StartError(sentences[found.error]);
}

/** What becomes of proofs; what a command needs that starts nothing else. */
export function readEvidence(env: Environment): EvidenceConfig {
  const folder = read(env, 'VIP_ANCHOR_DIR');
  const keyFile = read(env, 'VIP_ANCHOR_KEY_FILE');
  if ((folder === undefined) !== (keyFile === undefined)) {
    throw new StartError('VIP_ANCHOR_DIR and VIP_ANCHOR_KEY_FILE are set together or not at all.');
  }
  return {
    anchors: folder && keyFile ? { folder, keyFile } : undefined,
    keepMonths: readOr(env, 'VIP_COMMAND_LOG_MONTHS'),
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
