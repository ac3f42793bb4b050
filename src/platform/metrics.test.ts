import express, { Router } from 'express';
import request from 'supertest';
import { timeRequests } from './http/timing.ts';
import { createMetrics } from './metrics.ts';

describe('the metrics', () => {
  it('count, observe and ask gauges when read', async () => {
    const metrics = createMetrics();
    metrics.count('vip_payments_total', { channel: 'ke-paybill', outcome: 'settled' });
    metrics.count('vip_payments_total', { channel: 'ke-paybill', outcome: 'settled' });
    metrics.observe('vip_settlement_batch_size', {}, 3);
    let waiting = 5;
    metrics.gauge('vip_texts_waiting', async () => waiting);
    metrics.gauge('vip_cards_waiting', () => Promise.reject(new Error('database away')));
    waiting = 7;
    const text = await metrics.text();
    expect(text).toContain('vip_payments_total{channel="ke-paybill",outcome="settled"} 2');
    expect(text).toContain('vip_settlement_batch_size_bucket{le="4"} 1');
    expect(text).toContain('# TYPE vip_texts_waiting gauge\nvip_texts_waiting 7\n');
    expect(text).not.toContain('vip_cards_waiting');
  });

  it('show at 0 what is expected and was not counted yet', async () => {
    const metrics = createMetrics();
    const labels = { channel: 'ke-paybill' };
    metrics.expect('vip_missed_payments_total', labels);
    expect(await metrics.text()).toContain('vip_missed_payments_total{channel="ke-paybill"} 0');
    metrics.count('vip_missed_payments_total', labels);
    metrics.expect('vip_missed_payments_total', labels);
    expect(await metrics.text()).toContain('vip_missed_payments_total{channel="ke-paybill"} 1');
  });

  it('show a gauge for each value of its label', async () => {
    const metrics = createMetrics();
    metrics.gauge(
      'vip_cards_waiting',
      async () =>
        new Map([
          ['terrestrial', 3],
          ['satellite', 0],
        ]),
    );
    const text = await metrics.text();
    expect(text).toContain('vip_cards_waiting{cas="terrestrial"} 3\n');
    expect(text).toContain('vip_cards_waiting{cas="satellite"} 0\n');
  });

  it('keep two registries apart', async () => {
    createMetrics().count('vip_dispatch_results_total', { cas: 'main', result: 'on_air' });
    expect(await createMetrics().text()).not.toContain('on_air');
  });

  it('do not grow without end when a label does', async () => {
    const metrics = createMetrics();
    for (let i = 0; i < 1000; i += 1) {
      metrics.count('vip_dispatch_results_total', { cas: 'main', result: `made-up-${i}` });
    }
    const lines = (await metrics.text()).split('\n');
    const series = lines.filter((line) => line.startsWith('vip_dispatch_results_total{'));
    expect(series).toHaveLength(301);
    expect(series).toContain('vip_dispatch_results_total{cas="other",result="other"} 700');
  });

  it('refuse at compile time a name or a label that is not declared', () => {
    const metrics = createMetrics();
    // @ts-expect-error no such metric
    metrics.count('vip_misspelt_total', { result: 'x' });
    // @ts-expect-error no such label
    expect(() => metrics.count('vip_dispatch_results_total', { outcome: 'x' })).toThrow(/outcome/);
  });

  it('time requests by the route as it is declared', async () => {
    const metrics = createMetrics();
    const cards = Router().get('/:id', (_req, res) => void res.end());
    const app = express().use(timeRequests(metrics)).use('/cards', cards);
    await request(app).get('/cards/01234567890');
    await request(app).get('/nowhere/at/all');
    const text = await metrics.text();
    const route = (name: string) => `vip_http_request_seconds_count{route="${name}",method="GET"`;
    expect(text).toContain(`${route('/cards/:id')},status="200"} 1`);
    expect(text).toContain(`${route('none')},status="404"} 1`);
    expect(text).not.toContain('01234567890');
  });
});
