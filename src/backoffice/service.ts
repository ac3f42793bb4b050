/** The back office, put together: the API below `/api/v1`, and what it finishes by itself. */
import { Router } from 'express';
import type { Pool } from 'pg';
import type { NewCatalogue, Published } from '../billing/catalogue/publish.ts';
import type { Catalogue } from '../billing/catalogue/rules.ts';
import type { PublishedCatalogue } from '../billing/catalogue/store.ts';
import type { DunningService } from '../billing/dunning/service.ts';
import type { PostpaidService } from '../billing/postpaid/service.ts';
import type { Settlement } from '../billing/settlement/service.ts';
import type { Campaigns } from '../entitlement/campaigns/service.ts';
import type { Devices } from '../entitlement/devices/service.ts';
import type { PictureDesk } from '../entitlement/picture/desk.ts';
import type { Suspensions } from '../entitlement/picture/suspension.ts';
import type { Installation } from '../evidence/compliance/ask.ts';
import type { KeyValue } from '../platform/kv.ts';
import type { Clock, Ids, Logger, Random } from '../platform/ports.ts';
import { every } from '../platform/timers.ts';
import { createDocs } from './api/docs.ts';
import { forgetKeys } from './api/idempotency.ts';
import { createLimiter, LIMITS, type Limits } from './api/limits.ts';
import { openApiOf } from './api/openapi.ts';
import type { Route } from './api/route.ts';
import { createRouter } from './api/router.ts';
import { principalOfKey } from './people/api-keys.ts';
import type { Passwords } from './people/passwords.ts';
import type { Principal } from './people/principal.ts';
import { principalOfSession, SESSION_PREFIX } from './people/sessions.ts';
import { createVault } from './people/vault.ts';
import { allActs } from './resources/acts.ts';
import { allRoutes } from './resources/all.ts';
import { finishApproved } from './resources/approvals.ts';
import type { DemoClocks } from './resources/demo-clocks.ts';
import type { Desk } from './resources/desk.ts';
import { giveOutagesDue } from './resources/outages.ts';
import { resumeDue } from './resources/suspensions.ts';

export interface Backoffice {
  /** To be mounted below `/api/v1`. */
  router: Router;
  routes: readonly Route[];
  /** The OpenAPI document; made when it is first asked for. */
  document(): Record<string, unknown>;
  /**
   * Suspensions that end, approved acts whose process ended, free days after outages, keys whose
   * time is over. Never rejects.
   */
  finishDue(): Promise<void>;
  /** Waits for what is being finished. */
  stop(): Promise<void>;
}

export interface BackofficeDeps {
  pool: Pool;
  ids: Ids;
  clock: Clock;
  /** What sessions, codes and keys live by; absent: `clock`, which is then never moved. */
  machineClock?: Clock;
  /** Time that can be moved; only in a demo. */
  clocks?: DemoClocks;
  random: Random;
  logger: Logger;
  kv: KeyValue;
  passwords: Passwords;
  settlement: Settlement;
  catalogue(): Catalogue;
  catalogueFile(): PublishedCatalogue | null;
  publish(given: NewCatalogue): Promise<Published>;
  picture: PictureDesk;
  suspensions: Suspensions;
  campaigns: Campaigns;
  devices: Devices;
  /** Does the site put to use only what a manufacturer's file lists? */
  listedOnly(siteId: bigint): boolean;
  /** What the settings say, for the compliance pack. */
  installation(): Promise<Installation>;
  postpaid: PostpaidService;
  dunning: DunningService;
  channelSites(): ReadonlyMap<string, bigint>;
  /** How codes of scratch cards are kept; left out where none are used. */
  voucherHash?: ((code: string) => string) | undefined;
  /** Told of each scratch card that is not taken, with the code of its problem. */
  onVoucherRefused?(reason: string): void;
  trustedHops: number;
  settings: BackofficeSettings;
  limits?: Partial<Limits>;
}

export interface BackofficeSettings {
  /** Where the server is reached from outside. */
  publicUrl: string;
  /** The same in every process: signs cursors, seals second factors. */
  secret: string;
  /** Above this, in minor units by currency, an act needs a second person; else always. */
  approvalAbove: ReadonlyMap<string, bigint>;
  requireTotp: boolean;
}

const VERSION = '1';
const FINISH_EVERY_MS = 30_000;

/** Opens the API; the caller mounts its router. */
export function createBackoffice(deps: BackofficeDeps): Backoffice {
  const { pool, settings, logger, machineClock = deps.clock, clocks } = deps;
  const { requireTotp, approvalAbove } = settings;
  const desk: Desk = {
    ...deps,
    machineClock,
    requireTotp,
    vault: createVault(settings.secret),
    acts: allActs(deps),
    needsSecond: (minor, asset) => minor > (approvalAbove.get(asset) ?? 0n),
  };
  const authenticate = (token: string, now: Date): Promise<Principal | null> =>
    token.startsWith(SESSION_PREFIX)
      ? principalOfSession(pool, token, { now, requireTotp })
      : principalOfKey(pool, token, now);
  const routes = allRoutes(desk);
  let made: Record<string, unknown> | null = null;
  const document = () => {
    made ??= openApiOf(routes, settings.publicUrl, VERSION);
    return made;
  };
  const limiter = createLimiter(deps.kv, { ...LIMITS, ...deps.limits });
  const router = Router();
  router.use('/docs', createDocs());
  router.get('/openapi.json', (_req, res) => void res.json(document()));
  const timeOf = clocks && { timeOf: clocks.tests.timeOf };
  router.use(
    createRouter(routes, {
      ...{ ...deps, ...timeOf, machineClock, vault: desk.vault, limiter, authenticate },
    }),
  );
  const finish = async (): Promise<void> => {
    try {
      await finishApproved(desk);
      await resumeDue(desk);
      await giveOutagesDue(desk);
      await forgetKeys(pool, machineClock.now());
    } catch (error) {
      logger.error('backoffice.not_finished', { error });
    }
  };
  // One after the other, however long one takes.
  let last: Promise<void> = Promise.resolve();
  const finishDue = (): Promise<void> => {
    last = last.then(finish);
    return last;
  };
  const cancel = every(FINISH_EVERY_MS, () => void finishDue());
  const stop = async (): Promise<void> => {
    cancel();
    await last;
  };
  return { router, routes, document, finishDue, stop };
}
