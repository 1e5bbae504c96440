import { contracts } from '@marimo/contracts/all';
import { defineService } from '@marimo/service-kit';
import { createGateway } from './src/gateway.ts';
import { gatewaySettings } from './src/settings.ts';

export const gateway = defineService({
  name: 'gateway',
  routes: [],
  server: (deps, given) =>
    createGateway({ ...deps, ...given, contracts, sockets: [], settings: gatewaySettings(process.env) }),
});
