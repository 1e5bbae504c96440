import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, type PrivateProcess } from '@marimo/testing/outside';
import { startOnCore } from './cores.ts';

export interface Nginx {
  readonly url: string;
  readonly port: number;
  readonly process: PrivateProcess;
}

/** An nginx of one process that gives the same JSON to every request: the cheapest upstream there is. */
export function answeringNginx(core: number, body: string): Promise<Nginx> {
  return startNginx(core, '', `default_type application/json; return 200 '${body}';`);
}

/** A bare nginx proxy that keeps its connections: what a gateway is measured against. */
export function proxyingNginx(core: number, upstreamPort: number): Promise<Nginx> {
  const upstream = `upstream behind { server 127.0.0.1:${upstreamPort}; keepalive 128; keepalive_requests 1000000000; }`;
  const pass = 'proxy_pass http://behind; proxy_http_version 1.1; proxy_set_header Connection "";';
  return startNginx(core, upstream, pass);
}

async function startNginx(core: number, upstream: string, location: string): Promise<Nginx> {
  const [port] = (await freePorts(1)) as [number];
  const folder = await mkdtemp(join(tmpdir(), 'marimo-nginx-'));
  const file = join(folder, 'nginx.conf');
  await writeFile(file, configuration(folder, port, upstream, location));
  const url = `http://127.0.0.1:${port}`;
  const process = await startOnCore(core, ['nginx', '-c', file, '-e', join(folder, 'error.log')], {
    isReady: async () => (await fetch(url)).ok,
    cleanUp: () => rm(folder, { recursive: true, force: true }),
  });
  return { url, port, process };
}

function configuration(folder: string, port: number, upstream: string, location: string): string {
  const folders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
events { worker_connections 2048; }
http {
  access_log off; keepalive_requests 1000000000; keepalive_timeout 75;
  ${folders.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')}
  ${upstream}
  server { listen 127.0.0.1:${port}; location / { ${location} } }
}
`;
}
