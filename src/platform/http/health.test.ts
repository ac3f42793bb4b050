import express from 'express';
import request from 'supertest';
import { createMetrics } from '../metrics.ts';
import { createHealth, type HealthCheck } from './health.ts';

function serve(checks: Record<string, HealthCheck>) {
  const health = createHealth({ checks, metrics: createMetrics(), timeoutMs: 20 });
  return { app: express().use(health.router), health };
}

describe('the health doors', () => {
  it('say ready when every check passes', async () => {
    const { app } = serve({ database: async () => 1, redis: async () => undefined });
    await request(app).get('/healthz').expect(200, { ok: true });
    await request(app).get('/readyz').expect(200, { ok: true, failing: [] });
  });

  it('name the checks that fail, throw, or take too long', async () => {
    const { app } = serve({
      database: () => Promise.reject(new Error('away')),
      'head-end': () => {
        throw new Error('bug');
      },
      redis: () => new Promise(() => undefined),
      fine: async () => 1,
    });
    const failing = ['database', 'head-end', 'redis'];
    await request(app).get('/readyz').expect(503, { ok: false, failing });
    await request(app).get('/healthz').expect(200);
  });

  it('are not ready while stopping', async () => {
    const { app, health } = serve({});
    health.stopping();
    await request(app)
      .get('/readyz')
      .expect(503, { ok: false, failing: ['stopping'] });
  });

  it('show the metrics as Prometheus reads them', async () => {
    const answer = await request(serve({}).app).get('/metrics').expect(200);
    expect(answer.headers['content-type']).toMatch(/^text\/plain; version=0.0.4/);
    expect(answer.text).toContain('process_cpu_seconds_total');
  });
});
