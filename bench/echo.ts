/**
 * What the USSD gateway is measured against: a server that reads the form and says its text back,
 * by express as everybody would write it, or by node's own http.
 */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';

export interface EchoTask {
  kind: 'express' | 'plain';
}

function byExpress(): RequestListener {
  const app = express();
  app.use(express.urlencoded({ extended: false }));
  app.post(/.*/, (req, res) => {
    res.type('text/plain').send(`CON You typed ${req.body.text}\n1 Pay / renew\n2 Balance`);
  });
  return app as RequestListener;
}

const byHand: RequestListener = (req, res) => {
  const parts: Buffer[] = [];
  req.on('data', (part: Buffer) => parts.push(part));
  req.on('end', () => {
    const form = new URLSearchParams(Buffer.concat(parts).toString());
    res.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8' });
    res.end(`CON You typed ${form.get('text')}\n1 Pay / renew\n2 Balance`);
  });
};

process.once('message', ({ kind }: EchoTask) => {
  const server = createServer(kind === 'express' ? byExpress() : byHand);
  process.once('disconnect', () => process.exit(0));
  server.listen(0, '127.0.0.1', () => {
    process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  });
});
