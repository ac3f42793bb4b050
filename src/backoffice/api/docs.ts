/** The page of the API, served from a package: nothing of it comes from the network. */
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { Router, static as serveStatic } from 'express';

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>VIP Billing API</title>
<link rel="icon" href="favicon-32x32.png">
<link rel="stylesheet" href="swagger-ui.css">
</head>
<body>
<div id="page"></div>
<script src="swagger-ui-bundle.js"></script>
<script src="start.js"></script>
</body>
</html>
`;
const START = `SwaggerUIBundle({
  url: '../openapi.json',
  dom_id: '#page',
  validatorUrl: null,
  persistAuthorization: false,
});
`;
/** Swagger UI sets styles on elements, and its pictures are in its style sheet. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
const SERVED = new Set(['/swagger-ui.css', '/swagger-ui-bundle.js', '/favicon-32x32.png']);

/** Serves the page below its own folder. */
export function createDocs(): Router {
  const from = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  const files = serveStatic(from, { index: false, redirect: false });
  const router = Router();
  router.use((_req, res, next) => {
    res.set({ 'Content-Security-Policy': POLICY, 'X-Content-Type-Options': 'nosniff' });
    next();
  });
  router.get('/', (req, res) => {
    // Its files are named from its folder.
    if (req.originalUrl.split('?')[0]?.endsWith('/')) res.type('html').send(PAGE);
    else res.redirect(301, `${req.baseUrl}/`);
  });
  router.get('/start.js', (_req, res) => void res.type('js').send(START));
  router.use((req, res, next) => {
    if (SERVED.has(req.path)) files(req, res, next);
    else res.status(404).type('txt').send('Not found');
  });
  return router;
}
