// What many build first: Express with http-proxy-middleware, no policies, connections kept. `UPSTREAM_URL` and `PORT`.
import { Agent } from 'node:http';
import express from 'express';
import { createProxyMiddleware } from 'http-proxy-middleware';

const app = express();
app.disable('x-powered-by');
app.use(
  createProxyMiddleware({ target: process.env['UPSTREAM_URL'] ?? '', agent: new Agent({ keepAlive: true }) }),
);
app.listen(Number(process.env['PORT']), '127.0.0.1');
