import { Router } from 'express';
import type { Metrics } from '../metrics.ts';
import { within } from '../timers.ts';

/** Resolves when the thing works, rejects when it does not. */
export type HealthCheck = () => Promise<unknown>;

export interface Health {
  /** `/healthz`, `/readyz` and `/metrics`. */
  router: Router;
  /** From here on `/readyz` says no, so that load balancers send nothing new. */
  stopping(): void;
}

export interface HealthOptions {
  /** What this process needs in order to serve, by name. */
  checks: Record<string, HealthCheck>;
  metrics: Metrics;
  /** How long one check may take. */
  timeoutMs?: number;
}

const CHECK_TIMEOUT_MS = 2_000;

/**
 * The doors for load balancers and monitoring. `/healthz`: the process lives. `/readyz`: every
 * check passes; otherwise 503 with the names of those that fail. `/metrics`: Prometheus text.
 */
export function createHealth(options: HealthOptions): Health {
  const timeoutMs = options.timeoutMs ?? CHECK_TIMEOUT_MS;
  let isStopping = false;

  const passes = async (check: HealthCheck): Promise<boolean> => {
    try {
      return (await within(timeoutMs, check())) !== 'timeout';
    } catch {
      return false;
    }
  };
  const failing = async (): Promise<string[]> => {
    const names = await Promise.all(
      Object.entries(options.checks).map(async ([name, check]) =>
        (await passes(check)) ? [] : [name],
      ),
    );
    return [...names.flat(), ...(isStopping ? ['stopping'] : [])];
  };

  const router = Router();
  router.get('/healthz', (_req, res) => {
    res.json({ ok: true });
  });
  router.get('/readyz', async (_req, res) => {
    const names = await failing();
    res.status(names.length === 0 ? 200 : 503).json({ ok: names.length === 0, failing: names });
  });
  router.get('/metrics', async (_req, res) => {
    res.type(options.metrics.contentType).send(await options.metrics.text());
  });
  return {
    router,
    stopping: () => {
      isStopping = true;
    },
  };
}
