import type { RequestHandler } from 'express';
import type { Metrics } from '../metrics.ts';

/**
 * Times every request, by the path of its route as the application declares it
 * (`/cards/:id`), never by the path that was asked for.
 */
export function timeRequests(metrics: Metrics): RequestHandler {
  return (req, res, next) => {
    const start = performance.now();
    res.once('finish', () => {
      const path: unknown = req.route?.path;
      const route = typeof path === 'string' ? `${req.baseUrl}${path}` : 'none';
      const labels = { route, method: req.method, status: String(res.statusCode) };
      metrics.observe('vip_http_request_seconds', labels, (performance.now() - start) / 1000);
    });
    next();
  };
}
