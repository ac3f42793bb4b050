/** The back office, put together: the API below `/api/v1`, and what it finishes by itself. */
import { Router } from 'express';
import type { Pool } from 'pg';
import type { Catalogue } from '../billing/catalogue/rules.ts';
import type { Settlement } from '../billing/settlement/service.ts';
import type { PictureDesk } from '../entitlement/picture/desk.ts';
import type { Suspensions } from '../entitlement/picture/suspension.ts';
import type { KeyValue } from '../platform/kv.ts';
import type { Clock, Ids, Logger, Random } from '../platform/ports.ts';
import { every } from '../platform/timers.ts';
import { createDocs } from './api/docs.ts';
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
import type { Desk } from './resources/desk.ts';
import { resumeDue } from './resources/suspensions.ts';

export interface Backoffice {
  /** To be mounted below `/api/v1`. */
  router: Router;
  routes: readonly Route[];
  document: Record<string, unknown>;
  /** Suspensions that end, approved acts whose process ended. Never rejects. */
  finishDue(): Promise<void>;
  /** Waits for what is being finished. */
  stop(): Promise<void>;
}

export interface BackofficeDeps {
  pool: Pool;
  ids: Ids;
  clock: Clock;
  random: Random;
  logger: Logger;
  kv: KeyValue;
  passwords: Passwords;
  settlement: Settlement;
  catalogue(): Catalogue;
  picture: PictureDesk;
  suspensions: Suspensions;
  channelSites(): ReadonlyMap<string, bigint>;
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
  const { pool, settings, logger } = deps;
  const { requireTotp, approvalAbove } = settings;
  const desk: Desk = {
    ...deps,
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
  const document = openApiOf(routes, settings.publicUrl, VERSION);
  const limiter = createLimiter(deps.kv, { ...LIMITS, ...deps.limits });
  const router = Router();
  router.use('/docs', createDocs());
  router.get('/openapi.json', (_req, res) => void res.json(document));
  router.use(createRouter(routes, { ...deps, vault: desk.vault, limiter, authenticate }));
  const finish = async (): Promise<void> => {
    try {
      await finishApproved(desk);
      await resumeDue(desk);
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
